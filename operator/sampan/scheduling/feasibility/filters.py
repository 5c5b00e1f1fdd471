"""Why a cell is not for a demand: one check per reason, one line each in a table. Room is not judged here but in the fits.

A check reads only the Question, and of it only what its table says, so that verdicts can be shared by all cells that are alike there.
All are asked, so that a verdict names everything that is in the way. Wording is in `objections`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.catalog.devices.share import companions
from sampan.model.job import Demand, Domestic, Placement
from sampan.model.members.accelerator import Precision, Sharing
from sampan.model.members.cluster import Pool
from sampan.model.members.offer import Offer
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.admission import uncovered, unnamed, violations
from sampan.scheduling.feasibility.device_names import named
from sampan.scheduling.feasibility.versions import new_enough


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterContext:
    """May this demand, under these limits, run in this pool of this offer now?"""

    demand: Demand
    placement: Placement
    offer: Offer
    pool: Pool
    now: int
    currency: str
    policy_known: bool = True
    """Whether the PlacementPolicy that the job names is there."""
    tenant: tuple[tuple[str, str], ...] = ()
    """Labels of the job's namespace, as far as offers read them."""
    cpu_on_accelerators: bool = False
    """The policy lets jobs without devices use nodes with devices."""

    @property
    def price(self) -> int | None:
        """Return the price in force per device-hour in micro-units of the hub's currency, None where it is not known."""
        accelerator = self.pool.accelerator
        price = self.offer.price_at(accelerator.name, self.now) if accelerator else None
        return price.amount if price is not None and price.currency == self.currency else None


Filter = Callable[[FilterContext], Reason | None]


def policy_known(q: FilterContext) -> Reason | None:
    """The job's PlacementPolicy exists: no other one is taken in its stead."""
    return None if q.policy_known else Reason.POLICY_NOT_FOUND


def approved(q: FilterContext) -> Reason | None:
    """The platform team's Provider object grants the offer."""
    return None if q.offer.approved else Reason.OFFER_NOT_APPROVED


def accepting(q: FilterContext) -> Reason | None:
    """The provider takes new jobs."""
    return None if q.offer.accepting else Reason.OFFER_NOT_ACCEPTING


def valid(q: FilterContext) -> Reason | None:
    """The offer's validity covers now."""
    return None if q.offer.valid_at(q.now) else Reason.OFFER_NOT_VALID


def connected(q: FilterContext) -> Reason | None:
    """The member answers."""
    return None if q.offer.connected else Reason.OFFER_NOT_CONNECTED


def permitted(q: FilterContext) -> Reason | None:
    """The member's Role lets us run jobs."""
    return None if q.offer.permitted else Reason.PERMISSIONS_MISSING


def tenant(q: FilterContext) -> Reason | None:
    """The offer takes jobs of this namespace."""
    return None if q.offer.tenants.matches(dict(q.tenant)) else Reason.TENANT_EXCLUDED


def member_queue(q: FilterContext) -> Reason | None:
    """The member's own queue, where the offer names one, exists and is open."""
    return Reason.MEMBER_QUEUE_NOT_READY if q.pool.queue_inactive else None


def terms(q: FilterContext) -> Reason | None:
    """The job accepts the offer's terms."""
    return None if q.offer.terms in q.placement.terms else Reason.TERMS_EXCLUDED


def provider(q: FilterContext) -> Reason | None:
    """The job accepts the provider."""
    return Reason.PROVIDER_EXCLUDED if q.placement.providers and q.offer.provider not in q.placement.providers else None


def region(q: FilterContext) -> Reason | None:
    """The job accepts the region."""
    return Reason.REGION_EXCLUDED if q.placement.regions and q.offer.region not in q.placement.regions else None


def jurisdiction(q: FilterContext) -> Reason | None:
    """The job accepts the law that holds there."""
    wanted = q.placement.jurisdictions
    return Reason.JURISDICTION_EXCLUDED if wanted and q.offer.jurisdiction not in wanted else None


