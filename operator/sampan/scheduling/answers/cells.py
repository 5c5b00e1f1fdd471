"""What every cell is to one job, told cell by cell: parts of the score, or objections and the smallest change. Nothing about time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sampan.model.job import Demand
from sampan.model.plan import UnknownName
from sampan.model.reason import Reason
from sampan.scheduling.answers.remedy import smallest_change
from sampan.scheduling.answers.shortage import CellProbe, shortage
from sampan.scheduling.answers.values import CellAnswer, UnmetConstraint
from sampan.scheduling.answers.wording import unknown_words
from sampan.scheduling.cache import reasons_in
from sampan.scheduling.capacity.resources import RequestTable
from sampan.scheduling.diagnosis import Diagnosis, diagnose
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.obstacles import ROOM
from sampan.scheduling.feasibility.constraints.table import OUTSIDE, violated, words_of
from sampan.scheduling.feasibility.scores import HOUR, expected_seconds
from sampan.scheduling.feasibility.unknown_names import likeness
from sampan.scheduling.selection import ScoredCell, feasible_cells, scored_cell
from sampan.scheduling.state import CycleState, Entry

MOST_PROVED: Final = 64
"""Refused cells for which a smallest change is looked for: the mildest."""
_OF_ROOM: Final = frozenset(each.reason for each in ROOM)


def cell_answers(state: CycleState, entry: Entry) -> tuple[CellAnswer, ...]:
    """Return an answer for every cell that a job is asked about: usable ones by rank, then the refused, mildest first."""
    chosen = _choices(state, entry)
    usable = sorted(chosen.values(), key=lambda choice: choice.sort_key if entry.by_score else (choice.index, *choice.sort_key))
    told = CellAnswers(state, entry, RequestTable(state.matrix.resources))
    return (*(told.usable(choice) for choice in usable), *told.refused(chosen))


def _choices(state: CycleState, entry: Entry) -> dict[int, ScoredCell]:
    """Return the cells with room by column: each with its first alternative, or its best where the score decides."""
    found: dict[int, ScoredCell] = {}
    for index in entry.eligible:
        feasibility = state.feasibility(entry, index)
        for column in feasible_cells(entry, feasibility):
            choice = scored_cell(state, entry, feasibility, column=column)
            if choice is not None and (column not in found or (entry.by_score and choice.sort_key < found[column].sort_key)):
                found[column] = choice
    return found


@dataclass(slots=True)
class CellAnswers:
    """Answers about one job."""

    state: CycleState
    entry: Entry
    requests: RequestTable

    def usable(self, choice: ScoredCell) -> CellAnswer:
        """Return the answer for a cell with room."""
        answer = self._base(choice.column, choice.index, replicas=choice.fit.replicas)
        return replace(answer, score=choice.score, parts=choice.parts)

    def refused(self, chosen: dict[int, ScoredCell]) -> list[CellAnswer]:
        """Return the answers for the cells without."""
        against = diagnose(self.state, self.entry, self.entry.eligible)
        demands = self.entry.job.shape.demands
        unknown = [self.state.known_names.unknown_in(demand.requirement, index) for index, demand in enumerate(demands)]
        hints = [f" ({unknown_words(names)})" if names else "" for names in unknown]
        answers: list[CellAnswer] = []
        for place in self._told_in_order(against, unknown):
            column, index = int(against.columns[place]), int(against.index[place])
            if column in chosen:
                continue
            context, probe = self.context(column, index), self.probe(column, index)
            told = _unmet(reasons_in(int(against.masks[place])), context, probe, hint=hints[index])
            answer = replace(self._base(column, index, replicas=probe.demand.least_replicas), unmet=told)
            if len(answers) < MOST_PROVED:
                proposal = smallest_change(self.entry.job.shape, index, context=context, probe=probe)
                if proposal is not None:
                    answer = replace(answer, changes=proposal.changes, changed=proposal.shape)
            answers.append(answer)
        return answers

    def _told_in_order(self, against: Diagnosis, unknown: Sequence[tuple[UnknownName, ...]]) -> list[int]:
        """Return the places of the refused columns, mildest first.

        Where nobody knows what any alternative names, the devices of the most similar names come first: a slip of the pen is likely.
        """
        places = against.least_refused(len(against.columns)) if len(against.columns) else []
        if not all(unknown):
            return places
        cells = {place: self.state.cell(int(against.columns[place])) for place in places}
        return sorted(places, key=lambda place: -likeness(unknown[int(against.index[place])], cells[place].pool))

    def context(self, column: int, index: int) -> FilterContext:
        """Return what the filters are asked."""
        rows = self.entry.verdicts
        return self.state.cache.verdicts.context(rows, rows.rows[index], column)

    def probe(self, column: int, index: int) -> CellProbe:
        """Return what room is asked about."""
        policy = self.entry.verdicts.policy
        reserve = policy.cpu_reserve_per_device if policy.cpu_on_accelerators else 0
        demand = self.entry.job.shape.demands[index]
        return CellProbe(state=self.state, job=self.entry.job, demand=demand, column=column, cpu_reserve=reserve, requests=self.requests)

    def _base(self, column: int, index: int, *, replicas: int) -> CellAnswer:
        """Return the answer without a verdict: names, prices, times."""
        state, demand, cell = self.state, self.entry.job.shape.demands[index], self.state.cell(column)
        price = self.context(column, index).price
        devices = demand.devices * replicas
        hourly = None if price is None or not devices else price * devices
        expected = self._expected(demand, column)
        return CellAnswer(
            offer=cell.offer,
            pool=cell.id[1],
            accelerator_class=cell.pool.accelerator.name if cell.pool.accelerator else "",
            alternative=demand.alternative,
            price_per_hour=hourly,
            price_expected=_for(hourly, expected),
            price_limit=_for(hourly, demand.limit_seconds),
            expected_seconds=expected,
            room=int(state.feasibility(self.entry, index).room[column]),
            devices=devices,
        )

    def _expected(self, demand: Demand, column: int) -> int | None:
        """Return how long the job probably runs here, None where its tenant tells no time at all."""
        shape = self.entry.job.shape
        if shape.expected_seconds is None and all(each.expected_seconds is None for each in shape.demands):
            return None
        return expected_seconds(shape, demand, on=self.state.cell(column).pool.accelerator, classes=self.state.snapshot.classes)


def _unmet(reasons: tuple[Reason, ...], context: FilterContext, probe: CellProbe, *, hint: str) -> tuple[UnmetConstraint, ...]:
    """Return everything against a cell, worst first. Filters are asked again: where devices are wrong, rows leave some out."""
    told = [unmet_constraint(reason, context, hint=hint) for reason in violated(context)]
    told += [UnmetConstraint(reason, *OUTSIDE[reason]) for reason in reasons if reason in OUTSIDE]
    told += [shortage(reason, probe) for reason in reasons if reason in _OF_ROOM]
    return tuple(sorted(told, key=lambda each: each.reason.severity))


def unmet_constraint(reason: Reason, context: FilterContext, *, hint: str = "") -> UnmetConstraint:
    """Return a filter's reason with values; `hint` follows what is needed where the devices are others."""
    needed, present = words_of(reason, context)
    return UnmetConstraint(reason, needed + (hint if reason is Reason.ACCELERATOR_MISMATCH else ""), present)


def _for(hourly: int | None, seconds: int | None) -> int | None:
    return None if hourly is None or seconds is None else -(-hourly * seconds // HOUR)
