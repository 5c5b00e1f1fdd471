"""What the steps of one cycle share, as kube-scheduler's CycleState: the snapshot, what is free and reserved, and each demand's room.

Decides nothing. Room of a demand in a cell is what fits on its nodes now, less what reservations keep from the job, within the limits.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sampan.model.job import AlternativeOrder, Demand, Job, Shape
from sampan.model.members.cluster import Cell
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import CPU
from sampan.scheduling.cache import SchedulerCache
from sampan.scheduling.capacity.cells import CellId, CellIndex
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.limit_table import LimitTable
from sampan.scheduling.capacity.node_selection import Flags, NodeFit, NodeRoom, select_nodes
from sampan.scheduling.capacity.resources import fits
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.scores import FULL, weighted
from sampan.scheduling.feasibility.unknown_names import KnownNames
from sampan.scheduling.feasibility.verdict_matrix import DemandRow, ShapeVerdicts
from sampan.scheduling.queueing.order import eligible
from sampan.scheduling.reservations.limit_capacity import LimitCapacity
from sampan.scheduling.reservations.node_capacity import NodeCapacity
from sampan.scheduling.reservations.placed import CapacityRequest, PlacedReservation, StartedJob
from sampan.scheduling.reservations.releases import Releases, released_on
from sampan.scheduling.reservations.reservation_profile import ReservationProfile

MAX_CACHED_FEASIBILITIES: Final = 64
Blockers = tuple[PlacedReservation, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One job with the verdicts on its shape."""

    job: Job
    verdicts: ShapeVerdicts
    eligible: tuple[int, ...]
    """Demands that may be tried now."""

    @property
    def by_score(self) -> bool:
        """Tell whether the score alone ranks the alternatives."""
        return self.job.shape.order is AlternativeOrder.BY_SCORE


@dataclass(frozen=True, slots=True)
class Feasibility:
    """One demand over all cells, as things stand."""

    row: DemandRow
    index: int
    suitable: Flags
    """Columns of the cells that only room could be against."""
    room: Numbers
    """Replicas that fit now into the suitable cells; 0 in the others."""
    blockers: Blockers
    """Reservations that are kept from the job."""


