"""Whole histories in virtual time: nobody starts after the first published start, no lower job moves one, and living memos change nothing.

`SAMPAN_HISTORIES` sets how many are played; 10,000 is the count that a release is held to.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from builders import A100, H100, NOW, cluster, demand, nodes, offer, quota, requirement, shape, snapshot
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.members.cluster import Cluster, MemberQueue, Running
from sampan.model.members.offer import PoolRule
from sampan.model.plan import Assignment, Plan
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.model.values.selector import Selector
from sampan.model.values.vector import Vector
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.request import replica_request, started
from sampan.scheduling.cycle import schedule

HISTORIES = int(os.environ.get("SAMPAN_HISTORIES", "150"))
SECOND = 1000
GPU = "nvidia.com/gpu"
OFFERS = [offer("o1"), offer("o2"), offer("o3", cluster_uid="c2")]


@dataclass(slots=True)
class History:
    """One world on its way: jobs come, run at most as long as declared, and go."""

    chance: Random
    base: Snapshot
    arrivals: list[Job]
    now: int = NOW
    backlog: Backlog = field(default_factory=Backlog)
    running: dict[str, tuple[Assignment, int, int]] = field(default_factory=dict)
    """Assignment, declared end, true end."""
    reservations: tuple[Reservation, ...] = ()
    promised: dict[str, int] = field(default_factory=dict)
    reserved: int = 0
    memo: Memo = field(default_factory=Memo)

    def play(self) -> None:
        while self.arrivals or self.running:
            self._on()
            world = self._world()
            plan, self.memo = schedule(world, self.memo)
            assert plan == schedule(world, Memo())[0]
            self._enact(plan)

    def _on(self) -> None:
        """Go to the next moment at which something happens."""
        moments = [job.created for job in self.arrivals] + [true for _, _, true in self.running.values()]
        moments += [each.start for each in self.reservations if each.start > self.now]
        self.now = min(moments)
        for job in [job for job in self.arrivals if job.created <= self.now]:
            self.arrivals.remove(job)
            self.backlog = self.backlog.with_job(job)
        for uid in [uid for uid, (_, _, true) in self.running.items() if true <= self.now]:
            del self.running[uid]

    def _world(self) -> Snapshot:
        clusters = {uid: self._cluster(member) for uid, member in self.base.clusters.items()}
        return replace(self.base, now=self.now, backlog=self.backlog, clusters=clusters, reservations=self.reservations)

    def _cluster(self, member: Cluster) -> Cluster:
        used: dict[str, Vector] = {}
        running: dict[str, Running] = {}
        for uid, (done, declared, _) in self.running.items():
            if done.cluster_uid == member.uid:
                pool = next(cell.pool for cell in self.base.cells if (cell.offer, cell.pool.name) == (done.offer, done.pool))
                need = replica_request(done.demand, pool)
                for name, replicas in done.nodes:
                    used[name] = used.get(name, Vector()) + need.times(replicas)
                running[uid] = started(done, need, ends=declared)
        assert all(member.nodes[name].allocatable[resource] >= amount for name, each in used.items() for resource, amount in each)
        quotas = {
            namespace: tuple(quota(self._left(each.left, running.values())) for each in told) for namespace, told in member.quotas.items()
        }
        through = [run for run in running.values() if self.base.offers[run.offer].member_queue]
        queues = {name: replace(queue, free=self._left(queue.free, through)) for name, queue in member.queues.items()}
        return replace(member, used=used, running=running, quotas=quotas, queues=queues)

    def _left(self, told: Mapping[str, int], running: Iterable[Running]) -> dict[str, int]:
        """What a quota or a queue leaves beside what runs; never too little."""
        left = dict(told)
        for run in running:
            left[GPU] -= run.in_use[GPU]
        assert left[GPU] >= 0
        return left

    def _enact(self, plan: Plan) -> None:
        self.reservations = plan.reservations
        for each in plan.reservations:
            assert self.promised.setdefault(each.job_uid, each.start) == each.published
            assert each.start <= each.published
        self.reserved += len(plan.reservations)
        for done in plan.assignments:
            assert self.now <= self.promised.get(done.job.uid, self.now), f"{done.job.uid} starts late"
            span = done.demand.span_seconds
            assert span is not None
            self.backlog = self.backlog.without_job(done.job)
            true = self.now + self.chance.choice((span, self.chance.randint(1, span))) * SECOND
            self.running[done.job.uid] = done, self.now + span * SECOND, true
        late = [uid for uid, start in self.promised.items() if start < self.now and any(job.uid == uid for job in self.backlog.jobs)]
        assert not late


def history(seed: int) -> History:
    chance = Random(seed)
    first = cluster(*nodes("h", chance.randint(1, 4), H100), *nodes("a", 1, A100))
    members = [_limited(chance, each) for each in (first, cluster(*nodes("k", chance.randint(1, 3), H100), uid="c2"))]
    capped = PoolRule(selector=Selector(), max_devices=chance.randint(8, 24))
    offers = [replace(each, rules=(capped,)) if chance.randint(0, 3) == 0 else each for each in OFFERS]
    offers = [replace(each, member_queue="batch") if chance.randint(0, 3) == 0 else each for each in offers]
    arrivals = []
    for number in range(chance.randint(4, 14)):
        count, replicas = chance.choice((1, 2, 4, 8)), chance.choice((1, 1, 2, 3))
        ways = [
            replace(
                demand(requirement(name, count), replicas=replicas, least=chance.choice((1, replicas)), cpu=chance.choice((1, 8))),
                span_seconds=chance.randint(1, 60),
            )
            for name in chance.choice(((H100,), (H100, A100)))
        ]
        arrivals.append(
            Job(
                uid=f"j{number:02}",
                namespace=chance.choice(("n1", "n2")),
                name=f"j{number:02}",
                resource_version="1",
                created=NOW + chance.randint(0, 40) * SECOND,
                shape=shape(*ways),
                queue=chance.choice(("q1", "q2")),
            )
        )
    return History(chance, snapshot((), offers, members), arrivals)


def _limited(chance: Random, member: Cluster) -> Cluster:
    """A member with a quota on the devices of the job namespace, and with a queue that has some of them, or neither."""
    quotas = {"sampan-jobs": (quota({GPU: chance.randint(8, 40)}),)} if chance.randint(0, 2) == 0 else {}
    queues = {"sampan-jobs/batch": MemberQueue(name="batch", free={GPU: chance.randint(8, 40)})}
    return replace(member, quotas=quotas, queues=queues)


def test_nobody_starts_after_the_first_published_start() -> None:
    """No reserved job after its published start. 150 histories, 10,000 with `SAMPAN_HISTORIES=10000`."""
    reserved = 0
    for seed in range(HISTORIES):
        played = history(seed)
        played.play()
        reserved += played.reserved
    assert reserved > HISTORIES  # or nothing was shown


def moved_by_lower(world: Snapshot, plan: Plan) -> list[str]:
    """The jobs with a reservation that would start, or be promised a start, earlier without the lower ones."""
    moved = []
    for each in plan.reservations:
        ahead = Backlog.of(job for job in world.jobs if job.priority >= each.priority)
        kept = tuple(other for other in world.reservations if other.priority >= each.priority)
        reserved = schedule(replace(world, backlog=ahead, reservations=kept), Memo())[0]
        starts = {other.job_uid: other.start for other in reserved.reservations}
        if starts.get(each.job_uid, world.now) < each.start:
            moved.append(each.job_uid)
    return moved


def test_a_lower_job_moves_no_reserved_start() -> None:
    """With caps, quotas and member queues, gangs and sweeps, three priorities. 150 histories, 10,000 with `SAMPAN_HISTORIES=10000`."""
    reserved = 0
    for seed in range(HISTORIES):
        played = history(seed)
        played.arrivals = [replace(job, priority=played.chance.randint(0, 2)) for job in played.arrivals]
        reserved += _play(played)
    assert reserved > HISTORIES  # or nothing was shown


def _play(played: History) -> int:
    """Play a history to its end; returns how many reservations were looked at."""
    seen = 0
    while played.arrivals or played.running:
        played._on()
        world = played._world()
        plan, played.memo = schedule(world, played.memo)
        assert not moved_by_lower(world, plan)
        seen += len(plan.reservations)
        played.reservations = plan.reservations
        for done in plan.assignments:
            span = done.demand.span_seconds
            assert span is not None
            true = played.now + played.chance.randint(1, span) * SECOND
            played.backlog = played.backlog.without_job(done.job)
            played.running[done.job.uid] = done, played.now + span * SECOND, true
    return seen
