"""Volumes of a pod, and where its containers see them."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule, as_map
from sampan.api.fields.environment import DataKey
from sampan.api.fields.quantities import Amount
from sampan.api.fields.scalars import AbsolutePath, Argument, Bool, DnsLabel, DnsSubdomain, Int

RESERVED: Final = "sampan-"
"""Names of volumes and containers with this prefix are the operator's."""
FileMode = Annotated[Int, Field(ge=0, le=0o777)]


class KeyToPath(ApiModel):
    """One key of the object and the file that it becomes."""

    RULES: ClassVar = (
        Rule(
            message="path must be relative and must not contain ..",
            is_met=lambda i: not (i.path.startswith("/") or ".." in i.path.split("/")),
        ),
    )
    key: DataKey = Field(description="Key of the object.")
    path: Annotated[Argument, Field(min_length=1, max_length=256)] = Field(
        description="File below the mount, relative and without .. in it."
    )
    mode: FileMode | None = Field(None, description="Permission bits of the file, such as 256 (0400); absent: defaultMode.")


class _Projected(ApiModel):
    """What volumes of ConfigMaps and of Secrets share."""

    items: Annotated[tuple[KeyToPath, ...], as_map("key", 64)] = Field((), description="Keys that become files; empty: every key does.")
    default_mode: FileMode | None = Field(None, description="Permission bits of the files, such as 288 (0440); absent: 420 (0644).")
    optional: Bool = Field(False, description="Whether the job may start although there is no such object, or not each of the keys.")


class ConfigMapVolume(_Projected):
    """A ConfigMap of the job's namespace; its content travels with the job to the member cluster."""

    name: DnsSubdomain = Field(description="Name of a ConfigMap in the job's namespace.")


class SecretVolume(_Projected):
    """A Secret of the job's namespace; its content travels with the job to the member cluster."""

    secret_name: DnsSubdomain = Field(
        description="Name of a Secret in the job's namespace, which must carry the label sampan.dev/share-with-jobs=true."
    )


class ClaimVolume(ApiModel):
    """A PersistentVolumeClaim that must exist on the member cluster, in the namespace where jobs run."""

    claim_name: DnsSubdomain = Field(description="Name of a PersistentVolumeClaim on the member cluster.")


class EmptyDirVolume(ApiModel):
    """Scratch space that lives and ends with the pod."""

    size_limit: Amount | None = Field(None, description="Most bytes it may hold, such as 200Gi.")
    medium: Literal["Memory"] | None = Field(None, description="Memory: keep it in RAM, counted as the pod's memory. Absent: on disk.")


_SOURCES = ("config_map", "secret", "persistent_volume_claim", "empty_dir")


class Volume(ApiModel):
    """A named volume with exactly one source."""

    RULES: ClassVar = (
        Rule(
            cel="[has(self.configMap), has(self.secret), has(self.persistentVolumeClaim), has(self.emptyDir)].filter(x, x).size() == 1",
            message="exactly one of configMap, secret, persistentVolumeClaim and emptyDir must be given",
            is_met=lambda v: sum(getattr(v, source) is not None for source in _SOURCES) == 1,
        ),
        Rule(
            cel=f"!self.name.startsWith('{RESERVED}')",
            message=f"volume names that begin with {RESERVED} are reserved",
            is_met=lambda v: not v.name.startswith(RESERVED),
        ),
    )
    name: DnsLabel = Field(description="Name that volumeMounts refer to.")
    config_map: ConfigMapVolume | None = Field(None, description="A ConfigMap of the job's namespace; it travels with the job.")
    secret: SecretVolume | None = Field(None, description="A Secret of the job's namespace that its owner shares with jobs.")
    persistent_volume_claim: ClaimVolume | None = Field(None, description="A claim that exists on the member cluster.")
    empty_dir: EmptyDirVolume | None = Field(None, description="Scratch space of the pod.")


class VolumeMount(ApiModel):
    """Where the container sees a volume."""

    RULES: ClassVar = (
        Rule(
            cel="!has(self.subPath) || !(self.subPath.startsWith('/') || self.subPath.split('/').exists(p, p == '..'))",
            message="subPath must be relative and must not contain ..",
            is_met=lambda m: m.sub_path is None or not (m.sub_path.startswith("/") or ".." in m.sub_path.split("/")),
        ),
    )
    name: DnsLabel = Field(description="Name of one of the volumes.")
    mount_path: AbsolutePath = Field(description="Absolute path in the container; no colon.")
    read_only: Bool = Field(False, description="Whether the container may only read.")
    sub_path: Annotated[Argument, Field(min_length=1, max_length=256)] | None = Field(
        None, description="Path inside the volume; empty: its root."
    )
