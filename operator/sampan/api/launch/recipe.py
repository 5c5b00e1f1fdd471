"""A launch recipe in the pod: what the class and the offer add, and what the level of Pod Security still forbids.

Lives here: labels, annotations, security context and host folders of the pod.
Must never live here: a privileged container, a writable folder of the node, or a field that the recipe's allow-list does not have.
"""

from typing import Any, Final

from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.model.launch import ROOT

VOLCANO: Final = "volcano"
"""Name under which Volcano's scheduler runs unless it was renamed."""


def job_annotations(c: RemoteJobSpec) -> dict[str, str]:
    """Return what the Job itself says to the member's scheduler: to Volcano, that a gang starts whole (volcano.sh docs)."""
    return {"scheduling.volcano.sh/group-min-member": str(c.replicas)} if _gang_of_volcano(c) else {}


def pod_metadata(c: RemoteJobSpec) -> dict[str, Any]:
    """Return the pod's labels and annotations: ours cannot be replaced. Ascend's Volcano plugin reads the gang's width from the pod."""
    annotations = dict(c.launch.pod_annotations)
    if _gang_of_volcano(c) and c.device is not None and c.device[0].startswith("huawei.com/"):
        annotations["huawei.com/schedule_minAvailable"] = str(c.replicas)
    labels = {**dict(c.launch.pod_labels), **c.labels}
    return {"labels": labels, "annotations": annotations} if annotations else {"labels": labels}


def pod_security(c: RemoteJobSpec) -> dict[str, Any]:
    """Return the pod's security context: a user under `restricted`, and wherever job or offer names one; the image's own elsewhere."""
    groups = {"supplementalGroups": list(c.launch.supplemental_groups)} if c.launch.supplemental_groups else {}
    context = c.spec.template.security_context
    user = c.launch.user(context.run_as_user if context else None)
    own = {} if user is None else {"runAsUser": user, "runAsGroup": user, "fsGroup": user, "fsGroupChangePolicy": "OnRootMismatch"}
    harmless = {} if user in (None, ROOT) else {"runAsNonRoot": True}
    return {**harmless, **own, "seccompProfile": {"type": "RuntimeDefault"}, **groups}


def container_security() -> dict[str, Any]:
    """Return the container's security context, the same at every level: `privileged` opens the namespace to host folders, no more."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def host_volumes(c: RemoteJobSpec) -> list[dict[str, Any]]:
    """Return the node's folders as volumes; one that a node lacks keeps the pod from starting there."""
    return [
        {"name": f"sampan-host-{i}", "hostPath": {"path": each.path, "type": "Directory"}} for i, each in enumerate(c.launch.host_paths)
    ]


def host_mounts(c: RemoteJobSpec) -> list[dict[str, Any]]:
    """Return where the container sees them: read-only."""
    return [{"name": f"sampan-host-{i}", "mountPath": each.mount_path, "readOnly": True} for i, each in enumerate(c.launch.host_paths)]


def _gang_of_volcano(c: RemoteJobSpec) -> bool:
    return c.launch.scheduler_name == VOLCANO and not c.sweep
