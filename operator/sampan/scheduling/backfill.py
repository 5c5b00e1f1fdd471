"""Places kept for jobs that find none now: the cell where enough is free soonest if declared ends are kept, and the nodes there.

At most one reservation per cell; nodes of another's are never taken, unless that one is of lower priority and gives way.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy as np

from sampan.model.plan import StartUnknown
from sampan.model.reservation import Reservation
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.reservations.node_capacity import EarliestStart
from sampan.scheduling.reservations.placed import CapacityRequest, PlacedReservation, placed
from sampan.scheduling.state import CycleState, Entry

RESERVATION_DEPTH: Final = 32
"""Reservations that stand at once."""
MAX_EXACT_PROBES: Final = 4
"""Cells whose exact start is worked out for one job."""


def carry_over(state: CycleState, old: Reservation, entry: Entry) -> PlacedReservation | None:
    """Return a reservation that goes on, moved earlier if it can be; None if its cell or nodes are lost or suit the job no more."""
    carried = placed(old, entry.job.shape, matrix=state.matrix, columns=state.cell_index.by_id)
    if carried is None or old.demand not in entry.eligible or entry.verdicts.rows[old.demand].reason_mask[carried.column]:
        return None
    if carried.column in state.excluded_cells(entry.job):
        return None
    standing = state.profile.standing.values()
    kept = set(carried.nodes)
    if any(not kept.isdisjoint(other.nodes) for other in standing):
        return None
    waiting = (other for uid, other in state.pending_reservations.items() if uid != old.job_uid)
    start = _moved_earlier(state, carried, state.request(entry, old.demand), beside=(*standing, *waiting))
    carried = replace(carried, reservation=replace(old, priority=entry.job.priority))
    if start is None:
        return carried
    return replace(carried, reservation=replace(carried.reservation, nodes=start.nodes, start=start.at), nodes=start.numbers)


def _moved_earlier(
    state: CycleState, carried: PlacedReservation, request: CapacityRequest, *, beside: Sequence[PlacedReservation]
) -> EarliestStart | None:
    """Return an earlier start for a reservation that delays none of the others; None: there is none.

    It is not looked for again on nodes until what it was looked for in has changed.
    """
    old, matrix = carried.reservation, state.matrix
    avoided = _nodes_beside(state, carried.column, beside)
    releases, known = state.releases(carried.column), state.cache.backfill.no_earlier.get(old.job_uid)
    made_from = (matrix.versions[carried.column], avoided, old.start, request.demand, matrix.requests.all[request.row])
    if known is not None and known[0] is releases and known[1] == made_from:
        return None
    if not state.profile.may_start_before(request, carried.column, beside=beside, moment=old.start):
        return None
    start = state.profile.earliest_start(request, carried.column, beside=beside, before=old.start)
    if start is None:
        state.cache.backfill.no_earlier[old.job_uid] = releases, made_from
    return start


def _nodes_beside(state: CycleState, column: int, beside: Sequence[PlacedReservation]) -> set[int]:
    """Return the nodes of a column that some reservations keep. Columns of other clusters have none in common with it."""
    columns = state.matrix.columns
    uid = columns[column].cell.pool.cluster_uid
    near = {node for other in beside if columns[other.column].cell.pool.cluster_uid == uid for node in other.nodes}
    return near.intersection(columns[column].nodes.tolist()) if near else near


def _cools_down(state: CycleState, entry: Entry) -> bool:
    """Tell whether a cell would be large enough that is only left alone after failed starts."""
    if not entry.job.excluded:
        return False
    free = state.entry(replace(entry.job, excluded=frozenset()))
    return any(bool(_large_enough(state, free, index).any()) for index in free.eligible)


def _large_enough(state: CycleState, entry: Entry, index: int) -> Flags:
    """Return the columns that suit a demand and would take it if they were empty."""
    row, demand = entry.verdicts.rows[index], entry.job.shape.demands[index]
    found: Flags = state.suitable(entry, index) & (state.matrix.fits_empty[row.request_row] >= demand.least_replicas)
    return found


def reserve(state: CycleState, entry: Entry) -> PlacedReservation | StartUnknown:
    """Return a new reservation for a blocked job, or why no start can be promised."""
    unknown: set[StartUnknown] = set()
    blocked = {each.column for each in state.profile.standing.values() if each.reservation.priority >= entry.job.priority}
    beside = state.profile.outranking(entry.job)
    requests = {index: state.request(entry, index) for index in entry.eligible}
    candidates: list[tuple[int, int]] = []
    for index in requests:
        large_enough = np.flatnonzero(_large_enough(state, entry, index)).tolist()
        candidates += [(column, index) for column in large_enough if column not in blocked]
        unknown.update(StartUnknown.ALL_RESERVED for column in large_enough if column in blocked)
    best: tuple[EarliestStart, int] | None = None
    found = False
    ordered = state.profile.by_lower_bound(requests, candidates, beside=beside, unknown=unknown)
    for bound, column, index in islice(ordered, MAX_EXACT_PROBES):
        found = True
        if best is not None and best[0].at <= bound:
            break
        start = state.profile.earliest_start(requests[index], column, beside=beside)
        if start is not None and (best is None or start.at < best[0].at):
            best = start, index
    if best is not None:
        return _reservation(state, entry, best[0], index=best[1])
    if found or StartUnknown.NO_DECLARED_END in unknown:
        return StartUnknown.NO_DECLARED_END
    told = next((each for each in (StartUnknown.LIMITED, StartUnknown.ALL_RESERVED) if each in unknown), None)
    return told or (StartUnknown.COOLING_DOWN if _cools_down(state, entry) else StartUnknown.NO_CELL)


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
    return PlacedReservation(made, entry.job.shape.demands[index], start.column, start.numbers)
