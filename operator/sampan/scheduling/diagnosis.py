"""What is told of a decision: the verdicts of an assignment, the reasons of a refusal, counted over all cells. Wording is in `explain`."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.job import Job
from sampan.model.plan import Assignment, Refusal, Verdict
from sampan.model.reason import Reason
from sampan.scheduling.cache import REASONS, reasons_in
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.verdict_matrix import WRONG
from sampan.scheduling.selection import Choice, choice_of, ranked
from sampan.scheduling.state import Case, Desk

MOST_TOLD: Final = 64
"""Refusals kept per shape."""
MOST_VERDICTS: Final = 16
"""Verdicts that an assignment or a refusal carries."""


@dataclass(frozen=True, slots=True)
class Against:
    """Over the columns that a job is asked about: the reasons of the alternative that came nearest."""

    columns: Numbers
    masks: Numbers
    worst: Numbers
    """Severity of the worst reason."""
    counts: Numbers
    """How many reasons."""
    index: Numbers
    """The alternative, by its place in the shape."""

    def mildest(self, most: int) -> list[int]:
        """Return places of the least refused columns, in the order of mildness, then of the columns."""
        key = ((len(REASONS) - self.worst) * 64 + self.counts) * (1 << 32) + np.arange(len(self.columns))
        if len(key) > most:
            key = np.partition(key, most - 1)[:most]
        return [int(each) for each in np.sort(key) & ((1 << 32) - 1)]


def assignment(desk: Desk, case: Case, best: Choice) -> Assignment:
    """Return the decision for a choice, with what the other cells were."""
    cell, names = desk.cell(best.column), desk.tables.columns[best.column].names
    return Assignment(
        job=case.job,
        offer=cell.offer,
        cluster_uid=cell.pool.cluster_uid,
        pool=cell.pool.name,
        demand=case.job.shape.demands[best.index],
        replicas=best.fit.replicas,
        nodes=tuple((names[place], replicas) for place, replicas in best.fit.nodes),
        verdicts=(_scored(desk, case, best), *_others(desk, case, best)),
    )


def refusal(desk: Desk, case: Case) -> Refusal:
    """Return why a job is refused, counted over the cells with the devices that it asks for, or over all where there are none."""
    key, made_from = (case.job.excluded, case.allowed), _made_from(desk, case)
    known = case.rows.told.get(key)
    if known is not None and known[0] == made_from:
        return replace(known[1], job=case.job)
    told = refusal_anew(desk, case)
    if len(case.rows.told) >= MOST_TOLD:
        case.rows.told.clear()
    case.rows.told[key] = made_from, told
    return told


def _made_from(desk: Desk, case: Case) -> tuple[object, ...]:
    """Return all that a refusal is told from: the masks, and the rooms of the columns that nothing else is against."""
    parts: list[object] = [desk.limits.state()]
    for index in case.allowed:
        outlook = desk.outlook(case, index)
        able, need = np.flatnonzero(outlook.able), outlook.row.need
        rooms = (outlook.room[able], desk.tables.fit[need, able], desk.tables.most[need, able])
        parts += (outlook.row.version, able.tobytes(), *(each.tobytes() for each in rooms))
    return tuple(parts)


def refusal_anew(desk: Desk, case: Case) -> Refusal:
    """Return why a job is refused, without looking at what was told before."""
    against = against_all(desk, case, case.allowed)
    point = (against.masks & WRONG) == 0
    counted = against.worst[point] if point.any() else against.worst
    severities, amounts = np.unique(counted, return_counts=True)
    counts = {REASONS[severity]: amount for severity, amount in zip(severities.tolist(), amounts.tolist(), strict=True)}
    shown = tuple(_refused(desk, case, against, place=place) for place in against.mildest(MOST_VERDICTS))
    beside = int((~point).sum()) if point.any() else 0
    unknown = desk.names.unknown(case.job.shape)
    return Refusal(job=case.job, counts=counts, beside=beside, verdicts=shown, room=_room(desk, case), unknown=unknown)


def barred(job: Job, reason: Reason, rest: tuple[Job, ...]) -> Refusal:
    """Return the refusal of jobs that their queue does not let compete."""
    return Refusal(job=job, counts={reason: 1}, rest=(rest,) if rest else ())


def _scored(desk: Desk, case: Case, choice: Choice) -> Verdict:
    cell, demand = desk.cell(choice.column), case.job.shape.demands[choice.index]
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=demand.alternative, score=choice.score, parts=choice.parts)


def _refused(desk: Desk, case: Case, against: Against, *, place: int) -> Verdict:
    cell = desk.cell(int(against.columns[place]))
    demand = case.job.shape.demands[int(against.index[place])]
    reasons = reasons_in(int(against.masks[place]))
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=demand.alternative, reasons=reasons)


def _others(desk: Desk, case: Case, best: Choice) -> list[Verdict]:
    """Return what the other cells were: those with room by rank, then the refused, mildest first.

    They are judged by the chosen alternative, or by whichever suits each best where the score alone decides.
    """
    indexes = case.allowed if case.by_score else (best.index,)
    choices: dict[int, Choice] = {}
    roomy: set[int] = {best.column}
    for index in indexes:
        outlook = desk.outlook(case, index)
        columns = [column for column in ranked(case, outlook) if column != best.column]
        roomy.update(columns)
        for column in columns[:MOST_VERDICTS]:
            choice = choice_of(desk, case, outlook, column=column)
            if choice is not None and (column not in choices or choice.rank < choices[column].rank):
                choices[column] = choice
    shown = [_scored(desk, case, choice) for choice in sorted(choices.values(), key=lambda choice: choice.rank)]
    if len(shown) < MOST_VERDICTS - 1:
        against = against_all(desk, case, indexes)
        places = [place for place in against.mildest(MOST_VERDICTS + len(roomy)) if int(against.columns[place]) not in roomy]
        shown += [_refused(desk, case, against, place=place) for place in places]
    return shown[: MOST_VERDICTS - 1]


def against_all(desk: Desk, case: Case, indexes: tuple[int, ...]) -> Against:
    """Return everything against every column; room is looked at only where nothing else is in the way.

    Columns of offers for other namespaces are left out: what is told of a decision ends up in the tenant's job, where neither their
    names nor their number may be read, nor that there are any.
    """
    best: Against | None = None
    for index in indexes:
        columns, masks = _masks(desk, case, index)
        lowest = masks & -masks
        worst = np.round(np.log2(np.maximum(lowest, 1).astype(np.float64))).astype(np.int64)  # exact: powers of two below 2^52
        counts = np.bitwise_count(masks).astype(np.int64)
        mine = Against(columns, masks, worst, counts, np.full(len(columns), index, dtype=np.int64))
        best = mine if best is None else _nearer(best, mine)
    assert best is not None  # the first demand is always ripe
    return best


def _nearer(first: Against, second: Against) -> Against:
    """Return column by column whichever is refused less; the first where both are alike. Columns differ where domains are asked for.

    An alternative of other devices is always farther: it was asked less, so that its reasons say nothing of how near it is.
    """
    if len(first.columns) != len(second.columns) or (first.columns != second.columns).any():
        return first
    wrong, theirs_wrong = first.masks & WRONG != 0, second.masks & WRONG != 0
    milder = (second.worst > first.worst) | ((second.worst == first.worst) & (second.counts < first.counts))
    better = (wrong & ~theirs_wrong) | ((wrong == theirs_wrong) & milder)
    each = ((first.masks, second.masks), (first.worst, second.worst), (first.counts, second.counts), (first.index, second.index))
    masks, worst, counts, index = (np.where(better, theirs, ours).astype(np.int64) for ours, theirs in each)
    return Against(first.columns, masks, worst, counts, index)


def _masks(desk: Desk, case: Case, index: int) -> tuple[Numbers, Numbers]:
    row, demand = case.rows.rows[index], case.job.shape.demands[index]
    universe, lacking = desk.universe(case.job.shape, demand)
    masks = row.mask.copy()
    masks[lacking] |= 1 << Reason.INTERCONNECT_MISSING.severity
    excluded = desk.excluded(case.job)
    masks[excluded] |= 1 << Reason.OFFER_COOLING_DOWN.severity
    open_ = universe & (masks == 0)
    if open_.any():
        outlook = desk.outlook(case, index)
        tables, least = desk.tables, demand.least_replicas
        now, most = tables.fit[row.need], tables.most[row.need]
        held = (now >= least) & (outlook.room < least)
        why = np.where(most < least, Reason.TOO_LARGE.severity, np.where(held, _HELD, Reason.INSUFFICIENT_CAPACITY.severity))
        masks[open_] = np.left_shift(1, why[open_])
        for column in desk.limits.short(open_ & (most >= least), demand):
            reason = desk.limits.why(column, demand)
            if reason is not None:
                masks[column] = 1 << reason.severity
    columns = np.flatnonzero(universe & (masks & _PRIVATE == 0))
    return columns, masks[columns]


_HELD: Final = Reason.HELD_FOR_OTHERS.severity
_PRIVATE: Final = 1 << Reason.TENANT_EXCLUDED.severity


def _room(desk: Desk, case: Case) -> int | None:
    outlooks = [desk.outlook(case, index) for index in case.allowed]
    rooms = [int(outlook.room[outlook.able].max()) for outlook in outlooks if outlook.able.any()]
    return max(rooms, default=None)
