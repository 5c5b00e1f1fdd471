"""What a decision says for itself: the verdicts of an assignment, the reasons of a refusal, counted over all cells (kube-scheduler's
Diagnosis). Wording is in `answers.wording`.

Reasons are bits of a mask by severity, so that the worst of a mask is its lowest bit and how many there are is a bit count. What is
against a cell whatever its room stays as it is from cycle to cycle and is kept summed up: only cells that room decides about are gone
through for each decision.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np

from sampan.model.job import Job
from sampan.model.plan import Assignment, Refusal, Verdict
from sampan.model.reason import REASONS, Reason
from sampan.scheduling.cache import reasons_in
from sampan.scheduling.capacity.limit_matrix import NOT_SHORT
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.closed_cells import ClosedCells, RefusedCell
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

    @classmethod
    def of(cls, columns: Numbers, masks: Numbers, index: int) -> "Diagnosis":
        """Return what masks of one alternative say."""
        worst = np.round(np.log2(np.maximum(masks & -masks, 1).astype(np.float64))).astype(np.int64)  # exact: powers of two below 2^52
        counts = np.bitwise_count(masks).astype(np.int64)
        return cls(columns, masks, worst, counts, np.full(len(columns), index, dtype=np.int64))

    @property
    def mildness(self) -> Numbers:
        """Return a key by which the least refused comes first."""
        return (len(REASONS) - self.worst) * 64 + self.counts

    def cells(self, places: Iterable[int]) -> list[RefusedCell]:
        """Return the columns at some places."""
        keys = self.mildness
        return [(int(keys[at]), int(self.columns[at]), int(self.masks[at]), int(self.index[at])) for at in places]

    def least_refused(self, most: int) -> list[int]:
        """Return places of the least refused columns, in the order of mildness, then of the columns."""
        key = self.mildness * (1 << 32) + np.arange(len(self.columns))
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


def fresh_refusal(state: CycleState, entry: Entry, *, reported: bool = False) -> Refusal:
    """Return why a job is refused, without looking at earlier refusals.

    `reported`: the feasible index, which is up to date, has no feasible cell for any alternative: what it reports of each cell will do.
    """
    closed = _closed(state, entry, entry.eligible)
    near = _as_reported(state, entry, closed) if reported else _decided_by_room(state, entry, closed)
    point = near.masks & WRONG_DEVICES == 0
    asked, beside = closed.counts + np.array([_by_worst(near.worst[point]), _by_worst(near.worst[~point])])
    counted = asked if asked.any() else beside
    counts = {REASONS[severity]: amount for severity, amount in enumerate(counted.tolist()) if amount}
    shown = tuple(_refused(state, entry, each) for each in _mildest(closed, near, roomy=frozenset()))
    other_devices = int(beside.sum()) if asked.any() else 0
    unknown = state.known_names.unknown(entry.job.shape)
    index = state.cache.feasible
    room = index.room([entry.verdicts.rows[at].feasible_row for at in entry.eligible]) if reported else _room(state, entry)
    return Refusal(job=entry.job, counts=counts, other_devices=other_devices, verdicts=shown, room=room, unknown=unknown)


def inadmissible(job: Job, reason: Reason, rest: tuple[Job, ...]) -> Refusal:
    """Return the refusal of jobs that their queue does not let compete."""
    return Refusal(job=job, counts={reason: 1}, rest=(rest,) if rest else ())


def _scored(state: CycleState, entry: Entry, choice: ScoredCell) -> Verdict:
    cell, demand = state.cell(choice.column), entry.job.shape.demands[choice.index]
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=demand.alternative, score=choice.score, parts=choice.parts)


def _refused(state: CycleState, entry: Entry, refused: RefusedCell) -> Verdict:
    _, column, mask, index = refused
    cell, demand = state.cell(column), entry.job.shape.demands[index]
    return Verdict(offer=cell.offer, pool=cell.pool.name, alternative=demand.alternative, reasons=reasons_in(mask))


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
        closed = _closed(state, entry, indexes)
        near = _decided_by_room(state, entry, closed)
        shown += [_refused(state, entry, each) for each in _mildest(closed, near, roomy=roomy)]
    return shown[: MAX_VERDICTS - 1]


def diagnose(state: CycleState, entry: Entry, indexes: tuple[int, ...]) -> Diagnosis:
    """Return everything against every column; room is looked at only where nothing else is in the way.

    Columns of offers for other namespaces are left out: what a decision says ends up in the tenant's job, where neither their
    names nor their number may be read, nor that there are any.
    """
    asked = ((index, *_masks(state, entry, index)) for index in indexes)
    return reduce(_nearer, (Diagnosis.of(*_with_room(state, entry, at, columns=those, masks=masks), at) for at, those, masks in asked))


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


def _closed(state: CycleState, entry: Entry, indexes: tuple[int, ...]) -> ClosedCells:
    """Return what verdicts alone say; kept with the shape while they and the columns are the same."""
    key, versions = (entry.job.excluded, indexes), tuple(entry.verdicts.rows[index].version for index in indexes)
    known = entry.verdicts.closed.get(key)
    if known is not None and known.cells is state.cell_index and known.versions == versions:
        return known
    listed = [(index, *_masks(state, entry, index)) for index in indexes]
    columns = listed[0][1]
    alike = [(index, masks) for index, those, masks in listed if np.array_equal(those, columns)]  # as `_nearer` has it
    decided = np.all([masks != 0 for _, masks in alike], axis=0)
    whole = reduce(_nearer, (Diagnosis.of(columns[decided], masks[decided], index) for index, masks in alike))
    point = whole.masks & WRONG_DEVICES == 0
    made = ClosedCells(
        cells=state.cell_index,
        versions=versions,
        counts=np.array([_by_worst(whole.worst[point]), _by_worst(whole.worst[~point])]),
        mildest=tuple(whole.cells(whole.least_refused(MAX_VERDICTS))),
        open=columns[~decided],
        masks=tuple((index, masks[~decided]) for index, masks in alike),
    )
    if len(entry.verdicts.closed) >= MAX_CACHED_REFUSALS:
        entry.verdicts.closed.clear()
    entry.verdicts.closed[key] = made
    return made


def _decided_by_room(state: CycleState, entry: Entry, closed: ClosedCells) -> Diagnosis:
    """Return what is against the open columns as things stand."""
    each = (Diagnosis.of(*_with_room(state, entry, index, columns=closed.open, masks=masks), index) for index, masks in closed.masks)
    return reduce(_nearer, each)


def _as_reported(state: CycleState, entry: Entry, closed: ClosedCells) -> Diagnosis:
    """Return the same where no cell is feasible: then nobody's reservation is against a column, and one reason at most is for room."""
    each = list[Diagnosis]()
    for index, masks in closed.masks:
        lacking = state.cache.feasible.reported(entry.verdicts.rows[index], closed.open)
        whole = np.where(masks == 0, np.left_shift(1, np.maximum(lacking, 0)), masks)
        each.append(Diagnosis.of(closed.open, whole, index))
    return reduce(_nearer, each)


