"""A ComputeJob as the scheduler sees it: demands, constraints, and what binds it now. The pod itself is not here."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from sampan.model.figures import FIGURES, NoFigure, Shortfall
from sampan.model.members.accelerator import AcceleratorClass, Precision
from sampan.model.members.offer import OfferKey, Terms
from sampan.model.queues import DEFAULT_QUEUE
from sampan.model.reason import Reason
from sampan.model.values.selector import Selector
from sampan.model.values.vector import Vector


class Domestic(StrEnum):
    """What a job says about the origin of its devices."""

    ANY = "Any"
    PREFERRED = "Preferred"
    REQUIRED = "Required"


class Interconnect(StrEnum):
    """How near a gang's nodes must be to each other."""

    ANY = "Any"
    SAME_DOMAIN = "SameDomain"
    """All replicas in one fabric domain; a gang on one node always is."""


class OnNeverFits(StrEnum):
    """What a job does that no pool would take even if it were empty."""

    WAIT = "Wait"
    FAIL = "Fail"


class AlternativeOrder(StrEnum):
    """How a job ranks its alternatives."""

    IN_ORDER = "InOrder"
    BY_SCORE = "ByScore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of one card."""

    memory: int
    """Bytes."""
    compute_percent: int = 0
    """Percent of its compute; 0: whatever is left over."""


