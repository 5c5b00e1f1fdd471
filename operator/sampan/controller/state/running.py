"""Our jobs that use nodes of members, or are about to: what they use, and by when they are gone.

No I/O and no clock. What is free is counted elsewhere, from pods and what is in flight; here is what is released when.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from typing import Final

from sampan.api.launch.manifest import in_queue
from sampan.controller.observation.failure import count_of
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.queues import QueuePlacement
from sampan.controller.state.record import JobRecord
from sampan.controller.state.table import JobTable
from sampan.inventory.in_flight import NOT_CREATED, Amounts, Created, InFlight
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.job import Demand, Shape, Share
from sampan.model.members.cluster import Cluster, Pool, Running
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Assignment
from sampan.scheduling.capacity.request import started

HOSTNAME: Final = "kubernetes.io/hostname"
Nodes = tuple[tuple[str, int], ...]


class RunningJobs:
    """What runs on each member; equal parts of successive results are the same objects."""

    def __init__(self, table: JobTable, running_of: Callable[[JobEntry, int], tuple[str, Running] | None]) -> None:
        """`running_of(entry, now)` gives the member's UID and what a job uses there; None where it uses nothing."""
        self._table, self._running_of = table, running_of
        self._stale: dict[str, JobEntry] = {}
        self._by_member: dict[str, Mapping[str, Running]] = {}
        self._merged: dict[str, tuple[Cluster, Cluster]] = {}
        self._last_clusters: Mapping[str, Cluster] = {}
        self._last_merged: Mapping[str, Cluster] = {}

    def running(self, cluster_uid: str) -> Mapping[str, Running]:
        """Return what used the nodes of a member when last asked, by job UID."""
        return self._by_member.get(cluster_uid, {})

    def invalidate(self, entry: JobEntry) -> None:
        """Mark a job whose use may have changed, or that is gone."""
        self._stale[entry.uid] = entry

    def invalidate_all(self) -> None:
        """Mark every job."""
        self._mark(uid for running in self._by_member.values() for uid in running)

    def invalidate_pools(self, pools: Set[tuple[OfferKey, str]]) -> None:
        """Mark the jobs in these pools."""
        if pools:
            counted = (each for running in self._by_member.values() for each in running.values())
            self._mark(each.job_uid for each in counted if (each.offer, each.pool) in pools)

    def _mark(self, uids: Iterable[str]) -> None:
        self._stale.update({uid: self._table[uid] for uid in uids if uid in self._table})  # those that are gone are marked already

    def clusters(self, plain: Mapping[str, Cluster], now: int) -> Mapping[str, Cluster]:
        """Return the members with what runs there; the same values where nothing changed."""
        moved = self._refresh(now)
        if plain is self._last_clusters and not moved:
            return self._last_merged
        self._last_clusters = plain
        self._merged = {uid: self._with_running(uid, cluster) for uid, cluster in plain.items()}
        self._last_merged = {uid: merged for uid, (_, merged) in self._merged.items()}
        return self._last_merged

    def _with_running(self, uid: str, plain: Cluster) -> tuple[Cluster, Cluster]:
        running = self._by_member.get(uid)
        if not running:
            return plain, plain
        known = self._merged.get(uid)
        if known is not None and known[0] is plain and known[1].running is running:
            return known
        return plain, replace(plain, running=running)

    def _refresh(self, now: int) -> bool:
        stale, self._stale = self._stale, {}
        changed: dict[str, dict[str, Running]] = {}
        for uid, entry in stale.items():
            before = None if entry.running_on is None else (entry.running_on, self._now_on(changed, entry.running_on)[uid])
            after = self._running_of(entry, now) if self._table.get(uid) is entry else None
            if before == after:
                continue
            if before is not None:
                self._copied(changed, before[0]).pop(uid, None)
            if after is not None:
                self._copied(changed, after[0])[uid] = after[1]
            entry.running_on = None if after is None else after[0]
        self._by_member.update(changed)
        return bool(changed)

    def _now_on(self, changed: Mapping[str, Mapping[str, Running]], cluster_uid: str) -> Mapping[str, Running]:
        return changed[cluster_uid] if cluster_uid in changed else self._by_member[cluster_uid]

    def _copied(self, changed: dict[str, dict[str, Running]], cluster_uid: str) -> dict[str, Running]:
        if cluster_uid not in changed:
            changed[cluster_uid] = dict(self._by_member.get(cluster_uid, {}))
        return changed[cluster_uid]


