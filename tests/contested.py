"""Worlds in which room is promised: caps, quotas, member queues, what runs with declared ends, and places kept for blocked jobs.

Made from a number, not drawn piece by piece: almost all of what could be drawn is empty or full. Reservations are not made up either:
they are what earlier cycles of the same world kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random

from hypothesis import strategies as st

from builders import A100, H100, NOW, cluster, demand, job, node, offer, quota, requirement, shape, snapshot
from sampan.model.job import AlternativeOrder, Demand, Job, Placement, Shape
from sampan.model.members.admission import Admission, Compulsory, LimitItem, LimitType, Quota
from sampan.model.members.cluster import Cluster, MemberQueue, Running
from sampan.model.members.offer import Offer, OfferKey, PoolRule, Terms
from sampan.model.queues import Queue, QueueUse
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.selector import Selector
from sampan.model.values.vector import CPU, PODS, Vector
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.limits import after_run
from sampan.scheduling.capacity.request import replica_request, started
from sampan.scheduling.cycle import schedule

GPU = "nvidia.com/gpu"
JOBS = "sampan-jobs"
QUEUE, SIBLING = "batch", "sibling"
"""Queues of the member: of one cohort, or of one ClusterQueue, or each for itself."""
QUEUES = ("default", "other")
SECOND = 1000
Cells = tuple[tuple[OfferKey, str], ...]


@dataclass(frozen=True, slots=True)
class Contest:
    """A world after some cycles, and a job that is about to be submitted to it, last of its priority."""

    world: Snapshot
    newcomer: Job


def contests() -> st.SearchStrategy[Contest]:
    """Every world has a number."""
    return st.integers(0, 2**32 - 1).map(contest)


def contest(number: int) -> Contest:
    """A world that one to three cycles were run in, between which more jobs came."""
    chance = Random(number)
    members = [_member(chance, f"c{at}") for at in range(chance.randint(1, 2))]
    offers = [_offer(chance, f"o{at}", [member.uid for member in members]) for at in range(chance.randint(1, 3))]
    small = shape(replace(demand(requirement(H100, 1), cpu=1, gib=1), span_seconds=chance.choice((None, 3000))))
    large = shape(replace(demand(requirement(H100, 4), replicas=chance.randint(2, 3), cpu=1, gib=1), span_seconds=300))
    shapes = [small, large, *(_shape(chance) for _ in range(chance.randint(1, 3)))]
    world = replace(
        snapshot((), offers, members),
        queues={name: Queue(name=name, weight=chance.choice((1_000_000, 3_000_000))) for name in QUEUES},
        use={name: QueueUse(total=chance.randint(0, 3) * 10**9) for name in QUEUES},
    )
    cells = tuple(sorted({(cell.offer, cell.pool.name) for cell in world.cells}))
    uids = (f"j{at:02}" for at in range(99))
    for _ in range(chance.randint(1, 3)):
        coming = [_job(chance, next(uids), [*shapes, large], cells) for _ in range(chance.randint(1, 4))]
        world = after_cycle(with_jobs(world, coming))
    last = [_job(chance, next(uids), [*shapes, small, small], cells) for _ in range(chance.randint(0, 4))]
    world = replace(with_jobs(world, last), limit=chance.choice((1, 2, 1000, 1000)))
    newcomer = _job(chance, "quote", [*shapes, small, small, _shape(chance)], cells)
    return Contest(world, replace(newcomer, created=NOW))


def with_jobs(world: Snapshot, jobs: Iterable[Job]) -> Snapshot:
    """Return the world with more jobs waiting."""
    backlog = world.backlog
    for each in jobs:
        backlog = backlog.with_job(each)
    return replace(world, backlog=backlog)


def after_cycle(world: Snapshot) -> Snapshot:
    """Return the world once a cycle's plan is carried out: what it placed runs, what it kept is kept; limits leave less."""
    plan, _ = schedule(world, Memo())
    clusters, backlog = dict(world.clusters), world.backlog
    pools = {(cell.offer, cell.pool.name): cell.pool for cell in world.cells}
    for done in plan.assignments:
        span = done.demand.span_seconds
        run = started(
            done, replica_request(done.demand, pools[done.offer, done.pool]), ends=None if span is None else world.now + span * SECOND
        )
        clusters[done.cluster_uid] = _holding(clusters[done.cluster_uid], run, through=pools[done.offer, done.pool].member_queue)
        backlog = backlog.without_job(done.job)
    return replace(world, clusters=clusters, backlog=backlog, reservations=plan.reservations)


