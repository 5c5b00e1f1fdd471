"""What the namespace of jobs on a member asks of a pod: in words that say what to set, and what a job could name to be let in.

Nothing is judged here: see `feasibility/admission`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sampan.model.job import Demand
from sampan.model.members.admission import LIMITS, REQUESTS
from sampan.model.members.cluster import Pool
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.request import OF_COMPUTE
from sampan.scheduling.feasibility.admission import Fault, Violation, unnamed, violations
from sampan.scheduling.feasibility.amount_words import amount_words
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.record import Words

_SETTABLE: Final = ("cpu", "memory", "ephemeral-storage")


def not_named(demand: Demand, pool: Pool) -> Words:
    """Return what quotas make a pod name, and what to set."""
    missing = unnamed(demand, pool)
    resources = list(dict.fromkeys(each.resource for each in missing))
    sources = " and ".join(dict.fromkeys(each.source for each in missing))
    fields = " and ".join(dict.fromkeys(_field(name) for name in resources))
    return (
        f"a pod that names {' and '.join(resources)}, as {sources} asks of every pod",
        f"the job names none and no LimitRange does: set {fields}",
    )


def out_of_range(demand: Demand, pool: Pool) -> Words:
    """Return the amounts of a pod that LimitRanges do not admit, and what to set."""
    told = [_words(each) for each in violations(demand, pool)[:3]]
    return "; ".join(dict.fromkeys(needed for needed, _ in told)), "; ".join(dict.fromkeys(present for _, present in told))


def _field(name: str) -> str:
    """Return the field of a job's manifest that a quota's entry is about."""
    part, _, resource = name.rpartition(".")
    return f"resources.{part or 'requests'}.{resource}"


def _words(each: Violation) -> Words:
    """Return what one amount is, and what the LimitRange says of it."""
    bound, field = amount_words(each.resource, each.bound), f"resources.limits.{each.resource}"
    asked = f"a request of {amount_words(each.resource, each.request)}" if each.request is not None else f"no request of {each.resource}"
    capped = f"a limit of {amount_words(each.resource, each.limit)}" if each.limit is not None else f"no limit of {each.resource}"
    match each.fault:
        case Fault.FILLED_IN_DEVICES:
            return f"no {each.resource}", f"{each.source} gives {bound} to every container that names none"
        case Fault.REQUEST_ABOVE_LIMIT:
            how = f": set {field}" if each.resource in _SETTABLE else ""
            return asked, f"{each.source} gives a limit of {bound} to every container that names none{how}"
        case Fault.ABOVE_MAX:
            missing = f" and asks for a limit: set {field}" if each.limit is None and each.resource in _SETTABLE else ""
            return (capped if each.limit is None or each.limit > each.bound else asked), f"{each.source} allows at most {bound}{missing}"
        case Fault.BELOW_MIN:
            missing = (
                f" and a request: set resources.requests.{each.resource}" if each.request is None and each.resource in _SETTABLE else ""
            )
            return (
                asked if each.request is None or each.request < each.bound else capped
            ), f"{each.source} asks for at least {bound}{missing}"
    most = f"{each.bound / 1000:g}"
    return f"{capped} with {asked}", f"{each.source} allows a limit of at most {most} times the request and asks for both: set {field}"


def name_limits(c: FilterContext) -> Iterator[FilterContext]:
    """Yield the context with the limits that quotas ask for, as high as its requests; what it does not ask for nobody can guess."""
    if c.demand.main is not c.demand:
        return  # of several containers nobody can guess which is to name more
    limits = dict(c.demand.limits)
    for each in unnamed(c.demand, c.pool):
        name = each.resource.removeprefix(LIMITS)
        if each.resource.startswith(REQUESTS) or name == each.resource or not c.demand.per_replica[name]:
            return
        limits[name] = c.demand.per_replica[name]
    yield from c.demanding(limits=tuple(sorted(limits.items())))


def within_ranges(c: FilterContext) -> Iterator[FilterContext]:
    """Yield the context with amounts within what LimitRanges admit."""
    if c.demand.main is not c.demand:
        return
    changed: Demand | None = c.demand
    for each in violations(c.demand, c.pool):
        changed = _fixed(changed, c.pool, each) if changed is not None else None
    if changed is not None and changed != c.demand:
        yield replace(c, demand=changed)


def _fixed(demand: Demand, pool: Pool, each: Violation) -> Demand | None:
    """Return the demand with one amount mended, None where it is not the job's to mend."""
    name, bound, request, limit = each.resource, each.bound, each.request, each.limit
    if name == pool.resource and each.fault is Fault.ABOVE_MAX and demand.requirement is not None:
        count = min(bound // pool.units_per_device, demand.requirement.count)
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