def running_of(record: JobRecord, placement: QueuePlacement, *, flight: InFlight) -> Running:
    """Return what a job that is bound holds and until when at the latest: once it runs, its start deadline counts no more."""
    binding = record.binding
    assert binding is not None
    assert record.spec is not None
    demand = demand_of(placement.shape, binding.alternative)
    expected = (demand.expected_seconds or placement.shape.expected_seconds) if demand is not None else None
    since, left = binding.bound_at, demand.span_seconds if demand is not None else None
    if record.started_at is not None:
        since, left = record.started_at, None if left is None else left - record.spec.start_deadline_seconds
    return Running(
        job_uid=record.uid,
        namespace=record.namespace,
        queue=placement.queue,
        priority=record.spec.priority,
        offer=binding.offer,
        pool=binding.pool,
        nodes=flight.nodes,
        per_replica=flight.per_replica,
        limits=demand.limits if demand is not None else (),
        ends=_after(since, left),
        likely_ends=_after(since, expected),
    )


def assumed_running(assignment: Assignment, *, flight: InFlight, now: int) -> Running:
    """Return what an assignment will use whose binding is not written yet."""
    job, demand = assignment.job, assignment.demand
    likely = _after(now, demand.expected_seconds or job.shape.expected_seconds)
    return started(assignment, flight.per_replica, ends=_after(now, demand.span_seconds), likely_ends=likely)


def demand_of(shape: Shape | None, alternative: int | None) -> Demand | None:
    """Return the demand that a binding chose; None where the shape has it no more."""
    chosen = alternative or 0
    return shape.demands[chosen] if shape is not None and chosen < len(shape.demands) else None


def assumed_in_flight(assignment: Assignment, amounts: Amounts) -> InFlight:
    """Return what is in flight of an assignment whose binding is not written yet."""
    pool = amounts.pool
    return InFlight(
        job_uid=assignment.job.uid,
        nodes=assignment.nodes,
        per_replica=amounts.per_replica,
        share=share_of(amounts.demand),
        replicas=assignment.replicas,
        namespace=pool.namespace_of(assignment.job.namespace) if pool is not None else "",
        queue=pool.member_queue if pool is not None else "",
        use=amounts.use,
    )


def bound_in_flight(record: JobRecord, *, plan: Assignment | None, copy: RemoteJob | None, amounts: Amounts) -> InFlight:
    """Return what is in flight of a bound job; `plan` is the assignment it came from, None after a restart."""
    binding, pool = record.binding, amounts.pool
    assert binding is not None
    return InFlight(
        job_uid=record.uid,
        nodes=plan.nodes if plan is not None else recovered_nodes(binding.replicas, copy, pool),
        per_replica=amounts.per_replica,
        share=share_of(amounts.demand),
        finished=replicas_finished(binding.replicas, copy),
        replicas=binding.replicas,
        namespace=binding.namespace,
        queue=pool.member_queue if pool is not None else "",
        use=amounts.use,
        created=created_of(copy),
    )


def created_of(copy: RemoteJob | None) -> Created:
    """Return what of an attempt is there on the member, by its Job."""
    if copy is None:
        return NOT_CREATED
    status = copy.status
    return Created(
        job=True,
        dependents=not copy.spec.suspend or in_queue(copy.metadata.labels),
        admitted=not copy.spec.suspend,
        active=status.active,
        ended=status.succeeded + status.failed,
    )


def share_of(demand: Demand | None) -> Share | None:
    """Return what a replica takes of one card, None where it takes whole devices."""
    return demand.requirement.share if demand is not None and demand.requirement is not None else None


def replicas_finished(replicas: int, copy: RemoteJob | None) -> int:
    """Return how many of the replicas that run at once have no successor left to start.

    In a sweep a failed pod has one until its index failed for good.
    """
    if copy is None or copy.spec.completions is None:
        return 0
    status = copy.status
    failed = status.failed if copy.spec.backoff_limit_per_index is None else count_of(status.failed_indexes)
    over = status.succeeded + failed
    return replicas - max(0, min(replicas, copy.spec.completions - over))


def recovered_nodes(replicas: int, copy: RemoteJob | None, pool: Pool | None) -> Nodes:
    """Return nodes to count a bound job on after a restart: those its copy prefers, else the first of its pool."""
    terms = copy.spec.template.spec.affinity.node_affinity.preferred if copy is not None else []
    names = tuple(v for t in terms for e in t.preference.match_expressions if e.key == HOSTNAME for v in e.values)
    nodes: Iterable[str] = names or (pool.nodes if pool is not None else ())
    return _spread(replicas, tuple(nodes))


def _spread(replicas: int, nodes: tuple[str, ...]) -> Nodes:
    if not nodes:
        return ()
    share, rest = divmod(replicas, len(nodes))
    counted = ((node, share + (1 if index < rest else 0)) for index, node in enumerate(nodes))
    return tuple((node, count) for node, count in counted if count)


def _after(start: int, seconds: int | None) -> int | None:
    return None if seconds is None else start + seconds * 1000
