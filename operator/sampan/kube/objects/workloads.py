"""Typed values of what we read on members: nodes, pods, Jobs.

Lives here: the fields something in Sampan reads, and no others.
Must never live here: decoding, network, meaning. The rules of leniency are in meta.py.
"""

# ruff: noqa: RUF012  (msgspec copies empty defaults; ruff does not see that KubeStruct is a Struct)

from typing import Final

import msgspec

from sampan.kube.objects.meta import Count, KubeStruct, ObjectMeta

UNFINISHED: Final = "status.phase!=Succeeded,status.phase!=Failed"
"""Field selector of the pods that may use a node."""


class Condition(KubeStruct, frozen=True, gc=False):
    """A condition of a node, a pod or a Job."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Taint(KubeStruct, frozen=True, gc=False):
    """A taint of a node."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(KubeStruct, frozen=True, gc=False):
    """What is wanted of a node."""

    unschedulable: bool = False
    taints: list[Taint] = []


class NodeInfo(KubeStruct, frozen=True, gc=False):
    """Facts a kubelet reports."""

    architecture: str = ""
    operating_system: str = ""


class NodeStatus(KubeStruct, frozen=True, gc=False):
    """What a node offers. Quantities are strings as on the wire."""

    allocatable: dict[str, str] = {}
    capacity: dict[str, str] = {}
    conditions: list[Condition] = []
    node_info: NodeInfo = NodeInfo()


class Node(KubeStruct, frozen=True, gc=False):
    """A node."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class Resources(KubeStruct, frozen=True, gc=False):
    """What a container or a pod asks for. Quantities are strings as on the wire."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(KubeStruct, frozen=True, gc=False):
    """A container; ``restart_policy`` Always marks a sidecar among the init containers."""

    name: str = ""
    resources: Resources = Resources()
    restart_policy: str = ""


class PodSpec(KubeStruct, frozen=True, gc=False):
    """Where a pod is and what it asks for. ``resources`` is the pod-level request, None where there is none."""

    node_name: str = ""
    containers: list[Container] = []
    init_containers: list[Container] = []
    overhead: dict[str, str] = {}
    resources: Resources | None = None
    priority: int | None = None


class StateWaiting(KubeStruct, frozen=True, gc=False):
    """Why a container waits."""

    reason: str = ""
    message: str = ""


class StateRunning(KubeStruct, frozen=True, gc=False):
    """Since when a container runs."""

    started_at: str | None = None


class StateTerminated(KubeStruct, frozen=True, gc=False):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(KubeStruct, frozen=True, gc=False):
    """At most one of the three is set."""

    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(KubeStruct, frozen=True, gc=False):
    """What a kubelet says of a container."""

    name: str = ""
    ready: bool = False
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    allocated_resources: dict[str, str] = {}
    resources: Resources | None = None


class PodStatus(KubeStruct, frozen=True, gc=False):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: str | None = None
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(KubeStruct, frozen=True, gc=False):
    """A pod."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class MatchExpression(KubeStruct, frozen=True, gc=False):
    """One expression of a node selector term."""

    key: str = ""
    operator: str = ""
    values: list[str] = []


class NodeSelectorTerm(KubeStruct, frozen=True, gc=False):
    """Expressions that must all hold."""

    match_expressions: list[MatchExpression] = []


class PreferredTerm(KubeStruct, frozen=True, gc=False):
    """A preference with its weight."""

    weight: int = 0
    preference: NodeSelectorTerm = NodeSelectorTerm()


class NodeAffinity(KubeStruct, frozen=True, gc=False):
    """Preferred nodes: the plan's nodes are written here at bind."""

    preferred: list[PreferredTerm] = msgspec.field(name="preferredDuringSchedulingIgnoredDuringExecution", default_factory=list)


class Affinity(KubeStruct, frozen=True, gc=False):
    """Affinity to nodes."""

    node_affinity: NodeAffinity = NodeAffinity()


class TemplateSpec(KubeStruct, frozen=True, gc=False):
    """The part of a pod template that is read back."""

    affinity: Affinity = Affinity()


class PodTemplate(KubeStruct, frozen=True, gc=False):
    """A pod template."""

    metadata: ObjectMeta = ObjectMeta()
    spec: TemplateSpec = TemplateSpec()


class JobSpec(KubeStruct, frozen=True, gc=False):
    """What is wanted of a Job."""

    parallelism: Count | None = None
    completions: Count | None = None
    backoff_limit_per_index: Count | None = None
    active_deadline_seconds: int | None = None
    suspend: bool = False
    template: PodTemplate = PodTemplate()


class JobStatus(KubeStruct, frozen=True, gc=False):
    """How a Job is. Index sets are texts such as ``0-3,7``."""

    active: Count = 0
    ready: Count = 0
    succeeded: Count = 0
    failed: Count = 0
    start_time: str | None = None
    completion_time: str | None = None
    failed_indexes: str = ""
    conditions: list[Condition] = []


class Job(KubeStruct, frozen=True, gc=False):
    """A batch/v1 Job."""

    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()
