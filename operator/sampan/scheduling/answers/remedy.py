"""The smallest change of a job with which it can run in a cell, proved by judging the cell again with it. Offers are never changed.

Fewest fields first, then the smallest relative change. At most a few tries per cell. With devices of another software stack goes the
image that they need, which nobody can prove.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.job import Demand, Interconnect, Shape
from sampan.model.members.admission import LIMITS
from sampan.model.reason import Reason
from sampan.model.values.vector import CPU, MEMORY, STORAGE, Vector
from sampan.scheduling.answers.changes import Difference, differences
from sampan.scheduling.answers.shortage import CellProbe, room_against, short_resource
from sampan.scheduling.answers.stacks import other_image
from sampan.scheduling.answers.values import Change
from sampan.scheduling.capacity.quota_usage import UNLIMITED
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.table import relaxed, violated

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
            reasons = violated(option)
            if reasons:
                left += _fixed(option, reasons)
            else:
                done.append(option)
        options = left[:OPTIONS]
    return done + [option for option in options if not violated(option)]


def _fixed(context: FilterContext, reasons: tuple[Reason, ...]) -> list[FilterContext]:
    """Return the question with something changed for every reason; none where a reason is not the job's to lift."""
    options = [context]
    for reason in reasons:
        options = [fixed for option in options for fixed in relaxed(reason, option)][:OPTIONS]
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
        if not violated(fixed) and room_against(replace(probe, demand=demand)) is None:
            found = True
            yield fixed
    for demand in first if not found else ():
        for further in _lesser(context, replace(probe, demand=demand)):
            fixed = replace(context, demand=further)
            tries -= 1
            if tries >= 0 and not violated(fixed) and room_against(replace(probe, demand=further)) is None:
                yield fixed


def _lesser(context: FilterContext, probe: CellProbe) -> Iterator[Demand]:
    """Yield demands that ask for less of what may be short: replicas, the short resource of a pod, devices."""
    demand, state = probe.demand, probe.state
    room = probe.room()
    count = demand.devices
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
        units = context.pool.units_per_device
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
    use = probe.state.limits.use(probe.column, probe.demand)
    drawn = (limit for limit in probe.state.limits.of(probe.column) if limit.counts(best_effort=use.best_effort, tenant=use.tenant))
    left = [amounts[name] for limit in drawn for amounts in (limit.left, limit.largest) if name in amounts]
    return max(min(left, default=UNLIMITED), 0)


def _lowered(demand: Demand, name: str, amount: int) -> Iterator[Demand]:
    """Yield the demand with less of one resource, in whole cores or MiB."""
    step = 1000 if name == CPU else 2**20
    rounded = amount // step * step
    if demand.beside[name] < rounded < demand.per_replica[name]:
        yield replace(demand, per_replica=Vector.of({**dict(demand.per_replica), name: rounded}))
