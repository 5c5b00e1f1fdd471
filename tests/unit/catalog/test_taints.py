"""The sets of usual taints: what clouds really set is in one, and what says that a node goes is in none."""

import pytest

from sampan.catalog.taints import USUAL, TolerationSet, lifecycle, usual_set
from sampan.model.members.taint import Taint

GPU, SPOT, ARM = TolerationSet.GPU_NODES, TolerationSet.SPOT, TolerationSet.ARM64


@pytest.mark.parametrize(
    ("key", "value", "want"),
    [
        ("sku", "gpu", GPU),
        ("dedicated", "gpu", GPU),
        ("gpu", "true", GPU),
        ("cloud.google.com/gke-spot", "true", SPOT),
        ("cloud.google.com/gke-preemptible", "true", SPOT),
        ("kubernetes.azure.com/scalesetpriority", "spot", SPOT),
        ("oci.oraclecloud.com/oke-is-preemptible", "present", SPOT),
        ("kubernetes.io/arch", "arm64", ARM),
        ("dedicated", "db", None),
        ("sku", "windows", None),
        ("CriticalAddonsOnly", "true", None),
        ("cloud.google.com/gke-queued", "true", None),
        ("node-role.kubernetes.io/control-plane", "", None),
    ],
)
def test_usual_taints_are_in_the_set_of_their_kind(key: str, value: str, want: TolerationSet | None) -> None:
    assert usual_set(Taint(key, value, "NoSchedule")) == want


@pytest.mark.parametrize(
    "key",
    [
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/out-of-service",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.cluster.x-k8s.io/uninitialized",
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
        "karpenter.sh/unregistered",
        "aws-node-termination-handler/spot-itn",
        "cloud.google.com/impending-node-termination",
    ],
)
def test_what_says_that_a_node_goes_is_told_apart(key: str) -> None:
    assert lifecycle(key)


@pytest.mark.parametrize("key", ["nvidia.com/gpu", "node-role.kubernetes.io/control-plane", "karpenter.sh/capacity-type", "dedicated"])
def test_other_taints_are_for_the_provider_to_tolerate(key: str) -> None:
    assert not lifecycle(key)


def test_no_set_tolerates_the_end_of_a_node() -> None:
    assert not [each.key for tolerations in USUAL.values() for each in tolerations if lifecycle(each.key)]
