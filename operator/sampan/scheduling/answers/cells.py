"""What every cell is to one job, told cell by cell: parts of the score, or objections and the smallest change. Nothing about time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sampan.model.job import Demand
from sampan.model.plan import UnknownName
from sampan.model.reason import Reason
from sampan.scheduling.answers.remedy import smallest
from sampan.scheduling.answers.shortage import Spot, shortage
from sampan.scheduling.answers.values import CellAnswer, Objection
from sampan.scheduling.answers.wording import unknown_words
from sampan.scheduling.cache import reasons_in
from sampan.scheduling.capacity.resources import Needs
from sampan.scheduling.diagnosis import Against, against_all
from sampan.scheduling.feasibility.filters import Question, refusals
from sampan.scheduling.feasibility.objections import objection
from sampan.scheduling.feasibility.scores import HOUR, expected_seconds
from sampan.scheduling.feasibility.unknown_names import likeness
from sampan.scheduling.selection import Choice, choice_of, ranked
from sampan.scheduling.state import Case, Desk

MOST_PROVED: Final = 64
"""Refused cells for which a smallest change is looked for: the mildest."""
_ROOM: Final = (
    Reason.TOO_LARGE,
    Reason.QUOTA_EXHAUSTED,
    Reason.MEMBER_QUEUE_FULL,
    Reason.HELD_FOR_OTHERS,
    Reason.INSUFFICIENT_CAPACITY,
)
_OUTSIDE: Final = {
    Reason.INTERCONNECT_MISSING: ("nodes of one fabric domain", "no fabric domain is known here"),
    Reason.OFFER_COOLING_DOWN: ("a pool that does not cool down", "a start here failed a short while ago, of this job or of one like it"),
}
"""Reasons that neither filters nor room give."""


def cell_answers(desk: Desk, case: Case) -> tuple[CellAnswer, ...]:
    """Return an answer for every cell that a job is asked about: usable ones by rank, then the refused, mildest first."""
    chosen = _choices(desk, case)
    usable = sorted(chosen.values(), key=lambda choice: choice.rank if case.by_score else (choice.index, *choice.rank))
    told = _Teller(desk, case, Needs(desk.tables.names))
    return (*(told.usable(choice) for choice in usable), *told.refused(chosen))


def _choices(desk: Desk, case: Case) -> dict[int, Choice]:
    """Return the cells with room by column: each with its first alternative, or its best where the score decides."""
    found: dict[int, Choice] = {}
    for index in case.allowed:
        outlook = desk.outlook(case, index)
        for column in ranked(case, outlook):
            choice = choice_of(desk, case, outlook, column=column)
            if choice is not None and (column not in found or (case.by_score and choice.rank < found[column].rank)):
                found[column] = choice
    return found


@dataclass(slots=True)
class _Teller:
    """Answers about one job."""

    desk: Desk
    case: Case
    needs: Needs

    def usable(self, choice: Choice) -> CellAnswer:
        """Return the answer for a cell with room."""
        answer = self._base(choice.column, choice.index, replicas=choice.fit.replicas)
        return replace(answer, score=choice.score, parts=choice.parts)

    def refused(self, chosen: dict[int, Choice]) -> list[CellAnswer]:
        """Return the answers for the cells without."""
        against = against_all(self.desk, self.case, self.case.allowed)
        demands = self.case.job.shape.demands
        unknown = [self.desk.names.unknown_in(demand.requirement, index) for index, demand in enumerate(demands)]
        hints = [f" ({unknown_words(names)})" if names else "" for names in unknown]
        answers: list[CellAnswer] = []
        for place in self._told_in_order(against, unknown):
            column, index = int(against.columns[place]), int(against.index[place])
            if column in chosen:
                continue
            question, spot = self.question(column, index), self.spot(column, index)
            told = _objections(reasons_in(int(against.masks[place])), question, spot, hint=hints[index])
            answer = replace(self._base(column, index, replicas=spot.demand.least_replicas), objections=told)
            if len(answers) < MOST_PROVED:
                proposal = smallest(self.case.job.shape, index, question=question, spot=spot)
                if proposal is not None:
                    answer = replace(answer, changes=proposal.changes, changed=proposal.shape)
            answers.append(answer)
        return answers

    def _told_in_order(self, against: Against, unknown: Sequence[tuple[UnknownName, ...]]) -> list[int]:
        """Return the places of the refused columns, mildest first.

        Where nobody knows what any alternative names, the devices of the most similar names come first: a slip of the pen is likely.
        """
        places = against.mildest(len(against.columns)) if len(against.columns) else []
        if not all(unknown):
            return places
        cells = {place: self.desk.cell(int(against.columns[place])) for place in places}
        return sorted(places, key=lambda place: -likeness(unknown[int(against.index[place])], cells[place].pool))

    def question(self, column: int, index: int) -> Question:
        """Return what the filters are asked."""
        snapshot, cell, rows = self.desk.snapshot, self.desk.cell(column), self.case.rows
        return Question(
            demand=rows.rows[index].demand,
            placement=rows.shape.placement,
            offer=snapshot.offers[cell.offer],
            pool=cell.pool,
            now=snapshot.now,
            currency=snapshot.currency,
            policy_known=rows.policy_known,
            tenant=rows.shape.tenant,
            cpu_on_accelerators=rows.policy.cpu_on_accelerators,
        )

    def spot(self, column: int, index: int) -> Spot:
        """Return what room is asked about."""
        policy = self.case.rows.policy
        reserve = policy.cpu_reserve_per_device if policy.cpu_on_accelerators else 0
        demand = self.case.job.shape.demands[index]
        return Spot(desk=self.desk, job=self.case.job, demand=demand, column=column, cpu_reserve=reserve, needs=self.needs)

    def _base(self, column: int, index: int, *, replicas: int) -> CellAnswer:
        """Return the answer without a verdict: names, prices, times."""
        desk, demand, cell = self.desk, self.case.job.shape.demands[index], self.desk.cell(column)
        price = self.question(column, index).price
        devices = demand.requirement.count * replicas if demand.requirement else 0
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
            room=int(desk.outlook(self.case, index).room[column]),
            devices=devices,
        )

    def _expected(self, demand: Demand, column: int) -> int | None:
        """Return how long the job probably runs here, None where its tenant tells no time at all."""
        shape = self.case.job.shape
        if shape.expected_seconds is None and all(each.expected_seconds is None for each in shape.demands):
            return None
        return expected_seconds(shape, demand, on=self.desk.cell(column).pool.accelerator, classes=self.desk.snapshot.classes)


def _objections(reasons: tuple[Reason, ...], question: Question, spot: Spot, *, hint: str) -> tuple[Objection, ...]:
    """Return everything against a cell, worst first. Filters are asked again: where devices are wrong, rows leave some out."""
    told = [objection(reason, question, hint=hint) for reason in refusals(question)]
    told += [Objection(reason, *_OUTSIDE[reason]) for reason in reasons if reason in _OUTSIDE]
    told += [shortage(reason, spot) for reason in reasons if reason in _ROOM]
    return tuple(sorted(told, key=lambda each: each.reason.severity))


def _for(hourly: int | None, seconds: int | None) -> int | None:
    return None if hourly is None or seconds is None else -(-hourly * seconds // HOUR)