def offer_selector(q: FilterContext) -> Reason | None:
    """The offer carries the labels that the job asks for."""
    return None if q.placement.offer_selector.matches(q.offer.labels) else Reason.OFFER_SELECTOR_MISMATCH


def run_limit(q: FilterContext) -> Reason | None:
    """The job declares to end within what the offer allows."""
    most, limit = q.offer.max_run_seconds, q.demand.limit_seconds
    return Reason.RUN_LIMIT_EXCEEDED if most is not None and (limit is None or limit > most) else None


def devices_per_job(q: FilterContext) -> Reason | None:
    """The job takes no more devices than the offer gives to one."""
    most, need = q.offer.max_devices_per_job, q.demand.requirement
    wanted = need.count * q.demand.least_replicas if need else 0
    return Reason.DEVICES_PER_JOB_EXCEEDED if most is not None and wanted > most else None


def domestic(q: FilterContext) -> Reason | None:
    """Where the job requires domestic devices, these are; a job without devices has no origin to require."""
    required = q.placement.domestic is Domestic.REQUIRED and q.demand.requirement is not None
    return Reason.NOT_DOMESTIC if required and not q.pool.domestic else None


def accelerator(q: FilterContext) -> Reason | None:
    """The devices are of the class, family, vendor and stack, and of the resource name, that the demand names."""
    need = q.demand.requirement
    if need is None:
        return None
    return None if q.pool.resource and named(need, q.pool) else Reason.ACCELERATOR_MISMATCH


def sharing(q: FilterContext) -> Reason | None:
    """Devices are handed out as asked for: whole, as a hardware partition, or as a share of a card in units that are known."""
    need = q.demand.requirement
    if need is None:
        return None
    wanted = Sharing.PARTITION if need.partition else Sharing.VIRTUAL if need.share else Sharing.WHOLE
    if q.pool.sharing is not wanted or (need.share and companions(q.pool.resource, need.share) is None):
        return Reason.SHARING_MISMATCH
    return None


def partition(q: FilterContext) -> Reason | None:
    """The partition is the one asked for."""
    need = q.demand.requirement
    if need is None or not need.partition or q.pool.sharing is not Sharing.PARTITION:
        return None
    return None if q.pool.profile == need.partition else Reason.PARTITION_MISMATCH


def capability(q: FilterContext) -> Reason | None:
    """Each device has the memory, bandwidth, throughput and number formats asked for; an unknown figure does not satisfy."""
    need, have = q.demand.requirement, q.pool.accelerator
    if need is None or not q.pool.resource:
        return None
    enough = (
        _at_least(memory_of(q.pool), need.memory_per_device)
        and _at_least(have.fp16_tflops if have else None, need.fp16_tflops)
        and _at_least(have.memory_bandwidth if have else None, need.memory_bandwidth)
        and _at_least(have.tflops(Precision.FP64) if have else None, need.fp64_tflops)
        and all(have is not None and have.tflops(precision) for precision in need.precisions)
    )
    return None if enough else Reason.CAPABILITY_INSUFFICIENT


def driver(q: FilterContext) -> Reason | None:
    """Driver and compute capability are new enough; an unknown one is not."""
    need = q.demand.requirement
    if need is None:
        return None
    enough = new_enough(q.pool.driver, need.min_driver) and new_enough(q.pool.compute_capability, need.min_compute_capability)
    return None if enough else Reason.DRIVER_TOO_OLD


def count(q: FilterContext) -> Reason | None:
    """The class hands out so many devices at once; a count is never rounded."""
    need, have = q.demand.requirement, q.pool.accelerator
    if need is None or have is None or need.partition or need.share:
        return None
    return None if have.count_rule.accepts(need.count) else Reason.COUNT_NOT_ALLOWED


