"""A large federation and what happens to it from cycle to cycle, for benchmarks.

32,000 nodes with one pool of 1,250, 1,000 offers of 4 pools, 500 shapes, 200 queues, 43,000 waiting jobs, 99 % full of jobs as large as
those that wait, a blocked gang in every queue. Each step: 20 ends, 20 arrivals with one new shape, 4 node changes. A ResourceQuota in
every job namespace, unless it is asked to do without: in two of three it leaves what the nodes do, in the third fewer devices than that.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from builders import NOW, demand, offer, price, quota, requirement, shape, vector
from sampan.catalog import load
from sampan.controller.state.demand_mix import DemandHistogram
from sampan.model.backlog import Backlog
from sampan.model.job import Job, Shape
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.admission import ALL_PODS, JOBS, SERVICES, Quota
from sampan.model.members.cluster import Cell, Cluster, Node, Pool, Running
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.plan import Plan
from sampan.model.policy import BALANCED, Policy
from sampan.model.queues import Queue
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.limits import after_run

RESOURCE = "nvidia.com/gpu"
EIGHTH = vector(cpu=12, gib=100, pods=1, gpu=1)
FULL = EIGHTH.times(8)
COUNTS = (1, 2, 4, 8)
MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a federation has much of."""

    offers: int = 1000
    nodes: int = 30
    """Of each member but the first, whose first pool has 1,250."""
    quotas: int = 1
    """In each job namespace; those after the first name every resource that a job takes, and as many that none does."""
    shapes: int = 500


LAYOUTS = {
    "offers": Layout(),
    "nodes": Layout(offers=10, nodes=3000),
    "quotas": Layout(quotas=8),
    "shapes": Layout(shapes=5000),
}


@dataclass(slots=True)
class Federation:
    """The world of the benchmark, changed from cycle to cycle."""

    chance: Random
    scale: float
    classes: list[AcceleratorClass] = field(default_factory=list)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    offers: dict[OfferKey, Offer] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    backlog: Backlog = field(default_factory=Backlog)
    queues: dict[str, Queue] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=lambda: {"balanced": BALANCED})
    reservations: tuple[Reservation, ...] = ()
    shapes: list[Shape] = field(default_factory=list)
    now: int = NOW
    made: int = 0
    histogram: DemandHistogram = field(default_factory=DemandHistogram)
    """What jobs ask for, as the operator counts it."""

    def snapshot(self) -> Snapshot:
        """The picture of this moment."""
        return Snapshot(
            now=self.now,
            backlog=self.backlog,
            offers=self.offers,
            cells=self.cells,
            clusters=dict(self.clusters),
            policies=self.policies,
            classes=CLASSES,
            queues=self.queues,
            reservations=self.reservations,
            mix=self.histogram.mix(self.backlog, self.now),
        )


CLASSES = load().classes


def build(scale: float, chance: Random, *, quotas: bool = True, layout: Layout = LAYOUTS["offers"]) -> Federation:
    """A full federation with its backlog; the same in all else with or without quotas."""
    world = Federation(chance, scale)
    named = sorted((each for each in CLASSES.values() if not each.count_rule.group_size), key=lambda each: each.name)
    world.classes = named[:30]
    offers = max(int(layout.offers * scale), 4)
    for number in range(offers):
        _member(world, number, large=number == 0, size=layout.nodes)
    if quotas:
        _with_quotas(world, Random(7), count=layout.quotas)
    for number in range(200):
        world.queues[f"q{number}"] = Queue(name=f"q{number}", weight=MICRO * (1 + number % 3))
    world.shapes = [_shape(world) for _ in range(layout.shapes)]
    for number in range(int(43_000 * scale)):
        queue = number % 200
        world.backlog = world.backlog.with_job(_job(world, chance.choice(world.shapes), queue))
    for queue in range(200):
        gang = shape(replace(demand(requirement(chance.choice(world.classes).name, 8), replicas=8, cpu=64), span_seconds=7200))
        world.backlog = world.backlog.with_job(_job(world, gang, queue, age=10_000_000))
    return world