def _limits(chance: Random) -> dict[str, int]:
    """What a quota or a queue leaves: of devices always, of pods or CPU at times."""
    left = {GPU: chance.choice((0, 6, 9, 13, 18))}
    if chance.randint(0, 3) == 0:
        left.update(chance.choice(({PODS: 3}, {CPU: 4000})))
    return left


def _member(chance: Random, uid: str) -> Cluster:
    """One to three nodes; often with a quota, a queue or both."""
    made = [
        node(f"{uid}-n{at}", chance.choice((*[H100] * 8, A100, None)), chance.choice((4, 8)), cpu=chance.choice((8, 32)), gib=256)
        for at in range(chance.randint(1, 3))
    ]
    kind = chance.choice(("none", "quota", "queue", "both"))
    admission = _admission(chance)
    return replace(
        cluster(*made, uid=uid),
        quotas={JOBS: _quotas(chance)} if kind in ("quota", "both") else {},
        queues=_member_queues(chance) if kind in ("queue", "both") else {},
        admission={JOBS: admission} if admission != Admission() else {},
        open_queues={JOBS: frozenset({SIBLING})} if chance.randint(0, 9) == 0 else {},
    )


def _quotas(chance: Random) -> tuple[Quota, ...]:
    """A quota of all pods, or two that count pods by their quality of service; some name nothing but what limits take."""
    if chance.randint(0, 2):
        return (quota(_limits(chance)),)
    asked = quota({**_limits(chance), "limits.cpu": 9000}, "asked", best_effort=False)
    return asked, quota({PODS: chance.choice((0, 2))}, "rest", best_effort=True)


def _admission(chance: Random) -> Admission:
    """A LimitRange that fills in and bounds CPU, a quota that makes pods name its limit; mostly neither."""
    if chance.randint(0, 4):
        return Admission()
    filled = (((CPU, 2000),), ((CPU, 1000),)) if chance.randint(0, 1) else ((), ())
    item = LimitItem(
        range="r", type=LimitType.CONTAINER, most=((CPU, 2000),) if filled[0] else (), default=filled[0], default_request=filled[1]
    )
    named = () if chance.randint(0, 1) else (Compulsory(quota="asked", names=("limits.cpu",), best_effort=False),)
    return Admission(limits=(item,) if filled[0] else (), compulsory=named)


def _member_queues(chance: Random) -> dict[str, MemberQueue]:
    """Two queues that draw on the same, or lend to each other, or have nothing in common."""
    own, other = _limits(chance), _limits(chance)
    how = chance.choice(("apart", "source", "cohort"))
    shared = {"source": "all"} if how == "source" else {"cohort": "city", "cohort_free": _limits(chance)} if how == "cohort" else {}
    free = {QUEUE: own, SIBLING: own if how == "source" else other}
    largest = {GPU: 8} if chance.randint(0, 3) == 0 else {}
    made = (MemberQueue(name=f"{JOBS}/{name}", free=free[name], largest=largest, **shared) for name in free)
    return {queue.name: queue for queue in made}


