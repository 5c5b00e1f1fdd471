"""Model objects for tests: good defaults, and only what a test is about is said. No product logic here."""

from collections.abc import Iterable, Mapping

from sampan.catalog import load
from sampan.inventory.pools.grouping import cells_of, pools_of
from sampan.model.backlog import Backlog
from sampan.model.job import AlternativeOrder, Demand, Job, Placement, Requirement, Shape
from sampan.model.members.accelerator import AcceleratorClass, Precision
from sampan.model.members.admission import Quota
from sampan.model.members.cluster import Cell, Cluster, Node, Pool, Running
from sampan.model.members.offer import Offer, OfferKey, PoolRule, Price, Terms
from sampan.model.members.taint import Taint
from sampan.model.policy import BALANCED, Policy
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.model.values.selector import Expression, Operator, Selector
from sampan.model.values.vector import CPU, MEMORY, PODS, Vector

NOW = 1_800_000_000_000
GIB = 2**30
H100 = "nvidia-h100-sxm-80gb"
A100 = "nvidia-a100-sxm-80gb"
ASCEND = "huawei-910b3-64gb"
HYGON = "hygon-k100-ai-64gb"

_PUBLISHED = {
    H100: ("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}),
    A100: ("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}),
    ASCEND: ("huawei.com/Ascend910", {"node.kubernetes.io/npu.chip.name": "910B3", "mind-cluster/npu-chip-memory": "64G"}),
    HYGON: ("hygon.com/dcu", {"hygon.com/dcu.name": "K100_AI", "hygon.com/dcu.vram": "64G"}),
}
_ORIGINS = {"nvidia": "US", "huawei": "CN", "hygon": "CN"}


def vector(cpu: int = 0, gib: int = 0, pods: int = 0, **units: int) -> Vector:
    """Return a vector of whole cores, GiB, pods and units (`gpu=` stands for nvidia.com/gpu)."""
    named = {"nvidia.com/gpu" if name == "gpu" else name: amount for name, amount in units.items()}
    return Vector.of({CPU: cpu * 1000, MEMORY: gib * GIB, PODS: pods, **named})


def selector(**labels: str) -> Selector:
    """Return the selector of exact labels."""
    return Selector(tuple(Expression(key, Operator.IN, (value,)) for key, value in sorted(labels.items())))


def node(
    name: str = "n1",
    accelerator: str | None = None,
    devices: int = 8,
    *,
    cpu: int = 128,
    gib: int = 1024,
    pods: int = 110,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    resources: Mapping[str, int] | None = None,
    capacity: Mapping[str, int] | None = None,
    taints: Iterable[Taint] = (),
    architecture: str = "amd64",
    ready: bool = True,
    cordoned: bool = False,
) -> Node:
    """Return a node; `accelerator` gives it the resource name and the labels that its class publishes."""
    resource, told = _PUBLISHED[accelerator] if accelerator else ("", {})
    amounts = {CPU: cpu * 1000, MEMORY: gib * GIB, PODS: pods, **({resource: devices} if resource else {}), **(resources or {})}
    return Node(
        name=name,
        allocatable=Vector.of(amounts),
        capacity=Vector.of(capacity or {}),
        labels={**told, **(labels or {})},
        annotations=annotations or {},
        taints=tuple(taints),
        architecture=architecture,
        ready=ready,
        cordoned=cordoned,
    )


def nodes(prefix: str, amount: int, accelerator: str | None = None, devices: int = 8, *, cpu: int = 128) -> list[Node]:
    """Return so many like nodes: prefix-0, prefix-1, …"""
    return [node(f"{prefix}-{i}", accelerator, devices, cpu=cpu) for i in range(amount)]


def cluster(*members: Node, uid: str = "c1", used: Mapping[str, Vector] | None = None) -> Cluster:
    """Return a cluster whose devices the built-in catalogue has resolved."""
    known = {member.name: load().resolve(member) for member in members}
    return Cluster(uid=uid, nodes={member.name: member for member in members}, devices=known, used=used or {})


def quota(left: Mapping[str, int], name: str = "quota", *, best_effort: bool | None = None) -> Quota:
    """Return what a ResourceQuota leaves, in base units."""
    return Quota(name=name, left=left, best_effort=best_effort)


def accelerator_class(name: str = H100, *, vendor: str = "nvidia", fp16: int | None = 989 * MICRO, units: int = 1) -> AcceleratorClass:
    """Return a class that is not from the catalogue."""
    return AcceleratorClass(
        name=name,
        vendor=vendor,
        family=f"{vendor}-family",
        stack="cuda",
        origin=_ORIGINS.get(vendor, "US"),
        memory=80 * GIB,
        throughput=() if fp16 is None else ((Precision.FP16, fp16),),
        units_per_device=units,
    )


def price(accelerator: str = H100, amount: int = 10 * MICRO, *, since: int = 0, currency: str = "CNY", id_: str = "p1") -> Price:
    """Return a price in micro-units per device-hour."""
    return Price(id=id_, accelerator_class=accelerator, amount=amount, currency=currency, valid_from=since)


def offer(
    name: str = "o1",
    *,
    namespace: str = "prov",
    provider: str = "prov",
    region: str = "cn-east",
    jurisdiction: str = "CN",
    terms: Terms = Terms.ON_DEMAND,
    cluster_uid: str = "c1",
    labels: Mapping[str, str] | None = None,
    prices: Iterable[Price] | None = None,
    rules: Iterable[PoolRule] = (),
    accepting: bool = True,
    approved: bool = True,
    connected: bool = True,
    permitted: bool = True,
    valid_from: int | None = None,
    valid_until: int | None = None,
) -> Offer:
    """Return an offer that may be used, with one price for each class of this file."""
    default = [price(each, amount * MICRO, id_=each) for each, amount in ((H100, 12), (A100, 8), (ASCEND, 6), (HYGON, 4))]
    return Offer(
        key=OfferKey(namespace, name),
        uid=f"uid-{namespace}-{name}",
        provider=provider,
        region=region,
        jurisdiction=jurisdiction,
        terms=terms,
        cluster_uid=cluster_uid,
        labels=labels or {},
        accepting=accepting,
        approved=approved,
        connected=connected,
        permitted=permitted,
        valid_from=valid_from,
        valid_until=valid_until,
        rules=tuple(rules),
        prices=tuple(default if prices is None else prices),
    )


def requirement(accelerator: str | None = H100, count: int = 8, **others: str | int) -> Requirement:
    """Return what one replica needs; `others` are fields of Requirement."""
    return Requirement(count=count, accelerator_class=accelerator, **others)  # type: ignore[arg-type]


def demand(
    need: Requirement | None = None,
    *,
    replicas: int = 1,
    least: int | None = None,
    cpu: int = 4,
    gib: int = 16,
    alternative: int | None = 0,
    architectures: tuple[str, ...] = (),
    expected_seconds: int | None = None,
    wait_seconds: int = 0,
) -> Demand:
    """Return one way to run a job: a gang unless `least` says otherwise; without `need` CPU only."""
    return Demand(
        alternative=None if need is None else alternative,
        requirement=need,
        replicas=replicas,
        least_replicas=replicas if least is None else least,
        per_replica=vector(cpu, gib, 1),
        architectures=architectures,
        expected_seconds=expected_seconds,
        wait_seconds=wait_seconds,
    )


def shape(
    *demands: Demand,
    placement: Placement | None = None,
    policy: str = "balanced",
    order: AlternativeOrder = AlternativeOrder.IN_ORDER,
    expected_seconds: int | None = None,
) -> Shape:
    """Return a shape; without demands one whole H100 node."""
    return Shape(
        demands=demands or (demand(requirement()),),
        placement=placement or Placement(),
        policy=policy,
        order=order,
        expected_seconds=expected_seconds,
    )


def job(
    name: str = "j1",
    wanted: Shape | None = None,
    *,
    priority: int = 0,
    created: int = NOW - 1000,
    excluded: Iterable[tuple[OfferKey, str]] = (),
) -> Job:
    """Return a pending job; its UID is its name."""
    return Job(
        uid=name,
        namespace="team-a",
        name=name,
        resource_version="1",
        created=created,
        shape=wanted or shape(),
        priority=priority,
        excluded=frozenset(excluded),
    )


def running(uid: str, node: str, *, ends: int | None, devices: int = 8) -> Running:
    """Return a job of one replica on an H100 node."""
    return Running(
        job_uid=uid,
        namespace="n",
        queue="default",
        priority=0,
        offer=offer().key,
        pool="h100-sxm-80gb-x8",
        nodes=((node, 1),),
        per_replica=vector(gpu=devices),
        ends=ends,
    )


def pool(name: str = "h100-sxm-80gb-x8", *, accelerator: AcceleratorClass | None = None, members: Iterable[str] = ("n1",)) -> Pool:
    """Return a pool of H100 nodes, or of another class."""
    have = accelerator or load().get(H100)
    assert have is not None
    return Pool(
        name=name,
        cluster_uid="c1",
        nodes=tuple(members),
        vendor=have.vendor,
        resource="nvidia.com/gpu",
        accelerator=have,
        domestic=have.origin == "CN",
        devices_per_node=8,
    )


def cells(offers: Iterable[Offer], clusters: Iterable[Cluster]) -> tuple[Cell, ...]:
    """Return the cells of all offers, as the operator makes them; Chinese devices are domestic and overrides are trusted."""
    by_uid = {each.uid: each for each in clusters}
    return tuple(
        cell
        for each in offers
        if each.cluster_uid in by_uid
        for cell in cells_of(
            each.key, pools_of(each, by_uid[each.cluster_uid], load(), home_origins=frozenset({"CN"}), trust_overrides=True)
        )
    )


def snapshot(
    jobs: Iterable[Job] = (),
    offers: Iterable[Offer] = (),
    clusters: Iterable[Cluster] = (),
    *,
    policies: Iterable[Policy] = (BALANCED,),
    now: int = NOW,
    limit: int = 1000,
) -> Snapshot:
    """Return a picture of the world whose cells follow from offers and clusters."""
    offers, clusters = tuple(offers), tuple(clusters)
    return Snapshot(
        now=now,
        backlog=Backlog.of(jobs),
        offers={each.key: each for each in offers},
        cells=cells(offers, clusters),
        clusters={each.uid: each for each in clusters},
        policies={each.name: each for each in policies},
        classes=load().classes,
        limit=limit,
    )
