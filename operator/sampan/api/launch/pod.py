"""The pod template of a job on a member: one container under the Pod Security level of its recipe, kept to its pool.

Lives here: resources, volumes, where the pod may go.
Must never live here: a field passed through from the tenant unseen; each one is named below.
"""

from typing import Any, Final

from sampan.api.fields.template import Template, Volume, VolumeMount
from sampan.api.launch.environment import environment, literal
from sampan.api.launch.recipe import container_security, host_mounts, host_volumes, pod_metadata, pod_security
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.catalog.devices.share import companions
from sampan.model.values.vector import Vector

CONTAINER: Final = "main"
"""Name of the one container."""
_SHM: Final = "sampan-shm"
_LINUX: Final = "linux"
"""Every image is one of Linux; its kubelet puts the label on each node, and kube-scheduler reads the label alone."""
_DEVICES: Final = "devices"
"""Name of the claim inside the pod."""


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
        "containers": [_container(c)],
    }
    optional = {
        "schedulerName": c.launch.scheduler_name,
        "runtimeClassName": c.launch.runtime_class,
        "subdomain": c.service if c.networked else None,
        "imagePullSecrets": [{"name": name} for name in c.image_pull_secrets],
        "tolerations": [{"key": t.key, "operator": "Equal", "value": t.value, "effect": t.effect} for t in c.tolerated],
        "volumes": [*(_volume(c, v) for v in template.volumes), *_shm_volume(template), *host_volumes(c)],
        "resourceClaims": [{"name": _DEVICES, "resourceClaimTemplateName": c.claim_template}] if c.claim else [],
    }
    return {"metadata": pod_metadata(c), "spec": spec | _given(optional)}


def _container(c: RemoteJobSpec) -> dict[str, Any]:
    template = c.spec.template
    optional = {
        "command": [literal(word) for word in c.alternative_spec.command],
        "args": [literal(word) for word in c.alternative_spec.args],
        "workingDir": template.working_dir,
        "resources": _resources(c),
        "volumeMounts": [*map(_mount, template.volume_mounts), *_shm_mount(template), *host_mounts(c)],
    }
    return {
        "name": CONTAINER,
        "image": c.alternative_spec.image,
        "env": environment(c),
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **_given(optional),
    }


def _resources(c: RemoteJobSpec) -> dict[str, Any]:
    """The way's requests and limits; devices and the recipe's extras in both, because extended resources cannot be overcommitted."""
    fixed = {name: str(amount) for name, amount in _extended(c).items()}
    claims = [{"name": _DEVICES}] if c.claim else []
    return _given(
        {"requests": {**c.alternative_spec.requests, **fixed}, "limits": {**c.alternative_spec.limits, **fixed}, "claims": claims}
    )


def _extended(c: RemoteJobSpec) -> dict[str, int]:
    """Extended resources of a replica. Raises ValueError for a share that this resource is not handed out in."""
    devices = Vector.of(dict((c.device,))) if c.device else Vector()
    extras = dict(devices + c.launch.extra_resources)
    if c.device is None or c.share is None:
        return extras
    beside = companions(c.device[0], c.share)
    if beside is None:
        raise ValueError(f"{c.device[0]} is not handed out in such shares")
    return {**extras, **beside}


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


def _volume(c: RemoteJobSpec, volume: Volume) -> dict[str, Any]:
    """A tenant's ConfigMap or Secret under its name on the member; a claim under its own, it must exist there."""
    if volume.config_map is not None:
        optional = {"optional": True} if volume.config_map.optional else {}
        return {"name": volume.name, "configMap": {"name": c.renamed("c", volume.config_map.name), **optional}}
    if volume.secret is not None:
        return {"name": volume.name, "secret": {"secretName": c.renamed("s", volume.secret.secret_name)}}
    if volume.persistent_volume_claim is not None:
        return {"name": volume.name, "persistentVolumeClaim": {"claimName": volume.persistent_volume_claim.claim_name}}
    scratch = volume.empty_dir
    limits = _given({"sizeLimit": scratch.size_limit, "medium": scratch.medium}) if scratch is not None else {}
    return {"name": volume.name, "emptyDir": limits}


def _mount(mount: VolumeMount) -> dict[str, Any]:
    optional = {"readOnly": mount.read_only, "subPath": mount.sub_path}
    return {"name": mount.name, "mountPath": mount.mount_path, **_given(optional)}


def _shm_volume(template: Template) -> list[dict[str, Any]]:
    return [{"name": _SHM, "emptyDir": {"medium": "Memory", "sizeLimit": template.shm_size}}] if template.shm_size else []


def _shm_mount(template: Template) -> list[dict[str, Any]]:
    return [{"name": _SHM, "mountPath": "/dev/shm"}] if template.shm_size else []  # noqa: S108  (a mount point, not a file of ours)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value; empty lists and maps are left out, as the API server would."""
    return {name: value for name, value in fields.items() if value}
