"""The batch/v1 Job that runs one attempt on a member, as a pure function of the consignment.

Lives here: the Job around the pod template: how many pods, what counts as a failure.
Must never live here: I/O, a clock, a TTL (the hub alone decides when evidence may go), labels or annotations of the tenant.
"""

import re
from typing import Any, Final

from sampan.api.consignment import Consignment
from sampan.api.pod import pod_template
from sampan.model import names

__all__ = ["Consignment", "job_manifest"]

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def job_manifest(c: Consignment) -> dict[str, Any]:
    """Return the Job to create. Equal consignments give equal Jobs.

    Suspended where it has dependents: they are created next, owned by it, and only then is it started. Raises ValueError for
    a namespace or a name that no object can have.
    """
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": c.name,
            "namespace": c.remote_namespace,
            "labels": c.labels,
            "annotations": {names.ANNOTATION_JOB: _origin(c)},
        },
        "spec": _spec(c),
    }


def _spec(c: Consignment) -> dict[str, Any]:
    """Indexed in every case, so that each pod has a rank and a stable host name."""
    deadline = c.way.active_deadline_seconds
    return {
        "completionMode": "Indexed",
        "suspend": c.has_dependents,
        "podReplacementPolicy": "Failed",
        **(_sweep(c) if c.sweep else _gang(c)),
        **({} if deadline is None else {"activeDeadlineSeconds": deadline}),
        "template": pod_template(c),
    }


def _gang(c: Consignment) -> dict[str, Any]:
    """All or nothing: the first failure ends the Job, and a disruption ends it under a reason of its own. The hub starts anew."""
    return {
        "completions": c.replicas,
        "parallelism": c.replicas,
        "backoffLimit": 0,
        "podFailurePolicy": _on_disruption("FailJob"),
    }


def _sweep(c: Consignment) -> dict[str, Any]:
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


def _origin(c: Consignment) -> str:
    for part in (c.job_namespace, c.job_name):
        if not _NAME.fullmatch(part):
            raise ValueError("the job's namespace and name must be names that Kubernetes accepts")
    return f"{c.job_namespace}/{c.job_name}"
