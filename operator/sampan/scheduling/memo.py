"""What each cell is to each shape, apart from room, as rows over columns; computed once and kept until something that was read changes.

A memo is used up by the cycle it is given to: one that was given to an earlier cycle is worth an empty one. The plan is the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sampan.model.accelerator import AcceleratorClass
from sampan.model.cluster import Cluster, Pool, Running
from sampan.model.job import Demand, Shape
from sampan.model.launch import NO_LAUNCH
from sampan.model.offer import Offer, OfferKey
from sampan.model.policy import BALANCED, Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.ends import Ends, ends_of
from sampan.scheduling.filters import Question, refusals
from sampan.scheduling.groups import Numbers
from sampan.scheduling.scores import SCORERS, Rating, rate
from sampan.scheduling.stock import Need
from sampan.scheduling.tables import Column, Tables

CellId = tuple[OfferKey, str]
FOREVER: Final = 2**62
REASONS: Final = tuple(Reason)
WRONG: Final = sum(1 << reason.severity for reason in Reason if reason.wrong_devices)
SPARE_SHAPES: Final = 256
"""Rows kept of shapes that nobody waits with, for the next job of the same shape."""


@dataclass(slots=True)
class Row:
    """One demand of a shape, for every column."""

    demand: Demand
    need: int
    """Row in the tables of fits."""
    mask: Numbers
    """Bit `severity` of every reason against the cell, as far as it was asked for; 0: it may be used when there is room."""
    parts: Numbers
    """Weighted parts without packing, in the order of SCORERS, by part and column."""
    score: Numbers
    unknowns: Numbers
    """Parts that are not known."""


@dataclass(slots=True)
class ShapeRows:
    """The rows of one shape and what they were computed from."""

    shape: Shape
    policy: Policy
    policy_known: bool
    rows: tuple[Row, ...]
    used: int = 0
    """Cycle that last asked for it."""


class Book:
    """The mutable inside of a memo."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.generation = 0
        self.shapes: dict[Shape, ShapeRows] = {}
        self._by_identity: dict[int, ShapeRows] = {}
        self._offers: list[Offer] = []
        self._moments: Numbers = np.zeros((2, 0), dtype=np.int64)
        self._ends: dict[CellId, tuple[Column, Mapping[str, Running], Ends]] = {}
        self._currency = ""
        self._classes: Mapping[str, AcceleratorClass] = {}

    def advance(self, snapshot: Snapshot) -> None:
        """Take over a picture at the cost of what changed."""
        self.generation += 1
        cells = [c for c in snapshot.cells if c.offer in snapshot.offers and c.pool.cluster_uid in snapshot.clusters]
        changed = self.tables.sync(cells, snapshot.clusters)
        offers = [snapshot.offers[column.cell.offer] for column in self.tables.columns]
        world = snapshot.currency, snapshot.classes
        same = self._currency == world[0] and (self._classes is world[1] or self._classes == world[1])
        self._currency, self._classes = world
        if changed is None or not same:
            self._offers, columns = offers, list(range(len(offers)))
        else:
            columns = sorted({*changed, *self._stale(offers, snapshot.now)})
            self._offers = offers
        self._mark(columns, snapshot.now, anew=changed is None or not same)
        for rows in self.shapes.values():
            _judge(self, rows, snapshot, columns=columns)

    def finish(self) -> int:
        """End a cycle: forget what was long unused, and return the generation that the memo must name."""
        self.forget()
        return self.generation

    def rows_of(self, shape: Shape, snapshot: Snapshot) -> ShapeRows:
        """Return the rows of a shape, made if it is new, judged anew if its policy changed."""
        known = self._by_identity.get(id(shape))
        if known is None or known.shape is not shape:
            known = self.shapes.get(shape)
            if known is None:
                known = self.shapes[shape] = self._new(shape, snapshot)
            if known.shape is shape:
                self._by_identity[id(shape)] = known
        known.used = self.generation
        policy = snapshot.policies.get(shape.policy, BALANCED)
        there = shape.policy in snapshot.policies or shape.policy == BALANCED.name
        if there != known.policy_known or (policy is not known.policy and policy != known.policy):
            known.policy, known.policy_known = policy, there
            _judge(self, known, snapshot, columns=range(len(self._offers)))
        return known

    def forget(self) -> None:
        """Drop the rows of shapes that were not asked for lately."""
        idle = sorted((rows.used, at) for at, rows in enumerate(self.shapes.values()) if rows.used < self.generation)
        if len(idle) <= SPARE_SHAPES:
            return
        listed = list(self.shapes)
        for _, at in idle[: len(idle) - SPARE_SHAPES // 2]:
            gone = self.shapes.pop(listed[at])
            self._by_identity.pop(id(gone.shape), None)
        kept = sorted({row.need for rows in self.shapes.values() for row in rows.rows})
        self.tables.keep_rows(kept)
        renamed = {need: number for number, need in enumerate(kept)}
        for rows in self.shapes.values():
            for row in rows.rows:
                row.need = renamed[row.need]

    def _new(self, shape: Shape, snapshot: Snapshot) -> ShapeRows:
        policy = snapshot.policies.get(shape.policy, BALANCED)
        known = shape.policy in snapshot.policies or shape.policy == BALANCED.name
        rows = tuple(_row(demand, self.tables.row(Need.of(demand))) for demand in shape.demands)
        made = ShapeRows(shape, policy, known, rows)
        _judge(self, made, snapshot, columns=range(len(self._offers)))
        return made

    def _stale(self, offers: Sequence[Offer], now: int) -> Iterator[int]:
        since, until = self._moments
        yield from np.flatnonzero((since > now) | (until <= now)).tolist()
        for column, (old, new) in enumerate(zip(self._offers, offers, strict=True)):
            if old is not new and old != new:
                yield column

    def _mark(self, columns: Sequence[int], now: int, *, anew: bool) -> None:
        if anew:
            self._moments = np.zeros((2, len(self._offers)), dtype=np.int64)
        known: dict[int, tuple[int, int]] = {}
        for column in columns:
            offer = self._offers[column]
            if id(offer) not in known:
                moments = tuple(_moments(offer))
                since = max((m for m in moments if m <= now), default=-FOREVER)
                known[id(offer)] = since, min((m for m in moments if m > now), default=FOREVER)
            self._moments[:, column] = known[id(offer)]

    def ends_of(self, column: Column, cluster: Cluster) -> Ends:
        """Return the declared ends on the nodes of a column; kept while pool and running jobs are the very same values."""
        key = column.cell.id
        known = self._ends.get(key)
        if known is None or known[0] is not column or known[1] is not cluster.running:
            known = self._ends[key] = column, cluster.running, ends_of(column, cluster, self.tables.names)
        return known[2]

    @property
    def offers(self) -> Sequence[Offer]:
        """Return the offer of every column."""
        return self._offers


@dataclass(frozen=True, slots=True)
class Memo:
    """What a cycle leaves to the next. An empty one gives the same plan, only later."""

    book: Book = field(default_factory=Book)
    generation: int = 0

    def open(self) -> Book:
        """Return the book, a new one where another cycle has written on in it since."""
        return self.book if self.generation == self.book.generation else Book()


def _row(demand: Demand, need: int) -> Row:
    none = np.zeros(0, dtype=np.int64)
    return Row(demand, need, none, np.zeros((len(SCORERS), 0), dtype=np.int64), none, none)


def _judge(book: Book, rows: ShapeRows, snapshot: Snapshot, *, columns: Iterable[int]) -> None:
    """Ask filters and scores about some columns."""
    amount, listed = len(book.offers), list(columns)
    for row in rows.rows:
        if len(row.mask) != amount:
            row.mask, row.score, row.unknowns = (np.zeros(amount, dtype=np.int64) for _ in range(3))
            row.parts = np.zeros((len(SCORERS), amount), dtype=np.int64)
        for column in listed:
            _ask(book, (rows, row), snapshot, column=column)


def _ask(book: Book, of: tuple[ShapeRows, Row], snapshot: Snapshot, *, column: int) -> None:
    rows, row = of
    question = question_of(book, of, snapshot, column=column)
    reasons = refusals(question)
    row.mask[column] = sum(1 << reason.severity for reason in reasons)
    if not reasons:
        parts = rate(Rating(question=question, shape=rows.shape, policy=rows.policy, classes=snapshot.classes))
        row.parts[:, column] = [points for _, points in parts]
        row.score[column] = sum(points for _, points in parts)


def question_of(book: Book, of: tuple[ShapeRows, Row], snapshot: Snapshot, *, column: int) -> Question:
    """Return the question of one demand to one column."""
    rows, row = of
    return Question(
        demand=row.demand,
        placement=rows.shape.placement,
        offer=book.offers[column],
        pool=book.tables.columns[column].cell.pool,
        now=snapshot.now,
        currency=snapshot.currency,
        policy_known=rows.policy_known,
    )


def reasons_in(mask: int) -> tuple[Reason, ...]:
    """Return the reasons of a mask, worst first."""
    return tuple(reason for reason in REASONS if mask >> reason.severity & 1)


def facts_of(pool: Pool) -> Pool:
    """Return the pool without what no filter of pools reads: pools of equal facts share their verdicts."""
    return Pool(
        name="",
        cluster_uid="",
        nodes=(),
        vendor=pool.vendor,
        resource=pool.resource,
        accelerator=pool.accelerator,
        domestic=pool.domestic,
        sharing=pool.sharing,
        profile=pool.profile,
        memory=pool.memory,
        variant_unknown=pool.variant_unknown,
        architecture=pool.architecture,
        driver=pool.driver,
        compute_capability=pool.compute_capability,
        launch=NO_LAUNCH,
    )


def _moments(offer: Offer) -> Iterator[int]:
    """Yield when something about the offer changes by itself."""
    yield from (price.valid_from for price in offer.prices)
    yield from (moment for moment in (offer.valid_from, offer.valid_until) if moment is not None)
