"""Random worlds for property tests: small enough to shrink, crowded enough that jobs get in each other's way."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from builders import A100, ASCEND, H100, HYGON, NOW, cluster, demand, job, node, offer, price, requirement, shape, snapshot
from sampan.model.cluster import Cluster, Node
from sampan.model.job import AlternativeOrder, Demand, Domestic, Job, Placement, Requirement, Shape
from sampan.model.offer import Offer, PoolRule, Terms
from sampan.model.quantity import MICRO
from sampan.model.selector import Selector
from sampan.model.snapshot import Snapshot
from sampan.model.vector import CPU, MEMORY, PODS, Vector

CLASSES = (H100, A100, ASCEND, HYGON)
REGIONS = ("cn-east", "cn-north", "eu-west")


@st.composite
def clusters(draw: st.DrawFn, uid: str) -> Cluster:
    """A member of up to six nodes, partly used."""
    members: list[Node] = []
    used: dict[str, Vector] = {}
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from((*CLASSES, None)))
        member = node(f"{uid}-n{number}", kind, draw(st.sampled_from((2, 4, 8))), cpu=draw(st.sampled_from((16, 64))), gib=256)
        members.append(member)
        if draw(st.booleans()):
            used[member.name] = draw(_parts_of(member))
    return cluster(*members, uid=uid, used=used)


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
    return offer(
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


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    """A gang or a sweep, with or without devices."""
    replicas = draw(st.integers(1, 4))
    count = draw(st.sampled_from((1, 2, 4, 8)))
    by_class = st.sampled_from(CLASSES).map(lambda name: requirement(name, count))
    by_stack = st.sampled_from(("cuda", "cann", "dtk")).map(lambda stack: Requirement(count=count, stack=stack))
    return demand(
        draw(st.one_of(st.none(), by_class, by_stack)),
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
        domestic=draw(st.sampled_from(tuple(Domestic))),
        max_price=draw(st.sampled_from((None, None, 9 * MICRO))),
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


@st.composite
def worlds(draw: st.DrawFn, most_jobs: int = 8) -> Snapshot:
    """Members, offers that may share them, and jobs of a few shapes."""
    members = [draw(clusters(f"c{i}")) for i in range(draw(st.integers(1, 3)))]
    uids = tuple(member.uid for member in members)
    made = [draw(offers(f"o{i}", uids)) for i in range(draw(st.integers(1, 4)))]
    known = tuple(draw(st.lists(shapes(), min_size=1, max_size=3)))
    waiting = [draw(jobs(f"j{i}", known)) for i in range(draw(st.integers(1, most_jobs)))]
    return snapshot(waiting, made, members)


AMOUNTS: SearchStrategy[Vector] = st.dictionaries(st.sampled_from((CPU, MEMORY, PODS, "nvidia.com/gpu")), st.integers(-(10**6), 10**6)).map(
    Vector.of
)
"""Any vector, negative amounts included."""
