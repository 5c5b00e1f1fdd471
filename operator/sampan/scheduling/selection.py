"""The best cell for a job: alternatives in its order or by score, cells by score, then what is known, what is left over, and name."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sampan.scheduling.capacity.node_selection import Fit
from sampan.scheduling.feasibility.scores import SCORERS
from sampan.scheduling.state import Case, Desk, Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A cell with room, and its whole score."""

    column: int
    index: int
    """Of the demand in the shape."""
    fit: Fit
    score: int
    unknowns: int
    parts: tuple[tuple[str, int], ...]

    @property
    def rank(self) -> tuple[int, ...]:
        """Best first and total: score, fewest unknowns, least left over, then offer and pool name, then the earlier alternative."""
        return -self.score, self.unknowns, self.fit.left, self.column, self.index


def best_of(desk: Desk, case: Case) -> Choice | None:
    """Return the best cell with room: of the first alternative that has one, or of all where the job ranks by score."""
    found = (_best(desk, case, desk.outlook(case, index)) for index in case.allowed)
    if not case.by_score:
        return next((choice for choice in found if choice is not None), None)
    return min((choice for choice in found if choice is not None), key=lambda choice: choice.rank, default=None)


def choice_of(desk: Desk, case: Case, outlook: Outlook, *, column: int) -> Choice | None:
    """Return a column as a choice, None if it has no room."""
    fit = desk.fit(case, outlook, column)
    if fit is None:
        return None
    points, row = desk.packing(case, column, fit), outlook.row
    static = tuple((name, int(row.parts[number, column])) for number, (name, _) in enumerate(SCORERS))
    score = int(row.score[column]) + points
    parts = (*static, ("packing", points))
    return Choice(column=column, index=outlook.index, fit=fit, score=score, unknowns=int(row.unknowns[column]), parts=parts)


def ranked(case: Case, outlook: Outlook) -> Iterator[int]:
    """Yield the columns with room, best first by the score without packing."""
    least = case.job.shape.demands[outlook.index].least_replicas
    columns = np.flatnonzero(outlook.able & (outlook.room >= least))
    yield from columns[np.argsort(-outlook.row.score[columns], kind="stable")].tolist()


def _best(desk: Desk, case: Case, outlook: Outlook) -> Choice | None:
    """Return the best cell for one alternative. Stops where even perfect packing could not win."""
    most, best = desk.most_packing(case), None
    for column in ranked(case, outlook):
        bound = int(outlook.row.score[column]) + most
        if best is not None and bound < best.score:
            break
        choice = choice_of(desk, case, outlook, column=column)
        if choice is not None and (best is None or choice.rank < best.rank):
            best = choice
        if choice is not None and choice is best and not (choice.fit.left or choice.unknowns) and choice.score == bound:
            break  # columns come by bound, then by name: after a perfect one none is better
    return best
