"""Why a node of a member can never run a pod of ours, by what it says of itself. Whether it can now is `ready` and `cordoned`.

Must never live here: taints that a pod may tolerate, and what an offer chooses.
"""

from collections.abc import Iterator
from typing import Final

from sampan.kube.objects import workloads as kube

LINUX: Final = "linux"
_OS: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")
_WINDOWS: Final = "node.kubernetes.io/windows-build"
"""Put on by kubelets of Windows alone (kubernetes.io, Well-Known Labels)."""
_ARCHITECTURE: Final = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
_VIRTUAL_LABELS: Final = (
    ("type", "virtual-kubelet"),
    ("liqo.io/type", "virtual-node"),
    ("eks.amazonaws.com/compute-type", "fargate"),
    ("node.kubernetes.io/instance-type", "eklet"),
)
"""Labels of nodes that stand for a service: Virtual Kubelet (and AKS, ACK and CCE with it), Liqo, EKS Fargate, Tencent's super nodes.

Sources: virtual-kubelet/virtual-kubelet node/nodeutil; docs.liqo.io; docs.aws.amazon.com/eks Fargate; tencentcloud TKE super nodes."""
_VIRTUAL_TAINTS: Final = ("virtual-kubelet.io/provider", "virtual-node.liqo.io/not-allowed", "eks.tke.cloud.tencent.com/eklet")


def unfit(node: kube.Node) -> tuple[str, str] | None:
    """Return (cause, what tells it) of a node that no pod of ours can run on, None of any other.

    The amounts of a node that stands for a service are that service's limits: nothing is free or taken there, no pod is beside another.
    """
    return next(_causes(node), None)


def _causes(node: kube.Node) -> Iterator[tuple[str, str]]:
    labels = node.metadata.labels
    if node.metadata.deletion_timestamp is not None:
        yield "Deleting", "deletionTimestamp is set"
    for name, system in (*_told(labels, _OS), ("nodeInfo.operatingSystem", node.status.node_info.operating_system)):
        if system and system.lower() != LINUX:
            yield "NotLinux", f"{name}={system}"
    if _WINDOWS in labels:
        yield "NotLinux", f"label {_WINDOWS}"
    real = node.status.node_info.architecture
    for name, architecture in _told(labels, _ARCHITECTURE):
        if real and architecture != real:
            yield "ArchitectureUnclear", f"{name}={architecture}, nodeInfo.architecture={real}"
    for name, value in _VIRTUAL_LABELS:
        if labels.get(name) == value:
            yield "VirtualNode", f"{name}={value}"
    for taint in node.spec.taints:
        if taint.key in _VIRTUAL_TAINTS:
            yield "VirtualNode", f"taint {taint.key}"


def architecture_of(node: kube.Node) -> str:
    """Return the CPU architecture as its kubelet reports it, else as a label says; amd64 where nobody says."""
    told = (value for _, value in _told(node.metadata.labels, _ARCHITECTURE))
    return node.status.node_info.architecture or next(told, "amd64")


def _told(labels: dict[str, str], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((name, labels[name]) for name in names if labels.get(name))