def architecture(q: FilterContext) -> Reason | None:
    """The image runs on the nodes' CPU architecture."""
    wanted = q.demand.architectures
    return Reason.ARCHITECTURE_MISMATCH if wanted and q.pool.architecture not in wanted else None


def reserved_for_devices(q: FilterContext) -> Reason | None:
    """Jobs without devices stay off nodes with devices, unless the policy lets them and no taint of the device plugin keeps them away."""
    kept = q.demand.requirement is None and q.pool.resource and (q.pool.for_devices_only or not q.cpu_on_accelerators)
    return Reason.ACCELERATOR_NODE_RESERVED if kept else None


def price_cap(q: FilterContext) -> Reason | None:
    """The price is known and within the job's cap, where it sets one."""
    if q.placement.max_price is None or q.demand.requirement is None:
        return None
    if q.price is None:
        return Reason.PRICE_UNKNOWN
    return Reason.PRICE_ABOVE_CAP if q.price > q.placement.max_price else None


def launch(q: FilterContext) -> Reason | None:
    """The job namespace on the member admits pods with what these devices need to run."""
    level = q.offer.pod_security
    return None if level is None or level.allows(q.pool.launch.pod_security) else Reason.LAUNCH_NOT_PERMITTED


def resources_named(q: FilterContext) -> Reason | None:
    """The pod names every request and limit that a quota there makes pods name."""
    return Reason.RESOURCES_NOT_NAMED if q.pool.admission.compulsory and unnamed(q.demand, q.pool) else None


def limit_ranges(q: FilterContext) -> Reason | None:
    """The pod, with what LimitRanges there fill in, is within them and still valid."""
    return Reason.LIMIT_RANGE_VIOLATED if q.pool.admission.limits and violations(q.demand, q.pool) else None


def queue_covers(q: FilterContext) -> Reason | None:
    """The member's own queue hands out all that the pod asks for."""
    return Reason.MEMBER_QUEUE_NOT_COVERING if uncovered(q.demand, q.pool) else None


def runtime_class(q: FilterContext) -> Reason | None:
    """The member has the RuntimeClass that pods would name: its API server makes none that names another."""
    return Reason.RUNTIME_CLASS_MISSING if q.pool.runtime_missing else None


OFFER_FILTERS: Final[tuple[Filter, ...]] = (
    policy_known,
    approved,
    accepting,
    valid,
    connected,
    permitted,
    tenant,
    terms,
    provider,
    region,
    jurisdiction,
    offer_selector,
    run_limit,
    devices_per_job,
)
"""Read the offer, the placement, the tenant's labels, the demand's limits and its count; nothing of the pool."""
POOL_FILTERS: Final[tuple[Filter, ...]] = (
    domestic,
    accelerator,
    sharing,
    partition,
    capability,
    driver,
    count,
    architecture,
    reserved_for_devices,
)
"""Read the demand, `placement.domestic`, the policy's word on CPU jobs, and facts of the pool; not its nodes, nothing of the offer."""
CELL_FILTERS: Final[tuple[Filter, ...]] = (
    price_cap,
    launch,
    resources_named,
    limit_ranges,
    member_queue,
    queue_covers,
    runtime_class,
)
"""Read offer and pool together."""
FILTERS: Final = (*OFFER_FILTERS, *POOL_FILTERS, *CELL_FILTERS)


def refusals(q: FilterContext) -> tuple[Reason, ...]:
    """Return every reason against the cell, worst first; none if it may be used when there is room."""
    reasons = {reason for check in FILTERS if (reason := check(q)) is not None}
    return tuple(sorted(reasons, key=lambda reason: reason.severity))


def memory_of(pool: Pool) -> int | None:
    """Return the bytes of one device of a pool: a partition's own, else its class's nominal memory; None where it is not known."""
    if pool.memory is not None:
        return pool.memory
    return pool.accelerator.memory if pool.accelerator and pool.sharing is not Sharing.PARTITION else None


def _at_least(have: int | None, need: int | None) -> bool:
    return need is None or (have is not None and have >= need)
