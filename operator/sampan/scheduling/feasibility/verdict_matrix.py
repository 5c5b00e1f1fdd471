"""What every column is to every demand, apart from room: masks of reasons and parts of scores, asked by what the filters read.

Offers, facts of pools and cells are asked apart and put together as arrays, so that a new shape or policy costs one pass.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sampan.model.job import Demand, Shape
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Pool
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.plan import Refusal
from sampan.model.policy import Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import INFINITE
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.topology import Numbers
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


@dataclass(slots=True)
class VerdictMatrix:
    """The columns as filters and scores see them."""

    stale: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Columns about which something changed with the last picture."""
    _cells: list[Cell] = field(default_factory=list)
    _source: Mapping[OfferKey, Offer] | None = None
    """The offers of the last picture, as they were given."""
    _offer_masks: dict[tuple[object, ...], Numbers] = field(default_factory=dict)
    """What offers say to demands, by all that their filters read, for all columns; while no offer changes."""
    _offers: list[Offer | None] = field(default_factory=list)
    _facts: dict[Pool, int] = field(default_factory=dict)
    _facts_at: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _offer_at: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _prices: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """In force by column, in micro-units of the hub's currency; -1: not known."""
    _moments: Numbers = field(default_factory=lambda: np.zeros((2, 0), dtype=np.int64))
    _now: int = 0
    _currency: str = ""
    _classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)

    def same_world(self, snapshot: Snapshot) -> bool:
        """Take over the moment, the currency and the classes; tell whether the latter are as before."""
        classes = snapshot.classes
        same = self._currency == snapshot.currency and (self._classes is classes or self._classes == classes)
        self._now, self._currency, self._classes = snapshot.now, snapshot.currency, classes
        return same

    def permute(self, moved: Numbers | None, columns: int) -> None:
        """Order the columns anew; without `moved` all is forgotten."""
        known = self._offers
        order = [-1] * columns if moved is None else moved.tolist()
        self._offers = [known[at] if at >= 0 else None for at in order]
        if moved is None or self._facts_at.shape[0] == 0:
            self._facts_at, self._prices = np.zeros(columns, dtype=np.int64), np.zeros(columns, dtype=np.int64)
            self._moments = np.zeros((2, columns), dtype=np.int64)
        else:
            self._facts_at, self._prices, self._moments = self._facts_at[moved], self._prices[moved], self._moments[:, moved]

    def find_stale(self, columns: Sequence[CellColumn], *, changed: Sequence[int], snapshot: Snapshot) -> None:
        """Find the columns to ask about: changed pools, changed offers, offers whose moment has come."""
        since, until = self._moments
        stale = {*changed, *np.flatnonzero((since > snapshot.now) | (until <= snapshot.now)).tolist()}
        if changed or self._source is not snapshot.offers or len(self._cells) != len(columns):
            stale |= self._exchange(columns, snapshot)
        moments: dict[int, tuple[int, int]] = {}
        for at in sorted(stale):
            offer = self._offers[at]
            assert offer is not None
            facts = facts_of(self._cells[at].pool)
            self._facts_at[at] = self._facts.setdefault(facts, len(self._facts))
            self._moments[:, at] = moments.setdefault(id(offer), _span(offer, snapshot.now))
            self._prices[at] = _price(offer, self._cells[at].pool, snapshot)
        if stale:
            self._offer_masks.clear()
        self.stale = np.array(sorted(stale), dtype=np.int64)

    def _exchange(self, columns: Sequence[CellColumn], snapshot: Snapshot) -> set[int]:
        """Take over columns and offers; return the columns whose offer is another value than before."""
        offers, stale, numbers = [snapshot.offers[column.cell.offer] for column in columns], set[int](), dict[int, int]()
        for column, (old, new) in enumerate(zip(self._offers, offers, strict=True)):
            if old is not new and (old is None or old != new):
                stale.add(column)
        self._offers, self._source = list(offers), snapshot.offers
        self._cells = [column.cell for column in columns]
        self._offer_at = np.array([numbers.setdefault(id(each), len(numbers)) for each in offers], dtype=np.int64)
        self._offer_masks.clear()
        return stale

    def evaluate(self, rows: ShapeVerdicts, columns: Numbers | None) -> None:
        """Ask filters and scores about some columns, None: all."""
        listed = np.arange(len(self._cells)) if columns is None else columns
        for row in rows.rows:
            row.resize(len(self._cells))
            if len(listed):
                self._mask(rows, row, listed)
                usable = listed[row.reason_mask[listed] == 0]
                self._score(rows, row, usable)

    def _context(self, rows: ShapeVerdicts, row: DemandRow, column: int) -> FilterContext:
        offer = self._offers[column]
        assert offer is not None
        return FilterContext(
            demand=row.demand,
            placement=rows.shape.placement,
            offer=offer,
            pool=self._cells[column].pool,
            now=self._now,
            currency=self._currency,
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
        pools = self._each(self._facts_at, columns, lambda at: failed_mask(Reads.POOL, self._context(rows, row, at)))
        masks = offers | pools
        for place in np.flatnonzero((pools & WRONG_DEVICES) == 0).tolist():
            masks[place] |= failed_mask(Reads.BOTH, self._context(rows, row, int(columns[place])))
        if (row.reason_mask[columns] != masks).any():
            row.version += 1
            row.reason_mask[columns] = masks

    def _offer_mask(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers) -> Numbers:
        """Return what offers say; asked for all columns at once it is kept for the next shape that differs in nothing they read."""
        devices = row.demand.devices * row.demand.least_replicas
        key = (rows.shape.placement, rows.shape.tenant, rows.policy_known, row.demand.limit_seconds, devices)
        whole = len(columns) == len(self._cells)
        said = self._offer_masks.get(key) if whole else None
        if said is None:
            said = self._each(self._offer_at, columns, lambda at: failed_mask(Reads.OFFER, self._context(rows, row, at)))
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
        alike = {"performance": self._facts_at, "domestic": self._facts_at, "green": self._offer_at}.get(name, self._own)
        return self._each(alike, columns, lambda at: part(self._score_context(rows, row, at)))

    def _cost(self, rows: ShapeVerdicts, row: DemandRow, columns: Numbers) -> Numbers:
        """Return the cost part: equal to `scores.cost` for every column, with one table per kind of device instead of a price each."""
        points: Numbers = np.zeros(len(columns), dtype=np.int64)
        facts, prices = self._facts_at[columns], self._prices[columns]
        for kind in np.unique(facts).tolist():
            which = np.flatnonzero((facts == kind) & (prices >= 0))
            if len(which):
                steps = cost_steps(self._score_context(rows, row, int(columns[which[0]])))
                if steps is not None:
                    points[which] = np.maximum(FULL - np.searchsorted(steps, prices[which], side="left"), 1)
        return points

    def _each(self, alike: Numbers, columns: Numbers, ask: Callable[[int], int]) -> Numbers:
        """Return an answer per column, asked once for columns that are alike."""
        _, first, back = np.unique(alike[columns], return_index=True, return_inverse=True)
        answers = np.array([ask(int(columns[place])) for place in first.tolist()], dtype=np.int64)
        return answers[back]

    @property
    def _own(self) -> Numbers:
        return np.arange(len(self._cells))

    def _score_context(self, rows: ShapeVerdicts, row: DemandRow, column: int) -> ScoreContext:
        return ScoreContext(context=self._context(rows, row, column), shape=rows.shape, policy=rows.policy, classes=self._classes)


def facts_of(pool: Pool) -> Pool:
    """Return the pool without what no filter of pools reads: pools of equal facts share their verdicts."""
    return Pool(
        name="",
        cluster_uid="",
        nodes=(),
        vendor=pool.vendor,
        resource=pool.resource,
        accelerator=pool.accelerator,
        family=pool.family,
        stack=pool.stack,
        domestic=pool.domestic,
        sharing=pool.sharing,
        profile=pool.profile,
        memory=pool.memory,
        architecture=pool.architecture,
        driver=pool.driver,
        compute_capability=pool.compute_capability,
        for_devices_only=pool.for_devices_only,
    )


def _price(offer: Offer, pool: Pool, snapshot: Snapshot) -> int:
    price = offer.price_at(pool.accelerator.name, snapshot.now) if pool.accelerator else None
    return min(price.amount, INFINITE) if price is not None and price.currency == snapshot.currency else -1


def _span(offer: Offer, now: int) -> tuple[int, int]:
    """Return since when and until when nothing about an offer changes by itself."""
    moments = tuple(offer.moments())
    return max((m for m in moments if m <= now), default=-INFINITE), min((m for m in moments if m > now), default=INFINITE)
