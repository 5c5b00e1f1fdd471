"""What every column is to every demand, apart from room: masks of reasons and parts of scores, asked by what the filters read.

Offers, facts of pools and cells are asked apart and put together as arrays, so that a new shape or policy costs one pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sampan.model.job import Demand, Shape
from sampan.model.plan import Refusal
from sampan.model.policy import Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.capacity.cells import CellColumn, CellId
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.cell_facts import CellFacts, per_kind
from sampan.scheduling.feasibility.closed_cells import ClosedCells
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.record import Reads
from sampan.scheduling.feasibility.constraints.table import failed_mask
from sampan.scheduling.feasibility.scores import FULL, SCORERS, ScoreContext, cost_steps

WRONG_DEVICES: Final = sum(1 << reason.severity for reason in Reason if reason.wrong_devices)


@dataclass(slots=True)
class DemandRow:
    """One demand of a shape, for every column."""

    demand: Demand
    request_row: int
    """Row in the tables of fits."""
    reason_mask: Numbers
    """Bit `severity` of every reason against the cell; where the devices are wrong, cells are not asked; 0: usable when there is room."""
    parts: Numbers
    """Weighted parts without packing, by part in the order of SCORERS and column."""
    score: Numbers
    unknowns: Numbers
    """Parts with a weight that are not known."""
    version: int = 0
    """Counts the changes of the mask."""
    limit_row: int = 0
    """Row in what limits allow."""
    feasible_row: int = -1
    """Its line in the openings; -1: none."""

    @classmethod
    def empty(cls, demand: Demand) -> "DemandRow":
        """Return a row that was never asked about."""
        mask, score, unknowns = (np.zeros(0, dtype=np.int64) for _ in range(3))
        return cls(demand, 0, mask, np.zeros((len(SCORERS), 0), dtype=np.int64), score, unknowns)

    def permute(self, moved: Numbers) -> None:
        """Order the columns anew; those that come from nowhere (-1) are to be asked about."""
        self.version += 1
        if len(self.reason_mask):
            self.reason_mask, self.score, self.unknowns = self.reason_mask[moved], self.score[moved], self.unknowns[moved]
            self.parts = self.parts[:, moved]
        else:
            self.resize(len(moved))

    def resize(self, columns: int) -> None:
        """Have so many columns."""
        if len(self.reason_mask) != columns:
            self.version += 1
            self.reason_mask, self.score, self.unknowns = (np.zeros(columns, dtype=np.int64) for _ in range(3))
            self.parts = np.zeros((len(SCORERS), columns), dtype=np.int64)


@dataclass(slots=True)
class ShapeVerdicts:
    """The rows of one shape and what they were computed from."""

    shape: Shape
    policy: Policy
    policy_known: bool
    rows: tuple[DemandRow, ...]
    last_used: int = 0
    """Cycle that last asked for it."""
    refusals: dict[object, tuple[object, Refusal]] = field(default_factory=dict)
    """Refusals of earlier cycles with all that they were made from."""
    closed: dict[tuple[frozenset[CellId], tuple[int, ...]], ClosedCells] = field(default_factory=dict)
    """What is against columns whatever their room, by the cells that cool down and the alternatives."""


@dataclass(slots=True)
class VerdictMatrix:
    """The rows of all shapes, kept up column by column."""

    facts: CellFacts = field(default_factory=CellFacts)
    _offer_masks: dict[tuple[object, ...], Numbers] = field(default_factory=dict)
    """What offers say to demands, by all that their filters read, for all columns; while no offer changes."""

    def find_stale(self, columns: Sequence[CellColumn], *, changed: Sequence[int], snapshot: Snapshot) -> None:
        """Find the columns to ask about: changed pools, changed offers, offers whose moment has come."""
        before = self.facts.offer_at
        self.facts.find_stale(columns, changed=changed, snapshot=snapshot)
        if len(self.facts.stale) or self.facts.offer_at is not before:
            self._offer_masks.clear()

    def evaluate(self, rows: ShapeVerdicts, columns: Numbers | None) -> None:
        """Ask filters and scores about some columns, None: all."""
        listed = np.arange(len(self.facts.cells)) if columns is None else columns
        for row in rows.rows:
            row.resize(len(self.facts.cells))
            if len(listed):
                self._mask(rows, row, listed)
                usable = listed[row.reason_mask[listed] == 0]
                self._score(rows, row, usable)

    def context(self, rows: ShapeVerdicts, row: DemandRow, column: int) -> FilterContext:
        """Return what the filters are asked of a column."""
        offer = self.facts.offers[column]
        assert offer is not None
        return FilterContext(
            demand=row.demand,
            placement=rows.shape.placement,
            offer=offer,
            pool=self.facts.cells[column].pool,
            now=self.facts.now,
            currency=self.facts.currency,
            policy_known=rows.policy_known,
            tenant=rows.shape.tenant,
            cpu_on_accelerators=rows.policy.cpu_on_accelerators,
        )

    def rescore(self, rows: ShapeVerdicts) -> None:
        """Ask the scores anew, with another policy."""
        for row in rows.rows:
            self._score(rows, row, np.flatnonzero(row.reason_mask == 0))

    def _mask(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers) -> None:
        """Put together what offers, pools and cells say."""
        offers = self._offer_mask(rows, row, columns)
        pools = per_kind(self.facts.kind_at, columns, lambda at: failed_mask(Reads.POOL, self.context(rows, row, at)))
        masks = offers | pools
        for place in np.flatnonzero((pools & WRONG_DEVICES) == 0).tolist():
            masks[place] |= failed_mask(Reads.BOTH, self.context(rows, row, int(columns[place])))
        if (row.reason_mask[columns] != masks).any():
            row.version += 1
            row.reason_mask[columns] = masks

    def _offer_mask(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers) -> Numbers:
        """Return what offers say; asked for all columns at once it is kept for the next shape that differs in nothing they read."""
        devices = row.demand.devices * row.demand.least_replicas
        key = (rows.shape.placement, rows.shape.tenant, rows.policy_known, row.demand.limit_seconds, devices)
        whole = len(columns) == len(self.facts.cells)
        said = self._offer_masks.get(key) if whole else None
        if said is None:
            said = per_kind(self.facts.offer_at, columns, lambda at: failed_mask(Reads.OFFER, self.context(rows, row, at)))
            if whole:
                self._offer_masks[key] = said
        return said

    def _score(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers) -> None:
        """Score the usable columns: prices as arrays, everything else once for what is alike in facts and offer."""
        weights = rows.policy.weights
        row.score[columns] = row.unknowns[columns] = 0
        if not len(columns):
            return
        for number, (name, part) in enumerate(SCORERS):
            row.parts[number, columns] = 0
            if weights[name]:
                points = self._points(rows, row, columns, name=name, part=part)
                row.parts[number, columns] = weights[name] * points // 100
                row.unknowns[columns] += points == 0
        row.score[columns] = row.parts[:, columns].sum(axis=0)

    def _points(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers, *, name: str, part: Callable[[ScoreContext], int]) -> Numbers:
        if name == "cost":
            return self._cost(rows, row, columns)
        alike = {"performance": self.facts.kind_at, "domestic": self.facts.kind_at, "green": self.facts.offer_at}.get(name, self._own)
        return per_kind(alike, columns, lambda at: part(self._score_context(rows, row, at)))

    def _cost(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers) -> Numbers:
        """Return the cost part: equal to `scores.cost` for every column, with one table per kind of device instead of a price each."""
        points: Numbers = np.zeros(len(columns), dtype=np.int64)
        facts, prices = self.facts.kind_at[columns], self.facts.prices[columns]
        for kind in np.unique(facts).tolist():
            which = np.flatnonzero((facts == kind) & (prices >= 0))
            if len(which):
                steps = cost_steps(self._score_context(rows, row, int(columns[which[0]])))
                if steps is not None:
                    points[which] = np.maximum(FULL - np.searchsorted(steps, prices[which], side="left"), 1)
        return points

    @property
    def _own(self) -> Numbers:
        return np.arange(len(self.facts.cells))

    def _score_context(self, rows: ShapeVerdicts, row: DemandRow, column: int) -> ScoreContext:
        return ScoreContext(context=self.context(rows, row, column), shape=rows.shape, policy=rows.policy, classes=self.facts.classes)