def _member(world: Federation, number: int, *, large: bool, size: int) -> None:
    uid, key = f"c{number:04}", OfferKey("prov", f"o{number:04}")
    kinds = world.chance.sample(world.classes, 4)
    nodes: dict[str, Node] = {}
    used: dict[str, Vector] = {}
    running: dict[str, Running] = {}
    for place, kind in enumerate(kinds):
        amount = 1250 if large and place == 0 else size // 4 + (place < size % 4)
        names = [f"{kind.name}-{each:04}" for each in range(amount)]
        pool = Pool(
            name=f"{kind.name}-x8",
            cluster_uid=uid,
            nodes=tuple(names),
            vendor=kind.vendor,
            resource=RESOURCE,
            accelerator=kind,
            devices_per_node=8,
        )
        world.cells = (*world.cells, Cell(offer=key, pool=pool))
        for name in names:
            nodes[name] = Node(name=name, allocatable=vector(cpu=128, gib=1024, pods=110, gpu=8))
            used[name] = vector(cpu=127, gib=800, pods=8, gpu=6)
            if world.chance.random() < 0.96:
                used[name] = FULL
                for count in _counts(world.chance, 8):
                    run = _running(world, key, pool.name, node=name, count=count)
                    running[run.job_uid] = run
    world.clusters[uid] = Cluster(uid=uid, nodes=nodes, used=used, running=running)
    prices = [price(kind.name, world.chance.randint(2, 40) * MICRO, id_=kind.name) for kind in kinds]
    world.offers[key] = replace(offer(f"o{number:04}", cluster_uid=uid, prices=prices), region=f"r{number % 20}")


def _with_quotas(world: Federation, chance: Random, *, count: int) -> None:
    """Give every job namespace a quota on devices, CPU, memory, pods and Jobs; and wide ones on more."""
    namespace = next(iter(world.offers.values())).namespace
    for number, (uid, member) in enumerate(world.clusters.items()):
        whole = Vector.total(node.allocatable for node in member.nodes.values())
        held = Vector.total(run.in_use for run in member.running.values())
        devices = held[RESOURCE] + chance.randint(0, 12) if number % 3 == 0 else whole[RESOURCE]
        hard = {**dict(whole), RESOURCE: devices, JOBS: 10_000}
        left = {**{name: amount - held[name] for name, amount in hard.items()}, JOBS: 10_000 - len(member.running)}
        many = {**hard, **dict.fromkeys((ALL_PODS, SERVICES, *(f"example.com/other-{each}" for each in range(7))), 1_000_000)}
        wide = {**many, **left}
        more = [replace(quota(wide, name=f"wide-{each}"), hard=many) for each in range(1, count)]
        world.clusters[uid] = replace(member, quotas={namespace: (replace(quota(left), hard=hard), *more)})


def _counted(member: Cluster, run: Running, *, sign: int) -> dict[str, tuple[Quota, ...]]:
    """The quotas of a member with a job more (1) or less (-1)."""
    return {name: tuple(after_run(each, run, sign=sign) for each in told) for name, told in member.quotas.items()}


def _counts(chance: Random, left: int) -> Iterator[int]:
    """Yield devices of jobs that fill a node, drawn as those of the shapes are."""
    while left:
        count = chance.choice([each for each in COUNTS if each <= left])
        left -= count
        yield count


def _running(world: Federation, key: OfferKey, pool: str, *, node: str, count: int) -> Running:
    world.made += 1
    ends = world.now + world.chance.randint(60_000, 86_400_000)
    return Running(
        job_uid=f"run-{world.made}",
        namespace="n",
        queue="q0",
        priority=0,
        offer=key,
        pool=pool,
        nodes=((node, 1),),
        per_replica=EIGHTH.times(count),
        ends=ends,
    )


def _shape(world: Federation) -> Shape:
    chance = world.chance
    kind = chance.choice(world.classes)
    count, replicas = chance.choice(COUNTS), chance.choice((1, 1, 1, 2, 4))
    first = replace(demand(requirement(kind.name, count), replicas=replicas, cpu=chance.randint(1, 8) * count, gib=32), span_seconds=3600)
    ways = [first]
    if chance.random() < 0.3:
        ways.append(replace(first, alternative=1, requirement=replace(requirement(None, count), stack=kind.stack)))
    return shape(*ways, expected_seconds=chance.randint(600, 36_000))


