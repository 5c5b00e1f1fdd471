"""The smallest change of a job with which it can run in a cell, proved by judging the cell again with it. Offers are never changed.

Fewest fields first, then the smallest relative change. At most a few tries per cell. With devices of another software stack goes the
image that they need, which nobody can prove.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.job import Demand, Domestic, Interconnect, Placement, Requirement, Shape
from sampan.model.members.accelerator import Precision, Sharing
from sampan.model.members.admission import LIMITS
from sampan.model.reason import Reason
from sampan.model.values.selector import Selector
from sampan.model.values.vector import CPU, MEMORY, STORAGE, Vector
from sampan.scheduling.answers.changes import Difference, differences
from sampan.scheduling.answers.shortage import CellProbe, room_against, short_resource
from sampan.scheduling.answers.values import Change
from sampan.scheduling.capacity.quota_usage import UNLIMITED
from sampan.scheduling.feasibility.admission_fixes import named, within_ranges
from sampan.scheduling.feasibility.filters import FilterContext, memory_of, refusals
from sampan.scheduling.feasibility.objections import next_count
from sampan.scheduling.feasibility.stacks import other_image
from sampan.scheduling.feasibility.versions import version_key

ROUNDS: Final = 3
"""A change may call for another: of another class, another count."""
OPTIONS: Final = 4
TRIES: Final = 12
"""Times that room is judged for one cell."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proved change and the shape with it."""

    changes: tuple[Change, ...]
    shape: Shape


def smallest_change(shape: Shape, index: int, *, context: FilterContext, probe: CellProbe) -> Proposal | None:
    """Return the smallest change by which a demand of a shape can start in a cell now; None where none of those tried is enough."""
    state, found = probe.state, list[tuple[tuple[int, int, int], tuple[Difference, ...], Shape]]()
    cell = state.cell(probe.column)
    image = other_image(context.demand, cell.pool, snapshot=state.snapshot, names=state.known_names)
    if (cell.offer, cell.pool.name) in probe.job.excluded:
        return None
    if context.placement.interconnect is Interconnect.SAME_DOMAIN and context.demand.replicas > 1 and not cell.domain:
        context = replace(context, placement=replace(context.placement, interconnect=Interconnect.ANY))
    for option in _accepted(context):
        for proved in _with_room(option, replace(probe, demand=option.demand)):
            demands = (*shape.demands[:index], proved.demand, *shape.demands[index + 1 :])
            changed = replace(shape, demands=demands, placement=proved.placement)
            told = differences(shape, changed, index)
            if told:
                told = (*told, *image)
                found.append(((len(told), sum(each.size for each in told), len(found)), told, changed))
    if not found:
        return None
    _, told, changed = min(found, key=lambda each: each[0])
    return Proposal(tuple(each.change for each in told), changed)


def _accepted(context: FilterContext) -> list[FilterContext]:
    """Return questions that no filter is against any more."""
    options, done = [context], list[FilterContext]()
    for _ in range(ROUNDS):
        left: list[FilterContext] = []
        for option in options:
            reasons = refusals(option)
            if reasons:
                left += _fixed(option, reasons)
            else:
                done.append(option)
        options = left[:OPTIONS]
    return done + [option for option in options if not refusals(option)]


def _fixed(context: FilterContext, reasons: tuple[Reason, ...]) -> list[FilterContext]:
    """Return the question with something changed for every reason; none where a reason is not the job's to lift."""
    options = [context]
    for reason in reasons:
        fix = _FIXES.get(reason)
        if fix is None:
            return []
        options = [fixed for option in options for fixed in fix(option)][:OPTIONS]
    return options


def _with_room(context: FilterContext, probe: CellProbe) -> Iterator[FilterContext]:
    """Yield the question, if there is room for it, or with less asked for."""
    if room_against(probe) is None:
        yield context
        return
    tries, found, first = TRIES, False, list(_lesser(context, probe))
    for demand in first:
        fixed = replace(context, demand=demand)
        tries -= 1
        if not refusals(fixed) and room_against(replace(probe, demand=demand)) is None:
            found = True
            yield fixed
    for demand in first if not found else ():
        for further in _lesser(context, replace(probe, demand=demand)):
            fixed = replace(context, demand=further)
            tries -= 1
            if tries >= 0 and not refusals(fixed) and room_against(replace(probe, demand=further)) is None:
                yield fixed


