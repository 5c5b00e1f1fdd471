"""The live picture: what the watches said and what is under way, from which snapshots are taken.

One loop owns it: every method is called there, none waits. It decides nothing and writes nothing to any API server.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sampan.controller.state.allocations import Allocations
from sampan.controller.state.demand_mix import DemandHistogram
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.member_source import MemberSource
from sampan.controller.state.pending import PendingJobs
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.record import JobRecord, record_of
from sampan.controller.state.reservations import ReservationStore
from sampan.controller.state.table import JobTable
from sampan.controller.state.usage import UsageTracker
from sampan.model.plan import Assignment
from sampan.model.policy import BUILT_IN, Policy
from sampan.model.snapshot import Snapshot


class State:
    """The jobs, and the parts that read and keep them in step: each has its own trade, and none keeps a job of its own."""

    def __init__(self, members: MemberSource, *, currency: str, cooldown: int, usage: UsageTracker | None = None) -> None:
        """`cooldown` in milliseconds; `usage`: what queues used, nothing so far unless it is given."""
        self.table = JobTable()
        self.usage = usage or UsageTracker()
        self.policies: Mapping[str, Policy] = BUILT_IN
        self.on_job: list[Callable[[JobRecord], None]] = []
        """Called with every record that is new or changed."""
        self.on_pending: list[Callable[[], None]] = []
        """Called when a job may be placed that could not be before."""
        self._members, self._currency = members, currency
        self.queues = QueueRegistry()
        self.pending = PendingJobs(self.table, self.queues, cooldown=cooldown)
        self.reservations = ReservationStore(self.table)
        self.allocations = Allocations(self.table, members, self.queues)
        self._demand_histogram = DemandHistogram()
        self.queues.on_change += [self.allocations.queues_changed, self.pending.queues_changed, self._notify_pending]
        self.queues.on_namespace += [self.pending.namespace_changed, lambda _: self._notify_pending()]

    @property
    def jobs(self) -> Mapping[str, JobRecord]:
        """Return the jobs as the hub has them, by UID: a live view."""
        return self.table.records

    def apply_job(self, body: Mapping[str, Any]) -> JobRecord | None:
        """Take in a ComputeJob; older pictures than the known one are ignored. Returns the record, None if it was ignored."""
        known = self.jobs.get(body["metadata"]["uid"])
        if known is not None and known.covers(body["metadata"]["resourceVersion"]):
            return None
        record = record_of(body, known)
        self._replace(record, known)
        for listener in self.on_job:
            listener(record)
        return record

    def take_reply(self, body: Mapping[str, Any]) -> JobRecord | None:
        """Take in an API server's answer about a job, as `apply_job` does; one that is gone by now, as the watch said, stays gone."""
        return self.apply_job(body) if body["metadata"]["uid"] in self.jobs else None

    def _replace(self, record: JobRecord, known: JobRecord | None) -> None:
        waited = record.uid in self.table.waiting
        entry = self.table.put(record)
        self.usage.on_job(entry, lambda: self.queues.queue_of(record.namespace, record.spec))
        self.allocations.invalidate(entry)
        if record.uid in self.table.waiting:
            if known is None:
                self.reservations.restore(entry)
            self.pending.add(entry)
            self._notify_pending()
        else:
            self.reservations.drop(entry)
            if waited:
                self.pending.changed(entry)
            self._unassume(entry)
        if not entry.assumed and not record.attempt_open:
            entry.assignment = None
        for cluster_uid in {b.cluster_uid for r in (known, record) if r is not None and (b := r.binding) is not None}:
            self.allocations.notify(cluster_uid)

    def remove_job(self, uid: str) -> None:
        """Forget a job that the hub has no more."""
        entry = self.table.get(uid)
        if entry is None:
            return
        self._unassume(entry)
        self.usage.on_deleted(entry)
        self.reservations.drop(entry)
        self.pending.changed(entry)
        self.allocations.invalidate(entry)
        del self.table[uid]
        if entry.record.binding is not None and entry.record.attempt_open:
            self.allocations.notify(entry.record.binding.cluster_uid)

    def set_policies(self, policies: Mapping[str, Policy]) -> None:
        """Take the placement policies by name, the built-in ones included."""
        self.policies = policies
        self._notify_pending()

    def assume(self, assignment: Assignment) -> None:
        """Count an assignment as taken from now on, before its intent is written; one to a job that is gone is dropped."""
        entry = self.table.get(assignment.job.uid)
        if entry is None:
            return
        entry.assignment, entry.assumed = assignment, True
        self.table.changed(entry)
        self.usage.assume(entry, assignment)
        self._demand_histogram.count_placed(assignment.demand, assignment.replicas)
        self.pending.changed(entry)
        self.allocations.invalidate(entry)
        self.allocations.notify(assignment.cluster_uid)

    def forget_assumed(self, uid: str) -> None:
        """Give an assignment back whose intent was not written."""
        entry = self.table.get(uid)
        if entry is not None and self._unassume(entry):
            if not entry.record.attempt_open:
                entry.assignment = None
            self._notify_pending()

    def _unassume(self, entry: JobEntry) -> bool:
        if not entry.assumed or entry.assignment is None:
            return False
        entry.assumed = False
        self.table.changed(entry)
        self.pending.changed(entry)
        self.usage.rollback(entry)
        self.allocations.invalidate(entry)
        self.allocations.notify(entry.assignment.cluster_uid)
        return True

    def _notify_pending(self) -> None:
        for listener in self.on_pending:
            listener()

    def back_off(self, uid: str, *, until: int, version: str | None = None) -> None:
        """Keep a waiting job out of the snapshots until then (milliseconds since the epoch), or only at this resourceVersion."""
        entry = self.table.get(uid)
        if entry is not None:
            self.pending.back_off(entry, until=until, version=version)

    @property
    def waiting(self) -> int:
        """Return how many jobs wait for a place, those being bound included."""
        return len(self.table.waiting)

    def snapshot(self, now: int, *, limit: int = 64) -> Snapshot:
        """Return the world at this moment (milliseconds since the epoch)."""
        pools, offers = self.allocations.pools, self._members.offers()
        if self.queues.set_offers(offers):
            self.pending.queues_changed()
        backlog = self.pending.backlog(now)
        return Snapshot(
            now=now,
            currency=self._currency,
            backlog=backlog,
            queues=self.queues.queues,
            use=self.usage.by_queue,
            half_life=self.usage.half_life,
            offers=offers,
            cells=self._members.cells(),
            clusters=self.allocations.clusters(now),
            policies=self.policies,
            classes=self._members.classes(),
            reservations=self.reservations.active(pools.keys(), lambda offer: offer in offers),
            limit=limit,
            mix=self._demand_histogram.mix(backlog, now),
        )
