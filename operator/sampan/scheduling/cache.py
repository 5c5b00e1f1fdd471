"""What cycles keep from one to the next: fits, verdicts, feasible cells, the pending jobs in order. A memo hands it on.

As kube-scheduler's cache and snapshot: every part is brought to a new snapshot at the cost of what differs, which identity tells, as
unchanged values are shared between snapshots. The trap is the other way round: what is kept by `id()` must also hold the object, or
another one may get its number. A memo is used up by the cycle it is given to; one that another cycle wrote on since is worth an empty
one. With any memo the plan is the same.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Final

from sampan.model.job import Shape
from sampan.model.members.cluster import Cell
from sampan.model.policy import BALANCED, BUILT_IN, Policy
from sampan.model.reason import REASONS, Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.fragmentation import FragmentationScore
from sampan.scheduling.capacity.limit_table import LimitTable
from sampan.scheduling.capacity.resources import Request
from sampan.scheduling.feasibility.feasible_index import FeasibleIndex
from sampan.scheduling.feasibility.verdict_matrix import DemandRow, ShapeVerdicts, VerdictMatrix
from sampan.scheduling.queueing.pending import PendingIndex
from sampan.scheduling.reservations.releases import BackfillCache

MAX_IDLE_SHAPES: Final = 256
"""Shapes kept that nobody waits with, for the next job of the same shape."""


class SchedulerCache:
    """The mutable inside of a memo."""

    def __init__(self) -> None:
        self.matrix = FitMatrix()
        self.pending = PendingIndex()
        self.generation = 0
        self.shapes: dict[Shape, ShapeVerdicts] = {}
        self._by_identity: dict[int, ShapeVerdicts] = {}
        self.verdicts = VerdictMatrix()
        self.fragmentation = FragmentationScore()
        self.limits = LimitTable()
        self.feasible = FeasibleIndex(self.matrix, self.limits.matrix)
        self._cells: tuple[object, object, frozenset[str], tuple[Cell, ...]] | None = None
        """Cells, offers and clusters of the last snapshot, and the cells that are there."""
        self._cell_index: tuple[int, CellIndex] | None = None
        self.backfill = BackfillCache()

    def update(self, snapshot: Snapshot) -> None:
        """Take over a snapshot at the cost of what changed."""
        self.generation += 1
        self.fragmentation.set_mix(snapshot.mix)
        if snapshot.now < self.pending.now:
            self.pending = PendingIndex()
        self.pending.sync(snapshot.backlog, snapshot.now)
        changed = self.matrix.sync(self._present(snapshot), snapshot.clusters)
        if self.limits.sync(snapshot, self.cell_index()):
            self.backfill.keep(self.cell_index(), self.limits.keys())
        verdicts, columns = self.verdicts, self.matrix.columns
        same = verdicts.facts.same_world(snapshot)
        if not same:
            changed = list(range(len(columns)))
            verdicts.facts.permute(None, len(columns))
            self._forget_refusals()
        elif self.matrix.permutation is not None:
            verdicts.facts.permute(self.matrix.permutation, len(columns))
            for rows in self.shapes.values():
                for row in rows.rows:
                    row.permute(self.matrix.permutation)
        verdicts.find_stale(columns, changed=changed, snapshot=snapshot)
        if len(verdicts.facts.stale) or not same:
            for rows in self.shapes.values():
                verdicts.evaluate(rows, verdicts.facts.stale)

    def _forget_refusals(self) -> None:
        """Drop the refusals that are kept: they name the device classes that are known, and those that are not."""
        for equivalence in self.pending.classes.live():
            equivalence.last_refusal = None
        for rows in self.shapes.values():
            rows.refusals.clear()

    def prepare(self, snapshot: Snapshot) -> None:
        """Have verdicts and feasible cells of everything that waits."""
        for equivalence in self.pending.classes.live():
            self.verdicts_of(equivalence.shape, snapshot)
        self.feasible.sync(self.shapes.values(), self.cell_index())

    def cell_index(self) -> CellIndex:
        """Return the views on the columns."""
        if self._cell_index is None or self._cell_index[0] != self.matrix.layout_version:
            self._cell_index = self.matrix.layout_version, CellIndex.of(tuple(self.matrix.columns))
        return self._cell_index[1]

    def _present(self, snapshot: Snapshot) -> tuple[Cell, ...]:
        """Return the cells of which offer and cluster are there."""
        clusters, known = snapshot.clusters, self._cells
        if known is None or known[0] is not snapshot.cells or known[1] is not snapshot.offers or known[2] != clusters.keys():
            cells = tuple(c for c in snapshot.cells if c.offer in snapshot.offers and c.pool.cluster_uid in clusters)
            known = self._cells = snapshot.cells, snapshot.offers, frozenset(clusters), cells
        return known[3]

    def evict(self) -> int:
        """End a cycle: drop what was long unused, and return the generation that the memo must name."""
        self.evict_idle_shapes()
        return self.generation

    def verdicts_of(self, shape: Shape, snapshot: Snapshot) -> ShapeVerdicts:
        """Return the verdicts of a shape: evaluated if it is new, and again if its policy changed."""
        known = self._by_identity.get(id(shape))
        if known is None or known.shape is not shape:
            known = self.shapes.get(shape)
            if known is None:
                known = self.shapes[shape] = self._new(shape, snapshot)
            if known.shape is shape:
                self._by_identity[id(shape)] = known
        if known.last_used == self.generation:
            return known
        known.last_used = self.generation
        policy, there = _policy(shape, snapshot)
        if there != known.policy_known or (policy is not known.policy and policy != known.policy):
            old = known.policy
            same = there == known.policy_known and policy.cpu_on_accelerators == old.cpu_on_accelerators
            if same and policy.cpu_reserve_per_device == old.cpu_reserve_per_device:
                known.policy = policy
                self.verdicts.rescore(known)
            else:
                self._evaluate(known, policy, there=there)
        return known

    def evict_idle_shapes(self) -> None:
        """Drop the verdicts of shapes that were not asked for lately; requests are numbered anew, so that rows stay few."""
        idle = sorted((rows.last_used, at) for at, rows in enumerate(self.shapes.values()) if rows.last_used < self.generation)
        if len(idle) <= MAX_IDLE_SHAPES:
            return
        listed = list(self.shapes)
        for _, at in idle[: len(idle) - MAX_IDLE_SHAPES // 2]:
            gone = self.shapes.pop(listed[at])
            self._by_identity.pop(id(gone.shape), None)
            self.feasible.remove(gone.rows)
        rows = [row for verdicts in self.shapes.values() for row in verdicts.rows]
        kept, limited = sorted({row.request_row for row in rows}), sorted({row.limit_row for row in rows})
        self.matrix.keep_rows(kept)
        self.limits.matrix.keep_rows(limited)
        requests, limits = ({old: new for new, old in enumerate(each)} for each in (kept, limited))
        for row in rows:
            row.request_row, row.limit_row = requests[row.request_row], limits[row.limit_row]
        self.feasible.renumber()

    def _new(self, shape: Shape, snapshot: Snapshot) -> ShapeVerdicts:
        policy, there = _policy(shape, snapshot)
        made = ShapeVerdicts(shape, policy, there, tuple(DemandRow.empty(demand) for demand in shape.demands))
        self._evaluate(made, policy, there=there)
        return made

    def _evaluate(self, rows: ShapeVerdicts, policy: Policy, *, there: bool) -> None:
        rows.policy, rows.policy_known = policy, there
        reserve = policy.cpu_reserve_per_device if policy.cpu_on_accelerators else 0
        for row in rows.rows:
            row.request_row = self.matrix.row_of(Request.of(row.demand, cpu_reserve=reserve))
            row.limit_row = self.limits.matrix.row_of(row.demand)
        self.verdicts.evaluate(rows, None)


@dataclass(frozen=True, slots=True)
class Memo:
    """What a cycle leaves to the next. An empty one gives the same plan, only later."""

    cache: SchedulerCache = field(default_factory=SchedulerCache)
    generation: int = 0

    def cache_or_new(self) -> SchedulerCache:
        """Return the cache, a new one where another cycle has written on in it since."""
        return self.cache if self.generation == self.cache.generation else SchedulerCache()


@cache
def reasons_in(mask: int) -> tuple[Reason, ...]:
    """Return the reasons of a mask, worst first."""
    return tuple(reason for reason in REASONS if mask >> reason.severity & 1)


def _policy(shape: Shape, snapshot: Snapshot) -> tuple[Policy, bool]:
    """Return the policy of a shape, and whether the one it names exists."""
    known = snapshot.policies.get(shape.policy) or BUILT_IN.get(shape.policy)
    return known or BALANCED, known is not None