def _lesser(context: FilterContext, probe: CellProbe) -> Iterator[Demand]:
    """Yield demands that ask for less of what may be short: replicas, the short resource of a pod, devices."""
    demand, state = probe.demand, probe.state
    room = int(probe.free().sum())
    use = state.limits.use(probe.column, demand)
    count = demand.requirement.count if demand.requirement else 0
    room = min((room, *(limit.fits(use) for limit in state.limits.of(probe.column))))
    room = min(room, state.limit_reservations.room(probe.column, demand, blockers=state.node_reservations.blockers(probe.job, demand)))
    if 0 < room < demand.least_replicas:
        yield replace(demand, replicas=room, least_replicas=room)
    yield from _within_limits(probe)
    at = state.matrix.columns[probe.column]
    name, _, _ = short_resource(probe, state.matrix.free)
    if name in (CPU, MEMORY, STORAGE):
        free = np.sort(np.maximum(state.matrix.free.amounts[at.nodes, state.matrix.resources.position(name)], 0))[::-1]
        for place in sorted({0, min(demand.least_replicas, len(free)) - 1}):
            yield from _lowered(demand, name, int(free[place]) - context.pool.extra[name])
    if demand.requirement and count > 1:
        free = np.maximum(state.matrix.free.amounts[at.nodes, state.matrix.resources.position(context.pool.resource)], 0)
        units = context.pool.accelerator.units_per_device if context.pool.accelerator else 1
        left = _left(probe, context.pool.resource) // (units * demand.least_replicas)
        for most in dict.fromkeys((count - 1, min(int(free.max(initial=0)) // units, count - 1), min(left, count - 1))):
            allowed = context.pool.accelerator.count_rule.largest(most) if context.pool.accelerator else most
            if 0 < allowed < count:
                yield replace(demand, requirement=replace(demand.requirement, count=allowed))


def _within_limits(probe: CellProbe) -> Iterator[Demand]:
    """Yield the demand with as much of every resource that a quota or a queue is short of as that leaves."""
    demand, use = probe.demand, probe.state.limits.use(probe.column, probe.demand)
    limits = dict(demand.limits)
    for name in (CPU, MEMORY, STORAGE):
        added = use.each.get(name, 0) - demand.per_replica[name]
        most = _left(probe, name) // demand.least_replicas - added
        most = min(most, _left(probe, f"{LIMITS}{name}") // demand.least_replicas) if name in limits else most
        if most < demand.per_replica[name]:
            demand = next(_lowered(demand, name, most), demand)
        cap = _left(probe, f"{LIMITS}{name}") // demand.least_replicas
        if cap < limits.get(name, 0):
            limits[name] = max(cap, 0)
    if demand != probe.demand or limits != dict(demand.limits):
        yield replace(demand, limits=tuple(sorted(limits.items())))


def _left(probe: CellProbe, name: str) -> int:
    """Return what the limits of a column leave of a resource, more than anybody asks for where none names it."""
    best_effort = probe.state.limits.use(probe.column, probe.demand).best_effort
    drawn = (limit for limit in probe.state.limits.of(probe.column) if limit.counts(best_effort=best_effort))
    left = [amounts[name] for limit in drawn for amounts in (limit.left, limit.largest) if name in amounts]
    return max(min(left, default=UNLIMITED), 0)


def _lowered(demand: Demand, name: str, amount: int) -> Iterator[Demand]:
    """Yield the demand with less of one resource, in whole cores or MiB."""
    step = 1000 if name == CPU else 2**20
    rounded = amount // step * step
    if 0 < rounded < demand.per_replica[name]:
        yield replace(demand, per_replica=Vector.of({**dict(demand.per_replica), name: rounded}))


def _placed(q: FilterContext, placement: Placement) -> Iterator[FilterContext]:
    yield replace(q, placement=placement)


def _required(q: FilterContext, need: Requirement) -> Iterator[FilterContext]:
    yield replace(q, demand=replace(q.demand, requirement=need))


def _selector(q: FilterContext) -> Iterator[FilterContext]:
    kept = tuple(each for each in q.placement.offer_selector.expressions if each.matches(q.offer.labels))
    return _placed(q, replace(q.placement, offer_selector=Selector(kept)))


def _accelerator(q: FilterContext) -> Iterator[FilterContext]:
    need, have = q.demand.requirement, q.pool.accelerator
    if need is not None and have is not None:
        named = replace(
            need,
            accelerator_class=need.accelerator_class and have.name,
            family=need.family and have.family,
            vendor=need.vendor and have.vendor,
            stack=need.stack and have.stack,
            resource=need.resource and q.pool.resource,
        )
        yield from _required(q, named)


def _sharing(q: FilterContext) -> Iterator[FilterContext]:
    need = q.demand.requirement
    if need is not None and q.pool.sharing is Sharing.WHOLE:
        yield from _required(q, replace(need, partition="", share=None))
    elif need is not None and q.pool.sharing is Sharing.PARTITION and need.count == 1:
        yield from _required(q, replace(need, partition=q.pool.profile, share=None))


def _capability(q: FilterContext) -> Iterator[FilterContext]:
    need, have = q.demand.requirement, q.pool.accelerator
    if need is not None and have is not None:
        lowered = replace(
            need,
            memory_per_device=_lower(need.memory_per_device, memory_of(q.pool)),
            fp16_tflops=_lower(need.fp16_tflops, have.fp16_tflops),
            memory_bandwidth=_lower(need.memory_bandwidth, have.memory_bandwidth),
            fp64_tflops=_lower(need.fp64_tflops, have.tflops(Precision.FP64)),
            precisions=tuple(each for each in need.precisions if have.tflops(each)),
        )
        yield from _required(q, lowered)


def _lower(wanted: int | None, present: int | None) -> int | None:
    return None if wanted is None or present is None else min(wanted, present)


def _driver(q: FilterContext) -> Iterator[FilterContext]:
    need = q.demand.requirement
    if need is not None:
        driver = _older(need.min_driver, q.pool.driver)
        compute = _older(need.min_compute_capability, q.pool.compute_capability)
        yield from _required(q, replace(need, min_driver=driver, min_compute_capability=compute))


def _older(wanted: str, present: str) -> str:
    return min(wanted, present, key=version_key)


def _count(q: FilterContext) -> Iterator[FilterContext]:
    need, have = q.demand.requirement, q.pool.accelerator
    if need is not None and have is not None:
        for count in (have.count_rule.largest(need.count), next_count(need.count, q)):
            if count:
                yield from _required(q, replace(need, count=count))


def _run_limit(q: FilterContext) -> Iterator[FilterContext]:
    most, limit, span = q.offer.max_run_seconds, q.demand.limit_seconds, q.demand.span_seconds
    shorter = None if span is None or limit is None or most is None else span - limit + most
    yield replace(q, demand=replace(q.demand, limit_seconds=most, span_seconds=shorter))


def _per_job(q: FilterContext) -> Iterator[FilterContext]:
    most, need, least = q.offer.max_devices_per_job, q.demand.requirement, q.demand.least_replicas
    if most is None or need is None:
        return
    if least > 1 and most // need.count > 0:
        yield replace(q, demand=replace(q.demand, replicas=most // need.count, least_replicas=most // need.count))
    rule = q.pool.accelerator.count_rule if q.pool.accelerator else None
    fewer = rule.largest(most // least) if rule else most // least
    if 0 < fewer < need.count:
        yield from _required(q, replace(need, count=fewer))


_FIXES: Final[Mapping[Reason, Callable[[FilterContext], Iterator[FilterContext]]]] = {
    Reason.TERMS_EXCLUDED: lambda q: _placed(q, replace(q.placement, terms=(*q.placement.terms, q.offer.terms))),
    Reason.PROVIDER_EXCLUDED: lambda q: _placed(q, replace(q.placement, providers=(*q.placement.providers, q.offer.provider))),
    Reason.REGION_EXCLUDED: lambda q: _placed(q, replace(q.placement, regions=(*q.placement.regions, q.offer.region))),
    Reason.JURISDICTION_EXCLUDED: lambda q: _placed(
        q, replace(q.placement, jurisdictions=(*q.placement.jurisdictions, q.offer.jurisdiction))
    ),
    Reason.OFFER_SELECTOR_MISMATCH: _selector,
    Reason.NOT_DOMESTIC: lambda q: _placed(q, replace(q.placement, domestic=Domestic.PREFERRED)),
    Reason.PRICE_ABOVE_CAP: lambda q: _placed(q, replace(q.placement, max_price=q.price)),
    Reason.PRICE_UNKNOWN: lambda q: _placed(q, replace(q.placement, max_price=None)),
    Reason.ACCELERATOR_MISMATCH: _accelerator,
    Reason.SHARING_MISMATCH: _sharing,
    Reason.PARTITION_MISMATCH: lambda q: (
        _required(q, replace(q.demand.requirement, partition=q.pool.profile)) if q.demand.requirement else iter(())
    ),
    Reason.CAPABILITY_INSUFFICIENT: _capability,
    Reason.DRIVER_TOO_OLD: _driver,
    Reason.COUNT_NOT_ALLOWED: _count,
    Reason.ARCHITECTURE_MISMATCH: lambda q: iter(
        (replace(q, demand=replace(q.demand, architectures=tuple(sorted({*q.demand.architectures, q.pool.architecture})))),)
    ),
    Reason.RESOURCES_NOT_NAMED: lambda q: (replace(q, demand=fixed) for fixed in named(q.demand, q.pool)),
    Reason.LIMIT_RANGE_VIOLATED: lambda q: (replace(q, demand=fixed) for fixed in within_ranges(q.demand, q.pool)),
    Reason.RUN_LIMIT_EXCEEDED: _run_limit,
    Reason.DEVICES_PER_JOB_EXCEEDED: _per_job,
}
"""What a tenant can change for a reason; for the others nothing."""
