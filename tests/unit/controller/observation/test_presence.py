"""Which pods are lost or stuck: by their node where it may be seen, else by what the member's controllers left on them."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from builders import node
from sampan.controller.observation.presence import PodProblem, ProblemKind, foreign_finalizers, pod_problem, pod_problems
from sampan.inventory.member import to_node
from sampan.kube.objects import workloads as kube
from sampan.model.members.cluster import Node

T0, T1, T2 = "2026-11-22T10:00:00Z", "2026-11-22T10:00:30Z", "2026-11-22T10:01:00Z"
MS = 1_795_341_600_000
MARKED = [("Ready", "False", "", T1), ("ContainersReady", "True", "", T0)]
TAINTED = [*MARKED, ("DisruptionTarget", "True", "DeletionByTaintManager", T2)]


def pod(*, phase: str = "Running", conditions: Any = (), reason: str = "", name: str = "p", **meta: Any) -> kube.Pod:
    """A pod of ours on node n1; `on` is another node, `deleted` and `grace` say that it is being deleted."""
    deleted = {"deletionTimestamp": meta["deleted"], "deletionGracePeriodSeconds": meta.get("grace", 30)} if "deleted" in meta else {}
    told = [{"type": kind, "status": status, "reason": why, "lastTransitionTime": at} for kind, status, why, at in conditions]
    body = {
        "metadata": {"name": name, "uid": name, "finalizers": meta.get("finalizers", ["batch.kubernetes.io/job-tracking"]), **deleted},
        "spec": {"nodeName": meta.get("on", "n1")},
        "status": {"phase": phase, "reason": reason, "conditions": told},
    }
    return msgspec.convert(body, kube.Pod)


def member(ready: str = "True", *, taint: str = "", cordoned: bool = False) -> dict[str, Node]:
    """Node n1 as its member shows it, and another one in order."""
    taints = [{"key": taint, "effect": "NoExecute"}] if taint else []
    raw = {
        "metadata": {"name": "n1"},
        "spec": {"taints": taints, "unschedulable": cordoned},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
    return {"n1": to_node(msgspec.convert(raw, kube.Node)), "n2": node("n2")}


WHOLE = [("Ready", "True", "", T0), ("ContainersReady", "True", "", T0)]
SICK = [("Ready", "False", "", T1), ("ContainersReady", "False", "", T1)]
UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"


@dataclass(frozen=True)
class Case:
    """A pod, the nodes that may be seen, and what is wrong; None: nothing."""

    name: str
    pod: kube.Pod
    nodes: dict[str, Node] = field(default_factory=member)
    want: ProblemKind | None = None
    since: int | None = None
    detail: str = ""


CASES = (
    Case("all in order", pod(conditions=WHOLE)),
    Case("a pod that is not ready by itself", pod(conditions=SICK)),
    Case("a pod without a node waits", pod(phase="Pending", on="")),
    Case("a silent kubelet", pod(conditions=MARKED), member("Unknown", taint=UNREACHABLE), ProblemKind.NODE_UNREACHABLE, MS + 30_000),
    Case(
        "a silent kubelet whose pod nobody marked",
        pod(conditions=WHOLE),
        member("Unknown", taint=UNREACHABLE),
        ProblemKind.NODE_UNREACHABLE,
    ),
    Case(
        "a node out of order with a pod that is ready", pod(conditions=WHOLE), member("False", taint=NOT_READY), ProblemKind.NODE_NOT_READY
    ),
    Case("a node that is gone", pod(conditions=WHOLE, on="gone"), member(), ProblemKind.NODE_GONE),
    Case("a pending pod on a lost node", pod(phase="Pending"), member("Unknown", taint=UNREACHABLE), ProblemKind.NODE_UNREACHABLE),
    Case("an ended pod does not care for its node", pod(phase="Succeeded", on="gone")),
    Case("a failed pod does not care for its node", pod(phase="Failed"), member("Unknown", taint=UNREACHABLE)),
    Case("a node that is back before its pod says so", pod(conditions=MARKED), member()),
    Case("nodes unseen, pod marked", pod(conditions=MARKED), {}, ProblemKind.NODE_UNREACHABLE, MS + 30_000),
    Case("nodes unseen, pod not ready by itself", pod(conditions=SICK), {}),
    Case("nodes unseen, all in order", pod(conditions=WHOLE), {}),
    Case(
        "evicted from a lost node",
        pod(conditions=TAINTED, deleted=T2),
        member("Unknown", taint=UNREACHABLE),
        ProblemKind.NODE_UNREACHABLE,
        MS + 30_000,
    ),
    Case("evicted from a lost node that is unseen", pod(conditions=TAINTED, deleted=T2), {}, ProblemKind.NODE_UNREACHABLE, MS + 30_000),
    Case("a pod in phase Unknown", pod(phase="Unknown"), member(), ProblemKind.NODE_UNREACHABLE),
    Case("a pod called NodeLost", pod(reason="NodeLost"), {}, ProblemKind.NODE_UNREACHABLE),
    Case(
        "drained from a cordoned node",
        pod(conditions=[*WHOLE, ("DisruptionTarget", "True", "EvictionByEvictionAPI", T0)], deleted=T1),
        member(cordoned=True),
        ProblemKind.TERMINATING,
        MS,
        "EvictionByEvictionAPI",
    ),
    Case("a cordoned node by itself is no trouble", pod(conditions=WHOLE), member(cordoned=True)),
    Case("deleted by somebody", pod(conditions=WHOLE, deleted=T1), member(), ProblemKind.TERMINATING, MS),
    Case(
        "ended, and kept by a finalizer",
        pod(phase="Failed", deleted=T1, finalizers=["example.com/keep", "batch.kubernetes.io/job-tracking"]),
        member(),
        ProblemKind.FINALIZERS,
        MS,
        "example.com/keep",
    ),
    Case("ended, and tracked by its Job alone", pod(phase="Failed", deleted=T1), member(), ProblemKind.TERMINATING, MS),
    Case(
        "never placed, and kept by a finalizer",
        pod(phase="Pending", on="", deleted=T1, finalizers=["example.com/keep"]),
        member(),
        ProblemKind.FINALIZERS,
        MS,
        "example.com/keep",
    ),
    Case("a time that is none", pod(conditions=[("Ready", "False", "", "soon"), MARKED[1]]), {}, ProblemKind.NODE_UNREACHABLE),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_with_a_pod(case: Case) -> None:
    found = pod_problem(case.pod, case.nodes)
    assert (found.kind if found else None) == case.want
    if found is not None:
        assert (found.since, found.detail, found.node) == (case.since, case.detail, case.pod.spec.node_name)


def test_a_name_that_is_no_name_and_an_absurd_grace_do_no_harm() -> None:
    found = pod_problem(pod(name="x\u202e" * 500, deleted=T1, grace=2**40, conditions=WHOLE), member())
    assert found is not None
    assert len(found.pod.encode()) <= 48
    assert found.grace <= 7 * 24 * 3_600_000


def test_troubles_come_in_the_order_of_names() -> None:
    pods = [pod(name=name, deleted=T1) for name in ("c", "a", "b")] + [pod(name="fine", conditions=WHOLE)]
    found = pod_problems(pods, member())
    assert [each.pod for each in found] == ["a", "b", "c"]
    assert found == pod_problems(reversed(pods), member())
    assert all(isinstance(each, PodProblem) and each.kind is ProblemKind.TERMINATING for each in found)


def test_only_finalizers_of_others_count() -> None:
    assert foreign_finalizers(["foregroundDeletion", "batch.kubernetes.io/job-tracking", "orphan"]) == ""
    assert foreign_finalizers(["b/x", "a/x", "b/x"]) == "a/x, b/x"
