"""Random worlds for property tests: small enough to shrink, crowded enough that jobs get in each other's way."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from builders import A100, ASCEND, GIB, H100, HYGON, NOW, cluster, demand, job, node, offer, price, quota, requirement, shape, snapshot
from sampan.model.job import AlternativeOrder, Demand, Domestic, Interconnect, Job, Placement, Requirement, Shape, Share
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import CardUse, Cluster, MemberQueue, Node
from sampan.model.members.device import Card, ClaimSource, DeviceGroup, Fabric
from sampan.model.members.offer import Offer, PoolRule, Terms
from sampan.model.snapshot import Snapshot
from sampan.model.values.names import NAMESPACE_NAME
from sampan.model.values.quantity import MICRO
from sampan.model.values.selector import Selector
from sampan.model.values.vector import CPU, MEMORY, PODS, Vector

CLASSES = (H100, A100, ASCEND, HYGON)
RINGS = "huawei-910a-32gb"
NPU = "huawei.com/Ascend910"
CLAIM = "claim:gpu.nvidia.com"
MIG = "nvidia.com/mig-1g.10gb"
GPU = "nvidia.com/gpu"
JOBS = "sampan-jobs"
QUEUE = "batch"
APART = {"team-a": "jobs-a", "team-b": "jobs-b"}
"""Namespaces of tenants on members that keep them apart."""
REGIONS = ("cn-east", "cn-north", "eu-west")


@st.composite
def clusters(draw: st.DrawFn, uid: str) -> Cluster:
    """A member of up to six nodes, partly used: whole devices, cards in shares, rings, partitions, claims; at times with limits."""
    makers = (*(plain(each) for each in (*CLASSES, None)), plain(A100), cards(), rings(), partitions(), claims())
    made = [draw(draw(st.sampled_from(makers)))(f"{uid}-n{number}") for number in range(draw(st.integers(1, 6)))]
    limits = draw(st.fixed_dictionaries({}, optional={GPU: st.integers(0, 9), NPU: st.integers(0, 9), CPU: st.integers(0, 64_000)}))
    return replace(
        cluster(*(each.nodes[name] for each in made for name in each.nodes), uid=uid),
        devices={name: groups for each in made for name, groups in each.devices.items()},
        used={name: vector for each in made for name, vector in each.used.items()},
        cards={key: use for each in made for key, use in each.cards.items()},
        rings={name: free for each in made for name, free in each.rings.items()},
        quotas={name: (quota(limits),) for name in draw(st.sampled_from(((), (), (JOBS,), (*APART.values(), JOBS), (APART["team-a"],))))},
        queues={f"{JOBS}/{QUEUE}": MemberQueue(name=QUEUE, free=limits)} if draw(st.integers(0, 3)) == 0 else {},
    )


Made = SearchStrategy[Callable[[str], Cluster]]
"""Makes a cluster of one node of a name."""


@st.composite
def plain(draw: st.DrawFn, kind: str | None) -> Callable[[str], Cluster]:
    """Whole devices or none; in a fabric domain at times."""
    made = node("", kind, draw(st.sampled_from((2, 4, 8))), cpu=draw(st.sampled_from((16, 64))), gib=256)
    used = draw(st.one_of(st.none(), _parts_of(made)))
    fabric = draw(st.sampled_from((None, Fabric(kind="NVLink", domain="d1"), Fabric(kind="NVLink", domain="d2"))))

    def named(name: str) -> Cluster:
        one = cluster(replace(made, name=name), used={} if used is None else {name: used})
        return replace(one, devices={name: tuple(replace(group, fabric=fabric) for group in one.devices[name])})

    return named


@st.composite
def cards(draw: st.DrawFn) -> Callable[[str], Cluster]:
    """One to three H100 handed out in shares, partly taken; a little beyond at times."""
    count = draw(st.integers(1, 3))
    devices = tuple(Card(id=str(number), memory=80 * GIB, slots=4) for number in range(count))
    group = DeviceGroup(
        resource=GPU, devices=4 * count, vendor="nvidia", accelerator_class=H100, sharing=Sharing.VIRTUAL, publisher="hami", cards=devices
    )
    use = st.builds(CardUse, memory=st.integers(0, 81).map(lambda gib: gib * GIB), cores=st.integers(0, 101), slots=st.integers(0, 4))
    taken = [draw(st.one_of(st.just(CardUse()), use)) for _ in devices]

    def named(name: str) -> Cluster:
        one = cluster(node(name, H100, 4 * count, cpu=64, gib=256), used={name: Vector.of({GPU: sum(each.slots for each in taken)})})
        return replace(one, devices={name: (group,)}, cards={(name, str(number)): each for number, each in enumerate(taken)})

    return named


@st.composite
def rings(draw: st.DrawFn) -> Callable[[str], Cluster]:
    """Two rings of four; which devices are free is told or not."""
    free = (draw(st.integers(0, 4)), draw(st.integers(0, 4)))
    group = DeviceGroup(resource=NPU, devices=8, vendor="huawei", accelerator_class=RINGS)
    told = draw(st.booleans())

    def named(name: str) -> Cluster:
        one = cluster(node(name, cpu=64, gib=256, resources={NPU: 8}), used={name: Vector.of({NPU: 8 - sum(free)})})
        return replace(one, devices={name: (group,)}, rings={name: free} if told else {})

    return named


@st.composite
def partitions(draw: st.DrawFn) -> Callable[[str], Cluster]:
    """A100 cut into parts beside whole ones."""
    amount, used = draw(st.integers(1, 7)), draw(st.integers(0, 2))
    return lambda name: cluster(node(name, A100, 2, cpu=64, gib=256, resources={MIG: amount}), used={name: Vector.of({MIG: used})})


@st.composite
def claims(draw: st.DrawFn) -> Callable[[str], Cluster]:
    """H100 that are had by claim only."""
    count, used = draw(st.sampled_from((1, 4, 8))), draw(st.integers(0, 2))
    source = ClaimSource(device_class="gpu.nvidia.com", driver="gpu.nvidia.com")
    group = DeviceGroup(resource=CLAIM, devices=count, vendor="nvidia", accelerator_class=H100, publisher="dra", claim=source)

    def named(name: str) -> Cluster:
        one = cluster(node(name, cpu=64, gib=256, resources={CLAIM: count}), used={name: Vector.of({CLAIM: used})})
        return replace(one, devices={name: (group,)})

    return named


def _parts_of(member: Node) -> SearchStrategy[Vector]:
    """Some of what a node has; a little more than all of it at times, as when an administrator pins pods."""
    amounts = {name: st.integers(0, amount + 1) for name, amount in member.allocatable}
    return st.fixed_dictionaries(amounts).map(Vector.of)


@st.composite
def offers(draw: st.DrawFn, name: str, uids: tuple[str, ...]) -> Offer:
    """An offer on one of the members; several may share one."""
    priced = draw(st.sets(st.sampled_from(CLASSES)))
    prices = [price(each, draw(st.integers(1, 40)) * MICRO // 2, id_=each) for each in sorted(priced)]
    cap = draw(st.sampled_from((None, None, 0, 3, 8)))
    made = offer(
        name,
        region=draw(st.sampled_from(REGIONS)),
        jurisdiction=draw(st.sampled_from(("CN", "DE"))),
        terms=draw(st.sampled_from(tuple(Terms))),
        cluster_uid=draw(st.sampled_from(uids)),
        prices=prices,
        rules=() if cap is None else (PoolRule(selector=Selector(), max_devices=cap),),
        accepting=draw(st.integers(0, 7)) > 0,
        connected=draw(st.integers(0, 7)) > 0,
    )
    return replace(made, member_queue=QUEUE) if draw(st.integers(0, 3)) == 0 else made


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    """A gang or a sweep, with or without devices."""
    replicas = draw(st.integers(1, 4))
    count = draw(st.sampled_from((1, 2, 4, 8)))
    by_class = st.sampled_from(CLASSES).map(lambda name: requirement(name, count))
    rest = (
        requirement(RINGS, count),
        Requirement(count=1, accelerator_class=A100, partition="1g.10gb"),
        *(Requirement(count=1, accelerator_class=H100, share=Share(memory=gib * GIB, compute_percent=p)) for gib, p in ((10, 0), (35, 60))),
    )
    by_stack = st.sampled_from(("cuda", "cann", "dtk")).map(lambda stack: Requirement(count=count, stack=stack))
    return demand(
        draw(st.one_of(st.none(), by_class, by_stack, st.sampled_from(rest))),
        replicas=replicas,
        least=draw(st.sampled_from((1, replicas))),
        cpu=draw(st.sampled_from((1, 4, 16))),
        gib=draw(st.sampled_from((1, 32))),
        wait_seconds=draw(st.sampled_from((0, 0, 5))),
        expected_seconds=draw(st.sampled_from((None, 60, 7200))),
    )


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Up to three alternatives under few constraints."""
    placement = Placement(
        regions=tuple(sorted(draw(st.sets(st.sampled_from(REGIONS), max_size=2)))),
        terms=draw(st.sampled_from((tuple(Terms), tuple(Terms), (Terms.ON_DEMAND,)))),
        domestic=draw(st.sampled_from(tuple(Domestic))),
        max_price=draw(st.sampled_from((None, None, 9 * MICRO))),
        interconnect=draw(st.sampled_from((Interconnect.ANY, Interconnect.ANY, Interconnect.SAME_DOMAIN))),
    )
    return shape(
        *draw(st.lists(demands(), min_size=1, max_size=3)),
        placement=placement,
        order=draw(st.sampled_from(tuple(AlternativeOrder))),
        expected_seconds=draw(st.sampled_from((None, 3600))),
    )


