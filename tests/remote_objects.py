"""Jobs and pods as a member's API server writes them: JSON decoded by the types that production uses. Only tests use this."""

from typing import Any

import msgspec

from sampan.kube.objects.workloads import Job, Pod

Json = dict[str, Any]
T0, T1, T2, T3 = (f"2026-11-22T10:00:{second:02d}Z" for second in (0, 10, 20, 30))
MS = 1_795_341_600_000
"""T0 in milliseconds since the epoch."""
UNSCHEDULABLE = (
    "0/4 nodes are available: 4 Insufficient nvidia.com/gpu. preemption: 0/4 nodes are available: 4 No preemption victims found."
)
OOM_LOG = "step 1\n" * 200 + "torch.OutOfMemoryError: CUDA out of memory"


def condition(kind: str, reason: str = "", message: str = "", *, at: str = T2, status: str = "True") -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at, "lastProbeTime": None}


def job(*conditions: Json, suspend: bool = False, deleted: str | None = None, **status: Any) -> Job:
    raw = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "sj-x", "namespace": "sampan-jobs", "uid": "u", **({"deletionTimestamp": deleted} if deleted else {})},
        "spec": {"completionMode": "Indexed", "parallelism": 2, "completions": 2, "backoffLimit": 0, "suspend": suspend},
        "status": {"startTime": T0, "conditions": list(conditions), **status},
    }
    return msgspec.json.decode(msgspec.json.encode(raw), type=Job)


def pod(index: int, phase: str, *conditions: Json, deleted: str | None = None, node: str = "n1", **status: Any) -> Pod:
    raw = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"sj-x-{index}-abcde",
            "uid": f"uid-{index}",
            "namespace": "sampan-jobs",
            "creationTimestamp": T0,
            "labels": {"batch.kubernetes.io/job-completion-index": str(index)},
            **({"deletionTimestamp": deleted} if deleted else {}),
        },
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": "a:1"}], "restartPolicy": "Never"},
        "status": {"phase": phase, "startTime": T0, "conditions": list(conditions), **status},
    }
    return msgspec.json.decode(msgspec.json.encode(raw), type=Pod)


def running(index: int) -> Pod:
    return pod(
        index, "Running", condition("Ready"), containerStatuses=[{"name": "main", "ready": True, "state": {"running": {"startedAt": T0}}}]
    )


def succeeded(index: int) -> Pod:
    return pod(index, "Succeeded", containerStatuses=ended(0, "Completed"))


def unscheduled(index: int) -> Pod:
    return pod(index, "Pending", condition("PodScheduled", "Unschedulable", UNSCHEDULABLE, status="False"), node="")


def waiting(index: int, reason: str, message: str = "") -> Pod:
    return pod(index, "Pending", containerStatuses=[{"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}])


def ended(code: int, reason: str = "Error", message: str = "", *, at: str = T1) -> list[Json]:
    state = {"exitCode": code, "reason": reason, "message": message, "startedAt": T0, "finishedAt": at, "containerID": "c://1"}
    return [{"name": "main", "ready": False, "restartCount": 0, "image": "a:1", "state": {"terminated": state}}]


def crashed(index: int, code: int = 1, reason: str = "Error", message: str = "", *, at: str = T1) -> Pod:
    return pod(index, "Failed", containerStatuses=ended(code, reason, message, at=at))


def drained(index: int, reason: str = "EvictionByEvictionAPI", *, at: str = T1) -> Pod:
    target = condition("DisruptionTarget", reason, "Eviction API: evicting", at=at)
    return pod(index, "Failed", target, deleted=T3, containerStatuses=ended(143, at=at))
