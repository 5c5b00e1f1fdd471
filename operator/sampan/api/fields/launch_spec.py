"""The launch recipe that a class or an offer adds to every pod: an allow-list, never a raw PodSpec. Rendering is in `pod` and `launch`."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from sampan.api.fields.common import ApiModel, LocalReference, Rule, as_atomic, as_map, as_set
from sampan.api.fields.quantities import Units
from sampan.api.fields.scalars import (
    LABEL_KEY_PATTERN,
    AbsolutePath,
    DnsLabel,
    DnsSubdomain,
    EnvName,
    ExtendedResource,
    Int,
    LabelKey,
    LabelValue,
    ShortText,
)
from sampan.catalog.taints import LIFECYCLE_KEYS, LIFECYCLE_PREFIXES, TolerationSet, lifecycle
from sampan.model.launch import PodSecurity

_KEYS = {
    "rule": f"self.all(k, size(k) <= 317 && k.matches(r'{LABEL_KEY_PATTERN}'))",
    "message": "every key must be a label key such as ring-controller.atlas",
}
_RESOURCES = {
    "rule": "self.all(k, k.contains('/') && size(k) <= 317)",
    "message": "every key must be an extended resource such as rdma/hca",
}


class HostPathSpec(ApiModel):
    """A folder of the node, mounted read-only."""

    path: AbsolutePath = Field(description="Folder on the node, such as /opt/hyhal.")
    mount_path: AbsolutePath = Field(description="Where the container sees it.")


class LaunchEnv(ApiModel):
    """A variable of the container's environment; the job's own variable of the same name wins."""

    name: EnvName = Field(description="Name of the variable.")
    value: ShortText = Field("", description="Value of the variable, taken as it is.")


class RecipeSpec(ApiModel):
    """What a pod needs beyond its devices."""

    RULES: ClassVar = (
        Rule(
            cel="!has(self.podLabels) || self.podLabels.all(k, !k.startsWith('sampan.dev/'))",
            message="podLabels must lie outside sampan.dev: those tell our pods from others",
            is_met=lambda r: not any(key.startswith("sampan.dev/") for key in r.pod_labels),
        ),
        Rule(
            cel="!has(self.podAnnotations) || self.podAnnotations.all(k, !k.startsWith('sampan.dev/'))",
            message="podAnnotations must lie outside sampan.dev",
            is_met=lambda r: not any(key.startswith("sampan.dev/") for key in r.pod_annotations),
        ),
    )
    scheduler_name: DnsSubdomain | None = Field(None, description="Scheduler of the member that places the pods, such as volcano.")
    runtime_class_name: DnsSubdomain | None = Field(
        None,
        description="RuntimeClass of the pods, such as nvidia or ascend. It must exist on the member; what it adds to pods is counted.",
    )
    pod_labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=16, json_schema_extra={"x-kubernetes-validations": [_KEYS]})] = (
        Field({}, description="Labels added to the pods.")
    )
    pod_annotations: Annotated[dict[LabelKey, ShortText], Field(max_length=16, json_schema_extra={"x-kubernetes-validations": [_KEYS]})] = (
        Field({}, description="Annotations added to the pods.")
    )
    env: Annotated[tuple[LaunchEnv, ...], as_map("name", 32)] = Field((), description="Variables added to the container.")
    host_paths: Annotated[tuple[HostPathSpec, ...], as_map("mountPath", 8)] = Field(
        (), description="Folders of the node, mounted read-only; the member's namespace must admit them."
    )
    extra_resources: Annotated[
        dict[ExtendedResource, Units],
        Field(max_length=8, json_schema_extra={"x-kubernetes-validations": [_RESOURCES]}),
    ] = Field({}, description="Extended resources that each replica takes besides its devices, such as rdma/hca: 1.")
    supplemental_groups: Annotated[tuple[Annotated[Int, Field(ge=1, le=2**31 - 1)], ...], as_set(16)] = Field(
        (), description="Groups of the container's process, such as the one that owns the device files."
    )
    pod_security_level: PodSecurity = Field(
        PodSecurity.RESTRICTED, description="Pod Security level that such a pod needs: restricted, baseline or privileged."
    )
    backend: DnsLabel | None = Field(None, description="torch.distributed backend of gangs, such as nccl or hccl; told to the program.")


_LIFECYCLE: Final = " || ".join(
    [f"self.key in {[*LIFECYCLE_KEYS]}", *(f"self.key.startsWith('{prefix}')" for prefix in LIFECYCLE_PREFIXES)]
)


class TolerationSpec(ApiModel):
    """A taint that pods tolerate. Always one key: a toleration of everything would send jobs to nodes that are going."""

    RULES: ClassVar = (
        Rule(
            cel=f"!({_LIFECYCLE})",
            message="key must not be a taint of a node that comes, goes or is ill, such as node.kubernetes.io/unreachable",
            is_met=lambda t: not lifecycle(t.key),
        ),
        Rule(
            cel="!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
            message="value must be absent with operator Exists: it tolerates every value",
            is_met=lambda t: t.operator != "Exists" or not t.value,
        ),
    )
    key: LabelKey = Field(description="Key of the taint, such as dedicated.")
    operator: Literal["Equal", "Exists"] | None = Field(None, description="Equal: the value must match; Exists: any does. Absent: Equal.")
    value: LabelValue | None = Field(None, description="Value of the taint; absent: the empty one.")
    effect: Literal["NoSchedule", "NoExecute"] | None = Field(None, description="Effect of the taint; absent: both.")


class UserRange(ApiModel):
    """Numeric users, both ends included."""

    RULES: ClassVar = (Rule(cel="self.min <= self.max", message="min must not be above max", is_met=lambda r: r.min <= r.max),)
    min: Annotated[Int, Field(ge=0, le=2**31 - 1)] = Field(description="Lowest user. 0 is root.")
    max: Annotated[Int, Field(ge=0, le=2**31 - 1)] = Field(description="Highest user.")


class OfferLaunchSpec(RecipeSpec):
    """What the provider adds to every pod that this offer runs; its word is the last."""

    toleration_sets: Annotated[tuple[TolerationSet, ...], as_set(8)] = Field(
        (),
        description="Taints that clouds and administrators usually set, by name. GPUNodes: sku=gpu, dedicated=gpu, gpu=true. "
        "Spot: of GKE, AKS and OKE; such nodes may go at any time, so spec.terms must be Interruptible. "
        "Arm64: kubernetes.io/arch=arm64. Not needed for nvidia.com/gpu and its like: jobs that ask for the devices tolerate those.",
    )
    tolerations: Annotated[tuple[TolerationSpec, ...], as_atomic(16)] = Field(
        (),
        description="Further taints of the member's nodes that jobs of this offer tolerate. A pod is given those only that its pool's "
        "nodes have. Nodes with any other taint are in no pool; status.excludedNodes names it.",
    )

    run_as_user: UserRange | None = Field(
        None,
        description="Users that jobs may run as here: one that a job names in securityContext.runAsUser, else 1000 or the nearer end. "
        "Absent: 1000 alone, or whatever the image says where podSecurityLevel is not restricted. Root needs a namespace whose Pod "
        "Security level is baseline or privileged.",
    )
    image_pull_secrets: Annotated[tuple[LocalReference, ...], as_map("name", 8)] = Field(
        (), description="Secrets with registry credentials in the member's job namespace."
    )
