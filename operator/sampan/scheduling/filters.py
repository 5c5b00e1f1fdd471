"""Why a cell is not for a demand: one function per reason, one line each in `FILTERS`. Room is not judged here but in `work`.

A filter reads only the Question. All are asked, so that a verdict names everything that is in the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.model.accelerator import AcceleratorClass, Sharing
from sampan.model.cluster import Pool
from sampan.model.job import Demand, Domestic, Placement, Requirement
from sampan.model.offer import Offer
from sampan.model.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this demand, under these limits, run in this pool of this offer now?"""

    demand: Demand
    placement: Placement
    offer: Offer
    pool: Pool
    now: int
    currency: str
    policy_known: bool = True
    """Whether the PlacementPolicy that the job names is there."""

    @property
    def price(self) -> int | None:
        """Return the price in force per device-hour in micro-units of the hub's currency, None where it is not known."""
        accelerator = self.pool.accelerator
        price = self.offer.price_at(accelerator.name, self.now) if accelerator else None
        return price.amount if price is not None and price.currency == self.currency else None


def policy_known(q: Question) -> Reason | None:
    """The job's PlacementPolicy exists: no other one is taken in its stead."""
    return None if q.policy_known else Reason.POLICY_NOT_FOUND


def approved(q: Question) -> Reason | None:
    """The platform team's Provider object grants the offer."""
    return None if q.offer.approved else Reason.OFFER_NOT_APPROVED


def accepting(q: Question) -> Reason | None:
    """The provider takes new jobs."""
    return None if q.offer.accepting else Reason.OFFER_NOT_ACCEPTING


def valid(q: Question) -> Reason | None:
    """The offer's validity covers now."""
    return None if q.offer.valid_at(q.now) else Reason.OFFER_NOT_VALID


def connected(q: Question) -> Reason | None:
    """The member answers."""
    return None if q.offer.connected else Reason.OFFER_NOT_CONNECTED


def permitted(q: Question) -> Reason | None:
    """The member's Role lets us run jobs."""
    return None if q.offer.permitted else Reason.PERMISSIONS_MISSING


def terms(q: Question) -> Reason | None:
    """The job accepts the offer's terms."""
    return Reason.TERMS_EXCLUDED if q.placement.terms and q.offer.terms not in q.placement.terms else None


def provider(q: Question) -> Reason | None:
    """The job accepts the provider."""
    return Reason.PROVIDER_EXCLUDED if q.placement.providers and q.offer.provider not in q.placement.providers else None


def region(q: Question) -> Reason | None:
    """The job accepts the region."""
    return Reason.REGION_EXCLUDED if q.placement.regions and q.offer.region not in q.placement.regions else None


def jurisdiction(q: Question) -> Reason | None:
    """The job accepts the law that holds there."""
    wanted = q.placement.jurisdictions
    return Reason.JURISDICTION_EXCLUDED if wanted and q.offer.jurisdiction not in wanted else None


def offer_selector(q: Question) -> Reason | None:
    """The offer carries the labels that the job asks for."""
    return None if q.placement.offer_selector.matches(q.offer.labels) else Reason.OFFER_SELECTOR_MISMATCH


def domestic(q: Question) -> Reason | None:
    """Where the job requires domestic devices, these are; a job without devices has no origin to require."""
    required = q.placement.domestic is Domestic.REQUIRED and q.demand.requirement is not None
    return Reason.NOT_DOMESTIC if required and not q.pool.domestic else None


def price_cap(q: Question) -> Reason | None:
    """The price is known and within the job's cap, where it sets one."""
    if q.placement.max_price is None or q.demand.requirement is None:
        return None
    if q.price is None:
        return Reason.PRICE_UNKNOWN
    return Reason.PRICE_ABOVE_CAP if q.price > q.placement.max_price else None


def accelerator(q: Question) -> Reason | None:
    """The devices are of the class, family, vendor and stack that the demand names, and handed out whole."""
    need, have = q.demand.requirement, q.pool.accelerator
    if need is None:
        return None
    matches = have is not None and q.pool.sharing is Sharing.WHOLE and _named(need, have)
    return None if matches else Reason.ACCELERATOR_MISMATCH


def capability(q: Question) -> Reason | None:
    """Each device has the memory and the throughput asked for; an unknown figure does not satisfy."""
    need, have = q.demand.requirement, q.pool.accelerator
    if need is None or have is None:
        return None
    enough = _at_least(have.memory, need.memory_per_device) and _at_least(have.fp16_tflops, need.fp16_tflops)
    return None if enough else Reason.CAPABILITY_INSUFFICIENT


def count(q: Question) -> Reason | None:
    """The class hands out so many devices at once; a count is never rounded."""
    need, have = q.demand.requirement, q.pool.accelerator
    if need is None or have is None:
        return None
    return None if have.count_rule.accepts(need.count) else Reason.COUNT_NOT_ALLOWED


def architecture(q: Question) -> Reason | None:
    """The image runs on the nodes' CPU architecture."""
    wanted = q.demand.architectures
    return Reason.ARCHITECTURE_MISMATCH if wanted and q.pool.architecture not in wanted else None


def reserved_for_devices(q: Question) -> Reason | None:
    """Jobs without devices stay off nodes with devices."""
    return Reason.ACCELERATOR_NODE_RESERVED if q.demand.requirement is None and q.pool.resource else None


FILTERS: Final[tuple[Callable[[Question], Reason | None], ...]] = (
    policy_known,
    approved,
    accepting,
    valid,
    connected,
    permitted,
    terms,
    provider,
    region,
    jurisdiction,
    offer_selector,
    domestic,
    price_cap,
    accelerator,
    capability,
    count,
    architecture,
    reserved_for_devices,
)


def refusals(q: Question) -> tuple[Reason, ...]:
    """Return every reason against the cell, worst first; none if it may be used when there is room."""
    reasons = {reason for check in FILTERS if (reason := check(q)) is not None}
    return tuple(sorted(reasons, key=lambda reason: reason.severity))


def _named(need: Requirement, have: AcceleratorClass) -> bool:
    pairs = (
        (need.accelerator_class, have.name),
        (need.family, have.family),
        (need.vendor, have.vendor),
        (need.stack, have.stack),
    )
    return all(wanted is None or wanted == present for wanted, present in pairs)


def _at_least(have: int | None, need: int | None) -> bool:
    return need is None or (have is not None and have >= need)
