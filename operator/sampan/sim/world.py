"""A world under simulated time: one offer per simulated cluster, whole devices of one class, and what runs there.

Everything the scheduler sees is a plain Snapshot; what is never here: any rule of where a job goes or who comes first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sampan.model.backlog import Backlog
from sampan.model.job import Demand, Job, Placement, Requirement, Shape
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster, Node, Pool
from sampan.model.members.device import DeviceGroup
from sampan.model.members.offer import Offer, OfferKey, Terms
from sampan.model.plan import Assignment
from sampan.model.policy import BALANCED, Policy
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.capacity.request import replica_request, started

GPU: Final = AcceleratorClass(name="simulated-gpu", vendor="simulated", family="simulated", stack="simulated", origin="ZZ")
RESOURCE: Final = "simulated.example/gpu"
PODS_PER_NODE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimJob:
    """One job of a trace. Times in whole seconds from the trace's start."""

    name: str
    group: str
    """Virtual cluster, or tenant, that it belongs to."""
    submitted: int
    seconds: int
    """How long it runs once it has started."""
    devices: int


def node_of(name: str, devices: int) -> Node:
    """Return a node with whole devices and room for any number of pods."""
    return Node(name=name, allocatable=Vector.of({RESOURCE: devices, PODS: PODS_PER_NODE}))


def shape_of(devices: int, per_node: int, *, limit: int | None) -> Shape:
    """Return the shape of a job: on one node up to its devices, else a gang of whole nodes. `limit`: declared seconds."""
    replicas, count = (1, devices) if devices <= per_node else (-(-devices // per_node), per_node)
    demand = Demand(
        alternative=0,
        requirement=Requirement(count=count, accelerator_class=GPU.name),
        replicas=replicas,
        least_replicas=replicas,
        per_replica=Vector(((PODS, 1),)),
        limit_seconds=limit,
        span_seconds=limit,
    )
    return Shape(demands=(demand,), placement=Placement())


class World:
    """Clusters that jobs start and end on; every picture of it is frozen."""

    def __init__(self, nodes: Mapping[str, Iterable[Node]], *, devices_per_node: int, policy: Policy = BALANCED) -> None:
        """`nodes`: the nodes of each cluster, by the cluster's name."""
        self._policy = policy
        self._clusters: dict[str, Cluster] = {}
        self._offers: dict[OfferKey, Offer] = {}
        cells: list[Cell] = []
        for name, members in sorted(nodes.items()):
            have = {node.name: node for node in members}
            group = DeviceGroup(resource=RESOURCE, devices=devices_per_node, vendor=GPU.vendor, accelerator_class=GPU.name)
            self._clusters[name] = Cluster(uid=name, nodes=have, devices=dict.fromkeys(have, (group,)))
            offer = offer_of(name)
            self._offers[offer.key] = offer
            cells.append(Cell(offer=offer.key, pool=_pool(name, tuple(sorted(have)), devices_per_node)))
        self._cells = tuple(cells)
        self._where: dict[str, tuple[str, Assignment, Vector]] = {}

    def snapshot(self, now: int, jobs: Iterable[Job], *, limit: int) -> Snapshot:
        """Return the world at `now` (milliseconds) with these jobs waiting."""
        return Snapshot(
            now=now,
            backlog=Backlog.of(jobs),
            offers=self._offers,
            cells=self._cells,
            clusters=dict(self._clusters),
            policies={self._policy.name: self._policy},
            classes={GPU.name: GPU},
            limit=limit,
        )

    def start(self, assignment: Assignment, *, ends: int | None) -> None:
        """Let a job take its nodes; `ends` is its declared end in milliseconds, None where it declares none."""
        cluster = self._clusters[assignment.cluster_uid]
        cell = next(cell for cell in self._cells if cell.offer == assignment.offer)
        need = replica_request(assignment.demand, cell.pool)
        running = started(assignment, need, ends=ends)
        self._where[assignment.job.uid] = cluster.uid, assignment, need
        self._clusters[cluster.uid] = replace(
            cluster, used=_moved(cluster, assignment, need), running={**cluster.running, assignment.job.uid: running}
        )

    def end(self, uid: str) -> None:
        """Let a job give its nodes back."""
        name, assignment, need = self._where.pop(uid)
        cluster = self._clusters[name]
        running = {each: value for each, value in cluster.running.items() if each != uid}
        self._clusters[name] = replace(cluster, used=_moved(cluster, assignment, need.times(-1)), running=running)


def _moved(cluster: Cluster, assignment: Assignment, need: Vector) -> Mapping[str, Vector]:
    used = dict(cluster.used)
    for node, replicas in assignment.nodes:
        amount = used.get(node, Vector()) + need.times(replicas)
        if amount.amounts:
            used[node] = amount
        else:
            used.pop(node, None)
    return used


def offer_of(name: str) -> Offer:
    """Return an open offer of a simulated cluster."""
    return Offer(
        key=OfferKey("sim", name),
        uid=f"uid-{name}",
        provider=name,
        region=name,
        jurisdiction="ZZ",
        terms=Terms.ON_DEMAND,
        cluster_uid=name,
        approved=True,
        connected=True,
        permitted=True,
    )


def _pool(cluster: str, nodes: tuple[str, ...], devices_per_node: int) -> Pool:
    return Pool(
        name=f"gpu-x{devices_per_node}",
        cluster_uid=cluster,
        nodes=nodes,
        vendor=GPU.vendor,
        resource=RESOURCE,
        accelerator=GPU,
        devices_per_node=devices_per_node,
    )