_NAMES: Final = {"class": "accelerator_class", "family": "family", "vendor": "vendor", "stack": "stack", "resource": "resource"}
"""Attribute of Requirement by word of the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Which devices one replica needs; everything that is set must hold."""

    count: int
    accelerator_class: str | None = None
    family: str | None = None
    vendor: str | None = None
    stack: str | None = None
    resource: str | None = None
    """Extended resource that the devices are asked for by; the one thing that reaches devices of unknown vendors."""
    memory_per_device: int | None = None
    """Least nominal bytes per device."""
    fp16_tflops: int | None = None
    """Least dense throughput per device, in micro-TFLOPS."""
    memory_bandwidth: int | None = None
    """Least bytes per second per device."""
    fp64_tflops: int | None = None
    precisions: tuple[Precision, ...] = ()
    """Number formats that the device must support with a known figure."""
    min_driver: str = ""
    """Least driver version, compared number by number."""
    min_compute_capability: str = ""
    partition: str = ""
    """Partition profile that one device must be, such as `1g.10gb`; with count 1."""
    share: Share | None = None
    """A part of one card; with count 1."""

    @property
    def names(self) -> dict[str, str]:
        """Return the names by which it asks for devices, by word of the manifest."""
        asked = {word: getattr(self, attribute) for word, attribute in _NAMES.items()}
        return {word: name for word, name in asked.items() if name is not None}

    def matches(self, have: AcceleratorClass, *, resource: str) -> bool:
        """Tell whether devices of a class that are handed out as a resource bear every name that it asks for; figures are no names."""
        return (
            self.accelerator_class in (None, have.name)
            and self.family in (None, have.family)
            and self.vendor in (None, have.vendor)
            and self.stack in (None, have.stack)
            and self.resource in (None, resource)
        )

    def shortfall(self, have: AcceleratorClass) -> tuple[Shortfall | NoFigure, ...]:
        """Return the figures that devices of a class have too little of; one that is not known is not enough."""
        found: list[Shortfall | NoFigure] = []
        for figure in FIGURES:
            wanted = getattr(self, figure.wanted)
            if wanted is not None and ((present := figure.known(have)) is None or present < wanted):
                found.append(Shortfall(figure, wanted, present))
        return (*found, *(NoFigure(precision) for precision in self.precisions if not have.tflops(precision)))

    def relaxed_to(self, have: AcceleratorClass, *, resource: str) -> "Requirement":
        """Return the requirement with the names and figures that it sets as a class has them, without those that are not known of it."""
        theirs = {**have.names, "resource": resource}
        changed: dict[str, Any] = {_NAMES[word]: theirs.get(word) for word in self.names}
        for figure in FIGURES:
            wanted, present = getattr(self, figure.wanted), figure.known(have)
            changed[figure.wanted] = None if wanted is None or present is None else min(wanted, present)
        return replace(self, **changed, precisions=tuple(each for each in self.precisions if have.tflops(each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One way to run a job, in canonical form: equal demands get equal verdicts."""

    alternative: int | None
    """Index in `spec.alternatives`; None for the template alone, without any accelerator."""
    requirement: Requirement | None
    replicas: int
    """Pods that run at once when there is room."""
    least_replicas: int
    """Fewest pods worth starting: all of a gang, one of a sweep."""
    per_replica: Vector
    """CPU, memory, storage and one pod slot; the devices come from `requirement`. Of all containers, as kube-scheduler counts them."""
    limits: tuple[tuple[str, int], ...] = ()
    """Limits that the pod names, 0 included, beside those of its devices: quotas and LimitRanges of members read them."""
    beside: Vector = Vector()
    """What of `per_replica` sidecars and init containers add to the main container."""
    limits_beside: Vector = Vector()
    """What of `limits` they add."""
    zeros: tuple[str, ...] = ()
    """Resources that it asks 0 of by name; of any other that `per_replica` lacks it says nothing, and a LimitRange may fill it in."""
    objects: tuple[tuple[str, int], ...] = ()
    """What the job makes on a member once, whatever its width, by `admission.quota_key`: ConfigMaps, Secrets, all pods of a sweep."""
    tenant: str = ""
    """Namespace of the job, where an offer keeps tenants apart: quotas there are each tenant's own. Else empty."""
    architectures: tuple[str, ...] = ()
    user: int | None = None
    """As whom its containers run; None: it does not say."""
    expected_seconds: int | None = None
    span_seconds: int | None = None
    """Longest time that it can hold its devices: start deadline + run limit + grace; None: not declared, so endless."""
    limit_seconds: int | None = None
    """Longest time that it may run; None: not declared."""
    wait_seconds: int = 0
    """How long the alternatives before this one have the job to themselves."""

    @property
    def devices(self) -> int:
        """Return the devices of one replica."""
        return self.requirement.count if self.requirement else 0

    @property
    def main(self) -> "Demand":
        """Return the demand with its main container alone, whose amounts are those that the job's own fields name."""
        if not self.beside.amounts and not self.limits_beside.amounts:
            return self
        limits = ((name, amount, self.limits_beside[name]) for name, amount in self.limits)
        return replace(
            self,
            per_replica=self.per_replica - self.beside,
            limits=tuple((name, amount - added) for name, amount, added in limits if amount > added or not added),
            beside=Vector(),
            limits_beside=Vector(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a job may run. An empty tuple or None excludes nothing, but of the terms."""

    regions: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = (Terms.ON_DEMAND,)
    """All that are accepted."""
    domestic: Domestic = Domestic.ANY
    offer_selector: Selector = Selector()
    max_price: int | None = None
    """Micro-units of the hub's currency per device-hour."""
    interconnect: Interconnect = Interconnect.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Everything of a job that a filter or a score reads; jobs of equal shape share their verdicts."""

    demands: tuple[Demand, ...]
    placement: Placement
    policy: str = "balanced"
    order: AlternativeOrder = AlternativeOrder.IN_ORDER
    expected_seconds: int | None = None
    tenant: tuple[tuple[str, str], ...] = ()
    """Labels of the job's namespace that any offer's tenants selector reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that waits for a place."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    """What the intent must still find on the hub: the compare in the compare-and-set."""
    created: int
    """Milliseconds since the epoch."""
    shape: Shape
    priority: int = 0
    queue: str = DEFAULT_QUEUE
    inadmissible: Reason | None = None
    """Why its Queue lets it nowhere (QueueNotAllowed, PriorityNotAllowed, PolicyNotAllowed); None: it may compete."""
    attempts: int = 0
    """Attempts seen so far; the next one has this number plus one."""
    excluded: frozenset[tuple[OfferKey, str]] = field(default=frozenset())
    """(offer, pool) pairs that cool down for this job, because it or one like it was not started there."""
    closed: frozenset[int] = field(default=frozenset())
    """Demands of the shape, by their place, that may be tried no more; never all of them."""
