"""Places kept for jobs that find none now: the cell where enough is free soonest if declared ends are kept, and the nodes there.

At most one reservation per cell; nodes of another's are never taken, unless that one is of lower priority and gives way.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.plan import StartUnknown
from sampan.model.reservation import Reservation
from sampan.model.values.quantity import INFINITE
from sampan.model.values.vector import CPU
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.node_selection import NodeRoom, select_nodes
from sampan.scheduling.capacity.resources import NodeResources, fits
from sampan.scheduling.capacity.topology import Cards, Numbers, ring_table
from sampan.scheduling.feasibility.verdict_matrix import DemandRow
from sampan.scheduling.reservations.holds import PlacedReservation, placed
from sampan.scheduling.reservations.releases import Releases
from sampan.scheduling.state import CycleState, Entry

RESERVATION_DEPTH: Final = 32
"""Reservations that stand at once."""
MAX_EXACT_PROBES: Final = 4
"""Cells whose exact start is worked out for one job."""


@dataclass(frozen=True, slots=True)
class EarliestStart:
    """When a demand could start in a column, and where."""

    at: int
    column: int
    nodes: tuple[tuple[str, int], ...]
    numbers: tuple[int, ...]


def carry_over(state: CycleState, old: Reservation, entry: Entry) -> PlacedReservation | None:
    """Return the hold that goes on, moved earlier if it can be; None if its cell or nodes are lost or suit the job no more."""
    carried = placed(old, state.matrix, state.cell_index.by_id)
    if carried is None or old.demand not in entry.eligible or entry.verdicts.rows[old.demand].reason_mask[carried.column]:
        return None
    if carried.column in state.excluded_cells(entry.job):
        return None
    others = {node for other in state.node_reservations.standing.values() for node in other.nodes}
    if others & set(carried.nodes):
        return None
    avoid = others | {node for uid, other in state.pending_reservations.items() if uid != old.job_uid for node in other.nodes}
    start = _moved_earlier(state, carried, entry.verdicts.rows[old.demand], avoid=avoid)
    fresh = replace(old, priority=entry.job.priority)
    if start is not None and start.at < old.start:
        return PlacedReservation(replace(fresh, nodes=start.nodes, start=start.at), carried.column, start.numbers)
    return PlacedReservation(fresh, carried.column, carried.nodes)


def _moved_earlier(state: CycleState, placed: PlacedReservation, row: DemandRow, *, avoid: set[int]) -> EarliestStart | None:
    """Return an earlier start for a reservation; not looked for again until what it was looked for in has changed.

    Nor where limits count: the job starts earlier all the same once there is room, only the moment that is told stays.
    """
    old, matrix = placed.reservation, state.matrix
    if state.snapshot.now >= old.start or state.limits.of(placed.column):
        return None
    releases, barred = state.releases(placed.column), avoid.intersection(matrix.columns[placed.column].nodes.tolist())
    known = state.cache.no_earlier.get(old.job_uid)
    made_from = (matrix.versions[placed.column], barred, old.start, row.demand, matrix.requests.all[row.request_row])
    if known is not None and known[0] is releases and known[1] == made_from:
        return None
    start = _earliest_start(state, row, placed.column, avoid=avoid, before=old.start)
    if start is None:
        state.cache.no_earlier[old.job_uid] = releases, made_from
    return start


def _cools_down(state: CycleState, entry: Entry) -> bool:
    """Tell whether a cell would be large enough that is only left alone after failed starts."""
    if not entry.job.excluded:
        return False
    free = state.entry(replace(entry.job, excluded=frozenset()))
    needs = (
        (state.suitable(free, index), free.verdicts.rows[index].request_row, entry.job.shape.demands[index]) for index in free.eligible
    )
    return any(bool((suitable & (state.matrix.fits_empty[need] >= demand.least_replicas)).any()) for suitable, need, demand in needs)


def reserve(state: CycleState, entry: Entry) -> PlacedReservation | StartUnknown:
    """Return a new hold for a blocked job, or why no start can be promised."""
    found: list[tuple[int, int, int]] = []
    blocked = {placed.column for placed in state.node_reservations.standing.values() if placed.reservation.priority >= entry.job.priority}
    others = state.node_reservations.from_others(entry.job)
    limited = reserved = False
    for index in entry.eligible:
        row, demand = entry.verdicts.rows[index], entry.job.shape.demands[index]
        open_ = state.suitable(entry, index) & (state.matrix.fits_empty[row.request_row] >= demand.least_replicas)
        for column in np.flatnonzero(open_).tolist():
            reserved = reserved or column in blocked
            allowed = None if column in blocked else state.limit_reservations.earliest_start(column, demand, others=others)
            if allowed is not None:
                found.append((max(_lower_bound(state, row, column), allowed), column, index))
            else:
                limited = limited or column not in blocked
    if not found:
        if limited:
            return StartUnknown.LIMITED
        if reserved:
            return StartUnknown.ALL_RESERVED
        return StartUnknown.COOLING_DOWN if _cools_down(state, entry) else StartUnknown.NO_CELL
    found.sort()
    avoid = {node for placed in state.node_reservations.all if placed.outranks(entry.job) for node in placed.nodes}
    best: tuple[EarliestStart, int] | None = None
    for soonest, column, index in found[:MAX_EXACT_PROBES]:
        if soonest >= INFINITE or (best is not None and best[0].at <= soonest):
            break
        start = _earliest_start(state, entry.verdicts.rows[index], column, avoid=avoid)
        if start is not None and (best is None or max(start.at, soonest) < best[0].at):
            best = replace(start, at=max(start.at, soonest)), index
    return StartUnknown.NO_DECLARED_END if best is None else _reservation(state, entry, best[0], index=best[1])


def _reservation(state: CycleState, entry: Entry, start: EarliestStart, *, index: int) -> PlacedReservation:
    made = Reservation(
        job_uid=entry.job.uid,
        priority=entry.job.priority,
        cell=state.cell(start.column).id,
        demand=index,
        nodes=start.nodes,
        start=start.at,
        published=start.at,
        made=state.snapshot.now,
    )
    return PlacedReservation(made, start.column, start.numbers)


def _lower_bound(state: CycleState, row: DemandRow, column: int) -> int:
    """Return a moment before which the devices, taken together, cannot suffice."""
    at, releases = state.matrix.columns[column], state.releases(column)
    measure = state.matrix.resources.position(at.cell.pool.resource if row.demand.requirement else CPU)
    needs = state.matrix.requests
    per_replica = needs.vector(needs.all[row.request_row], at.kind)[at.cell.pool.resource if row.demand.requirement else CPU]
    lacking = per_replica * row.demand.least_replicas - int(np.maximum(state.matrix.free.amounts[at.nodes, measure], 0).sum())
    if lacking <= 0:
        return state.snapshot.now
    given = np.cumsum(releases.by_resource[measure]) if measure in releases.by_resource else np.zeros(0, dtype=np.int64)
    place = int(np.searchsorted(given, lacking))
    return max(int(releases.at[place]), state.snapshot.now) if place < len(given) else INFINITE


def _earliest_start(state: CycleState, row: DemandRow, column: int, *, avoid: set[int], before: int = INFINITE) -> EarliestStart | None:
    """Return the first moment, if it is `before` another, at which enough nodes of a column are free; what is free only grows by ends."""
    if state.snapshot.now >= before:
        return None
    at, releases, demand = state.matrix.columns[column], state.releases(column), row.demand
    barred = np.array([node in avoid for node in at.nodes.tolist()], dtype=bool)

    def fits_after(amount: int) -> tuple[Numbers, NodeResources]:
        stock = _future_idle(state, at, releases, amount=amount)
        found = fits(stock, state.matrix.requests, np.array([row.request_row]), kind=at.kind, nodes=np.arange(len(at.nodes)))[0]
        found[barred] = 0
        return found, stock

    low, high = 0, int(np.searchsorted(releases.at, before))
    if int(fits_after(high)[0].sum()) < demand.least_replicas:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if int(fits_after(middle)[0].sum()) >= demand.least_replicas else (middle + 1, high)
    found, stock = fits_after(low)
    measure = at.cell.pool.resource if demand.requirement else CPU
    line = state.matrix.resources.position(measure)
    room = NodeRoom(
        fits=found, free=stock.amounts[:, line], untouched=stock.amounts[:, line] == state.matrix.allocatable.amounts[at.nodes, line]
    )
    per_replica = state.matrix.requests.vector(state.matrix.requests.all[row.request_row], at.kind)[measure]
    fit = select_nodes(room, wanted=demand.least_replicas, least=demand.least_replicas, per_replica=per_replica)
    assert fit is not None  # the sum sufficed
    moment = state.snapshot.now if low == 0 else max(int(releases.at[low - 1]), state.snapshot.now)
    nodes = tuple((at.names[place], replicas) for place, replicas in fit.nodes)
    return EarliestStart(moment, column, nodes, tuple(int(at.nodes[place]) for place, _ in fit.nodes))


def _future_idle(state: CycleState, at: CellColumn, releases: Releases, *, amount: int) -> NodeResources:
    """Return the nodes of a column, by place, once the first so many ends have come."""
    free, whole = state.matrix.free, state.matrix.allocatable
    amounts = free.amounts[at.nodes]
    for line, given in releases.by_resource.items():
        np.add.at(amounts[:, line], releases.places[:amount], given[:amount])
    rings: dict[int, Numbers] = {}
    cards: dict[int, Cards] = {}
    for place, node in enumerate(at.nodes.tolist()):
        line = state.matrix.resources.position(at.kind.resource)
        if at.kind.rule is not None and node in free.rings:
            changed = amounts[place, line] != free.amounts[node, line]
            groups = max(-(-int(whole.amounts[node, line]) // at.kind.rule.group_size), 1)
            rings[place] = ring_table(None, int(amounts[place, line]), groups=groups, rule=at.kind.rule) if changed else free.rings[node]
        if at.kind.virtual and node in free.cards:
            empty = amounts[place, line] >= whole.amounts[node, line]
            cards[place] = whole.cards[node] if empty else free.cards[node]
    return NodeResources(amounts, rings, cards)
