"""What a decision says for itself: the verdicts of an assignment, the reasons of a refusal, counted over all cells (kube-scheduler's
Diagnosis). Wording is in `answers.wording`.

Reasons are bits of a mask by severity, so that the worst of a mask is its lowest bit and how many there are is a bit count.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.job import Job
from sampan.model.plan import Assignment, Refusal, Verdict
from sampan.model.reason import Reason
from sampan.scheduling.cache import REASONS, reasons_in
from sampan.scheduling.capacity.limit_matrix import NOT_SHORT
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.verdict_matrix import WRONG_DEVICES, DemandRow
from sampan.scheduling.selection import ScoredCell, feasible_cells, scored_cell
from sampan.scheduling.state import CycleState, Entry

MAX_CACHED_REFUSALS: Final = 64
"""Refusals kept per shape."""
MAX_VERDICTS: Final = 16
"""Verdicts that an assignment or a refusal carries."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Over the columns that a job is asked about: the reasons of the alternative that came nearest."""

    columns: Numbers
    masks: Numbers
    worst: Numbers
    """Severity of the worst reason."""
    counts: Numbers
    """How many reasons."""
    index: Numbers
    """The alternative, by its place in the shape."""

    def least_refused(self, most: int) -> list[int]:
        """Return places of the least refused columns, in the order of mildness, then of the columns."""
        key = ((len(REASONS) - self.worst) * 64 + self.counts) * (1 << 32) + np.arange(len(self.columns))
        if len(key) > most:
            key = np.partition(key, most - 1)[:most]
        return [int(each) for each in np.sort(key) & ((1 << 32) - 1)]


def assignment(state: CycleState, entry: Entry, best: ScoredCell) -> Assignment:
    """Return the decision for a choice, with what the other cells were."""
    cell, names = state.cell(best.column), state.matrix.columns[best.column].names
    return Assignment(
        job=entry.job,
        offer=cell.offer,
        cluster_uid=cell.pool.cluster_uid,
        pool=cell.pool.name,
        demand=entry.job.shape.demands[best.index],
        replicas=best.fit.replicas,
        nodes=tuple((names[place], replicas) for place, replicas in best.fit.nodes),
        verdicts=(_scored(state, entry, best), *_others(state, entry, best)),
    )


def refusal(state: CycleState, entry: Entry) -> Refusal:
    """Return why a job is refused, counted over the cells with the devices that it asks for, or over all where there are none."""
    key, inputs = (entry.job.excluded, entry.eligible), _inputs(state, entry)
    known = entry.verdicts.refusals.get(key)
    if known is not None and known[0] == inputs:
        return replace(known[1], job=entry.job)
    made = fresh_refusal(state, entry)
    if len(entry.verdicts.refusals) >= MAX_CACHED_REFUSALS:
        entry.verdicts.refusals.clear()
    entry.verdicts.refusals[key] = inputs, made
    return made


def _inputs(state: CycleState, entry: Entry) -> tuple[object, ...]:
    """Return all that a refusal is made from: the masks, and the room of the suitable cells."""
    parts: list[object] = []
    for index in entry.eligible:
        feasibility = state.feasibility(entry, index)
        suitable, need = np.flatnonzero(feasibility.suitable), feasibility.row.request_row
        limited = _limited(state, feasibility.row, suitable)
        rooms = (feasibility.room[suitable], state.matrix.fits_now[need, suitable], state.matrix.fits_empty[need, suitable], limited)
        parts += (feasibility.row.version, suitable.tobytes(), *(each.tobytes() for each in rooms))
    return tuple(parts)


def fresh_refusal(state: CycleState, entry: Entry) -> Refusal:
    """Return why a job is refused, without looking at earlier refusals."""
    against = diagnose(state, entry, entry.eligible)
    point = (against.masks & WRONG_DEVICES) == 0
    counted = against.worst[point] if point.any() else against.worst
    severities, amounts = np.unique(counted, return_counts=True)
    counts = {REASONS[severity]: amount for severity, amount in zip(severities.tolist(), amounts.tolist(), strict=True)}
    shown = tuple(_refused(state, entry, against, place=place) for place in against.least_refused(MAX_VERDICTS))
    beside = int((~point).sum()) if point.any() else 0
    unknown = state.known_names.unknown(entry.job.shape)
    return Refusal(job=entry.job, counts=counts, other_devices=beside, verdicts=shown, room=_room(state, entry), unknown=unknown)


def inadmissible(job: Job, reason: Reason, rest: tuple[Job, ...]) -> Refusal:
    """Return the refusal of jobs that their queue does not let compete."""
    return Refusal(job=job, counts={reason: 1}, rest=(rest,) if rest else ())


def _scored(state: CycleState, entry: Entry, choice: ScoredCell) -> Verdict:
    cell, demand = state.cell(choice.column), entry.job.shape.demands[choice.index]
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=demand.alternative, score=choice.score, parts=choice.parts)


def _refused(state: CycleState, entry: Entry, against: Diagnosis, *, place: int) -> Verdict:
    cell = state.cell(int(against.columns[place]))
    demand = entry.job.shape.demands[int(against.index[place])]
    reasons = reasons_in(int(against.masks[place]))
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=demand.alternative, reasons=reasons)


