"""What each cell is to each shape, apart from room, as rows over columns; computed once and kept until something that was read changes.

A memo is used up by the cycle it is given to: one that was given to an earlier cycle is worth an empty one. The plan is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from sampan.model.cluster import Cell, Cluster, Running
from sampan.model.job import Shape
from sampan.model.policy import BALANCED, BUILT_IN, Policy
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.capacity.cells import CellId, Layout
from sampan.scheduling.capacity.fit_matrix import Column, Tables
from sampan.scheduling.capacity.fragmentation import Waste
from sampan.scheduling.capacity.resources import Need
from sampan.scheduling.feasibility.feasible_index import Openings
from sampan.scheduling.feasibility.verdict_matrix import Judge, Row, ShapeRows
from sampan.scheduling.queueing.pending import Yard
from sampan.scheduling.reservations.releases import Ends, ends_after, ends_of

REASONS: Final = tuple(Reason)
SPARE_SHAPES: Final = 256
"""Rows kept of shapes that nobody waits with, for the next job of the same shape."""


class Book:
    """The mutable inside of a memo."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.yard = Yard()
        self.generation = 0
        self.shapes: dict[Shape, ShapeRows] = {}
        self._by_identity: dict[int, ShapeRows] = {}
        self.judge = Judge()
        self.waste = Waste()
        self.openings = Openings()
        self._cells: tuple[object, object, frozenset[str], tuple[Cell, ...]] | None = None
        """Cells, offers and clusters of the last picture, and the cells that are there."""
        self._layout: tuple[int, Layout] | None = None
        self.no_earlier: dict[str, tuple[object, ...]] = {}
        """Reservations, by job UID, with all that an earlier start was looked for from, and not found."""
        self._ends: dict[CellId, tuple[Column, Mapping[str, Running], Ends]] = {}

    def advance(self, snapshot: Snapshot) -> None:
        """Take over a picture at the cost of what changed."""
        self.generation += 1
        self.waste.take_over(snapshot.mix)
        if snapshot.now < self.yard.now:
            self.yard = Yard()
        self.yard.sync(snapshot.backlog, snapshot.now)
        changed = self.tables.sync(self._present(snapshot), snapshot.clusters)
        judge, columns = self.judge, self.tables.columns
        same = judge.same_world(snapshot)
        if not same:
            changed = list(range(len(columns)))
            judge.lay_out(None, len(columns))
            self._forget_told()
        elif self.tables.moved is not None:
            judge.lay_out(self.tables.moved, len(columns))
            for rows in self.shapes.values():
                for row in rows.rows:
                    row.move(self.tables.moved)
        judge.mark(columns, changed=changed, snapshot=snapshot)
        if len(judge.stale) or not same:
            for rows in self.shapes.values():
                judge.ask(rows, judge.stale)

    def _forget_told(self) -> None:
        """Drop what was told of refusals: it names classes that are known, and those that are not."""
        for like in self.yard.likes.live():
            like.told = None
        for rows in self.shapes.values():
            rows.told.clear()

    def prepare(self, snapshot: Snapshot) -> None:
        """Have the openings of everything that waits."""
        for like in self.yard.likes.live():
            self.rows_of(like.shape, snapshot)
        self.openings.sync(self.shapes.values(), self.tables, self.layout())

    def layout(self) -> Layout:
        """Return the views on the columns."""
        if self._layout is None or self._layout[0] != self.tables.laid:
            self._layout = self.tables.laid, Layout.of(tuple(self.tables.columns))
        return self._layout[1]

    def _present(self, snapshot: Snapshot) -> tuple[Cell, ...]:
        """Return the cells of which offer and cluster are there."""
        clusters, known = snapshot.clusters, self._cells
        if known is None or known[0] is not snapshot.cells or known[1] is not snapshot.offers or known[2] != clusters.keys():
            cells = tuple(c for c in snapshot.cells if c.offer in snapshot.offers and c.pool.cluster_uid in clusters)
            known = self._cells = snapshot.cells, snapshot.offers, frozenset(clusters), cells
        return known[3]

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
        if known.used == self.generation:
            return known
        known.used = self.generation
        policy, there = _policy(shape, snapshot)
        if there != known.policy_known or (policy is not known.policy and policy != known.policy):
            old = known.policy
            same = there == known.policy_known and policy.cpu_on_accelerators == old.cpu_on_accelerators
            if same and policy.cpu_reserve_per_device == old.cpu_reserve_per_device:
                known.policy = policy
                self.judge.rate(known)
            else:
                self._ask_anew(known, policy, there=there)
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
            self.openings.forget(gone.rows)
        kept = sorted({row.need for rows in self.shapes.values() for row in rows.rows})
        self.tables.keep_rows(kept)
        renamed = {need: number for number, need in enumerate(kept)}
        for rows in self.shapes.values():
            for row in rows.rows:
                row.need = renamed[row.need]
        self.openings.renumber()

    def _new(self, shape: Shape, snapshot: Snapshot) -> ShapeRows:
        policy, there = _policy(shape, snapshot)
        made = ShapeRows(shape, policy, there, tuple(Row.empty(demand) for demand in shape.demands))
        self._ask_anew(made, policy, there=there)
        return made

    def _ask_anew(self, rows: ShapeRows, policy: Policy, *, there: bool) -> None:
        rows.policy, rows.policy_known = policy, there
        reserve = policy.cpu_reserve_per_device if policy.cpu_on_accelerators else 0
        for row in rows.rows:
            row.need = self.tables.row(Need.of(row.demand, cpu_reserve=reserve))
        self.judge.ask(rows, None)

    def ends_of(self, column: Column, cluster: Cluster) -> Ends:
        """Return the declared ends on the nodes of a column; kept up while the pool is the very same value."""
        key = column.cell.id
        known = self._ends.get(key)
        if known is None or known[0] is not column:
            known = self._ends[key] = column, cluster.running, ends_of(column, cluster, self.tables.names)
        elif known[1] is not cluster.running:
            ends = ends_after(known[2], column, before=known[1], after=cluster.running, names=self.tables.names)
            known = self._ends[key] = column, cluster.running, ends
        return known[2]


@dataclass(frozen=True, slots=True)
class Memo:
    """What a cycle leaves to the next. An empty one gives the same plan, only later."""

    book: Book = field(default_factory=Book)
    generation: int = 0

    def open(self) -> Book:
        """Return the book, a new one where another cycle has written on in it since."""
        return self.book if self.generation == self.book.generation else Book()


@cache
def reasons_in(mask: int) -> tuple[Reason, ...]:
    """Return the reasons of a mask, worst first."""
    return tuple(reason for reason in REASONS if mask >> reason.severity & 1)


def _policy(shape: Shape, snapshot: Snapshot) -> tuple[Policy, bool]:
    """Return the policy of a shape, and whether the one it names exists."""
    known = snapshot.policies.get(shape.policy) or BUILT_IN.get(shape.policy)
    return known or BALANCED, known is not None
