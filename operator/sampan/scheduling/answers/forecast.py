"""When a waiting job starts, found by running the cycle at every end to come. Nothing new is taken to arrive and foreign pods to stay.

Only the cells that the job can use are looked at, those that the jobs before it there can use, and so on, within bounds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sampan.model.backlog import Backlog, Bucket
from sampan.model.job import Demand, Job
from sampan.model.members.cluster import Cluster, MemberQueue, Running
from sampan.model.plan import Assignment, StartUnknown
from sampan.model.queues import QueueUse
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import Vector
from sampan.scheduling.answers.next_cycle import NextCycle
from sampan.scheduling.answers.start_wording import UNKNOWN_STARTS
from sampan.scheduling.answers.values import StartForecast
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.cells import CellId
from sampan.scheduling.capacity.limits import after_run
from sampan.scheduling.capacity.request import replica_request, started
from sampan.scheduling.cycle import schedule
from sampan.scheduling.queueing.charge import decayed_forward
from sampan.scheduling.queueing.order import next_eligible_at
from sampan.scheduling.state import CycleState

HORIZON: Final = 14 * 24 * 3600 * 1000
"""Milliseconds that a forecast looks ahead unless told otherwise."""
MOST_STEPS: Final = 200
"""Cycles that are run for one forecast."""
MOST_CELLS: Final = 256
MOST_JOBS: Final = 512
_TOO_FAR: Final = "its turn comes after more ends than a forecast looks at"


def forecast(found: NextCycle, *, horizon: int = HORIZON) -> StartForecast:
    """Return when a job starts: by what the next cycle does, by its reservation, by declared ends, and by what tenants expect."""
    job, now, kept = found.job, found.state.snapshot.now, found.kept
    if job.inadmissible is not None:
        return StartForecast(unknown="the queue does not let the job compete")
    if found.choice is not None:
        return StartForecast(at_latest=now, likely=now)
    small = _restricted(found)
    if isinstance(small, str):
        return StartForecast(at_latest=kept.published if kept else None, reserved=kept is not None, unknown="" if kept else small)
    told = [run for cluster in small.clusters.values() for run in cluster.running.values() if run.likely_ends is not None]
    before = len(found.cycle.assignments)
    latest = _run(small, job, horizon=horizon, likely=False, before=before)
    likely = _run(small, job, horizon=horizon, likely=True, before=before)
    sure = kept.published if kept else latest if isinstance(latest, int) else None
    return StartForecast(
        at_latest=sure,
        likely=likely if isinstance(likely, int) else None,
        sample=len(told),
        reserved=kept is not None,
        unknown="" if sure is not None else str(latest),
    )


def _restricted(found: NextCycle) -> Snapshot | str:
    """Return the part of the picture after the next cycle that decides about a job, or why that is not looked at."""
    state, job = found.state, found.job
    columns = _usable(state, job)
    if not columns:
        cools = job.excluded and _usable(state, replace(job, excluded=frozenset()))
        return UNKNOWN_STARTS[StartUnknown.COOLING_DOWN if cools else StartUnknown.NO_CELL]
    snapshot = state.snapshot
    jobs: dict[str, Job] = {job.uid: job}
    alike = _alike(snapshot.backlog)
    usable: dict[int, set[int]] = {}
    known: set[int] = set()
    while fresh := columns - known:
        known |= fresh
        columns = columns | {each for column in fresh for each in _drawing_on_the_same(state, column)}
        for number, buckets in enumerate(alike):
            if number not in usable:
                usable[number] = _usable(state, buckets[0].head)
            if not usable[number].isdisjoint(fresh):
                columns |= usable[number]
                jobs.update((each.uid, each) for bucket in buckets for each in bucket)
            if len(columns) > MOST_CELLS or len(jobs) > MOST_JOBS:
                return "too many jobs compete for the pools that suit it"
    clusters = {state.cell(column).pool.cluster_uid for column in columns}
    small = replace(
        snapshot,
        backlog=Backlog.of(jobs.values()),
        cells=tuple(state.cell(column) for column in sorted(columns)),
        clusters={uid: cluster for uid, cluster in snapshot.clusters.items() if uid in clusters},
        reservations=tuple(each for each in found.cycle.reservations if each.job_uid in jobs),
        limit=max(snapshot.limit, 1),
    )
    pools = {(cell.offer, cell.pool.name) for cell in small.cells}
    done = [each for each in found.cycle.assignments if (each.offer, each.pool) in pools]
    return _taken(_World(small, {}), done, found.cycle.charges, likely=False).snapshot


def _drawing_on_the_same(state: CycleState, column: int) -> set[int]:
    """Return the columns that have nodes or limits in common with a column."""
    found = {each for node in state.matrix.columns[column].nodes.tolist() for each in state.matrix.columns_of_node(node)}
    return found.union(*(limit.columns.tolist() for limit in state.limits.of(column) if limit.left))


def _alike(backlog: Backlog) -> list[list[Bucket]]:
    """Return the buckets whose jobs may compete, those together that can use the same cells."""
    groups: dict[tuple[int, frozenset[CellId], frozenset[int]], list[Bucket]] = {}
    for bucket in backlog:
        if bucket.key.inadmissible is None:
            groups.setdefault((id(bucket.key.shape), bucket.key.excluded, bucket.key.closed), []).append(bucket)
    return list(groups.values())


def _usable(state: CycleState, job: Job) -> set[int]:
    """Return the columns that are right for a job and large enough when empty, for whichever alternative."""
    found: set[int] = set()
    rows = state.entry(job).verdicts
    for index, (row, demand) in enumerate(zip(rows.rows, job.shape.demands, strict=True)):
        if index in job.closed:
            continue
        candidates, missing_domain = state.candidate_cells(job.shape, demand)
        suitable = (
            (row.reason_mask == 0) & candidates & ~missing_domain & (state.matrix.fits_empty[row.request_row] >= demand.least_replicas)
        )
        suitable[state.excluded_cells(job)] = False
        found.update(np.flatnonzero(suitable).tolist())
    return found


@dataclass(frozen=True, slots=True)
class _World:
    """A picture and the ends of what runs in it, as they are believed."""

    snapshot: Snapshot
    ends: Mapping[str, int]


def _run(snapshot: Snapshot, job: Job, *, horizon: int, likely: bool, before: int) -> int | str:
    """Return when the job gets a place (milliseconds), or why that is not seen; `before`: jobs that started meanwhile."""
    ends: dict[str, int] = {}
    for cluster in snapshot.clusters.values():
        for uid, run in cluster.running.items():
            at = run.likely_ends if likely and run.likely_ends is not None else run.ends
            if at is not None:
                ends[uid] = max(at, snapshot.now + 1)
    world, memo, until = _World(snapshot, ends), Memo(), snapshot.now + horizon
    for _ in range(MOST_STEPS):
        plan, memo = schedule(world.snapshot, memo)
        if any(done.job.uid == job.uid for done in plan.assignments):
            return world.snapshot.now
        before += len(plan.assignments)
        world = _taken(world, plan.assignments, plan.charges, likely=likely)
        world = replace(world, snapshot=replace(world.snapshot, reservations=plan.reservations))
        if len(plan.assignments) >= snapshot.limit:
            continue
        now = _next(world, job)
        if now is None:
            why = UNKNOWN_STARTS[plan.unknown_starts.get(job.uid, StartUnknown.NO_DECLARED_END)]
            return (
                f"{before} job{'s' * (before != 1)} that wait{'s' * (before == 1)} now come{'s' * (before == 1)} first; {why}"
                if before
                else why
            )
        if now > until:
            return "it does not start within the time that a forecast looks ahead"
        world = _advanced(world, now)
    return _TOO_FAR


def _next(world: _World, job: Job) -> int | None:
    """Return the next moment at which something can change: an end, or an alternative that ripens."""
    ripening = (next_eligible_at(each, world.snapshot.now) for each in (*world.snapshot.jobs, job))
    return min((*world.ends.values(), *(at for at in ripening if at is not None)), default=None)


def _taken(world: _World, done: Iterable[Assignment], charges: Mapping[str, int], *, likely: bool) -> _World:
    """Return the world with the assigned jobs running."""
    snapshot, ends = world.snapshot, dict(world.ends)
    clusters, use, backlog = dict(snapshot.clusters), dict(snapshot.use), snapshot.backlog
    cells = {(cell.offer, cell.pool.name): cell for cell in snapshot.cells}
    for each in done:
        seconds = _seconds(each.job, each.demand, likely=likely)
        span = each.demand.span_seconds
        need = replica_request(each.demand, cells[each.offer, each.pool].pool)
        told = _seconds(each.job, each.demand, likely=True)
        run = started(
            each,
            need,
            ends=None if span is None else snapshot.now + span * 1000,
            likely_ends=None if told is None else snapshot.now + told * 1000,
        )
        clusters[each.cluster_uid] = _changed(clusters[each.cluster_uid], run, snapshot, sign=1)
        if seconds is not None:
            ends[each.job.uid] = snapshot.now + max(seconds * 1000, 1)
        backlog = backlog.without_job(each.job)
        old = use.get(each.job.queue, QueueUse())
        amount = decayed_forward(charges[each.job.uid], snapshot.now, snapshot.half_life)
        mine = old.namespaces.get(each.job.namespace, 0) + amount
        use[each.job.queue] = QueueUse(total=old.total + amount, namespaces={**old.namespaces, each.job.namespace: mine})
    return _World(replace(snapshot, clusters=clusters, use=use, backlog=backlog), ends)


def _seconds(job: Job, demand: Demand, *, likely: bool) -> int | None:
    told = demand.expected_seconds or job.shape.expected_seconds
    return told if likely and told is not None else demand.span_seconds


def _advanced(world: _World, now: int) -> _World:
    """Return the world at a later moment, without what has ended."""
    over = {uid for uid, at in world.ends.items() if at <= now}
    clusters = dict(world.snapshot.clusters)
    for uid, cluster in clusters.items():
        for gone in sorted(over & cluster.running.keys()):
            clusters[uid] = _changed(clusters[uid], cluster.running[gone], world.snapshot, sign=-1)
    ends = {uid: at for uid, at in world.ends.items() if uid not in over}
    return _World(replace(world.snapshot, now=now, clusters=clusters), ends)


def _changed(cluster: Cluster, run: Running, snapshot: Snapshot, *, sign: int) -> Cluster:
    """Return the cluster with a job more or less; which devices of a node are taken is not known afterwards."""
    used = dict(cluster.used)
    for node, replicas in run.nodes:
        used[node] = used.get(node, Vector()) + run.per_replica.times(sign * replicas)
    running = {uid: each for uid, each in cluster.running.items() if uid != run.job_uid}
    if sign > 0:
        running[run.job_uid] = run
    touched = {node for node, _ in run.nodes}
    rings = {node: free for node, free in cluster.rings.items() if node not in touched}
    quotas, queues = dict(cluster.quotas), dict(cluster.queues)
    offer = snapshot.offers.get(run.offer)
    namespace = offer.namespace_of(run.namespace) if offer is not None else None
    if namespace is not None and namespace in quotas:
        quotas[namespace] = tuple(after_run(quota, run, sign=sign) for quota in quotas[namespace])
    entered = next((cell.pool.member_queue for cell in snapshot.cells if (cell.offer, cell.pool.name) == (run.offer, run.pool)), "")
    if entered in queues:
        queues = {name: _entered(queue, queues[entered], run, sign=sign) for name, queue in queues.items()}
    return replace(cluster, used=used, running=running, rings=rings, quotas=quotas, queues=queues)


def _entered(queue: MemberQueue, entered: MemberQueue, run: Running, *, sign: int) -> MemberQueue:
    """Return a member's queue after a job entered one of them (1) or left it (-1): both may draw on the same."""
    same = queue.name == entered.name or (entered.source and queue.source == entered.source)
    free = _left(queue.free, run, sign=sign) if same else queue.free
    lent = _left(queue.cohort_free, run, sign=sign) if entered.cohort and queue.cohort == entered.cohort else queue.cohort_free
    return replace(queue, free=free, cohort_free=lent)


def _left(told: Mapping[str, int], run: Running, *, sign: int) -> Mapping[str, int]:
    """Return what a queue leaves with a job more or less."""
    held = run.in_use
    return {name: amount - sign * held[name] for name, amount in told.items()}