def _mildest(closed: ClosedCells, near: Diagnosis, *, roomy: Set[int]) -> list[RefusedCell]:
    """Return the least refused columns, those that have room left out."""
    some = [each for each in near.cells(near.least_refused(MAX_VERDICTS + len(roomy))) if each[1] not in roomy]
    return sorted((*closed.mildest, *some))[:MAX_VERDICTS]


def _by_worst(severities: Numbers) -> Numbers:
    return np.bincount(severities, minlength=len(REASONS))


def _masks(state: CycleState, entry: Entry, index: int) -> tuple[Numbers, Numbers]:
    """Return the columns that a demand is asked about, and what is against them whatever their room; 0: nothing."""
    row, demand = entry.verdicts.rows[index], entry.job.shape.demands[index]
    candidates, missing_domain = state.candidate_cells(entry.job.shape, demand)
    masks = row.reason_mask.copy()
    masks[missing_domain] |= 1 << Reason.INTERCONNECT_MISSING.severity
    masks[state.excluded_cells(entry.job)] |= 1 << Reason.OFFER_COOLING_DOWN.severity
    columns = np.flatnonzero(candidates & (masks & _PRIVATE == 0))
    return columns, masks[columns]


def _with_room(state: CycleState, entry: Entry, index: int, *, columns: Numbers, masks: Numbers) -> tuple[Numbers, Numbers]:
    """Return columns and masks with what room has against those columns against which nothing else is."""
    open_ = np.flatnonzero(masks == 0)
    if not len(open_):
        return columns, masks
    masks, at = masks.copy(), columns[open_]
    feasibility, row, least = state.feasibility(entry, index), entry.verdicts.rows[index], entry.job.shape.demands[index].least_replicas
    now, most = state.matrix.fits_now[row.request_row, at], state.matrix.fits_empty[row.request_row, at]
    held = (now >= least) & (feasibility.room[at] < least)
    limited = _limited(state, row, at)
    why = np.where(limited < NOT_SHORT, limited, np.where(held, _RESERVED, _INSUFFICIENT))
    masks[open_] = np.left_shift(1, np.where(most < least, _TOO_LARGE, why))
    return columns, masks


def _limited(state: CycleState, row: DemandRow, columns: Numbers) -> Numbers:
    """Return the severity of what limits allow too little in some columns, else `NOT_SHORT`."""
    found: Numbers = state.limits.matrix.why_at(np.array([row.limit_row]), np.array([row.demand.least_replicas]), columns)[0]
    return found


_RESERVED: Final = Reason.RESERVED_FOR_OTHERS.severity
_INSUFFICIENT: Final = Reason.INSUFFICIENT_CAPACITY.severity
_TOO_LARGE: Final = Reason.TOO_LARGE.severity
_PRIVATE: Final = 1 << Reason.TENANT_EXCLUDED.severity


def _room(state: CycleState, entry: Entry) -> int | None:
    feasibilities = [state.feasibility(entry, index) for index in entry.eligible]
    rooms = [int(feasibility.room[feasibility.suitable].max()) for feasibility in feasibilities if feasibility.suitable.any()]
    return max(rooms, default=None)
