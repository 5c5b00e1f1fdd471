"""The pod of a ComputeJob: a short allow-list of fields under their Kubernetes names. Never a raw PodSpec."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sampan.api.fields.common import ApiModel, Rule, as_atomic, as_map, as_set
from sampan.api.fields.quantities import Amount, PositiveAmount
from sampan.api.fields.scalars import AbsolutePath, Architecture, Argument, Bool, DnsLabel, DnsSubdomain, EnvName, Image, Int
from sampan.model.values.quantity import parse_quantity

SHM_PATH = "/dev/shm"  # noqa: S108 - a mount point in the container, no file of ours
RESERVED = "sampan-"
"""Volume names with this prefix are the operator's."""


class EnvVar(ApiModel):
    """One environment variable with a literal value."""

    name: EnvName = Field(description="Name of the variable, a C identifier.")
    value: Argument = Field("", description="Value, taken literally: there is no expansion of $(VAR).")


class ResourceList(ApiModel):
    """Amounts of the common resources. Devices are not asked for here, but by alternatives[].accelerator."""

    cpu: Amount | None = Field(None, description="Cores, such as 32, 1.5 or 500m.")
    memory: Amount | None = Field(None, description="Bytes, such as 256Gi.")
    ephemeral_storage: Amount | None = Field(None, alias="ephemeral-storage", description="Bytes of local disk, such as 100Gi.")


def _within(name: str, resources: "Resources") -> bool:
    want, limit = getattr(resources.requests, name, None), getattr(resources.limits, name, None)
    return want is None or limit is None or parse_quantity(want, milli=True) <= parse_quantity(limit, milli=True)


class Resources(ApiModel):
    """What one replica needs besides its devices."""

    RULES: ClassVar = tuple(
        Rule(message=f"requests.{shown} must not be above limits.{shown}", is_met=partial(_within, name))
        for name, shown in (("cpu", "cpu"), ("memory", "memory"), ("ephemeral_storage", "ephemeral-storage"))
    )
    """For the operator and the chart's policy: CEL in a schema cannot read amounts."""
    requests: ResourceList | None = Field(None, description="Amounts that are set aside for one replica; scheduling counts these.")
    limits: ResourceList | None = Field(None, description="Amounts that one replica may not exceed; not below the requests.")


class ConfigMapVolume(ApiModel):
    """A ConfigMap of the job's namespace; its content travels with the job to the member cluster."""

    name: DnsSubdomain = Field(description="Name of a ConfigMap in the job's namespace.")
    optional: Bool = Field(False, description="Whether the job may start although there is no such ConfigMap.")


class SecretVolume(ApiModel):
    """A Secret of the job's namespace. It travels only if the namespace's owner has bound the operator to the role sampan-secret-reader."""

    secret_name: DnsSubdomain = Field(description="Name of a Secret in the job's namespace.")


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
    secret: SecretVolume | None = Field(None, description="A Secret of the job's namespace, where its owner permits that it travels.")
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


class Template(ApiModel):
    """One pod with one container, the same for every replica unless an alternative overrides it."""

    RULES: ClassVar = (
        Rule(
            cel="self.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name))",
            unless="!has(self.volumeMounts)",
            message="every volumeMount must name one of the volumes",
            is_met=lambda t: {m.name for m in t.volume_mounts} <= {v.name for v in t.volumes},
        ),
        Rule(
            cel=f"!has(dyn(self).shmSize) || !self.volumeMounts.exists(m, m.mountPath == '{SHM_PATH}')",
            unless="!has(self.volumeMounts)",
            message="shmSize already mounts /dev/shm",
            is_met=lambda t: t.shm_size is None or all(m.mount_path != SHM_PATH for m in t.volume_mounts),
        ),
    )
    image: Image = Field(description="Container image, best by digest (name@sha256:...), so that every attempt runs the same code.")
    command: Annotated[tuple[Argument, ...], as_atomic(64)] = Field(
        (), description="Program and first arguments; empty: the image's entry point."
    )
    args: Annotated[tuple[Argument, ...], as_atomic(128)] = Field(
        (), description="Arguments; empty: the image's own. Taken literally, no $(VAR)."
    )
    env: Annotated[tuple[EnvVar, ...], as_map("name", 128)] = Field(
        (), description="Environment. Rank, world size and the leader's address come from Sampan under the names that PyTorch reads."
    )
    resources: Resources | None = Field(None, description="CPU, memory and local disk of one replica.")
    volumes: Annotated[tuple[Volume, ...], as_map("name", 32)] = Field((), description="Volumes that the container can mount.")
    volume_mounts: Annotated[tuple[VolumeMount, ...], as_map("mountPath", 32)] = Field(
        (), description="Where the container sees the volumes."
    )
    working_dir: AbsolutePath | None = Field(None, description="Working directory; absent: the image's own.")
    shm_size: PositiveAmount | None = Field(
        None, description="Size of /dev/shm, which data loaders and collectives need; counted as the pod's memory."
    )
    termination_grace_period_seconds: Int = Field(
        30, ge=1, le=86_400, description="Seconds between SIGTERM and SIGKILL, to write a checkpoint. Default 30."
    )
    architectures: Annotated[tuple[Architecture, ...], as_set(8)] = Field(
        (), description="CPU architectures that the image runs on, such as amd64 or arm64; empty: any."
    )
