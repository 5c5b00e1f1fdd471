"""One scheduling cycle, the main path of Sampan: a frozen picture in, a Plan out. Pure, deterministic, integers only.

`schedule` equals `schedule` with an empty memo. Details live below: order, filters, scores, work (what is free), assign (nodes).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sampan.model.cluster import Cell
from sampan.model.job import AlternativeOrder, Demand, Job
from sampan.model.plan import Assignment, Plan, Refusal, Verdict
from sampan.model.policy import BALANCED, Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.assign import Fit
from sampan.scheduling.order import in_order, ripe
from sampan.scheduling.scores import FULL, weighted
from sampan.scheduling.verdicts import Memo, Row, Static, verdict_rows
from sampan.scheduling.work import CellId, Work

MOST_VERDICTS: Final = 16
"""Verdicts that an assignment or a refusal carries."""

Bucket = tuple[int, frozenset[CellId], tuple[int, ...]]
Ranked = tuple[int, int, Cell, Static]


def schedule(snapshot: Snapshot, memo: Memo) -> tuple[Plan, Memo]:
    """Decide which pending jobs go where now, at most `snapshot.limit`; the rest of the queue behind the limit stays undecided."""
    # 1. Judge every cell for every shape, apart from room: only what changed since the memo is computed.
    cells = _usable(snapshot)
    rows = verdict_rows(snapshot, cells, memo)
    cycle = _Cycle(cells=cells, work=Work(snapshot, memo.fits), ranked={})
    assignments: list[Assignment] = []
    refusals: list[Refusal] = []
    closed: dict[Bucket, Refusal] = {}
    # 2. Take the jobs by rank. Free only shrinks, so a bucket that found no place is closed for the rest of the cycle.
    for job in in_order(snapshot.jobs):
        if len(assignments) >= snapshot.limit:
            break
        case = _Case(
            job=job,
            allowed=ripe(job, snapshot.now),
            row=rows[job.shape],
            policy=snapshot.policies.get(job.shape.policy, BALANCED),
        )
        bucket = (id(case.row), job.excluded, case.allowed)
        # 3. Find the best cell that has room, alternative by alternative or over all of them.
        best = None if bucket in closed else _best(cycle, case)
        if best is not None:
            # 4. Take its nodes, so that nobody after this job can.
            assignments.append(_assignment(cycle, case, best))
            cycle.work.take(best.cell, best.demand, best.fit)
            continue
        # 5. Or say why not, counted over all cells.
        if bucket not in closed:
            closed[bucket] = _refusal(cycle, case)
        refusals.append(replace(closed[bucket], job=job))
    plan = Plan(assignments=tuple(assignments), refusals=tuple(refusals))
    return plan, Memo(currency=snapshot.currency, classes=snapshot.classes, rows=rows, fits=cycle.work.base)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cycle:
    """What the steps of one cycle share."""

    cells: tuple[Cell, ...]
    work: Work
    ranked: dict[tuple[int, int], list[Ranked]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One job, with what its shape was told."""

    job: Job
    allowed: tuple[int, ...]
    row: Row
    policy: Policy

    def weigh_packing(self, part: int) -> int:
        return weighted(self.policy, "packing", part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """A cell with room, and its whole score."""

    cell: Cell
    demand: Demand
    fit: Fit
    parts: tuple[tuple[str, int], ...]
    index: int
    """Of the demand in the shape."""

    @property
    def score(self) -> int:
        return sum(points for _, points in self.parts)

    @property
    def rank(self) -> tuple[object, ...]:
        """Best first and total: score, least left over, then offer and pool name, then the earlier alternative."""
        return (-self.score, self.fit.left, self.cell.offer, self.cell.pool.name, self.index)


def _usable(snapshot: Snapshot) -> tuple[Cell, ...]:
    """Return the cells whose offer and cluster are in the picture, in a total order."""
    known = (cell for cell in snapshot.cells if cell.offer in snapshot.offers and cell.pool.cluster_uid in snapshot.clusters)
    return tuple(sorted(known, key=lambda cell: cell.id))


def _best(cycle: _Cycle, case: _Case) -> _Choice | None:
    """Return the best cell with room: of the first alternative that has one, or of all where the job ranks by score."""
    if case.job.shape.order is AlternativeOrder.IN_ORDER:
        return next((best for index in case.allowed if (best := _best_of(cycle, case, index))), None)
    choices = [best for index in case.allowed if (best := _best_of(cycle, case, index))]
    return min(choices, key=lambda choice: choice.rank, default=None)


def _best_of(cycle: _Cycle, case: _Case, index: int) -> _Choice | None:
    """Return the best cell for one alternative. Stops where even perfect packing could not win."""
    most = case.weigh_packing(FULL)
    best: _Choice | None = None
    for cell, static in _candidates(cycle, case, index):
        bound = static.score + most
        if best is not None and bound < best.score:
            break
        choice = _choice(cycle, case, index=index, candidate=(cell, static))
        if choice is not None and (best is None or choice.rank < best.rank):
            best = choice
        if choice is not None and choice is best and choice.fit.left == 0 and choice.score == bound:
            break  # cells come in order of bound, offer and pool: after a perfect one none is better
    return best


def _candidates(cycle: _Cycle, case: _Case, index: int) -> Iterator[tuple[Cell, Static]]:
    """Yield the cells that may be used and their parts, best first by the score without packing."""
    key = (id(case.row), index)
    if key not in cycle.ranked:
        rated = ((case.row[cell.id].by_demand[index], number, cell) for number, cell in enumerate(cycle.cells))
        ranked = ((-static.score, number, cell, static) for static, number, cell in rated if not static.reasons)
        cycle.ranked[key] = sorted(ranked, key=lambda each: each[:2])
    excluded = case.job.excluded
    return ((cell, static) for _, _, cell, static in cycle.ranked[key] if not excluded or cell.id not in excluded)


def _choice(cycle: _Cycle, case: _Case, *, index: int, candidate: tuple[Cell, Static]) -> _Choice | None:
    (cell, static), demand = candidate, case.job.shape.demands[index]
    fit = cycle.work.fit(cell, demand)
    if fit is None:
        return None
    parts = (*static.parts, ("packing", case.weigh_packing(fit.packing)))
    return _Choice(cell=cell, demand=demand, fit=fit, parts=parts, index=index)


def _assignment(cycle: _Cycle, case: _Case, best: _Choice) -> Assignment:
    return Assignment(
        job=case.job,
        offer=best.cell.offer,
        cluster_uid=best.cell.pool.cluster_uid,
        pool=best.cell.pool.name,
        demand=best.demand,
        replicas=best.fit.replicas,
        nodes=best.fit.nodes,
        verdicts=(_scored(best), *_others(cycle, case, best)),
    )


def _scored(choice: _Choice) -> Verdict:
    return Verdict(
        offer=choice.cell.offer,
        pool=choice.cell.pool.name,
        alternative=choice.demand.alternative,
        score=choice.score,
        parts=choice.parts,
    )


def _others(cycle: _Cycle, case: _Case, best: _Choice) -> list[Verdict]:
    """Return what the other cells were: those with room by rank, then the refused, mildest first.

    They are judged by the chosen alternative, or by whichever suits each best where the score alone decides.
    """
    by_score = case.job.shape.order is AlternativeOrder.BY_SCORE
    indexes = case.allowed if by_score else (best.index,)
    able = {index: [each for each in _candidates(cycle, case, index) if each[0] is not best.cell] for index in indexes}
    tried = (_choice(cycle, case, index=index, candidate=each) for index in indexes for each in able[index][:MOST_VERDICTS])
    choices: dict[CellId, _Choice] = {}
    for choice in sorted((choice for choice in tried if choice), key=lambda choice: choice.rank):
        choices.setdefault(choice.cell.id, choice)
    shown = [_scored(choice) for choice in choices.values()]
    if len(shown) < MOST_VERDICTS - 1:
        skipped = {best.cell.id, *choices, *(cell.id for index in indexes for cell, _ in able[index][MOST_VERDICTS:])}
        refused = [_refused(cycle, case, allowed=indexes, cell=cell) for cell in cycle.cells if cell.id not in skipped]
        shown += sorted(refused, key=_mildness)
    return shown[: MOST_VERDICTS - 1]


def _refusal(cycle: _Cycle, case: _Case) -> Refusal:
    verdicts = [_refused(cycle, case, allowed=case.allowed, cell=cell) for cell in cycle.cells]
    to_the_point = [verdict for verdict in verdicts if not any(reason.wrong_devices for reason in verdict.reasons)]
    counts: dict[Reason, int] = {}
    for verdict in to_the_point or verdicts:
        counts[verdict.reasons[0]] = counts.get(verdict.reasons[0], 0) + 1
    ordered = dict(sorted(counts.items(), key=lambda item: item[0].severity))
    shown = sorted(verdicts, key=_mildness)[:MOST_VERDICTS]
    beside = len(verdicts) - len(to_the_point) if to_the_point else 0
    return Refusal(job=case.job, counts=ordered, beside=beside, verdicts=tuple(shown), room=_room(cycle, case))


def _refused(cycle: _Cycle, case: _Case, *, allowed: tuple[int, ...], cell: Cell) -> Verdict:
    """Return the verdict of the alternative that came nearest to this cell."""
    tried = ((_reasons(cycle, case, index=index, cell=cell), index) for index in allowed)
    reasons, index = min(tried, key=lambda each: (-each[0][0].severity, len(each[0]), each[1]))
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=case.job.shape.demands[index].alternative, reasons=reasons)


def _reasons(cycle: _Cycle, case: _Case, *, index: int, cell: Cell) -> tuple[Reason, ...]:
    """Return everything against a cell; room is looked at only where nothing else is in the way."""
    reasons = case.row[cell.id].by_demand[index].reasons
    if case.job.excluded and cell.id in case.job.excluded:
        reasons = tuple(sorted((*reasons, Reason.OFFER_COOLING_DOWN), key=lambda reason: reason.severity))
    return reasons or (cycle.work.why_full(cell, case.job.shape.demands[index]),)


def _room(cycle: _Cycle, case: _Case) -> int | None:
    demands = case.job.shape.demands
    rooms = [cycle.work.room(cell, demands[index]) for index in case.allowed for cell, _ in _candidates(cycle, case, index)]
    return max(rooms, default=None)


def _mildness(verdict: Verdict) -> tuple[object, ...]:
    return (-verdict.reasons[0].severity, len(verdict.reasons), verdict.offer, verdict.pool)
