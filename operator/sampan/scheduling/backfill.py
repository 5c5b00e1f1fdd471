"""Places kept for jobs that find none now: the cell where enough is free soonest if declared ends are kept, and the nodes there.

At most one reservation per cell; nodes of another's are never taken, unless that one is of lower priority and gives way.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.reservation import Reservation
from sampan.model.vector import CPU
from sampan.scheduling.capacity.fit_matrix import Column
from sampan.scheduling.capacity.node_selection import Room, pick
from sampan.scheduling.capacity.resources import Stock, fits
from sampan.scheduling.capacity.topology import Cards, Numbers, ring_table
from sampan.scheduling.feasibility.verdict_matrix import Row
from sampan.scheduling.reservations.holds import Hold, hold_of
from sampan.scheduling.reservations.releases import Ends
from sampan.scheduling.state import Case, Desk

MOST: Final = 32
"""Reservations that stand at once."""
SWEEPS: Final = 4
"""Cells whose exact start is worked out for one job."""
NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Start:
    """When a demand could start in a column, and where."""

    at: int
    column: int
    nodes: tuple[tuple[str, int], ...]
    numbers: tuple[int, ...]


def keep(desk: Desk, old: Reservation, case: Case) -> Hold | None:
    """Return the hold that goes on, moved earlier if it can be; None if its cell or nodes are lost or suit the job no more."""
    hold = hold_of(old, desk.tables, desk.layout.numbers)
    if hold is None or old.demand not in case.allowed or case.rows.rows[old.demand].mask[hold.column]:
        return None
    if hold.column in desk.excluded(case.job):
        return None
    others = {node for other in desk.holds.kept.values() for node in other.nodes}
    if others & set(hold.nodes):
        return None
    avoid = others | {node for uid, other in desk.waiting_holds.items() if uid != old.job_uid for node in other.nodes}
    start = _earlier(desk, hold, case.rows.rows[old.demand], avoid=avoid)
    fresh = replace(old, priority=case.job.priority)
    if start is not None and start.at < old.start:
        return Hold(replace(fresh, nodes=start.nodes, start=start.at), hold.column, start.numbers)
    return Hold(fresh, hold.column, hold.nodes)


def _earlier(desk: Desk, hold: Hold, row: Row, *, avoid: set[int]) -> Start | None:
    """Return an earlier start for a reservation; not looked for again until what it was looked for in has changed.

    Nor where limits count: the job starts earlier all the same once there is room, only the moment that is told stays.
    """
    old, tables = hold.reservation, desk.tables
    if desk.snapshot.now >= old.start or desk.limits.of(hold.column):
        return None
    ends, barred = desk.ends(hold.column), avoid.intersection(tables.columns[hold.column].nodes.tolist())
    known = desk.book.no_earlier.get(old.job_uid)
    made_from = (tables.versions[hold.column], barred, old.start, row.demand, tables.needs.all[row.need])
    if known is not None and known[0] is ends and known[1] == made_from:
        return None
    start = _start(desk, row, hold.column, avoid=avoid, before=old.start)
    if start is None:
        desk.book.no_earlier[old.job_uid] = ends, made_from
    return start


def _cools_down(desk: Desk, case: Case) -> bool:
    """Tell whether a cell would be large enough that is only left alone after failed starts."""
    if not case.job.excluded:
        return False
    free = desk.case(replace(case.job, excluded=frozenset()))
    needs = ((desk.able(free, index), free.rows.rows[index].need, case.job.shape.demands[index]) for index in free.allowed)
    return any(bool((able & (desk.tables.most[need] >= demand.least_replicas)).any()) for able, need, demand in needs)


def reserve(desk: Desk, case: Case) -> Hold | str:
    """Return a new hold for a blocked job, or why no start can be promised."""
    found: list[tuple[int, int, int]] = []
    blocked = {hold.column for hold in desk.holds.kept.values() if hold.reservation.priority >= case.job.priority}
    others = desk.holds.from_others(case.job)
    limited = reserved = False
    for index in case.allowed:
        row, demand = case.rows.rows[index], case.job.shape.demands[index]
        open_ = desk.able(case, index) & (desk.tables.most[row.need] >= demand.least_replicas)
        for column in np.flatnonzero(open_).tolist():
            reserved = reserved or column in blocked
            allowed = None if column in blocked else desk.pledges.soonest(column, demand, others=others)
            if allowed is not None:
                found.append((max(_soonest(desk, row, column), allowed), column, index))
            else:
                limited = limited or column not in blocked
    if not found:
        return "Limited" if limited else "AllReserved" if reserved else "CoolingDown" if _cools_down(desk, case) else "NoCell"
    found.sort()
    avoid = {node for hold in desk.holds.all if hold.keeps_from(case.job) for node in hold.nodes}
    best: tuple[Start, int] | None = None
    for soonest, column, index in found[:SWEEPS]:
        if soonest >= NEVER or (best is not None and best[0].at <= soonest):
            break
        start = _start(desk, case.rows.rows[index], column, avoid=avoid)
        if start is not None and (best is None or max(start.at, soonest) < best[0].at):
            best = replace(start, at=max(start.at, soonest)), index
    return "NoDeclaredEnd" if best is None else _hold(desk, case, best[0], index=best[1])


def _hold(desk: Desk, case: Case, start: Start, *, index: int) -> Hold:
    made = Reservation(
        job_uid=case.job.uid,
        priority=case.job.priority,
        cell=desk.cell(start.column).id,
        demand=index,
        nodes=start.nodes,
        start=start.at,
        published=start.at,
        made=desk.snapshot.now,
    )
    return Hold(made, start.column, start.numbers)


def _soonest(desk: Desk, row: Row, column: int) -> int:
    """Return a moment before which the devices, taken together, cannot suffice."""
    at, ends = desk.tables.columns[column], desk.ends(column)
    measure = desk.tables.names.column(at.cell.pool.resource if row.demand.requirement else CPU)
    needs = desk.tables.needs
    per_replica = needs.vector(needs.all[row.need], at.kind)[at.cell.pool.resource if row.demand.requirement else CPU]
    lacking = per_replica * row.demand.least_replicas - int(np.maximum(desk.tables.free.amounts[at.nodes, measure], 0).sum())
    if lacking <= 0:
        return desk.snapshot.now
    given = np.cumsum(ends.lines[measure]) if measure in ends.lines else np.zeros(0, dtype=np.int64)
    place = int(np.searchsorted(given, lacking))
    return max(int(ends.at[place]), desk.snapshot.now) if place < len(given) else NEVER


def _start(desk: Desk, row: Row, column: int, *, avoid: set[int], before: int = NEVER) -> Start | None:
    """Return the first moment, if it is `before` another, at which enough nodes of a column are free; what is free only grows by ends."""
    if desk.snapshot.now >= before:
        return None
    at, ends, demand = desk.tables.columns[column], desk.ends(column), row.demand
    barred = np.array([node in avoid for node in at.nodes.tolist()], dtype=bool)

    def fits_after(amount: int) -> tuple[Numbers, Stock]:
        stock = _future(desk, at, ends, amount=amount)
        found = fits(stock, desk.tables.needs, np.array([row.need]), kind=at.kind, nodes=np.arange(len(at.nodes)))[0]
        found[barred] = 0
        return found, stock

    low, high = 0, int(np.searchsorted(ends.at, before))
    if int(fits_after(high)[0].sum()) < demand.least_replicas:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if int(fits_after(middle)[0].sum()) >= demand.least_replicas else (middle + 1, high)
    found, stock = fits_after(low)
    measure = at.cell.pool.resource if demand.requirement else CPU
    line = desk.tables.names.column(measure)
    room = Room(fits=found, free=stock.amounts[:, line], whole=stock.amounts[:, line] == desk.tables.whole.amounts[at.nodes, line])
    per_replica = desk.tables.needs.vector(desk.tables.needs.all[row.need], at.kind)[measure]
    fit = pick(room, wanted=demand.least_replicas, least=demand.least_replicas, per_replica=per_replica)
    assert fit is not None  # the sum sufficed
    moment = desk.snapshot.now if low == 0 else max(int(ends.at[low - 1]), desk.snapshot.now)
    nodes = tuple((at.names[place], replicas) for place, replicas in fit.nodes)
    return Start(moment, column, nodes, tuple(int(at.nodes[place]) for place, _ in fit.nodes))


def _future(desk: Desk, at: Column, ends: Ends, *, amount: int) -> Stock:
    """Return the nodes of a column, by place, once the first so many ends have come."""
    free, whole = desk.tables.free, desk.tables.whole
    amounts = free.amounts[at.nodes]
    for line, given in ends.lines.items():
        np.add.at(amounts[:, line], ends.places[:amount], given[:amount])
    rings: dict[int, Numbers] = {}
    cards: dict[int, Cards] = {}
    for place, node in enumerate(at.nodes.tolist()):
        line = desk.tables.names.column(at.kind.resource)
        if at.kind.rule is not None and node in free.rings:
            changed = amounts[place, line] != free.amounts[node, line]
            groups = max(-(-int(whole.amounts[node, line]) // at.kind.rule.group_size), 1)
            rings[place] = ring_table(None, int(amounts[place, line]), groups=groups, rule=at.kind.rule) if changed else free.rings[node]
        if at.kind.virtual and node in free.cards:
            empty = amounts[place, line] >= whole.amounts[node, line]
            cards[place] = whole.cards[node] if empty else free.cards[node]
    return Stock(amounts, rings, cards)
