"""The packing comparison: pods of a shared cluster placed in turn through `schedule()` until demand exceeds what there is.

Protocol of Weng et al., ATC'23: the pod list, then pods drawn from it with replacement until device demand is 130 % of capacity,
shuffled; what does not fit is dropped, nothing ends. Only set-ups and sums live here, no rule of where a pod goes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

import numpy as np

from sampan.model.backlog import Backlog
from sampan.model.job import Demand, Job, Placement, Requirement, Shape, Share
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import CardUse, Cell, Cluster, Node, Pool
from sampan.model.members.device import Card, DeviceGroup
from sampan.model.members.offer import Offer
from sampan.model.plan import Assignment
from sampan.model.policy import BALANCED
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import CPU, MEMORY, PODS, Vector
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.request import replica_request
from sampan.scheduling.capacity.topology import Cards, take_cards
from sampan.scheduling.cycle import schedule
from sampan.sim.traces import SimNode, SimPod
from sampan.sim.world import GPU, PODS_PER_NODE, offer_of

SEEDS: Final = tuple(range(42, 52))
PUBLISHED: Final = (("best fit", 9308), ("FGD", 9539))
"""Mean share of devices allocated once 130 % of them were asked for, in hundredths of a percent."""
DEMAND: Final = 130
"""Percent of capacity that is asked for in the end."""
WHOLE: Final = 1000
BATCH: Final = 64
"""Pods of one cycle; they are placed in turn, so that the result is that of one cycle each."""
MIX: Final = 64
CLUSTER: Final = "openb"
RESOURCE: Final = "nvidia.com/gpu"
"""One whose shares can be asked for: the scheduler refuses shares of others."""
POLICY: Final = replace(BALANCED, name="openb", cpu_on_accelerators=True, cpu_reserve_per_device=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What was placed; devices in thousandths."""

    placed: int
    pods: int
    capacity: int
    allocated: int

    @property
    def share(self) -> int:
        """Return the share of devices allocated in hundredths of a percent, rounded."""
        return (self.allocated * 20_000 + self.capacity) // (2 * self.capacity)


def inflated_list(pods: Sequence[SimPod], capacity: int, *, seed: int) -> list[SimPod]:
    """Return the pods in the order of their arrival: the list and draws from it up to the demand, shuffled."""
    draw = Random(seed)  # noqa: S311  a simulation
    found = list(pods)
    asked = sum(pod.devices * pod.milli for pod in found)
    while asked * 100 < capacity * DEMAND:
        found.append(draw.choice(pods))
        asked += found[-1].devices * found[-1].milli
    draw.shuffle(found)
    return found


def pack(nodes: Sequence[SimNode], pods: Sequence[SimPod], *, seed: int) -> Packed:
    """Place the pods of one seed; nothing ever ends."""
    capacity = sum(node.devices for node in nodes) * WHOLE
    arriving = inflated_list(pods, capacity, seed=seed)
    shapes = {pod: shape_of(pod) for pod in pods}
    counts = Counter(pods)
    mix = tuple((shapes[pod].demands[0], count) for pod, count in sorted(counts.items(), key=lambda each: (-each[1], repr(each[0])))[:MIX])
    floor, memo, placed, allocated = Floor(nodes), Memo(), 0, 0
    for start in range(0, len(arriving), BATCH):
        jobs = {f"{start + number:08d}": pod for number, pod in enumerate(arriving[start : start + BATCH])}
        waiting = [_job(uid, shapes[pod], created=int(uid)) for uid, pod in jobs.items()]
        plan, memo = schedule(replace(floor.snapshot(waiting), mix=mix), memo)
        for assignment in plan.assignments:
            pod = jobs[assignment.job.uid]
            floor.take(assignment, pod)
            placed, allocated = placed + 1, allocated + pod.devices * pod.milli
    return Packed(placed=placed, pods=len(arriving), capacity=capacity, allocated=allocated)


