"""The volumes of a job's pod, and where containers see them: the tenant's, and shared memory. Folders of the node are in `recipe`."""

from typing import Any, Final

from sampan.api.fields.template import SHM_PATH, Template
from sampan.api.fields.volumes import ConfigMapVolume, SecretVolume, Volume, VolumeMount
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.api.launch.travelling import TravelKind

_SHM: Final = "sampan-shm"


def volumes(c: RemoteJobSpec) -> list[dict[str, Any]]:
    """Return the volumes of a pod."""
    template = c.spec.template
    shm = {"name": _SHM, "emptyDir": {"medium": "Memory", "sizeLimit": template.shm_size}}
    return [*({"name": each.name, **_source(c, each)} for each in template.volumes), *([shm] if template.shm_size else [])]


def mount(each: VolumeMount) -> dict[str, Any]:
    """Return one mount of a container."""
    optional = {"readOnly": each.read_only, "subPath": each.sub_path}
    return {"name": each.name, "mountPath": each.mount_path, **{name: value for name, value in optional.items() if value}}


def shm_mount(template: Template) -> list[dict[str, Any]]:
    """Return where every container sees the shared memory; none where the job has none."""
    return [{"name": _SHM, "mountPath": SHM_PATH}] if template.shm_size else []


def _source(c: RemoteJobSpec, volume: Volume) -> dict[str, Any]:
    """A tenant's ConfigMap or Secret under its name on the member; a claim under its own, it must exist there."""
    if volume.config_map is not None:
        name = c.renamed(TravelKind.CONFIG_MAP, volume.config_map.name)
        return {"configMap": {"name": name, **_projection(volume.config_map)}}
    if volume.secret is not None:
        name = c.renamed(TravelKind.SECRET, volume.secret.secret_name)
        return {"secret": {"secretName": name, **_projection(volume.secret)}}
    if volume.persistent_volume_claim is not None:
        return {"persistentVolumeClaim": {"claimName": volume.persistent_volume_claim.claim_name}}
    scratch = volume.empty_dir
    limits = {"sizeLimit": scratch.size_limit, "medium": scratch.medium} if scratch is not None else {}
    return {"emptyDir": {name: value for name, value in limits.items() if value}}


def _projection(source: ConfigMapVolume | SecretVolume) -> dict[str, Any]:
    """Keys as files. A mode of 0 is one that was given."""
    fields: dict[str, Any] = {}
    if source.items:
        fields["items"] = [
            {"key": each.key, "path": each.path, **({} if each.mode is None else {"mode": each.mode})} for each in source.items
        ]
    if source.default_mode is not None:
        fields["defaultMode"] = source.default_mode
    if source.optional:
        fields["optional"] = True
    return fields
