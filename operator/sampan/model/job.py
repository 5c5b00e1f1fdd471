"""A ComputeJob as the scheduler sees it: demands, constraints, and what binds it now. The pod itself is not here."""

from dataclasses import dataclass, field
from enum import StrEnum

from sampan.model.offer import OfferKey, Terms
from sampan.model.selector import Selector
from sampan.model.vector import Vector


class Domestic(StrEnum):
    """What a job says about the origin of its devices."""

    ANY = "Any"
    PREFERRED = "Preferred"
    REQUIRED = "Required"


class AlternativeOrder(StrEnum):
    """How a job ranks its alternatives."""

    IN_ORDER = "InOrder"
    BY_SCORE = "ByScore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Which devices one replica needs; everything that is set must hold."""

    count: int
    accelerator_class: str | None = None
    family: str | None = None
    vendor: str | None = None
    stack: str | None = None
    memory_per_device: int | None = None
    """Least nominal bytes per device."""
    fp16_tflops: int | None = None
    """Least dense throughput per device, in micro-TFLOPS."""


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
    """CPU, memory, storage and one pod slot; the devices come from `requirement`."""
    architectures: tuple[str, ...] = ()
    expected_seconds: int | None = None
    wait_seconds: int = 0
    """How long the alternatives before this one have the job to themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a job may run. An empty tuple or None excludes nothing."""

    regions: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    domestic: Domestic = Domestic.ANY
    offer_selector: Selector = Selector()
    max_price: int | None = None
    """Micro-units of the hub's currency per device-hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Everything of a job that a filter or a score reads; jobs of equal shape share their verdicts."""

    demands: tuple[Demand, ...]
    placement: Placement
    policy: str = "balanced"
    order: AlternativeOrder = AlternativeOrder.IN_ORDER
    expected_seconds: int | None = None


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
    attempts: int = 0
    """Attempts seen so far; the next one has this number plus one."""
    excluded: frozenset[tuple[OfferKey, str]] = field(default=frozenset())
    """(offer, pool) pairs that cool down for this job after a failed start."""
