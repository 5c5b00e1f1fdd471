"""What of a member's objects goes into its summary: nodes without what nobody reads, pods added up. Pure; nothing is watched or written.

A pod is told by node and amounts alone: no name, namespace, image or owner of somebody else's pod leaves the member.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from sampan.catalog.devices.in_use import allocated_cards, allocated_devices
from sampan.kube.objects.amounts import to_allocatable
from sampan.kube.objects.meta import ObjectMeta
from sampan.kube.objects.quotas import ResourceClaim
from sampan.kube.objects.requests import request_of
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.objects.summary import Summary
from sampan.kube.objects.workloads import Condition, ContainerStatus, Node, NodeStatus, Pod, PodSpec, PodStatus, Resources
from sampan.model.values.names import LABEL_HUB
from sampan.model.values.quantity import MAX_AMOUNT
from sampan.model.values.vector import CPU, PODS, Vector

_ENDED: Final = ("Succeeded", "Failed")
_UNREAD: Final = ("kubectl.kubernetes.io/", "volumes.kubernetes.io/", "node.alpha.kubernetes.io/", "csi.volume.kubernetes.io/")
"""Annotations that tell nothing of devices."""


def trim_node(node: Node) -> Node:
    """Return a node with what tells its capacity and devices: labels, annotations, taints, amounts, whether it is ready or going."""
    meta, status = node.metadata, node.status
    told = {key: value for key, value in meta.annotations.items() if not key.startswith(_UNREAD)}
    ready = [Condition(type=each.type, status=each.status) for each in status.conditions if each.type == "Ready"]
    return Node(
        metadata=ObjectMeta(name=meta.name, labels=meta.labels, annotations=told, deletion_timestamp=meta.deletion_timestamp and "set"),
        spec=node.spec,
        status=NodeStatus(
            allocatable=status.allocatable,
            capacity={name: text for name, text in status.capacity.items() if "/" in name},
            conditions=ready,
            node_info=status.node_info,
        ),
    )


def trim_pod(pod: Pod) -> Pod:
    """Return a pod with what `folded` reads: a new status message changes nothing."""
    meta = pod.metadata
    kept = {LABEL_HUB: meta.labels[LABEL_HUB]} if LABEL_HUB in meta.labels else {}
    return Pod(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
            labels=kept,
            annotations=_device_annotations(meta.annotations),
            deletion_timestamp=meta.deletion_timestamp and "set",
        ),
        spec=pod.spec,
        status=PodStatus(
            phase=pod.status.phase if pod.status.phase in _ENDED else "",
            container_statuses=_sizes(pod.status.container_statuses),
            init_container_statuses=_sizes(pod.status.init_container_statuses),
        ),
    )


def trim_claim(claim: ResourceClaim) -> ResourceClaim:
    """Return which devices a claim holds, and not whose it is."""
    return ResourceClaim(metadata=ObjectMeta(uid=claim.metadata.uid), status=claim.status)


def trim_runtime_class(each: RuntimeClass) -> RuntimeClass:
    """Return what a RuntimeClass adds to pods and the nodes that it selects."""
    return RuntimeClass(metadata=ObjectMeta(name=each.metadata.name), overhead=each.overhead, scheduling=each.scheduling)


def headline(summary: Summary) -> dict[str, object]:
    """Return what a line of the log says of a summary: how many nodes, how many of them ready, and their devices by resource."""
    devices = Counter[str]()
    for node in summary.nodes:
        devices.update({name: count for name, count in to_allocatable(node.status.allocatable)[0] if "/" in name})
    ready = sum(any(each.type == "Ready" and each.status == "True" for each in node.status.conditions) for node in summary.nodes)
    return {"nodes": len(summary.nodes), "ready": ready, "devices": dict(sorted(devices.items())), "slices": len(summary.slices)}


def summarise_pods(pods: Iterable[Pod], *, namespaces: Collection[str]) -> list[Pod]:
    """Return pods that hold together what these hold, as a hub counts them.

    One for each node and hub, and one for each kind of pod that still waits for a node. A pod counts as a hub's only in the
    `namespaces` of the jobs, so that nobody else can have theirs left out by a label. Pods on which a device plugin wrote which
    devices or cards they hold stay single: shares of cards cannot be added up.
    """
    sums: dict[tuple[str, str, tuple[str, ...]], list[Vector]] = {}
    single: list[Pod] = []
    for pod in sorted(pods, key=lambda each: each.metadata.uid):
        node, request = pod.spec.node_name, request_of(pod)
        if pod.status.phase in _ENDED or (not node and pod.metadata.deletion_timestamp is not None):
            continue
        hub = pod.metadata.labels.get(LABEL_HUB, "") if pod.metadata.namespace in namespaces else ""
        told = _device_annotations(pod.metadata.annotations)
        if node and told:
            single.append(_pod(pod.metadata.uid, request, node=node, hub=hub, annotations=told))
        else:
            waits_for = () if node else tuple(name for name, _ in request if "/" in name)
            sums.setdefault((node, hub, waits_for), []).append(request)
    together = [
        _pod("/".join(("fold", node, hub, *kinds))[-512:], Vector.total(sums[node, hub, kinds]), node=node, hub=hub)
        for node, hub, kinds in sorted(sums)
    ]
    return single + together


def _sizes(statuses: Iterable[ContainerStatus]) -> list[ContainerStatus]:
    """Return what containers were promised and have, and nothing of how they are."""
    return [
        ContainerStatus(name=each.name, allocated_resources=each.allocated_resources, resources=each.resources)
        for each in statuses
        if each.allocated_resources or each.resources
    ]


def _device_annotations(annotations: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in annotations.items() if allocated_cards({key: value}) or allocated_devices({key: value})}


def _pod(uid: str, request: Vector, *, node: str, hub: str, annotations: dict[str, str] | None = None) -> Pod:
    """Return a pod that asks for just this: every pod takes a slot by itself, the others are asked for."""
    amounts = {name: str(min(amount, MAX_AMOUNT)) + ("m" if name == CPU else "") for name, amount in request}
    amounts[PODS] = str(request[PODS] - 1)
    return Pod(
        metadata=ObjectMeta(uid=uid, labels={LABEL_HUB: hub} if hub else {}, annotations=annotations or {}),
        spec=PodSpec(node_name=node, resources=Resources(requests=amounts)),
        status=PodStatus(phase="Running" if node else "Pending"),
    )
