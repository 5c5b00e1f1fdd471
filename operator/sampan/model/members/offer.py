"""A ClusterOffer as the scheduler sees it: approved values only, with prices and terms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sampan.model.launch import NO_LAUNCH, Launch, PodSecurity
from sampan.model.members.taint import Toleration
from sampan.model.values.quantity import MICRO
from sampan.model.values.selector import Selector


class Terms(StrEnum):
    """On what terms devices are offered."""

    ON_DEMAND = "OnDemand"
    RESERVED = "Reserved"
    INTERRUPTIBLE = "Interruptible"
    TRIAL = "Trial"


@dataclass(frozen=True, slots=True, order=True)
class OfferKey:
    """Namespace and name of a ClusterOffer; its order is the last tie-break of placement."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return namespace/name, as kubectl prints it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one device of a class costs for an hour, from a moment on."""

    id: str
    accelerator_class: str
    amount: int
    """Micro-units of `currency` per device-hour."""
    currency: str
    valid_from: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRule:
    """One entry of `spec.pools`: restricts the offer to nodes, names their class, or limits their devices."""

    selector: Selector
    accelerator_class: str | None = None
    """Believed only where the Provider trusts pool overrides."""
    max_devices: int | None = None


ENERGY_AGE: Final = 3 * 365 * 86_400_000
"""Milliseconds for which figures of power count: grid factors are published yearly, for one or two years before (IEA, EPA eGRID)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """What a provider says of its power; a figure that is not told is None."""

    pue: int | None = None
    """Micro-units."""
    renewable_share: int | None = None
    """Micro-units, 0..1,000,000."""
    grams_co2_per_kwh: int | None = None
    as_of: int | None = None
    """When the figures held, in milliseconds since the epoch."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return the fields without which the figures say nothing."""
        told = (("pue", self.pue), ("gCO2PerKWh", self.grams_co2_per_kwh), ("asOf", self.as_of))
        return tuple(name for name, value in told if value is None)

    @property
    def span(self) -> tuple[int, int] | None:
        """Return since when and until when the figures count; None where they never do."""
        return None if self.as_of is None or self.lacks or not self.possible else (self.as_of, self.as_of + ENERGY_AGE)

    @property
    def possible(self) -> bool:
        """Tell whether the figures can be true: no place needs less power than its computers (ISO/IEC 30134-2)."""
        return self.pue is None or self.pue >= MICRO


NO_ENERGY: Final = Energy()
"""Nothing is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a provider puts on the table, as far as its Provider object grants it."""

    key: OfferKey
    uid: str
    provider: str
    region: str
    jurisdiction: str
    terms: Terms
    cluster_uid: str | None = None
    """kube-system UID of the member; None until it was seen."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Only labels that the Provider grants."""
    accepting: bool = True
    approved: bool = False
    connected: bool = False
    permitted: bool = False
    valid_from: int | None = None
    valid_until: int | None = None
    rules: tuple[PoolRule, ...] = ()
    prices: tuple[Price, ...] = ()
    tenants: Selector = Selector()
    """Namespaces of the hub, by their labels, whose jobs are taken; empty: all."""
    max_run_seconds: int | None = None
    max_devices_per_job: int | None = None
    energy: Energy = NO_ENERGY
    tolerations: tuple[Toleration, ...] = ()
    """Taints that the provider lets pods tolerate, beyond what their devices' convention says."""
    launch: Launch = NO_LAUNCH
    """The provider's word on how pods run here."""
    member_queue: str = ""
    """Name of the member's own queue that jobs enter; empty: none."""
    namespace: str = "sampan-jobs"
    """Namespace on the member where jobs run; with a namespace for each tenant, the one that says which these are."""
    tenant_namespaces: Mapping[str, str] | None = None
    """By tenant, a namespace of the hub: the one on the member where its jobs run; a tenant that is not named has none. None: shared."""
    pod_security: PodSecurity | None = None
    """Level that this namespace enforces; None: none is known, and nothing is held against a recipe."""

    def namespace_of(self, tenant: str) -> str | None:
        """Return the namespace on the member where jobs of a tenant run; None where it has none."""
        return self.namespace if self.tenant_namespaces is None else self.tenant_namespaces.get(tenant)

    def valid_at(self, now: int) -> bool:
        """Tell whether the offer's validity covers the moment (milliseconds since the epoch)."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_until is None or now < self.valid_until)

    def moments(self) -> Iterator[int]:
        """Yield the moments (milliseconds since the epoch) at which something about the offer changes by itself."""
        yield from (price.valid_from for price in self.prices)
        yield from (moment for moment in (self.valid_from, self.valid_until) if moment is not None)
        yield from self.energy.span or ()

    def price_at(self, accelerator_class: str, now: int) -> Price | None:
        """Return the price in force for a class: the latest that has begun, by id where two begin together."""
        begun = [p for p in self.prices if p.accelerator_class == accelerator_class and p.valid_from <= now]
        return max(begun, key=lambda p: (p.valid_from, p.id), default=None)
