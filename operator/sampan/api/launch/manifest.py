"""The batch/v1 Job that runs one attempt on a member, as a pure function of the spec.

Lives here: the Job around the pod template: how many pods, what counts as a failure.
Must never live here: I/O, a clock, a TTL (the hub alone decides when evidence may go), labels or annotations of the tenant.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from sampan.api.launch.pod import pod_template
from sampan.api.launch.recipe import job_annotations
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.model.values import names

__all__ = ["RemoteJobSpec", "in_queue", "job_manifest", "start_patch"]

LABEL_QUEUE: Final = "kueue.x-k8s.io/queue-name"
"""Kueue's label for the LocalQueue of a Job (kueue.sigs.k8s.io, Run A Kubernetes Job)."""
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def job_manifest(c: RemoteJobSpec) -> dict[str, Any]:
    """Return the Job to create. Equal specs give equal Jobs.

    Suspended where it has dependents: they are created next, owned by it, and only then is it started. Suspended too for a queue of
    the member's, which starts it; one with dependents enters the queue only when they are there (see `start_patch`). Raises ValueError
    for a namespace or a name that no object can have, and for a share that the device is not handed out in.
    """
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": c.name,
            "namespace": c.remote_namespace,
            "labels": c.labels if c.has_dependents else {**c.labels, **_queued(c)},
            "annotations": {names.ANNOTATION_JOB: _origin(c), **job_annotations(c)},
        },
        "spec": _spec(c),
    }


def start_patch(c: RemoteJobSpec, uid: str) -> dict[str, Any]:
    """Return the patch that starts a Job whose dependents are there: it enters the member's queue, or is no longer suspended."""
    if c.queue:
        return {"metadata": {"uid": uid, "labels": _queued(c)}}
    return {"metadata": {"uid": uid}, "spec": {"suspend": False}}


def in_queue(labels: Mapping[str, str]) -> bool:
    """Tell whether a queue of the member's has a Job with these labels: `spec.suspend` is then not ours."""
    return LABEL_QUEUE in labels


def _queued(c: RemoteJobSpec) -> dict[str, str]:
    return {LABEL_QUEUE: c.queue} if c.queue else {}


def _spec(c: RemoteJobSpec) -> dict[str, Any]:
    """Indexed in every case, so that each pod has a rank and a stable host name."""
    deadline = c.alternative_spec.active_deadline_seconds
    return {
        "completionMode": "Indexed",
        "suspend": c.has_dependents or bool(c.queue),
        "podReplacementPolicy": "Failed",
        **(_sweep(c) if c.sweep else _gang(c)),
        **({} if deadline is None else {"activeDeadlineSeconds": deadline}),
        "template": pod_template(c),
    }


def _gang(c: RemoteJobSpec) -> dict[str, Any]:
    """All or nothing: the first failure ends the Job, and a disruption ends it under a reason of its own. The hub starts anew."""
    return {
        "completions": c.replicas,
        "parallelism": c.replicas,
        "backoffLimit": 0,
        "podFailurePolicy": _on_disruption("FailJob"),
    }


def _sweep(c: RemoteJobSpec) -> dict[str, Any]:
    """Members fail and restart each for itself, on the member; a disrupted pod is replaced there and counts against nobody."""
    completions = c.spec.completions or c.replicas
    return {
        "completions": completions,
        "parallelism": min(c.replicas, completions),
        "backoffLimitPerIndex": c.spec.retry.max_restarts,
        "podFailurePolicy": _on_disruption("Ignore"),
    }


def _on_disruption(action: str) -> dict[str, Any]:
    """The only rule there is: a Job that failed by policy was disrupted, and by nothing else."""
    return {"rules": [{"action": action, "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]}


def _origin(c: RemoteJobSpec) -> str:
    for part in (c.job_namespace, c.job_name):
        if not _NAME.fullmatch(part):
            raise ValueError("the job's namespace and name must be names that Kubernetes accepts")
    return f"{c.job_namespace}/{c.job_name}"
