"""The best cell for a job: alternatives in its order or by score, cells by score, then what is known, what is left over, and name.

Cells come by the score without packing, which needs no nodes. Nodes are selected cell by cell, until not even the most points of
packing could lift a further cell above the best one found (branch and bound): mostly one or two cells are looked at closely.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sampan.scheduling.capacity.node_selection import NodeFit
from sampan.scheduling.feasibility.scores import SCORERS
from sampan.scheduling.state import CycleState, Entry, Feasibility


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCell:
    """A cell with room, and its whole score."""

    column: int
    index: int
    """Of the demand in the shape."""
    fit: NodeFit
    score: int
    unknowns: int
    parts: tuple[tuple[str, int], ...]

    @property
    def sort_key(self) -> tuple[int, ...]:
        """Best first and total: score, fewest unknowns, least left over, then offer and pool name, then the earlier alternative."""
        return -self.score, self.unknowns, self.fit.leftover, self.column, self.index


def select_cell(state: CycleState, entry: Entry) -> ScoredCell | None:
    """Return the best cell with room: of the first alternative that has one, or of all where the job ranks by score."""
    found = (_best_cell(state, entry, state.feasibility(entry, index)) for index in entry.eligible)
    if not entry.by_score:
        return next((choice for choice in found if choice is not None), None)
    return min((choice for choice in found if choice is not None), key=lambda choice: choice.sort_key, default=None)


def scored_cell(state: CycleState, entry: Entry, feasibility: Feasibility, *, column: int) -> ScoredCell | None:
    """Return a cell with its nodes and whole score, None if it has no room."""
    fit = state.fit(entry, feasibility, column)
    if fit is None:
        return None
    points, row = state.packing(entry, column, fit), feasibility.row
    static = tuple((name, int(row.parts[number, column])) for number, (name, _) in enumerate(SCORERS))
    score = int(row.score[column]) + points
    parts = (*static, ("packing", points))
    return ScoredCell(column=column, index=feasibility.index, fit=fit, score=score, unknowns=int(row.unknowns[column]), parts=parts)


def feasible_cells(entry: Entry, feasibility: Feasibility) -> Iterator[int]:
    """Yield the columns with room, best first by the score without packing."""
    least = entry.job.shape.demands[feasibility.index].least_replicas
    columns = np.flatnonzero(feasibility.suitable & (feasibility.room >= least))
    yield from columns[np.argsort(-feasibility.row.score[columns], kind="stable")].tolist()


def _best_cell(state: CycleState, entry: Entry, feasibility: Feasibility) -> ScoredCell | None:
    """Return the best cell for one alternative. Stops where even perfect packing could not win."""
    most, best = state.max_packing(entry), None
    for column in feasible_cells(entry, feasibility):
        bound = int(feasibility.row.score[column]) + most
        if best is not None and bound < best.score:
            break
        choice = scored_cell(state, entry, feasibility, column=column)
        if choice is not None and (best is None or choice.sort_key < best.sort_key):
            best = choice
        if choice is not None and choice is best and not (choice.fit.leftover or choice.unknowns) and choice.score == bound:
            break  # columns come by bound, then by name: after a perfect one none is better
    return best
