"""The pod template of a job on a member: its containers under the Pod Security level of its recipe, kept to its pool.

Lives here: what concerns the whole pod, and where it may go.
Must never live here: a field passed through from the tenant unseen; each one is named below.
"""

from typing import Any, Final

from sampan.api.fields.template import MAIN
from sampan.api.launch.containers import DEVICES, given, init_containers, main_container
from sampan.api.launch.recipe import host_volumes, pod_metadata, pod_security
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.api.launch.travelling import TravelKind
from sampan.api.launch.volumes import volumes

CONTAINER: Final = MAIN
"""Name of the container whose output and end are the job's."""
_LINUX: Final = "linux"
"""Every image is one of Linux; its kubelet puts the label on each node, and kube-scheduler reads the label alone."""


def pod_template(c: RemoteJobSpec) -> dict[str, Any]:
    """Return `spec.template` of the member's Job."""
    template = c.spec.template
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(c),
        "terminationGracePeriodSeconds": template.termination_grace_period_seconds,
        "os": {"name": _LINUX},
        "nodeSelector": {"kubernetes.io/os": _LINUX},
        "affinity": {"nodeAffinity": _node_affinity(c)},
        "containers": [main_container(c)],
    }
    optional = {
        "schedulerName": c.launch.scheduler_name,
        "runtimeClassName": c.launch.runtime_class,
        "subdomain": c.service if c.networked else None,
        "initContainers": init_containers(c),
        "imagePullSecrets": [{"name": name} for name in (*c.image_pull_secrets, *_own_pull_secrets(c))],
        "tolerations": [{"key": t.key, "operator": "Equal", "value": t.value, "effect": t.effect} for t in c.tolerated],
        "volumes": [*volumes(c), *host_volumes(c)],
        "resourceClaims": [{"name": DEVICES, "resourceClaimTemplateName": c.claim_template}] if c.claim else [],
    }
    return {"metadata": pod_metadata(c), "spec": spec | given(optional)}


def _own_pull_secrets(c: RemoteJobSpec) -> list[str]:
    return [c.renamed(TravelKind.SECRET, each.name) for each in c.travelling if each.pulls]


def _node_affinity(c: RemoteJobSpec) -> dict[str, Any]:
    """Only nodes of the pool's kind, and of these best the plan's: the member's own scheduler would spread what was packed."""
    labels = {**dict(c.required_labels), "kubernetes.io/arch": c.architecture}
    term = {"matchExpressions": [_in(key, value) for key, value in sorted(labels.items())]}
    affinity: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    hosts = sorted({host for host in c.preferred_hostnames if host})
    if hosts:
        preference = {"matchExpressions": [_in("kubernetes.io/hostname", *hosts)]}
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [{"weight": 100, "preference": preference}]
    return affinity


def _in(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}
