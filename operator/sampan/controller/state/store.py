"""The live picture: what the watches said and what is under way, from which snapshots are taken.

One loop owns it: every method is called there, none waits. It decides nothing and writes nothing to any API server.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sampan.controller.state.bindings import BindingIndex
from sampan.controller.state.demand_mix import DemandHistogram
from sampan.controller.state.member_source import MemberSource
from sampan.controller.state.pending import CellId, PendingJobs
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.record import JobRecord, record_of
from sampan.controller.state.reservations import ReservationStore
from sampan.controller.state.running import RunningJobs, assumed_in_flight, assumed_running, bound_in_flight, running_of
from sampan.controller.state.usage import UsageTracker
from sampan.inventory.in_flight import InFlight
from sampan.model.members.cluster import Cell, Pool, Running
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.plan import Assignment
from sampan.model.policy import BUILT_IN, Policy
from sampan.model.snapshot import Snapshot


class State:
    """Jobs by UID, assignments in flight, cool-downs."""

    def __init__(self, members: MemberSource, *, currency: str, cooldown: int, usage: UsageTracker | None = None) -> None:
        """`cooldown` in milliseconds; `use`: what queues used, nothing so far unless it is given."""
        self.usage = usage or UsageTracker()
        self.jobs: dict[str, JobRecord] = {}
        self.policies: dict[str, Policy] = dict(BUILT_IN)
        self.on_job: list[Callable[[JobRecord], None]] = []
        """Called with every record that is new or changed."""
        self.on_pending: list[Callable[[], None]] = []
        """Called when a job may be placed that could not be before."""
        self.on_in_flight: list[Callable[[str], None]] = []
        """Called with the UID of a cluster when assignments to it changed, so that its free counts are stale."""
        self._members, self._currency = members, currency
        self.queues = QueueRegistry()
        self.pending = PendingJobs(self.queues, cooldown=cooldown)
        self._running_jobs = RunningJobs(self._running_of)
        self.reservations = ReservationStore()
        self.bindings, self._demand_histogram = BindingIndex(), DemandHistogram()
        self._in_flight: dict[str, InFlight] = {}
        """The flight of each bound job: the same value until it changes, so that what is counted from it need not be anew."""
        self._indexed: tuple[Cell, ...] = ()
        self._pools: dict[CellId, Pool] = {}
        self._assumed: dict[str, Assignment] = {}
        self._planned: dict[str, Assignment] = {}
        self._open: dict[str, set[str]] = {}
        self._offers: Mapping[OfferKey, Offer] | None = None

    def apply_job(self, body: Mapping[str, Any]) -> JobRecord | None:
        """Take in a ComputeJob; older pictures than the known one are ignored. Returns the record, None if it was ignored."""
        uid = body["metadata"]["uid"]
        known = self.jobs.get(uid)
        if known is not None and known.covers(body["metadata"]["resourceVersion"]):
            return None
        record = record_of(body, known)
        self._replace(record)
        for listener in self.on_job:
            listener(record)
        return record

    def remove_job(self, uid: str) -> None:
        """Forget a job that the hub has no more."""
        record = self.jobs.pop(uid, None)
        self._planned.pop(uid, None)
        self._in_flight.pop(uid, None)
        self._unassume(uid)
        self.pending.delete(uid)
        self.usage.on_deleted(uid)
        self.bindings.update(uid, None)
        self.reservations.drop(uid)
        self._running_jobs.invalidate(uid)
        if record is not None:
            self._unindex(record)

    def apply_queue(self, body: Mapping[str, Any]) -> None:
        """Take in a Queue; raises InvalidObjectError and keeps the known one where it cannot be read."""
        self._queues_changed(self.queues.apply(body))

    def remove_queue(self, uid: str) -> None:
        """Forget a Queue: its jobs go where their namespaces belong now, or are told that there is none."""
        self._queues_changed(self.queues.remove(uid))

    def _queues_changed(self, changed: bool) -> None:
        if changed:
            self._running_jobs.invalidate_all()
            self.pending.queues_changed()
            self._notify_pending()

    def apply_namespace(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Take in the labels of a namespace of the hub; None once it is gone."""
        if self.queues.apply_namespace(name, labels):
            self.pending.namespace_changed(name)
            self._notify_pending()

    def _replace(self, record: JobRecord) -> None:
        binding, is_open, waits = record.binding, record.attempt_open, record.waits  # raises for a status not ours, before it is kept
        known = self.jobs.get(record.uid)
        if known is not None:
            self._unindex(known)
        self.jobs[record.uid] = record
        self.bindings.update(record.uid, binding)
        self.usage.on_job(record, lambda: self.queues.queue_of(record.namespace, record.spec))
        self._in_flight.pop(record.uid, None)
        self._running_jobs.invalidate(record.uid)
        if is_open and binding is not None:
            self._open.setdefault(binding.cluster_uid, set()).add(record.uid)
        elif record.uid not in self._assumed:
            self._planned.pop(record.uid, None)
        if waits:
            if known is None:
                self.reservations.restore(record)
            self.pending.add(record)
            self._notify_pending()
        else:
            self.reservations.drop(record.uid)
            self.pending.remove(record.uid)
            self._unassume(record.uid)
        for cluster_uid in {b.cluster_uid for r in (known, record) if r is not None and (b := r.binding) is not None}:
            self._in_flight_changed(cluster_uid)

    def _unindex(self, record: JobRecord) -> None:
        binding = record.binding
        if binding is not None and record.uid in self._open.get(binding.cluster_uid, ()):
            self._open[binding.cluster_uid].discard(record.uid)
            self._in_flight_changed(binding.cluster_uid)

    def assume(self, assignment: Assignment) -> None:
        """Count an assignment as taken from now on, before its intent is written."""
        self._assumed[assignment.job.uid] = assignment
        self.usage.assume(assignment)
        self._demand_histogram.count_placed(assignment.demand, assignment.replicas)
        self.pending.exclude(assignment.job.uid)
        self._in_flight.pop(assignment.job.uid, None)
        self._running_jobs.invalidate(assignment.job.uid)
        self._planned[assignment.job.uid] = assignment
        self._in_flight_changed(assignment.cluster_uid)

    def forget_assumed(self, uid: str) -> None:
        """Give an assignment back whose intent was not written."""
        if self._unassume(uid):
            record = self.jobs.get(uid)
            if record is None or not record.attempt_open:
                self._planned.pop(uid, None)
            self._notify_pending()

    def _unassume(self, uid: str) -> bool:
        assignment = self._assumed.pop(uid, None)
        if assignment is not None:
            self.pending.include(uid)
            self.usage.rollback(uid)
            self._running_jobs.invalidate(uid)
            self._in_flight_changed(assignment.cluster_uid)
        return assignment is not None

    def _notify_pending(self) -> None:
        for listener in self.on_pending:
            listener()

    def planned(self, uid: str) -> Assignment | None:
        """Return the assignment a bound job came from; None after a restart."""
        return self._planned.get(uid)

    def hostnames(self, uid: str) -> tuple[str, ...]:
        """Return the hostnames of the nodes a job is planned on, for its preferred affinity; none after a restart."""
        plan = self._planned.get(uid)
        if plan is None:
            return ()
        nodes = self._members.nodes(plan.cluster_uid)
        return tuple(nodes[node].hostname or node for node, _ in plan.nodes if node in nodes)

    def back_off(self, uid: str, *, until: int, version: str | None = None) -> None:
        """Keep a waiting job out of the snapshots until then (milliseconds since the epoch), or only at this resourceVersion."""
        self.pending.back_off(uid, until=until, version=version)

    def in_flight(self, cluster_uid: str) -> Iterator[InFlight]:
        """Yield every assignment to a member whose pods may not all be seen yet, each job once."""
        self._index()
        for uid in sorted(self._open.get(cluster_uid, ())):
            if uid not in self._in_flight:
                self._in_flight[uid] = self._in_flight_of(self.jobs[uid])
            yield self._in_flight[uid]
        for uid, assignment in self._assumed.items():
            if assignment.cluster_uid == cluster_uid and uid not in self._open.get(cluster_uid, ()):
                yield assumed_in_flight(assignment, self.pool_of(assignment.offer, assignment.pool))

    def running(self, cluster_uid: str) -> Mapping[str, Running]:
        """Return what of ours holds the nodes of a member, by job UID."""
        return self._running_jobs.running(cluster_uid)

    def pool_of(self, offer: OfferKey, name: str) -> Pool | None:
        """Return a pool of an offer as it is now."""
        self._index()
        return self._pools.get((offer, name))

    def _index(self) -> None:
        cells = self._members.cells()
        if cells is not self._indexed:
            pools = {cell.id: cell.pool for cell in cells}
            changed = {key for key in (*pools, *self._pools) if pools.get(key) is not self._pools.get(key)}
            self._indexed, self._pools = cells, pools
            self._in_flight.clear()
            self._running_jobs.invalidate_pools(changed)

    def copy_changed(self, uid: str) -> bool:
        """Hear that a job's copy changed; tell whether what is counted for it changed too."""
        known, record = self._in_flight.get(uid), self.jobs.get(uid)
        if known is None or record is None or not record.attempt_open:
            return True
        fresh = self._in_flight_of(record)
        if fresh == known:
            return False
        self._in_flight[uid] = fresh
        self._running_jobs.invalidate(uid)
        return True

    def _in_flight_of(self, record: JobRecord) -> InFlight:
        binding = record.binding
        assert binding is not None
        pool = self.pool_of(binding.offer, binding.pool)
        copy = self._members.remote_job(binding.cluster_uid, record.uid)
        plan = self._planned.get(record.uid)
        return bound_in_flight(record, plan=plan, copy=copy, pool=pool)

    def _running_of(self, uid: str, now: int) -> tuple[str, Running] | None:
        """Return the member on which a job holds nodes, or is about to, and what it holds there."""
        record, assumed = self.jobs.get(uid), self._assumed.get(uid)
        if record is not None and record.attempt_open and record.binding is not None and record.shape is not None:
            assert record.spec is not None
            placement = self.queues.place(record.namespace, record.spec, record.shape)
            return record.binding.cluster_uid, running_of(record, placement, flight=self._in_flight.get(uid) or self._in_flight_of(record))
        if assumed is None:
            return None
        return assumed.cluster_uid, assumed_running(
            assumed, flight=assumed_in_flight(assumed, self.pool_of(assumed.offer, assumed.pool)), now=now
        )

    @property
    def waiting(self) -> int:
        """Return how many jobs wait for a place, those being bound included."""
        return len(self.pending.records)

    def snapshot(self, now: int, *, limit: int = 64) -> Snapshot:
        """Return the world at this moment (milliseconds since the epoch)."""
        self._index()
        offers, backlog = self._read_offers(), self.pending.backlog(now)
        return Snapshot(
            now=now,
            currency=self._currency,
            backlog=backlog,
            queues=self.queues.queues,
            use=self.usage.by_queue,
            half_life=self.usage.half_life,
            offers=offers,
            cells=self._members.cells(),
            clusters=self._running_jobs.clusters(self._members.clusters(), now),
            policies=self.policies,
            classes=self._members.classes(),
            reservations=self.reservations.active(self._pools.keys(), lambda offer: offer in offers),
            limit=limit,
            mix=self._demand_histogram.mix(backlog, now),
        )

    def _read_offers(self) -> Mapping[OfferKey, Offer]:
        """Return the offers, and see which labels of namespaces they read."""
        offers = self._members.offers()
        if offers is not self._offers:
            self._offers = offers
            if self.queues.set_label_keys(tuple(sorted({e.key for offer in offers.values() for e in offer.tenants.expressions}))):
                self.pending.queues_changed()
        return offers

    def _in_flight_changed(self, cluster_uid: str) -> None:
        for hear in self.on_in_flight:
            hear(cluster_uid)
