"""What a filter is asked: may this demand, under these limits, run in this pool of this offer now? Values only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sampan.model.job import Demand, Placement
from sampan.model.members.cluster import Pool
from sampan.model.members.offer import Offer
from sampan.model.values.names import NAMESPACE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterContext:
    """One demand of a job before one cell."""

    demand: Demand
    placement: Placement
    offer: Offer
    pool: Pool
    now: int
    """Milliseconds since the epoch."""
    currency: str
    policy_known: bool = True
    """Whether the PlacementPolicy that the job names is there."""
    tenant: tuple[tuple[str, str], ...] = ()
    """Labels of the job's namespace, as far as offers read them."""
    cpu_on_accelerators: bool = False
    """The policy lets jobs without devices use nodes with devices."""

    @property
    def tenant_name(self) -> str:
        """Return the name of the job's namespace, as far as offers read it."""
        return dict(self.tenant).get(NAMESPACE_NAME, "")

    @property
    def price(self) -> int | None:
        """Return the price in force per device-hour in micro-units of the hub's currency, None where it is not known."""
        accelerator = self.pool.accelerator
        price = self.offer.price_at(accelerator.name, self.now) if accelerator else None
        return price.amount if price is not None and price.currency == self.currency else None

    def placed(self, **limits: Any) -> "Iterator[FilterContext]":
        """Yield the context of a job with other limits: fields of Placement."""
        yield replace(self, placement=replace(self.placement, **limits))

    def demanding(self, **amounts: Any) -> "Iterator[FilterContext]":
        """Yield the context of a job that asks otherwise: fields of Demand."""
        yield replace(self, demand=replace(self.demand, **amounts))

    def requiring(self, **devices: Any) -> "Iterator[FilterContext]":
        """Yield the context of a job that asks for other devices: fields of Requirement; none of a job without devices."""
        need = self.demand.requirement
        if need is not None:
            yield from self.demanding(requirement=replace(need, **devices))
