"""What the steps of one cycle share: the picture, the tables, what is held and limited, and each demand's room. Decides nothing."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sampan.model.cluster import Cell
from sampan.model.job import AlternativeOrder, Demand, Job, Shape
from sampan.model.snapshot import Snapshot
from sampan.model.vector import CPU
from sampan.scheduling.cache import Book
from sampan.scheduling.capacity.cells import CellId, Layout
from sampan.scheduling.capacity.fit_matrix import Tables
from sampan.scheduling.capacity.limits import Limits
from sampan.scheduling.capacity.node_selection import Fit, Flags, Room, pick
from sampan.scheduling.capacity.resources import fits
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.scores import FULL, weighted
from sampan.scheduling.feasibility.unknown_names import KnownNames
from sampan.scheduling.feasibility.verdict_matrix import Row, ShapeRows
from sampan.scheduling.queueing.order import ripe
from sampan.scheduling.reservations.holds import Hold, Holds
from sampan.scheduling.reservations.pledges import Pledges
from sampan.scheduling.reservations.releases import Ends

MOST_OUTLOOKS: Final = 64


@dataclass(frozen=True, slots=True)
class Case:
    """One job with the rows of its shape."""

    job: Job
    rows: ShapeRows
    allowed: tuple[int, ...]
    """Demands that are ripe."""

    @property
    def by_score(self) -> bool:
        """Tell whether the score alone ranks the alternatives."""
        return self.job.shape.order is AlternativeOrder.BY_SCORE


@dataclass(frozen=True, slots=True)
class Outlook:
    """One demand over all columns, as things stand."""

    row: Row
    index: int
    able: Flags
    """Columns that nothing but room could be against."""
    room: Numbers
    """Replicas that fit now into the able columns; 0 in the others."""
    barring: tuple[int, ...]
    """Holds that keep their nodes from the job."""


@dataclass(slots=True)
class Desk:
    """The state of one cycle."""

    snapshot: Snapshot
    book: Book
    holds: Holds
    limits: Limits
    pledges: Pledges
    layout: Layout
    names: KnownNames
    waiting_holds: dict[str, Hold] = field(default_factory=dict)
    """Reservations of earlier cycles that are still to be kept or dropped, by job UID."""
    given: dict[int, Ends] = field(default_factory=dict)
    outlooks: dict[tuple[int, frozenset[CellId], tuple[int, ...]], Outlook] = field(default_factory=dict)
    """As things stand: cleared with every place that is taken or kept."""
    picks: dict[tuple[int, int, tuple[int, ...], int, int], tuple[int, Fit | None]] = field(default_factory=dict)

    @classmethod
    def open(cls, snapshot: Snapshot, book: Book) -> "Desk":
        """Lay out the picture that the book was advanced to."""
        layout = book.layout()
        limits = Limits(snapshot, layout)
        return cls(
            snapshot=snapshot,
            book=book,
            holds=Holds(book.tables, snapshot.now),
            limits=limits,
            pledges=Pledges(snapshot, layout, limits),
            layout=layout,
            names=KnownNames(snapshot),
        )

    @property
    def tables(self) -> Tables:
        """Return the tables of fits."""
        return self.book.tables

    def ends(self, column: int) -> Ends:
        """Return when running jobs give back what they hold in a column."""
        if column not in self.given:
            at = self.tables.columns[column]
            self.given[column] = self.book.ends_of(at, self.snapshot.clusters[at.cell.pool.cluster_uid])
        return self.given[column]

    def cell(self, column: int) -> Cell:
        """Return the cell of a column."""
        return self.tables.columns[column].cell

    def case(self, job: Job) -> Case:
        """Return a job with its rows."""
        return Case(job, self.book.rows_of(job.shape, self.snapshot), ripe(job, self.snapshot.now))

    def universe(self, shape: Shape, demand: Demand) -> tuple[Flags, Flags]:
        """Return the columns that a demand is asked about, and those of them that have no domain though it needs one."""
        return self.layout.universe(shape, demand)

    def excluded(self, job: Job) -> list[int]:
        """Return the columns that cool down for a job."""
        return [column for cell in sorted(job.excluded) for column in self.layout.by_pool.get(cell, ())]

    def able(self, case: Case, index: int) -> Flags:
        """Return the columns that nothing but room could be against. Not to be changed."""
        row = case.rows.rows[index]
        known = self.book.openings.able(row, self.tables)
        if known is None:
            universe, lacking = self.universe(case.job.shape, row.demand)
            known = (row.mask == 0) & universe & ~lacking
        if case.job.excluded:
            known = known.copy()
            known[self.excluded(case.job)] = False
        return known

    def keep(self, hold: Hold, demand: Demand) -> None:
        """Keep a place from now on: its nodes, and what the demand takes of the limits there."""
        self.pledges.add(self.holds.add(hold), hold, demand)
        self.outlooks.clear()

    def outlook(self, case: Case, index: int) -> Outlook:
        """Return how a demand of a job stands in every column."""
        row, demand = case.rows.rows[index], case.job.shape.demands[index]
        barring = self.holds.barring(case.job, demand)
        key = (id(row), case.job.excluded, barring)
        known = self.outlooks.get(key)
        if known is None:
            if len(self.outlooks) > MOST_OUTLOOKS:
                self.outlooks.clear()
            known = self.outlooks[key] = self._outlook(case, index, barring)
        return known

    def _outlook(self, case: Case, index: int, barring: tuple[int, ...]) -> Outlook:
        row, demand = case.rows.rows[index], case.job.shape.demands[index]
        able = self.able(case, index)
        room: Numbers = np.where(able, self.tables.fit[row.need], 0)
        if (room >= demand.least_replicas).any():
            self.holds.narrow(room, row.need, able=able, barring=barring)
            self.limits.narrow(room, demand)
            self.pledges.narrow(room, demand, barring=barring)
        return Outlook(row, index, able, room, barring)

    def fit(self, case: Case, outlook: Outlook, column: int) -> Fit | None:
        """Return the nodes that a demand would take in a column now, None if there is no room."""
        demand = case.job.shape.demands[outlook.index]
        wanted = min(demand.replicas, int(outlook.room[column]))
        key = (outlook.row.need, column, outlook.barring, wanted, demand.least_replicas)
        version = self.tables.versions[column]
        known = self.picks.get(key)
        if known is None or known[0] != version:
            known = self.picks[key] = version, self._pick(demand, outlook, column, wanted=wanted)
        return known[1]

    def packing(self, case: Case, column: int, fit: Fit) -> int:
        """Return the weighted points of packing; foreign pods that wait for the same devices cost some."""
        cell = self.cell(column)
        cluster, part = self.snapshot.clusters[cell.pool.cluster_uid], fit.packing
        if cluster.contended:
            measure = cell.pool.resource or CPU
            wanted = cluster.contended[cell.pool.resource][measure] if cell.pool.resource in cluster.contended else 0
            if wanted > 0:
                nodes = self.tables.columns[column].nodes
                free = int(np.maximum(self.tables.free.amounts[nodes, self.tables.names.column(measure)], 0).sum())
                part = max(part * free // (free + wanted), 1)
        return weighted(case.rows.policy, "packing", part)

    def most_packing(self, case: Case) -> int:
        """Return the most points that packing can add."""
        return weighted(case.rows.policy, "packing", FULL)

    def _pick(self, demand: Demand, outlook: Outlook, column: int, *, wanted: int) -> Fit | None:
        tables, at = self.tables, self.tables.columns[column]
        pool = at.cell.pool
        measure = pool.resource if demand.requirement else CPU
        units = tables.names.column(measure)
        found = fits(tables.free, tables.needs, np.array([outlook.row.need]), kind=at.kind, nodes=at.nodes)[0]
        if outlook.barring:
            kept = self.holds.nodes(outlook.barring)
            found[[node in kept for node in at.nodes.tolist()]] = 0
        free, whole = tables.free.amounts[at.nodes, units], tables.whole.amounts[at.nodes, units]
        need = tables.needs.all[outlook.row.need]
        waste = self.book.waste.of(at, need, stock=tables.free, needs=tables.needs, able=found > 0)
        per_replica = tables.needs.vector(need, at.kind)[measure]
        room = Room(fits=found, free=free, whole=free == whole, waste=waste)
        return pick(room, wanted=wanted, least=demand.least_replicas, per_replica=per_replica, asked=demand.replicas)