@dataclass(slots=True)
class CycleState:
    """The state of one cycle."""

    snapshot: Snapshot
    cache: SchedulerCache
    profile: ReservationProfile
    cell_index: CellIndex
    known_names: KnownNames
    pending_reservations: dict[str, PlacedReservation] = field(default_factory=dict)
    """Reservations of earlier cycles that are not carried over yet, by job UID."""
    feasibility_cache: dict[tuple[int, frozenset[CellId], Blockers], Feasibility] = field(default_factory=dict)
    """As things stand: cleared with every assignment and reservation."""
    fit_cache: dict[tuple[int, int, Blockers, int, int], tuple[int, NodeFit | None]] = field(default_factory=dict)

    @classmethod
    def open(cls, snapshot: Snapshot, cache: SchedulerCache) -> "CycleState":
        """Return the state of a snapshot that the cache was brought to."""
        layout = cache.cell_index()

        def releases(column: int) -> Releases:
            return _releases(snapshot, cache, column)

        ends, clusters = cache.backfill.first_ends, snapshot.clusters
        nodes = NodeCapacity(cache.matrix, releases, first_end=lambda uid: ends.of(clusters[uid]), now=snapshot.now)
        limits = LimitCapacity(cache.limits, layout, clusters=clusters, releases=cache.backfill.limits, now=snapshot.now)
        profile = ReservationProfile(nodes, limits, now=snapshot.now)
        return cls(snapshot=snapshot, cache=cache, profile=profile, cell_index=layout, known_names=KnownNames(snapshot))

    @property
    def matrix(self) -> FitMatrix:
        """Return what fits where."""
        return self.cache.matrix

    @property
    def limits(self) -> LimitTable:
        """Return what limits cells beyond their nodes."""
        return self.cache.limits

    def releases(self, column: int) -> Releases:
        """Return when running jobs give back what they hold in a column."""
        return _releases(self.snapshot, self.cache, column)

    def cell(self, column: int) -> Cell:
        """Return the cell of a column."""
        return self.matrix.columns[column].cell

    def entry(self, job: Job) -> Entry:
        """Return a job with its verdicts."""
        return Entry(job, self.cache.verdicts_of(job.shape, self.snapshot), eligible(job, self.snapshot.now))

    def candidate_cells(self, shape: Shape, demand: Demand) -> tuple[Flags, Flags]:
        """Return the columns that a demand is asked about, and those of them that have no domain though it needs one."""
        return self.cell_index.candidate_cells(shape, demand)

    def excluded_cells(self, job: Job) -> list[int]:
        """Return the columns that cool down for a job."""
        return [column for cell in sorted(job.excluded) for column in self.cell_index.by_pool.get(cell, ())]

    def suitable(self, entry: Entry, index: int) -> Flags:
        """Return the columns that nothing but room could be against. Not to be changed."""
        row = entry.verdicts.rows[index]
        known = self.cache.feasible.suitable(row)
        if known is None:
            candidates, missing_domain = self.candidate_cells(entry.job.shape, row.demand)
            known = (row.reason_mask == 0) & candidates & ~missing_domain
        if entry.job.excluded:
            known = known.copy()
            known[self.excluded_cells(entry.job)] = False
        return known

    def keep(self, carried: PlacedReservation) -> None:
        """Keep a place that an earlier cycle kept."""
        self.profile.keep(carried)
        self.feasibility_cache.clear()

    def reserve(self, made: PlacedReservation) -> None:
        """Keep a place from now on, for which lower ones give way."""
        self.profile.reserve(made)
        self.feasibility_cache.clear()

    def start(self, started: StartedJob) -> None:
        """Let a job start now."""
        self.profile.start(started)
        self.feasibility_cache.clear()

    def request(self, entry: Entry, index: int) -> CapacityRequest:
        """Return a demand of a job as capacity knows it."""
        row, demand = entry.verdicts.rows[index], entry.job.shape.demands[index]
        return CapacityRequest(demand=demand, requests=self.matrix.requests, row=row.request_row, limit_row=row.limit_row)

    def feasibility(self, entry: Entry, index: int) -> Feasibility:
        """Return how a demand of a job stands in every cell."""
        row, demand = entry.verdicts.rows[index], entry.job.shape.demands[index]
        blockers = self.profile.blockers(entry.job, demand)
        key = (id(row), entry.job.excluded, blockers)
        known = self.feasibility_cache.get(key)
        if known is None:
            if len(self.feasibility_cache) > MAX_CACHED_FEASIBILITIES:
                self.feasibility_cache.clear()
            known = self.feasibility_cache[key] = self._feasibility(entry, index, blockers)
        return known

    def _feasibility(self, entry: Entry, index: int, blockers: Blockers) -> Feasibility:
        row, suitable = entry.verdicts.rows[index], self.suitable(entry, index)
        room = self.profile.room(self.request(entry, index), suitable, blockers=blockers)
        return Feasibility(row, index, suitable, room, blockers)

    def fit(self, entry: Entry, feasibility: Feasibility, column: int) -> NodeFit | None:
        """Return the nodes that a demand would take in a column now, None if there is no room."""
        demand = entry.job.shape.demands[feasibility.index]
        wanted = min(demand.replicas, int(feasibility.room[column]))
        key = (feasibility.row.request_row, column, feasibility.blockers, wanted, demand.least_replicas)
        version = self.matrix.versions[column]
        known = self.fit_cache.get(key)
        if known is None or known[0] != version:
            known = self.fit_cache[key] = version, self._select_nodes(demand, feasibility, column, wanted=wanted)
        return known[1]

    def packing(self, entry: Entry, column: int, fit: NodeFit) -> int:
        """Return the weighted points of packing; foreign pods that wait for the same devices cost some."""
        cell = self.cell(column)
        cluster, part = self.snapshot.clusters[cell.pool.cluster_uid], fit.packing
        if cluster.contended:
            measure = cell.pool.resource or CPU
            wanted = cluster.contended[cell.pool.resource][measure] if cell.pool.resource in cluster.contended else 0
            if wanted > 0:
                nodes = self.matrix.columns[column].nodes
                free = int(np.maximum(self.matrix.free.amounts[nodes, self.matrix.resources.position(measure)], 0).sum())
                part = max(part * free // (free + wanted), 1)
        return weighted(entry.verdicts.policy, "packing", part)

    def max_packing(self, entry: Entry) -> int:
        """Return the most points that packing can add."""
        return weighted(entry.verdicts.policy, "packing", FULL)

    def _select_nodes(self, demand: Demand, feasibility: Feasibility, column: int, *, wanted: int) -> NodeFit | None:
        matrix, at = self.matrix, self.matrix.columns[column]
        pool = at.cell.pool
        measure = pool.resource if demand.requirement else CPU
        units = matrix.resources.position(measure)
        found = fits(matrix.free, matrix.requests, np.array([feasibility.row.request_row]), kind=at.kind, nodes=at.nodes)[0]
        if feasibility.blockers:
            kept = {node for placed in feasibility.blockers for node in placed.nodes}
            found[[node in kept for node in at.nodes.tolist()]] = 0
        free, allocatable = matrix.free.amounts[at.nodes, units], matrix.allocatable.amounts[at.nodes, units]
        request = matrix.requests.all[feasibility.row.request_row]
        fragmentation = self.cache.fragmentation.added(at, request, free=matrix.free, requests=matrix.requests, suitable=found > 0)
        per_replica = matrix.requests.vector(request, at.kind)[measure]
        room = NodeRoom(fits=found, free=free, untouched=free == allocatable, fragmentation=fragmentation)
        return select_nodes(room, wanted=wanted, least=demand.least_replicas, per_replica=per_replica, asked=demand.replicas)


def _releases(snapshot: Snapshot, cache: SchedulerCache, column: int) -> Releases:
    at = cache.matrix.columns[column]
    running = snapshot.clusters[at.cell.pool.cluster_uid].running
    return cache.backfill.nodes.get(at.cell.id, (at,), running=running, released=lambda: released_on(at))
