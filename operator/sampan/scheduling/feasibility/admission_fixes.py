"""What a job could name so that its member's namespace admits its pods. Whether that is enough is judged again by the filters."""

from collections.abc import Iterator
from dataclasses import replace

from sampan.model.job import Demand
from sampan.model.members.admission import LIMITS, REQUESTS
from sampan.model.members.cluster import Pool
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.request import OF_COMPUTE
from sampan.scheduling.feasibility.admission import Fault, Violation, unnamed, violations


def named(demand: Demand, pool: Pool) -> Iterator[Demand]:
    """Yield the demand with the limits that quotas ask for, as high as its requests; what it does not ask for nobody can guess."""
    limits = dict(demand.limits)
    for each in unnamed(demand, pool):
        name = each.resource.removeprefix(LIMITS)
        if each.resource.startswith(REQUESTS) or name == each.resource or not demand.per_replica[name]:
            return
        limits[name] = demand.per_replica[name]
    yield replace(demand, limits=tuple(sorted(limits.items())))


def within_ranges(demand: Demand, pool: Pool) -> Iterator[Demand]:
    """Yield the demand with amounts within what LimitRanges admit."""
    changed: Demand | None = demand
    for each in violations(demand, pool):
        changed = _fixed(changed, pool, each) if changed is not None else None
    if changed is not None and changed != demand:
        yield changed


def _fixed(demand: Demand, pool: Pool, each: Violation) -> Demand | None:
    """Return the demand with one amount mended, None where it is not the job's to mend."""
    name, bound, request, limit = each.resource, each.bound, each.request, each.limit
    if name == pool.resource and each.fault is Fault.ABOVE_MAX and demand.requirement is not None:
        units = pool.accelerator.units_per_device if pool.accelerator else 1
        count = min(bound // units, demand.requirement.count)
        return replace(demand, requirement=replace(demand.requirement, count=count)) if count > 0 else None
    if name not in OF_COMPUTE:
        return None
    match each.fault:
        case Fault.REQUEST_ABOVE_LIMIT if request:
            return _with(demand, name, limit=request)
        case Fault.ABOVE_MAX if bound > 0:
            asked = min(request, bound) if request else None
            return _with(demand, name, limit=min(limit or asked or bound, bound), request=asked)
        case Fault.BELOW_MIN:
            return _with(demand, name, limit=None if limit is None else max(limit, bound), request=max(request or 0, bound))
        case Fault.ABOVE_RATIO if request:
            return _with(demand, name, limit=request * bound // 1000 if limit else request)
    return None


def _with(demand: Demand, name: str, *, limit: int | None = None, request: int | None = None) -> Demand:
    """Return the demand that names another limit or request of a resource."""
    limits = dict(demand.limits) | ({} if limit is None else {name: limit})
    amounts = dict(demand.per_replica) | ({} if request is None else {name: request})
    return replace(demand, limits=tuple(sorted(limits.items())), per_replica=Vector.of(amounts))