def _offer(chance: Random, name: str, uids: list[str]) -> Offer:
    """An offer, often with a device cap or a member queue; several share a member's quota and queue."""
    cap = chance.choice((None, None, 5, 9, 14))
    made = offer(
        name,
        cluster_uid=chance.choice(uids),
        region=chance.choice(("cn-east", "cn-east", "eu-west")),
        terms=chance.choice((Terms.ON_DEMAND, Terms.ON_DEMAND, Terms.INTERRUPTIBLE)),
        rules=() if cap is None else (PoolRule(selector=Selector(), max_devices=cap),),
    )
    return replace(made, member_queue=chance.choice(("", QUEUE, QUEUE, SIBLING)), max_devices_per_job=chance.choice((*[None] * 9, 4)))


def _way(chance: Random, number: int) -> Demand:
    """A gang, a sweep or one replica, nearly always with devices, mostly with a declared end."""
    replicas = chance.choice((1, 1, 2, 3, 4))
    need = chance.choice((*[H100] * 10, A100, None))
    cpu = chance.choice((*[1] * 6, 4, 4, 4, 0))
    made = demand(
        requirement(need, chance.choice((1, 2, 4))) if need else None,
        replicas=replicas,
        least=chance.choice((replicas, replicas, 1)),
        cpu=cpu,
        gib=min(cpu, 1),
        alternative=number,
        wait_seconds=chance.choice((0, 5)) if number else 0,
    )
    limits = ((CPU, cpu * chance.choice((1000, 2000))),) if cpu and chance.randint(0, 1) else ()
    return replace(made, span_seconds=chance.choice((None, 30, 300, 3000)), limits=limits)


def _shape(chance: Random) -> Shape:
    """One or two alternatives, in order or by score."""
    return shape(
        *(_way(chance, at) for at in range(chance.choice((1, 1, 1, 2)))),
        placement=Placement(regions=chance.choice(((), (), (), ("cn-east",))), terms=chance.choice((tuple(Terms), (Terms.ON_DEMAND,)))),
        order=chance.choice(tuple(AlternativeOrder)),
        expected_seconds=chance.choice((None, 60)),
    )


def _job(chance: Random, uid: str, shapes: list[Shape], cells: Cells) -> Job:
    """A job of one of two namespaces and queues, three priorities; a cell cools down for some, some may not compete."""
    made = job(
        uid,
        chance.choice(shapes),
        priority=chance.choice((0, 0, 0, 0, 1, 2)),
        created=NOW - chance.choice((0, SECOND, 6 * SECOND, 60 * SECOND)),
        excluded=(chance.choice(cells),) if cells and chance.randint(0, 9) == 0 else (),
    )
    barred = Reason.PRIORITY_NOT_ALLOWED if chance.randint(0, 19) == 0 else None
    return replace(made, namespace=chance.choice(("team-a", "team-b")), queue=chance.choice(QUEUES), inadmissible=barred)


def _holding(member: Cluster, run: Running, *, through: str) -> Cluster:
    used = dict(member.used)
    for name, replicas in run.nodes:
        used[name] = used.get(name, Vector()) + run.per_replica.times(replicas)
    quotas = {name: tuple(after_run(each, run, sign=1) for each in told) for name, told in member.quotas.items()}
    entered = member.queues.get(through)
    queues = {name: queue if entered is None else _entered(queue, entered, run) for name, queue in member.queues.items()}
    return replace(member, used=used, running={**member.running, run.job_uid: run}, quotas=quotas, queues=queues)


def _entered(queue: MemberQueue, entered: MemberQueue, run: Running) -> MemberQueue:
    """What a queue has left once a job entered one of them."""
    same = queue.name == entered.name or bool(queue.source and queue.source == entered.source)
    peers = bool(queue.cohort and queue.cohort == entered.cohort)
    free, lent = (_less(queue.free, run) if same else queue.free), (_less(queue.cohort_free, run) if peers else queue.cohort_free)
    return replace(queue, free=free, cohort_free=lent)


def _less(left: Mapping[str, int], run: Running) -> dict[str, int]:
    return {name: amount - run.in_use[name] for name, amount in left.items()}