@st.composite
def jobs(draw: st.DrawFn, name: str, known: tuple[Shape, ...]) -> Job:
    """A job of one of the shapes."""
    return job(
        name,
        draw(st.sampled_from(known)),
        priority=draw(st.integers(0, 2)),
        created=NOW - draw(st.sampled_from((0, 1000, 6000))),
    )


def of_tenant(made: Job, tenant: str) -> Job:
    """Return a job as the state hands it over where an offer keeps tenants apart."""
    demands = tuple(replace(each, tenant=tenant) for each in made.shape.demands)
    return replace(made, namespace=tenant, shape=replace(made.shape, tenant=((NAMESPACE_NAME, tenant),), demands=demands))


@st.composite
def worlds(draw: st.DrawFn, most_jobs: int = 8) -> Snapshot:
    """Members, offers that may share them, and jobs of a few shapes."""
    members = [draw(clusters(f"c{i}")) for i in range(draw(st.integers(1, 3)))]
    uids = tuple(member.uid for member in members)
    made = [draw(offers(f"o{i}", uids)) for i in range(draw(st.integers(1, 4)))]
    known = tuple(draw(st.lists(shapes(), min_size=1, max_size=3)))
    waiting = [draw(jobs(f"j{i}", known)) for i in range(draw(st.integers(1, most_jobs)))]
    if draw(st.booleans()):
        kept_apart = st.sampled_from((None, APART, {"team-a": APART["team-a"]}))
        made = [replace(each, tenant_namespaces=draw(kept_apart)) for each in made]
        waiting = [of_tenant(each, draw(st.sampled_from(("team-a", "team-b", "team-c")))) for each in waiting]
    mix = tuple((each.demands[0], draw(st.integers(1, 4))) for each in known) if draw(st.booleans()) else ()
    return replace(snapshot(waiting, made, members), mix=mix)


AMOUNTS: SearchStrategy[Vector] = st.dictionaries(st.sampled_from((CPU, MEMORY, PODS, "nvidia.com/gpu")), st.integers(-(10**6), 10**6)).map(
    Vector.of
)
"""Any vector, negative amounts included."""
