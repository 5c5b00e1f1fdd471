"""What one member has: its nodes, and the pods that take room on them. Fed by the link's watches.

No I/O and no clock, and nothing about our own Jobs (`own_jobs.py`). The mappings are live: read them, never change them.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from sampan.kube import workloads as kube
from sampan.model.cluster import Node, Taint
from sampan.model.names import LABEL_HUB, LABEL_JOB_UID
from sampan.model.quantity import QuantityError, parse_quantity
from sampan.model.vector import CPU, PODS, Vector
from sampan.scheduling.capacity import InitContainer, PodUse, pod_request

_KEEPS_AWAY: Final = ("NoSchedule", "NoExecute")
_ENDED: Final = ("Succeeded", "Failed")
_HOSTNAME: Final = "kubernetes.io/hostname"
_MOST: Final = {CPU: 1_000_000_000, PODS: 1_000_000}
_MOST_OF_ANYTHING: Final = 2**60
"""What a node says it has counts up to these (a million cores, a million pods, an exbibyte); no machine has more."""


def job_uid_of(labels: Mapping[str, str], hub_id: str) -> str | None:
    """Return the ComputeJob whose copy carries these labels; None where they do not name exactly this hub."""
    return labels.get(LABEL_JOB_UID) or None if labels.get(LABEL_HUB) == hub_id else None


def to_node(node: kube.Node) -> Node:
    """Return a node as the scheduler sees it; amounts that are no quantities are left out."""
    labels = node.metadata.labels
    return Node(
        name=node.metadata.name,
        allocatable=_credible(to_vector(node.status.allocatable)),
        labels=labels,
        annotations=node.metadata.annotations,
        taints=tuple(sorted(Taint(t.key, t.value, t.effect) for t in node.spec.taints if t.effect in _KEEPS_AWAY)),
        architecture=node.status.node_info.architecture or labels.get("kubernetes.io/arch", "amd64"),
        hostname=labels.get(_HOSTNAME, ""),
        ready=any(c.type == "Ready" and c.status == "True" for c in node.status.conditions),
        cordoned=node.spec.unschedulable,
    )


def to_vector(amounts: Mapping[str, str]) -> Vector:
    """Return amounts in base units; what is no quantity is left out."""
    parsed: dict[str, int] = {}
    for name, text in amounts.items():
        try:
            parsed[name] = parse_quantity(text, milli=name == CPU)
        except QuantityError:
            continue  # a resource without an amount is one that nothing can be asked of
    return Vector.of(parsed)


def _credible(amounts: Vector) -> Vector:
    return Vector.of({name: min(amount, _MOST.get(name, _MOST_OF_ANYTHING)) for name, amount in amounts})


def request_of(pod: kube.Pod) -> Vector:
    """Return what a pod asks for on its node: containers and sidecars, init containers, overhead, pod-level requests, one pod slot."""
    spec = pod.spec
    return pod_request(
        [to_vector(c.resources.requests) for c in spec.containers],
        init=[InitContainer(request=to_vector(c.resources.requests), sidecar=c.restart_policy == "Always") for c in spec.init_containers],
        overhead=to_vector(spec.overhead),
        level=to_vector(spec.resources.requests) if spec.resources else None,
    )


class Inventory:
    """Nodes and room of one member."""

    def __init__(self, hub_id: str, changed: Callable[[frozenset[str]], None]) -> None:
        """Start empty. `changed` is told the nodes whose state or pods changed, after the change; it must not block."""
        self._hub_id = hub_id
        self._changed = changed
        self._nodes: dict[str, Node] = {}
        self._pods: dict[str, PodUse] = {}
        self._pods_on: dict[str, dict[str, PodUse]] = {}
        self._pods_of: dict[str, dict[str, PodUse]] = {}

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Nodes by name."""
        return MappingProxyType(self._nodes)

    @property
    def pods(self) -> Mapping[str, PodUse]:
        """Pods that hold room on a node, by pod UID."""
        return MappingProxyType(self._pods)

    def pods_on(self, node: str) -> Iterable[PodUse]:
        """Return the pods that hold room on a node."""
        return tuple(self._pods_on.get(node, {}).values())

    def pods_of(self, job_uid: str) -> Iterable[PodUse]:
        """Return the pods of one of our jobs that hold room, wherever they are."""
        return tuple(self._pods_of.get(job_uid, {}).values())

    def replace_nodes(self, nodes: Iterable[kube.Node]) -> None:
        """Take a full list: nodes that are not in it are gone."""
        fresh = {node.metadata.name: to_node(node) for node in nodes}
        changed = {name for name in fresh.keys() | self._nodes.keys() if fresh.get(name) != self._nodes.get(name)}
        self._nodes.clear()
        self._nodes.update(fresh)
        self._tell(changed)

    def put_node(self, node: kube.Node) -> None:
        """Take one node; a heartbeat that changes nothing tells nobody."""
        fresh = to_node(node)
        if self._nodes.get(fresh.name) != fresh:
            self._nodes[fresh.name] = fresh
            self._tell({fresh.name})

    def drop_node(self, name: str) -> None:
        """Forget a node."""
        if self._nodes.pop(name, None) is not None:
            self._tell({name})

    def replace_pods(self, pods: Iterable[kube.Pod], unreadable: Iterable[str] = ()) -> None:
        """Take a full list of the unfinished pods of all namespaces; `unreadable` are UIDs of those whose last reading stands."""
        fresh = {uid: self._pods[uid] for uid in unreadable if uid in self._pods}
        fresh |= {use.uid: use for use in map(self._use, pods) if use is not None}
        changed = {use.node for uid, use in fresh.items() if self._pods.get(uid) != use}
        changed |= {use.node for uid, use in self._pods.items() if fresh.get(uid) != use}
        self._pods.clear()
        self._pods_on.clear()
        self._pods_of.clear()
        for use in fresh.values():
            self._set_use(use)
        self._tell(changed)

    def put_pod(self, pod: kube.Pod) -> None:
        """Take one pod; it holds room from when it is bound to a node until it ends."""
        use, old = self._use(pod), self._pods.get(pod.metadata.uid)
        if use == old:
            return
        self._unset_use(pod.metadata.uid)
        if use is not None:
            self._set_use(use)
        self._tell({each.node for each in (use, old) if each is not None})

    def drop_pod(self, uid: str) -> None:
        """Forget a pod: it ended or is gone."""
        old = self._unset_use(uid)
        if old is not None:
            self._tell({old.node})

    def _use(self, pod: kube.Pod) -> PodUse | None:
        if not pod.spec.node_name or pod.status.phase in _ENDED or not pod.metadata.uid:
            return None
        return PodUse(
            uid=pod.metadata.uid, node=pod.spec.node_name, request=request_of(pod), job_uid=job_uid_of(pod.metadata.labels, self._hub_id)
        )

    def _set_use(self, use: PodUse) -> None:
        self._pods[use.uid] = use
        self._pods_on.setdefault(use.node, {})[use.uid] = use
        if use.job_uid is not None:
            self._pods_of.setdefault(use.job_uid, {})[use.uid] = use

    def _unset_use(self, uid: str) -> PodUse | None:
        old = self._pods.pop(uid, None)
        if old is not None:
            _take_out(self._pods_on, old.node, uid)
            if old.job_uid is not None:
                _take_out(self._pods_of, old.job_uid, uid)
        return old

    def _tell(self, nodes: set[str]) -> None:
        if nodes:
            self._changed(frozenset(nodes))


def _take_out(index: dict[str, dict[str, PodUse]], key: str, uid: str) -> None:
    del index[key][uid]
    if not index[key]:
        del index[key]
