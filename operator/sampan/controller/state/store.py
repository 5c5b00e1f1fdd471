"""The live picture: what the watches said and what is under way, from which snapshots are taken.

One loop owns it: every method is called there, none waits. It decides nothing and writes nothing to any API server.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from sampan.controller.state.bindings import Bindings
from sampan.controller.state.demand_mix import Census
from sampan.controller.state.pending import CellId, WaitingRoom
from sampan.controller.state.queues import QueueBook
from sampan.controller.state.record import JobRecord, record_of
from sampan.controller.state.reservations import Promises
from sampan.controller.state.running import UnderWay, about_to_run, bound_flight, planned_flight, running_of
from sampan.controller.state.usage import UseBook
from sampan.inventory.in_flight import Flight
from sampan.kube.workloads import Job as RemoteJob
from sampan.model.accelerator import AcceleratorClass
from sampan.model.cluster import Cell, Cluster, Node, Pool, Running
from sampan.model.offer import Offer, OfferKey
from sampan.model.plan import Assignment
from sampan.model.policy import BUILT_IN, Policy
from sampan.model.snapshot import Snapshot


class Fleet(Protocol):
    """What the state needs of the joined members."""

    def offers(self) -> Mapping[OfferKey, Offer]:
        """Return every offer by key."""

    def cells(self) -> tuple[Cell, ...]:
        """Return every pool of every offer."""

    def clusters(self) -> Mapping[str, Cluster]:
        """Return the members by kube-system UID."""

    def classes(self) -> Mapping[str, AcceleratorClass]:
        """Return the facts of every accelerator class."""

    def nodes(self, cluster_uid: str) -> Mapping[str, Node]:
        """Return a member's nodes by name; empty where the member is not known."""

    def remote_job(self, cluster_uid: str, job_uid: str) -> RemoteJob | None:
        """Return our copy of a job as the member's watch last showed it."""

    def flights_changed(self, cluster_uid: str) -> None:
        """Hear that assignments to a member changed, so that its free counts are stale."""