def _job(world: Federation, wanted: Shape, queue: int, *, age: int = 0) -> Job:
    world.made += 1
    name = f"job-{world.made:07}"
    return Job(
        uid=name,
        namespace=f"ns-{queue}-{world.made % 3}",
        name=name,
        resource_version="1",
        created=world.now - age,
        shape=wanted,
        queue=f"q{queue}",
    )


def step(world: Federation, plan: Plan) -> None:
    """Bind what was planned, end 20 jobs, let 20 arrive with one new shape, change 4 nodes."""
    world.now += 1000
    world.reservations = plan.reservations
    for done in plan.assignments:
        world.backlog = world.backlog.without_job(done.job)
        member = world.clusters[done.cluster_uid]
        used, running = dict(member.used), dict(member.running)
        per_replica = done.demand.per_replica + Vector.of({RESOURCE: done.demand.requirement.count if done.demand.requirement else 0})
        for node, replicas in done.nodes:
            used[node] = used.get(node, Vector()) + per_replica.times(replicas)
        run = _running(world, done.offer, done.pool, node="", count=1)
        run = running[done.job.uid] = replace(run, job_uid=done.job.uid, nodes=done.nodes, per_replica=per_replica)
        quotas = _counted(member, run, sign=1)
        world.clusters[done.cluster_uid] = replace(member, used=used, running=running, quotas=quotas)
    world.shapes[world.chance.randrange(len(world.shapes))] = _shape(world)
    for _ in range(20):
        _end(world)
        world.backlog = world.backlog.with_job(_job(world, world.chance.choice(world.shapes), world.chance.randrange(200)))
    for _ in range(4):
        uid = world.chance.choice(list(world.clusters))
        member = world.clusters[uid]
        name = world.chance.choice(list(member.nodes))
        other = replace(member.nodes[name], allocatable=vector(cpu=world.chance.choice((96, 128)), gib=1024, pods=110, gpu=8))
        world.clusters[uid] = replace(member, nodes={**member.nodes, name: other})


def _end(world: Federation) -> None:
    uid = world.chance.choice(list(world.clusters))
    member = world.clusters[uid]
    if member.running:
        gone = world.chance.choice(list(member.running.values()))
        used = dict(member.used)
        for node, replicas in gone.nodes:
            used[node] = used[node] - gone.per_replica.times(replicas)
        running = {key: each for key, each in member.running.items() if key != gone.job_uid}
        world.clusters[uid] = replace(member, used=used, running=running, quotas=_counted(member, gone, sign=-1))


def changes(world: Federation) -> Iterator[str]:
    """Single large changes, each measured as one cycle."""
    uid = sorted(world.clusters)[0]
    member, keys = world.clusters[uid], [key for key, each in world.offers.items() if each.cluster_uid == uid]
    world.offers = {**world.offers, **{key: replace(world.offers[key], connected=False) for key in keys}}
    yield "member lost"
    fresh = {name: replace(node, labels=dict(node.labels)) for name, node in member.nodes.items()}
    world.clusters[uid] = replace(member, nodes=fresh, used={name: Vector(tuple(each)) for name, each in member.used.items()})
    world.offers = {**world.offers, **{key: replace(world.offers[key], connected=True) for key in keys}}
    world.cells = tuple(replace(cell, pool=replace(cell.pool)) if cell.pool.cluster_uid == uid else cell for cell in world.cells)
    yield "member of 1,250 nodes reconnects"
    world.policies = {"balanced": replace(BALANCED, cost=60, packing=15)}
    yield "policy: weights"
    world.policies = {"balanced": replace(BALANCED, reference_price=7 * MICRO)}
    yield "policy: reference"


def devices(world: Federation) -> str:
    """Return how full the federation is."""
    used = sum(each[RESOURCE] for member in world.clusters.values() for each in member.used.values())
    have = sum(node.allocatable[RESOURCE] for member in world.clusters.values() for node in member.nodes.values())
    return f"{100 * used / have:.1f} %"
