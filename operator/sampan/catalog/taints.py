"""Taints that clouds, autoscalers and administrators put on nodes: the usual ones by the name of their set, and those of a node's life.

What a device plugin's own taint is stands with its vendor. No node and no offer here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sampan.model.members.taint import Taint, Toleration


class TolerationSet(StrEnum):
    """Usual taints that go together."""

    GPU_NODES = "GPUNodes"
    SPOT = "Spot"
    ARM64 = "Arm64"


USUAL: Final[Mapping[TolerationSet, tuple[Toleration, ...]]] = {
    TolerationSet.GPU_NODES: (
        Toleration("sku", "gpu"),  # learn.microsoft.com/azure/aks: Use GPUs, --node-taints sku=gpu:NoSchedule
        Toleration("dedicated", "gpu"),  # kubernetes.io, Taints and Tolerations: dedicated nodes
        Toleration("gpu", "true"),  # examples of EKS node groups and of `kubectl taint`
    ),
    TolerationSet.SPOT: (
        Toleration("cloud.google.com/gke-spot"),  # cloud.google.com/kubernetes-engine: Spot VMs
        Toleration("cloud.google.com/gke-preemptible"),  # the same: Preemptible VMs
        Toleration("kubernetes.azure.com/scalesetpriority", "spot"),  # learn.microsoft.com/azure/aks: Add a Spot node pool
        Toleration("oci.oraclecloud.com/oke-is-preemptible"),  # docs.oracle.com, Kubernetes Engine: Preemptible Capacity
    ),
    TolerationSet.ARM64: (
        Toleration("kubernetes.io/arch", "arm64"),  # cloud.google.com/kubernetes-engine: Prepare an Arm workload
    ),
}
"""What each set tolerates. `nvidia.com/gpu` and its like are in none: a job that asks for the devices tolerates them anyway."""
LIFECYCLE_PREFIXES: Final = (
    "node.kubernetes.io/",  # not-ready, unreachable, memory-pressure, unschedulable, out-of-service … (kubernetes.io, Well-Known Taints)
    "node.cloudprovider.kubernetes.io/",  # uninitialized, shutdown (the same)
    "node.cluster.x-k8s.io/",  # uninitialized (Cluster API)
    "aws-node-termination-handler/",  # spot-itn, scheduled-maintenance … (aws/aws-node-termination-handler)
)
LIFECYCLE_KEYS: Final = (
    "ToBeDeletedByClusterAutoscaler",  # kubernetes/autoscaler, taints
    "DeletionCandidateOfClusterAutoscaler",
    "cloud.google.com/impending-node-termination",  # GoogleCloudPlatform/k8s-node-termination-handler
    "karpenter.sh/disrupted",  # kubernetes-sigs/karpenter, pkg/apis/v1/taints.go, and its names before v1
    "karpenter.sh/disruption",
    "karpenter.sh/disrupting",
    "karpenter.sh/rebooting",
    "karpenter.sh/unregistered",
    "node.cilium.io/agent-not-ready",  # docs.cilium.io, Taint effects
    "ebs.csi.aws.com/agent-not-ready",  # kubernetes-sigs/aws-ebs-csi-driver: startup taint
)
"""Keys, and beginnings of keys, that say that a node comes, goes or is ill. A pod that tolerates them is lost with it."""


def lifecycle(key: str) -> bool:
    """Tell whether a taint's key says that its node comes, goes or is ill."""
    return key in LIFECYCLE_KEYS or key.startswith(LIFECYCLE_PREFIXES)


def usual_set(taint: Taint) -> TolerationSet | None:
    """Return the set that tolerates a taint, None where it is not a usual one."""
    return next((name for name, tolerations in USUAL.items() if any(each.tolerates(taint) for each in tolerations)), None)