def _others(state: CycleState, entry: Entry, best: ScoredCell) -> list[Verdict]:
    """Return what the other cells were: those with room by rank, then the refused, mildest first.

    They are seen by the chosen alternative, or by whichever suits each best where the score alone decides.
    """
    indexes = entry.eligible if entry.by_score else (best.index,)
    choices: dict[int, ScoredCell] = {}
    roomy: set[int] = {best.column}
    for index in indexes:
        feasibility = state.feasibility(entry, index)
        columns = [column for column in feasible_cells(entry, feasibility) if column != best.column]
        roomy.update(columns)
        for column in columns[:MAX_VERDICTS]:
            choice = scored_cell(state, entry, feasibility, column=column)
            if choice is not None and (column not in choices or choice.sort_key < choices[column].sort_key):
                choices[column] = choice
    shown = [_scored(state, entry, choice) for choice in sorted(choices.values(), key=lambda choice: choice.sort_key)]
    if len(shown) < MAX_VERDICTS - 1:
        against = diagnose(state, entry, indexes)
        places = [place for place in against.least_refused(MAX_VERDICTS + len(roomy)) if int(against.columns[place]) not in roomy]
        shown += [_refused(state, entry, against, place=place) for place in places]
    return shown[: MAX_VERDICTS - 1]


def diagnose(state: CycleState, entry: Entry, indexes: tuple[int, ...]) -> Diagnosis:
    """Return everything against every column; room is looked at only where nothing else is in the way.

    Columns of offers for other namespaces are left out: what a decision says ends up in the tenant's job, where neither their
    names nor their number may be read, nor that there are any.
    """
    best: Diagnosis | None = None
    for index in indexes:
        columns, masks = _masks(state, entry, index)
        lowest = masks & -masks
        worst = np.round(np.log2(np.maximum(lowest, 1).astype(np.float64))).astype(np.int64)  # exact: powers of two below 2^52
        counts = np.bitwise_count(masks).astype(np.int64)
        mine = Diagnosis(columns, masks, worst, counts, np.full(len(columns), index, dtype=np.int64))
        best = mine if best is None else _nearer(best, mine)
    assert best is not None  # the first demand is always ripe
    return best


def _nearer(first: Diagnosis, second: Diagnosis) -> Diagnosis:
    """Return column by column whichever is refused less; the first where both are alike. Columns differ where domains are asked for.

    An alternative of other devices is always farther: it was asked less, so that its reasons say nothing of how near it is.
    """
    if len(first.columns) != len(second.columns) or (first.columns != second.columns).any():
        return first
    wrong, theirs_wrong = first.masks & WRONG_DEVICES != 0, second.masks & WRONG_DEVICES != 0
    milder = (second.worst > first.worst) | ((second.worst == first.worst) & (second.counts < first.counts))
    better = (wrong & ~theirs_wrong) | ((wrong == theirs_wrong) & milder)
    each = ((first.masks, second.masks), (first.worst, second.worst), (first.counts, second.counts), (first.index, second.index))
    masks, worst, counts, index = (np.where(better, theirs, ours).astype(np.int64) for ours, theirs in each)
    return Diagnosis(first.columns, masks, worst, counts, index)


def _masks(state: CycleState, entry: Entry, index: int) -> tuple[Numbers, Numbers]:
    row, demand = entry.verdicts.rows[index], entry.job.shape.demands[index]
    candidates, missing_domain = state.candidate_cells(entry.job.shape, demand)
    masks = row.reason_mask.copy()
    masks[missing_domain] |= 1 << Reason.INTERCONNECT_MISSING.severity
    excluded = state.excluded_cells(entry.job)
    masks[excluded] |= 1 << Reason.OFFER_COOLING_DOWN.severity
    open_ = candidates & (masks == 0)
    if open_.any():
        feasibility = state.feasibility(entry, index)
        matrix, least = state.matrix, demand.least_replicas
        now, most = matrix.fits_now[row.request_row], matrix.fits_empty[row.request_row]
        held = (now >= least) & (feasibility.room < least)
        why = np.where(most < least, Reason.TOO_LARGE.severity, np.where(held, _RESERVED, Reason.INSUFFICIENT_CAPACITY.severity))
        masks[open_] = np.left_shift(1, why[open_])
        large_enough = np.flatnonzero(open_ & (most >= least))
        limited = _limited(state, row, large_enough)
        masks[large_enough] = np.where(limited < NOT_SHORT, np.left_shift(1, limited), masks[large_enough])
    columns = np.flatnonzero(candidates & (masks & _PRIVATE == 0))
    return columns, masks[columns]


def _limited(state: CycleState, row: DemandRow, columns: Numbers) -> Numbers:
    """Return the severity of what limits allow too little in some columns, else `NOT_SHORT`."""
    least = np.array([row.demand.least_replicas])
    found: Numbers = state.limits.matrix.why_at(np.array([row.limit_row]), least, columns)[0]
    return found


_RESERVED: Final = Reason.RESERVED_FOR_OTHERS.severity
_PRIVATE: Final = 1 << Reason.TENANT_EXCLUDED.severity


def _room(state: CycleState, entry: Entry) -> int | None:
    feasibilities = [state.feasibility(entry, index) for index in entry.eligible]
    rooms = [int(feasibility.room[feasibility.suitable].max()) for feasibility in feasibilities if feasibility.suitable.any()]
    return max(rooms, default=None)