def shape_of(pod: SimPod) -> Shape:
    """Return the shape of a pod: a share of each of its devices, all of them on one node."""
    wanted = Requirement(count=pod.devices, accelerator_class=GPU.name, share=Share(memory=pod.milli)) if pod.devices else None
    amounts = Vector.of({CPU: pod.cpu, MEMORY: pod.memory, PODS: 1})
    demand = Demand(alternative=0, requirement=wanted, replicas=1, least_replicas=1, per_replica=amounts)
    return Shape(demands=(demand,), placement=Placement(), policy=POLICY.name)


@dataclass(slots=True)
class Floor:
    """The nodes, and what is taken of them and of their cards."""

    made: Sequence[SimNode]
    cell: Cell = field(init=False)
    offer: Offer = field(init=False)
    cluster: Cluster = field(init=False)
    _cards: dict[str, Cards] = field(init=False)
    """What is left, by node."""

    def __post_init__(self) -> None:
        have = {each.name: _node(each) for each in self.made}
        groups = {each.name: (_group(each.devices),) for each in self.made}
        self.offer = offer_of(CLUSTER)
        self.cluster = Cluster(uid=CLUSTER, nodes=have, devices=groups)
        self.cell = Cell(offer=self.offer.key, pool=_pool(tuple(sorted(have))))
        self._cards = {name: whole_cards(group[0].devices) for name, group in groups.items()}

    def snapshot(self, jobs: Sequence[Job]) -> Snapshot:
        """Return the nodes with these pods waiting."""
        return Snapshot(
            now=1_000_000_000,
            backlog=Backlog.of(jobs),
            offers={self.offer.key: self.offer},
            cells=(self.cell,),
            clusters={CLUSTER: self.cluster},
            policies={POLICY.name: POLICY},
            classes={GPU.name: GPU},
            limit=len(jobs),
        )

    def take(self, assignment: Assignment, pod: SimPod) -> None:
        """Let a pod take its node, and the cards that the scheduler counts on."""
        ((name, _),) = assignment.nodes
        used, cards = dict(self.cluster.used), dict(self.cluster.cards)
        used[name] = used.get(name, Vector()) + replica_request(assignment.demand, self.cell.pool)
        if pod.devices:
            left = take_cards(self._cards[name], Share(memory=pod.milli), pod.devices)
            for number in (left != self._cards[name]).any(axis=1).nonzero()[0].tolist():
                taken = whole_cards(1)[0] - left[number]
                cards[name, str(number)] = CardUse(memory=int(taken[0]), cores=int(taken[1]), slots=int(taken[2]))
            self._cards[name] = left
        self.cluster = replace(self.cluster, used=used, cards=cards)


def whole_cards(count: int) -> Cards:
    """Return untouched cards: thousandths as memory, no cores to ask for, room for as many containers."""
    return np.array([(WHOLE, 100, WHOLE)] * count, dtype=np.int64)


def _group(devices: int) -> DeviceGroup:
    cards = tuple(Card(id=str(number), memory=WHOLE, cores=100, slots=WHOLE) for number in range(devices))
    return DeviceGroup(
        resource=RESOURCE, devices=devices, vendor=GPU.vendor, accelerator_class=GPU.name, sharing=Sharing.VIRTUAL, cards=cards
    )


def _node(made: SimNode) -> Node:
    amounts = {CPU: made.cpu, MEMORY: made.memory, PODS: PODS_PER_NODE, RESOURCE: made.devices * WHOLE}
    return Node(name=made.name, allocatable=Vector.of(amounts))


def _pool(nodes: tuple[str, ...]) -> Pool:
    return Pool(
        name="gpu-shares", cluster_uid=CLUSTER, nodes=nodes, vendor=GPU.vendor, resource=RESOURCE, accelerator=GPU, sharing=Sharing.VIRTUAL
    )


def _job(uid: str, shape: Shape, *, created: int) -> Job:
    return Job(uid=uid, namespace="openb", name=uid, resource_version="1", created=created, shape=shape)
