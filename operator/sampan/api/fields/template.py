"""The pod of a ComputeJob: a short allow-list of fields under their Kubernetes names. Never a raw PodSpec."""

from functools import partial
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from sampan.api.fields.common import ApiModel, LocalReference, Rule, as_atomic, as_map, as_set
from sampan.api.fields.environment import EnvFrom, EnvVar
from sampan.api.fields.quantities import Amount, PositiveAmount
from sampan.api.fields.scalars import AbsolutePath, Architecture, Argument, DnsLabel, Image, Int
from sampan.api.fields.volumes import RESERVED, Volume, VolumeMount
from sampan.model.values.quantity import parse_quantity

SHM_PATH = "/dev/shm"  # noqa: S108 - a mount point in the container, no file of ours
MAIN: Final = "main"
"""Name of the container that the template itself describes."""


class ResourceList(ApiModel):
    """Amounts of the common resources. Devices are not asked for here, but by alternatives[].accelerator."""

    cpu: Amount | None = Field(None, description="Cores, such as 32, 1.5 or 500m.")
    memory: Amount | None = Field(None, description="Bytes, such as 256Gi.")
    ephemeral_storage: Amount | None = Field(None, alias="ephemeral-storage", description="Bytes of local disk, such as 100Gi.")


def _within(name: str, resources: "Resources") -> bool:
    want, limit = getattr(resources.requests, name, None), getattr(resources.limits, name, None)
    return want is None or limit is None or parse_quantity(want, milli=True) <= parse_quantity(limit, milli=True)


class Resources(ApiModel):
    """What a container needs besides its devices."""

    RULES: ClassVar = tuple(
        Rule(message=f"requests.{shown} must not be above limits.{shown}", is_met=partial(_within, name))
        for name, shown in (("cpu", "cpu"), ("memory", "memory"), ("ephemeral_storage", "ephemeral-storage"))
    )
    """For the operator and the chart's policy: CEL in a schema cannot read amounts."""
    requests: ResourceList | None = Field(None, description="Amounts that are set aside for the container; scheduling counts these.")
    limits: ResourceList | None = Field(None, description="Amounts that the container may not exceed; not below the requests.")


class ContainerSpec(ApiModel):
    """What every container of a job may say of itself."""

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
    env_from: Annotated[tuple[EnvFrom, ...], as_atomic(16)] = Field(
        (), description="ConfigMaps and Secrets whose keys all become variables; of two with the same key the later one counts."
    )
    resources: Resources | None = Field(None, description="CPU, memory and local disk of the container; scheduling counts the requests.")
    volume_mounts: Annotated[tuple[VolumeMount, ...], as_map("mountPath", 32)] = Field(
        (), description="Where the container sees the volumes."
    )
    working_dir: AbsolutePath | None = Field(None, description="Working directory; absent: the image's own.")


class InitContainer(ContainerSpec):
    """A container that must end well before the next begins; with restartPolicy Always a sidecar, which runs beside all that follow.

    It is given no devices, and all else that Sampan gives the main container: environment, shared memory, the node's folders. Without
    `resources` an init container has those of the main one, which costs nothing, and a sidecar names none.
    """

    name: DnsLabel = Field(description="Name of the container, unlike main and those of the others.")
    restart_policy: Literal["Always"] | None = Field(
        None, description="Always: a sidecar, started before the next container, stopped after the main one. Absent: it must end well."
    )


class PodSecurityContext(ApiModel):
    """As whom the containers run. Everything else about the pod's security is Sampan's."""

    run_as_user: Annotated[Int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None,
        description="User, group and volume group of every container, if the offer lets jobs choose (its launch.runAsUser); an offer that "
        "does not is none for the job. 0, root, needs a namespace on the member that admits it. Absent: 1000, or what the offer says.",
    )


class Template(ContainerSpec):
    """One pod, the same for every replica unless an alternative overrides it: its main container, and those that start before it."""

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
        Rule(
            cel=f"self.initContainers.all(c, c.name != '{MAIN}' && !c.name.startsWith('{RESERVED}'))",
            unless="!has(self.initContainers)",
            message=f"an init container cannot be named {MAIN}, which is that of the template, nor begin with {RESERVED}",
            is_met=lambda t: all(c.name != MAIN and not c.name.startswith(RESERVED) for c in t.init_containers),
        ),
        Rule(
            cel="self.initContainers.all(c, !has(c.volumeMounts) ||"
            " c.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name)))",
            unless="!has(self.initContainers)",
            message="every volumeMount of an init container must name one of the volumes",
            is_met=lambda t: {m.name for c in t.init_containers for m in c.volume_mounts} <= {v.name for v in t.volumes},
        ),
        Rule(
            message="shmSize already mounts /dev/shm, in init containers too",
            is_met=lambda t: t.shm_size is None or all(m.mount_path != SHM_PATH for c in t.init_containers for m in c.volume_mounts),
        ),
    )
    init_containers: Annotated[tuple[InitContainer, ...], as_map("name", 8)] = Field(
        (), description="Containers that run one after the other before the main one: to fetch data, to check; or sidecars."
    )
    volumes: Annotated[tuple[Volume, ...], as_map("name", 32)] = Field((), description="Volumes that the containers can mount.")
    image_pull_secrets: Annotated[tuple[LocalReference, ...], as_map("name", 8)] = Field(
        (),
        description="Secrets of the job's namespace with registry credentials, of type kubernetes.io/dockerconfigjson. They travel with "
        "the job and must carry the label sampan.dev/share-with-jobs=true.",
    )
    security_context: PodSecurityContext | None = Field(None, description="As whom the containers run.")
    shm_size: PositiveAmount | None = Field(
        None, description="Size of /dev/shm, which data loaders and collectives need; counted as the pod's memory."
    )
    termination_grace_period_seconds: Int = Field(
        30, ge=1, le=86_400, description="Seconds between SIGTERM and SIGKILL, to write a checkpoint. Default 30."
    )
    architectures: Annotated[tuple[Architecture, ...], as_set(8)] = Field(
        (), description="CPU architectures that the image runs on, such as amd64 or arm64; empty: any."
    )