class State:
    """Jobs by UID, assignments in flight, cool-downs."""

    def __init__(self, fleet: Fleet, *, currency: str, cooldown: int, use: UseBook | None = None) -> None:
        """`cooldown` in milliseconds; `use`: what queues used, nothing so far unless it is given."""
        self.use = use or UseBook()
        self.jobs: dict[str, JobRecord] = {}
        self.policies: dict[str, Policy] = dict(BUILT_IN)
        self.on_job: list[Callable[[JobRecord], None]] = []
        """Called with every record that is new or changed."""
        self.on_waiting: list[Callable[[], None]] = []
        """Called when a job may be placed that could not be before."""
        self._fleet, self._currency = fleet, currency
        self.book = QueueBook()
        self.room = WaitingRoom(self.book, cooldown=cooldown)
        self._under_way = UnderWay(self._holds)
        self.promises = Promises()
        self.bindings, self._census = Bindings(), Census()
        self._flown: dict[str, Flight] = {}
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
        if known is not None and int(body["metadata"]["resourceVersion"]) <= int(known.resource_version):
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
        self._flown.pop(uid, None)
        self._unassume(uid)
        self.room.forget(uid)
        self.use.gone(uid)
        self.bindings.put(uid, None)
        self.promises.forget(uid)
        self._under_way.touch(uid)
        if record is not None:
            self._close(record)

    def apply_queue(self, body: Mapping[str, Any]) -> None:
        """Take in a Queue; raises InvalidObjectError and keeps the known one where it cannot be read."""
        self._queues_changed(self.book.apply(body))

    def remove_queue(self, uid: str) -> None:
        """Forget a Queue: its jobs go where their namespaces belong now, or are told that there is none."""
        self._queues_changed(self.book.remove(uid))

    def _queues_changed(self, changed: bool) -> None:
        if changed:
            self._under_way.touch_all()
            self.room.queues_changed()
            self._tell_waiting()

    def apply_namespace(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Take in the labels of a namespace of the hub; None once it is gone."""
        if self.book.apply_namespace(name, labels):
            self.room.namespace_changed(name)
            self._tell_waiting()

    def _replace(self, record: JobRecord) -> None:
        binding, is_open, waits = record.binding, record.attempt_open, record.waits  # raises for a status not ours, before it is kept
        known = self.jobs.get(record.uid)
        if known is not None:
            self._close(known)
        self.jobs[record.uid] = record
        self.bindings.put(record.uid, binding)
        self.use.heard(record, lambda: self.book.queue_of(record.namespace, record.spec))
        self._flown.pop(record.uid, None)
        self._under_way.touch(record.uid)
        if is_open and binding is not None:
            self._open.setdefault(binding.cluster_uid, set()).add(record.uid)
        elif record.uid not in self._assumed:
            self._planned.pop(record.uid, None)
        if waits:
            if known is None:
                self.promises.restore(record)
            self.room.put(record)
            self._tell_waiting()
        else:
            self.promises.forget(record.uid)
            self.room.take_out(record.uid)
            self._unassume(record.uid)
        for cluster_uid in {b.cluster_uid for r in (known, record) if r is not None and (b := r.binding) is not None}:
            self._fleet.flights_changed(cluster_uid)

    def _close(self, record: JobRecord) -> None:
        binding = record.binding
        if binding is not None and record.uid in self._open.get(binding.cluster_uid, ()):
            self._open[binding.cluster_uid].discard(record.uid)
            self._fleet.flights_changed(binding.cluster_uid)

    def assume(self, assignment: Assignment) -> None:
        """Count an assignment as taken from now on, before its intent is written."""
        self._assumed[assignment.job.uid] = assignment
        self.use.assume(assignment)
        self._census.placed(assignment.demand, assignment.replicas)
        self.room.hide(assignment.job.uid)
        self._flown.pop(assignment.job.uid, None)
        self._under_way.touch(assignment.job.uid)
        self._planned[assignment.job.uid] = assignment
        self._fleet.flights_changed(assignment.cluster_uid)

    def forget(self, uid: str) -> None:
        """Give an assignment back whose intent was not written."""
        if self._unassume(uid):
            record = self.jobs.get(uid)
            if record is None or not record.attempt_open:
                self._planned.pop(uid, None)
            self._tell_waiting()

    def _unassume(self, uid: str) -> bool:
        assignment = self._assumed.pop(uid, None)
        if assignment is not None:
            self.room.show(uid)
            self.use.withdraw(uid)
            self._under_way.touch(uid)
            self._fleet.flights_changed(assignment.cluster_uid)
        return assignment is not None

    def _tell_waiting(self) -> None:
        for listener in self.on_waiting:
            listener()

    def planned(self, uid: str) -> Assignment | None:
        """Return the assignment a bound job came from; None after a restart."""
        return self._planned.get(uid)

    def hostnames(self, uid: str) -> tuple[str, ...]:
        """Return the hostnames of the nodes a job is planned on, for its preferred affinity; none after a restart."""
        plan = self._planned.get(uid)
        if plan is None:
            return ()
        nodes = self._fleet.nodes(plan.cluster_uid)
        return tuple(nodes[node].hostname or node for node, _ in plan.nodes if node in nodes)

    def hold_back(self, uid: str, *, until: int, version: str | None = None) -> None:
        """Keep a waiting job out of the snapshots until then (milliseconds since the epoch), or only at this resourceVersion."""
        self.room.hold_back(uid, until=until, version=version)

    def flights(self, cluster_uid: str) -> Iterator[Flight]:
        """Yield every assignment to a member whose pods may not all be seen yet, each job once."""
        self._index()
        for uid in sorted(self._open.get(cluster_uid, ())):
            if uid not in self._flown:
                self._flown[uid] = self._flight(self.jobs[uid])
            yield self._flown[uid]
        for uid, assignment in self._assumed.items():
            if assignment.cluster_uid == cluster_uid and uid not in self._open.get(cluster_uid, ()):
                yield planned_flight(assignment, self.pool_of(assignment.offer, assignment.pool))

    def running(self, cluster_uid: str) -> Mapping[str, Running]:
        """Return what of ours holds the nodes of a member, by job UID."""
        return self._under_way.running(cluster_uid)

    def pool_of(self, offer: OfferKey, name: str) -> Pool | None:
        """Return a pool of an offer as it is now."""
        self._index()
        return self._pools.get((offer, name))

    def _index(self) -> None:
        cells = self._fleet.cells()
        if cells is not self._indexed:
            pools = {cell.id: cell.pool for cell in cells}
            changed = {key for key in (*pools, *self._pools) if pools.get(key) is not self._pools.get(key)}
            self._indexed, self._pools = cells, pools
            self._flown.clear()
            self._under_way.touch_pools(changed)

    def copy_changed(self, uid: str) -> bool:
        """Hear that a job's copy changed; tell whether what is counted for it changed too."""
        known, record = self._flown.get(uid), self.jobs.get(uid)
        if known is None or record is None or not record.attempt_open:
            return True
        fresh = self._flight(record)
        if fresh == known:
            return False
        self._flown[uid] = fresh
        self._under_way.touch(uid)
        return True

    def _flight(self, record: JobRecord) -> Flight:
        binding = record.binding
        assert binding is not None
        pool = self.pool_of(binding.offer, binding.pool)
        copy = self._fleet.remote_job(binding.cluster_uid, record.uid)
        plan = self._planned.get(record.uid)
        return bound_flight(record, plan=plan, copy=copy, pool=pool)

    def _holds(self, uid: str, now: int) -> tuple[str, Running] | None:
        """Return the member on which a job holds nodes, or is about to, and what it holds there."""
        record, assumed = self.jobs.get(uid), self._assumed.get(uid)
        if record is not None and record.attempt_open and record.binding is not None and record.shape is not None:
            assert record.spec is not None
            seat = self.book.seat(record.namespace, record.spec, record.shape)
            return record.binding.cluster_uid, running_of(record, seat, flight=self._flown.get(uid) or self._flight(record))
        if assumed is None:
            return None
        return assumed.cluster_uid, about_to_run(
            assumed, flight=planned_flight(assumed, self.pool_of(assumed.offer, assumed.pool)), now=now
        )

    @property
    def waiting(self) -> int:
        """Return how many jobs wait for a place, those being bound included."""
        return len(self.room.records)

    def snapshot(self, now: int, *, limit: int = 64) -> Snapshot:
        """Return the world at this moment (milliseconds since the epoch)."""
        self._index()
        offers, backlog = self._read_offers(), self.room.backlog(now)
        return Snapshot(
            now=now,
            currency=self._currency,
            backlog=backlog,
            queues=self.book.queues,
            use=self.use.use,
            half_life=self.use.half_life,
            offers=offers,
            cells=self._fleet.cells(),
            clusters=self._under_way.clusters(self._fleet.clusters(), now),
            policies=self.policies,
            classes=self._fleet.classes(),
            reservations=self.promises.standing(self._pools.keys(), lambda offer: offer in offers),
            limit=limit,
            mix=self._census.mix(backlog, now),
        )

    def _read_offers(self) -> Mapping[OfferKey, Offer]:
        """Return the offers, and see which labels of namespaces they read."""
        offers = self._fleet.offers()
        if offers is not self._offers:
            self._offers = offers
            if self.book.read(tuple(sorted({e.key for offer in offers.values() for e in offer.tenants.expressions}))):
                self.room.queues_changed()
        return offers
