"""Which nodes can never run a pod of ours, and which merely look odd."""

from typing import Any

import pytest

from member_objects import as_node, node_body
from sampan.inventory.member import to_node
from sampan.inventory.node_fitness import architecture_of, unfit
from sampan.member.summarise import trim_node

Json = dict[str, Any]


def made(*, labels: Json | None = None, info: Json | None = None, meta: Json | None = None, taints: list[Json] | None = None) -> Json:
    """A plain node of which nobody told anything, and what is added to it."""
    body = node_body(gpus=0, taints=taints or [])
    body["metadata"] |= {"labels": labels or {}} | (meta or {})
    body["status"]["nodeInfo"] = info or {}
    return body


WINDOWS = {"operatingSystem": "windows", "architecture": "amd64"}
UNFIT = {
    "label": (made(labels={"kubernetes.io/os": "windows"}), "NotLinux"),
    "legacy label": (made(labels={"beta.kubernetes.io/os": "windows"}), "NotLinux"),
    "nodeInfo": (made(info=WINDOWS), "NotLinux"),
    "nodeInfo against the label": (made(labels={"kubernetes.io/os": "linux"}, info=WINDOWS), "NotLinux"),
    "label against nodeInfo": (made(labels={"kubernetes.io/os": "windows"}, info={"operatingSystem": "linux"}), "NotLinux"),
    "a build of Windows": (made(labels={"node.kubernetes.io/windows-build": "10.0.20348"}), "NotLinux"),
    "another system": (made(info={"operatingSystem": "freebsd"}), "NotLinux"),
    "architecture": (made(labels={"kubernetes.io/arch": "amd64"}, info={"architecture": "arm64"}), "ArchitectureUnclear"),
    "legacy architecture": (made(labels={"beta.kubernetes.io/arch": "arm"}, info={"architecture": "arm64"}), "ArchitectureUnclear"),
    "going": (made(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), "Deleting"),
    "virtual kubelet": (made(labels={"type": "virtual-kubelet"}), "VirtualNode"),
    "virtual kubelet by taint": (made(taints=[{"key": "virtual-kubelet.io/provider", "effect": "NoSchedule"}]), "VirtualNode"),
    "Liqo": (made(labels={"liqo.io/type": "virtual-node"}), "VirtualNode"),
    "Fargate": (made(labels={"eks.amazonaws.com/compute-type": "fargate"}), "VirtualNode"),
    "super node": (made(labels={"node.kubernetes.io/instance-type": "eklet"}), "VirtualNode"),
}
FIT = {
    "nothing told": made(),
    "linux": made(labels={"kubernetes.io/os": "linux"}, info={"operatingSystem": "linux", "architecture": "amd64"}),
    "another case": made(info={"operatingSystem": "Linux"}),
    "EC2 and hybrid": made(labels={"eks.amazonaws.com/compute-type": "hybrid"}),
    "edge": made(labels={"node-role.kubernetes.io/edge": "", "type": "edge"}),
    "a fake node": made(labels={"type": "kwok"}),
    "control plane": made(labels={"node-role.kubernetes.io/control-plane": ""}),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("published", [False, True], ids=["direct", "published"])
def test_a_node_that_can_never_run_our_pods_is_told_with_the_cause(name: str, published: bool) -> None:
    body, cause = UNFIT[name]
    seen = trim_node(as_node(body)) if published else as_node(body)
    found = unfit(seen)
    assert found is not None
    assert found[0] == cause
    assert to_node(seen).unfit == found


@pytest.mark.parametrize("name", FIT)
def test_a_node_that_only_looks_odd_is_taken(name: str) -> None:
    assert unfit(as_node(FIT[name])) is None


@pytest.mark.parametrize(
    ("labels", "info", "want"),
    [
        ({}, {}, "amd64"),
        ({"kubernetes.io/arch": "arm64"}, {}, "arm64"),
        ({"beta.kubernetes.io/arch": "arm64"}, {}, "arm64"),
        ({}, {"architecture": "riscv64"}, "riscv64"),
    ],
)
def test_the_architecture_is_what_the_kubelet_reports(labels: Json, info: Json, want: str) -> None:
    assert architecture_of(as_node(made(labels=labels, info=info))) == want
