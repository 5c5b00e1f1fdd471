"""What our jobs take on the members, or are about to: counted as in flight until their pods are seen, and as running until they end.

No I/O and no clock. The members' own word of nodes and pods is in `inventory`; here is what of ours it cannot show yet.
"""

from collections.abc import Callable, Iterator, Mapping

from sampan.controller.state.entry import JobEntry
from sampan.controller.state.member_source import MemberSource
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.record import JobRecord
from sampan.controller.state.running import RunningJobs, assumed_in_flight, assumed_running, bound_in_flight, demand_of, running_of
from sampan.controller.state.table import JobTable
from sampan.inventory.in_flight import InFlight, amounts_of
from sampan.model.members.cluster import Cell, Cluster, Pool, Running
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Assignment

CellId = tuple[OfferKey, str]


class Allocations:
    """By member: what is in flight there, and what runs."""

    def __init__(self, table: JobTable, members: MemberSource, queues: QueueRegistry) -> None:
        """Count what is in the table."""
        self._table, self._members, self._queues = table, members, queues
        self.on_change: list[Callable[[str], None]] = []
        """Called with the UID of a member when what is in flight there changed, so that its free counts are stale."""
        self._running = RunningJobs(table, self._running_of)
        self._indexed: tuple[Cell, ...] = ()
        self._pools: dict[CellId, Pool] = {}
        self._generation = 0
        """Of the pools: what was worked out in another one is worked out anew."""

    @property
    def pools(self) -> Mapping[CellId, Pool]:
        """Return every pool of every offer as it is now."""
        self._index()
        return self._pools

    def in_flight(self, cluster_uid: str) -> Iterator[InFlight]:
        """Yield every assignment to a member whose pods may not all be seen yet, each job once."""
        self._index()
        for entry in self._table.open_on(cluster_uid):
            yield self._kept(entry)
        for entry in self._table.assumed.values():
            plan = entry.assignment
            if plan is not None and plan.cluster_uid == cluster_uid and not _is_open_on(entry.record, cluster_uid):
                yield self._assumed(entry, plan)

    def running(self, cluster_uid: str) -> Mapping[str, Running]:
        """Return what of ours holds the nodes of a member, by job UID."""
        return self._running.running(cluster_uid)

    def clusters(self, now: int) -> Mapping[str, Cluster]:
        """Return the members with what runs there; the same values where nothing changed."""
        return self._running.clusters(self._members.clusters(self.in_flight), now)

    def pool_of(self, offer: OfferKey, name: str) -> Pool | None:
        """Return a pool of an offer as it is now."""
        return self.pools.get((offer, name))

    def hostnames(self, uid: str) -> tuple[str, ...]:
        """Return the hostnames of the nodes a job is planned on, for its preferred affinity; none after a restart."""
        plan = self._table[uid].assignment if uid in self._table else None
        if plan is None:
            return ()
        nodes = self._members.nodes(plan.cluster_uid)
        return tuple(nodes[node].hostname or node for node, _ in plan.nodes if node in nodes)

    def invalidate(self, entry: JobEntry) -> None:
        """Hear that a job is another than it was, or is gone."""
        entry.in_flight.attempt = None
        self._running.invalidate(entry)

    def queues_changed(self) -> None:
        """Hear that any job may be in another queue now."""
        self._running.invalidate_all()

    def notify(self, cluster_uid: str) -> None:
        """Tell that what is in flight on a member changed."""
        for listener in self.on_change:
            listener(cluster_uid)

    def copy_changed(self, entry: JobEntry) -> bool:
        """Hear that a job's copy or pods changed; tell whether what is counted for it changed too."""
        memo, binding = entry.in_flight, entry.record.binding
        known = self._known(entry)
        if known is None or binding is None or not entry.record.attempt_open:
            return True
        if self._members.remote_job(binding, entry.uid) is memo.copy or self._worked_out(entry) == known:
            return False
        self._running.invalidate(entry)
        return True

    def _index(self) -> None:
        cells = self._members.cells()
        if cells is not self._indexed:
            pools = {cell.id: cell.pool for cell in cells}
            changed = {key for key in (*pools, *self._pools) if pools.get(key) is not self._pools.get(key)}
            self._indexed, self._pools = cells, pools
            self._generation += 1
            self._running.invalidate_pools(changed)

    def _kept(self, entry: JobEntry) -> InFlight:
        """Return what is in flight of a bound job: the same value until it changes, so that what is counted from it need not be anew."""
        return self._known(entry) or self._worked_out(entry)

    def _assumed(self, entry: JobEntry, plan: Assignment) -> InFlight:
        """Return the same of a plan whose binding is not written yet."""
        known = self._known(entry)
        if known is None:
            memo = entry.in_flight
            memo.amounts = amounts_of(plan.demand, self.pool_of(plan.offer, plan.pool), memo.amounts)
            known = memo.attempt = assumed_in_flight(plan, memo.amounts)
            memo.generation = self._generation
        return known

    def _known(self, entry: JobEntry) -> InFlight | None:
        """Return what was worked out for these pools; None where nothing was."""
        return entry.in_flight.attempt if entry.in_flight.generation == self._generation else None

    def _worked_out(self, entry: JobEntry) -> InFlight:
        memo, record, binding = entry.in_flight, entry.record, entry.record.binding
        assert binding is not None
        pool, before = self.pool_of(binding.offer, binding.pool), self._known(entry)
        memo.copy, memo.generation = self._members.remote_job(binding, record.uid), self._generation
        memo.amounts = amounts_of(demand_of(record.shape, binding.alternative), pool, memo.amounts)
        fresh = bound_in_flight(record, plan=entry.assignment, copy=memo.copy, amounts=memo.amounts)
        memo.attempt = before if before == fresh else fresh
        assert memo.attempt is not None
        return memo.attempt

    def _running_of(self, entry: JobEntry, now: int) -> tuple[str, Running] | None:
        """Return the member on which a job holds nodes, or is about to, and what it holds there."""
        record, plan = entry.record, entry.assignment
        if record.attempt_open and record.binding is not None and record.shape is not None:
            assert record.spec is not None
            placement = self._queues.place(record.namespace, record.spec, record.shape)
            return record.binding.cluster_uid, running_of(record, placement, flight=self._kept(entry))
        if plan is None or not entry.assumed:
            return None
        return plan.cluster_uid, assumed_running(plan, flight=self._assumed(entry, plan), now=now)


def _is_open_on(record: JobRecord, cluster_uid: str) -> bool:
    return record.attempt_open and record.binding is not None and record.binding.cluster_uid == cluster_uid
