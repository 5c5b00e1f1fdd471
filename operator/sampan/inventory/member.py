"""What one member has: its nodes, and the pods that use their resources. Fed by the link's watches.

No I/O and no clock, and nothing about our own Jobs (`controller/members`). The mappings are live: read them, never change them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from sampan.inventory.in_flight import PodUse
from sampan.inventory.node_fitness import architecture_of, unfit
from sampan.inventory.node_slices import NodeSlices
from sampan.inventory.pod_uses import PodUses, use_of, waits
from sampan.inventory.quotas import MemberQuotas
from sampan.inventory.runtime_classes import RuntimeClasses
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.amounts import to_allocatable
from sampan.kube.objects.requests import request_of
from sampan.model.members.cluster import Node
from sampan.model.members.device import DeviceSlice
from sampan.model.members.taint import Taint
from sampan.model.values.vector import CPU, PODS, Vector

_BLOCKING_EFFECTS: Final = ("NoSchedule", "NoExecute")
_HOSTNAME: Final = "kubernetes.io/hostname"
_MOST: Final = {CPU: 1_000_000_000, PODS: 1_000_000}
_MOST_OF_ANYTHING: Final = 2**60
"""What a node says it has counts up to these (a million cores, a million pods, an exbibyte); no machine has more."""


def to_node(node: kube.Node) -> Node:
    """Return a node as the scheduler sees it; amounts that are no quantities are left out and named."""
    labels = node.metadata.labels
    amounts, odd = to_allocatable(node.status.allocatable)
    return Node(
        name=node.metadata.name,
        allocatable=_credible(amounts),
        capacity=_credible(to_allocatable({name: text for name, text in node.status.capacity.items() if "/" in name})[0]),
        odd=odd,
        labels=labels,
        annotations=node.metadata.annotations,
        taints=tuple(sorted(Taint(t.key, t.value, t.effect) for t in node.spec.taints if t.effect in _BLOCKING_EFFECTS)),
        architecture=architecture_of(node),
        hostname=labels.get(_HOSTNAME, ""),
        ready=any(c.type == "Ready" and c.status == "True" for c in node.status.conditions),
        cordoned=node.spec.unschedulable,
        unfit=unfit(node),
    )


def _credible(amounts: Vector) -> Vector:
    return Vector.of({name: min(amount, _MOST.get(name, _MOST_OF_ANYTHING)) for name, amount in amounts})


class _Waiting(NamedTuple):
    """A foreign pod without a node."""

    namespace: str
    request: Vector


class Inventory:
    """Nodes, pods and quotas of one member."""

    def __init__(self, hub_id: str, changed: Callable[[frozenset[str]], None]) -> None:
        """Start empty. `changed` is told the nodes whose state or pods changed, after the change; it must not block."""
        self._hub_id = hub_id
        self._changed = changed
        self._nodes: dict[str, Node] = {}
        self._pods = PodUses()
        self._slices = NodeSlices()
        self._waiting: dict[str, _Waiting] = {}
        """What foreign pods that have no node yet ask for, by pod UID."""
        self.quotas = MemberQuotas(self._notify_all)
        """What queues, limits or claims devices there."""
        self.runtime_classes = RuntimeClasses(self._notify_all)
        """What RuntimeClasses add to pods there."""

    @property
    def waiting(self) -> Mapping[str, Vector]:
        """What foreign pods without a node ask for, by pod UID."""
        return {uid: pod.request for uid, pod in self._waiting.items()}

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Nodes by name."""
        return MappingProxyType(self._nodes)

    @property
    def pods(self) -> Mapping[str, PodUse]:
        """Pods that use a node, by pod UID."""
        return self._pods.by_uid

    def pods_on(self, node: str) -> Iterable[PodUse]:
        """Return the pods that use a node."""
        return self._pods.on(node)

    def pods_of(self, job_uid: str) -> Iterable[PodUse]:
        """Return the pods of one of our jobs that use nodes, wherever they are."""
        return self._pods.of(job_uid)

    def replace_nodes(self, nodes: Iterable[kube.Node]) -> None:
        """Take a full list: nodes that are not in it are gone."""
        fresh = {node.metadata.name: self._node(node) for node in nodes}
        changed = {name for name in fresh.keys() | self._nodes.keys() if fresh.get(name) != self._nodes.get(name)}
        self._nodes.clear()
        self._nodes.update(fresh)
        self._notify(changed)

    def put_node(self, node: kube.Node) -> None:
        """Take one node; a heartbeat that changes nothing notifies nobody."""
        fresh = self._node(node)
        if self._nodes.get(fresh.name) != fresh:
            self._nodes[fresh.name] = fresh
            self._notify({fresh.name})

    def drop_node(self, name: str) -> None:
        """Forget a node."""
        if self._nodes.pop(name, None) is not None:
            self._notify({name})

    def _node(self, node: kube.Node) -> Node:
        slices = self._slices.of(node.metadata.name)
        made = to_node(node)
        return replace(made, slices=slices) if slices else made

    @property
    def has_slices(self) -> bool:
        """Tell whether any node has ResourceSlices."""
        return bool(self._slices)

    def replace_slices(self, slices: Iterable[DeviceSlice]) -> None:
        """Take the full list of the nodes' own ResourceSlices."""
        self._attach_slices(self._slices.replace(slices))

    def put_slice(self, each: DeviceSlice) -> None:
        """Take one ResourceSlice."""
        self._attach_slices(self._slices.put(each))

    def drop_slice(self, name: str) -> None:
        """Forget a ResourceSlice."""
        self._attach_slices(self._slices.drop(name))

    def _attach_slices(self, nodes: Iterable[str]) -> None:
        """Attach their slices to the values of these nodes."""
        changed = set()
        for name in nodes:
            known, fresh = self._nodes.get(name), self._slices.of(name)
            if known is not None and known.slices != fresh:
                self._nodes[name] = replace(known, slices=fresh)
                changed.add(name)
        self._notify(changed)

    def replace_pods(
        self, pods: Iterable[kube.Pod], unreadable: Iterable[str] = (), *, covers: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Take a full list of the unfinished pods of the namespaces it covers; `unreadable`: UIDs of those whose last reading stands."""
        pods, stand = tuple(pods), frozenset(unreadable)
        fresh = {uid: use for uid, use in self.pods.items() if uid in stand or not covers(use.namespace)}
        fresh |= {use.uid: use for pod in pods if (use := use_of(pod, self._hub_id)) is not None}
        waiting = {uid: each for uid, each in self._waiting.items() if uid in stand or not covers(each.namespace)}
        waiting |= {pod.metadata.uid: _Waiting(pod.metadata.namespace, request_of(pod)) for pod in pods if waits(pod, self._hub_id)}
        if waiting != self._waiting:
            self._waiting = waiting
            self._notify_all()
        self._notify(self._pods.replace(fresh))

    def put_pod(self, pod: kube.Pod) -> None:
        """Take one pod; it uses its node from when it is bound to it until it ends."""
        self._note_waiting(pod.metadata.uid, _Waiting(pod.metadata.namespace, request_of(pod)) if waits(pod, self._hub_id) else None)
        use, old = use_of(pod, self._hub_id), self.pods.get(pod.metadata.uid)
        if use == old:
            return
        self._pods.remove(pod.metadata.uid)
        if use is not None:
            self._pods.add(use)
        self._notify({each.node for each in (use, old) if each is not None})

    def drop_pod(self, uid: str) -> None:
        """Forget a pod: it ended or is gone."""
        self._note_waiting(uid, None)
        old = self._pods.remove(uid)
        if old is not None:
            self._notify({old.node})

    def _note_waiting(self, uid: str, pod: _Waiting | None) -> None:
        if self._waiting.get(uid) == pod:
            return
        if pod is None:
            del self._waiting[uid]
        else:
            self._waiting[uid] = pod
        self._notify_all()

    def _notify_all(self) -> None:
        """Say that something changed which concerns no single node."""
        self._changed(frozenset())

    def _notify(self, nodes: set[str]) -> None:
        if nodes:
            self._changed(frozenset(nodes))
