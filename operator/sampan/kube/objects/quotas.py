"""Typed values of what limits or queues jobs on a member: ResourceQuotas, LimitRanges, Kueue's queues, ResourceClaims, API groups.

Lives here: the fields something in Sampan reads, and no others.
Must never live here: decoding, network, meaning. The rules of leniency are in meta.py.
"""

# ruff: noqa: RUF012  (msgspec copies empty defaults; ruff does not see that KubeStruct is a Struct)

from sampan.kube.objects.meta import KubeStruct, ObjectMeta
from sampan.kube.objects.workloads import Condition


class QuotaStatus(KubeStruct, frozen=True, gc=False):
    """What a namespace may use, and uses."""

    hard: dict[str, str | int] = {}
    used: dict[str, str | int] = {}


class ScopeTerm(KubeStruct, frozen=True, gc=False):
    """A scope with an operator: In, NotIn, Exists or DoesNotExist."""

    scope_name: str = ""
    operator: str = ""
    values: list[str] = []


class ScopeSelector(KubeStruct, frozen=True, gc=False):
    """Terms that must all hold."""

    match_expressions: list[ScopeTerm] = []


class QuotaSpec(KubeStruct, frozen=True, gc=False):
    """What a namespace is to have, and which pods it counts; scopes narrow it."""

    hard: dict[str, str | int] = {}
    scopes: list[str] = []
    scope_selector: ScopeSelector = ScopeSelector()


class ResourceQuota(KubeStruct, frozen=True, gc=False):
    """A quota of a namespace."""

    metadata: ObjectMeta = ObjectMeta()
    spec: QuotaSpec = QuotaSpec()
    status: QuotaStatus = QuotaStatus()


class LimitRangeItem(KubeStruct, frozen=True, gc=False):
    """Bounds and defaults of containers, pods or claims."""

    type: str = ""
    max: dict[str, str | int] = {}
    min: dict[str, str | int] = {}
    default: dict[str, str | int] = {}
    default_request: dict[str, str | int] = {}
    max_limit_request_ratio: dict[str, str | int] = {}


class LimitRangeSpec(KubeStruct, frozen=True, gc=False):
    """Its items."""

    limits: list[LimitRangeItem] = []


class LimitRange(KubeStruct, frozen=True, gc=False):
    """Bounds of what pods of a namespace may name."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LimitRangeSpec = LimitRangeSpec()


class PriorityClass(KubeStruct, frozen=True, gc=False):
    """A priority class; the server gives the global default to pods that name none."""

    metadata: ObjectMeta = ObjectMeta()
    value: int = 0
    global_default: bool = False


class LocalQueueSpec(KubeStruct, frozen=True, gc=False):
    """Which ClusterQueue serves it."""

    cluster_queue: str = ""
    stop_policy: str = "None"


class UsedResource(KubeStruct, frozen=True, gc=False):
    """What a flavour's resource uses."""

    name: str = ""
    total: str | int = "0"


class UsedFlavor(KubeStruct, frozen=True, gc=False):
    """What a flavour uses."""

    name: str = ""
    resources: list[UsedResource] = []


class LocalQueueStatus(KubeStruct, frozen=True, gc=False):
    """What the Workloads that came through it have reserved; None: it does not say."""

    flavors_reservation: list[UsedFlavor] | None = None
    flavors_usage: list[UsedFlavor] = []
    """Of those, what is admitted: so in v1beta2."""
    flavor_usage: list[UsedFlavor] = []
    """The same in v1beta1."""
    conditions: list[Condition] = []


class LocalQueue(KubeStruct, frozen=True, gc=False):
    """Kueue's queue of a namespace."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LocalQueueSpec = LocalQueueSpec()
    status: LocalQueueStatus = LocalQueueStatus()


class QueueResource(KubeStruct, frozen=True, gc=False):
    """A resource of a flavour: its nominal quota, how much may be borrowed beyond it, and how much of it others may borrow."""

    name: str = ""
    nominal_quota: str | int = "0"
    borrowing_limit: str | int | None = None
    lending_limit: str | int | None = None


class QueueFlavor(KubeStruct, frozen=True, gc=False):
    """A flavour of a ClusterQueue."""

    name: str = ""
    resources: list[QueueResource] = []


class QueueGroup(KubeStruct, frozen=True, gc=False):
    """Flavours that cover the same resources."""

    flavors: list[QueueFlavor] = []


class ClusterQueueSpec(KubeStruct, frozen=True, gc=False):
    """What a ClusterQueue may admit. Its cohort is `cohort` in v1beta1 and `cohortName` in v1beta2."""

    cohort: str = ""
    cohort_name: str = ""
    resource_groups: list[QueueGroup] = []
    stop_policy: str = "None"


class ClusterQueueStatus(KubeStruct, frozen=True, gc=False):
    """What it has admitted; `flavorsReservation` counts what is reserved, admitted or not."""

    flavors_reservation: list[UsedFlavor] = []
    conditions: list[Condition] = []


class ClusterQueue(KubeStruct, frozen=True, gc=False):
    """Kueue's quota of a group of namespaces."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ClusterQueueSpec = ClusterQueueSpec()
    status: ClusterQueueStatus = ClusterQueueStatus()


class AllocatedDevice(KubeStruct, frozen=True, gc=False):
    """A device that a claim holds."""

    driver: str = ""
    pool: str = ""
    device: str = ""
    admin_access: bool | None = None
    """Watches the device, and takes nothing of it."""


class DeviceAllocation(KubeStruct, frozen=True, gc=False):
    """The devices of an allocation."""

    results: list[AllocatedDevice] = []


class Allocation(KubeStruct, frozen=True, gc=False):
    """What a claim was given."""

    devices: DeviceAllocation = DeviceAllocation()


class ClaimStatus(KubeStruct, frozen=True, gc=False):
    """Where a claim stands."""

    allocation: Allocation | None = None


class ResourceClaim(KubeStruct, frozen=True, gc=False):
    """A claim on devices (resource.k8s.io)."""

    metadata: ObjectMeta = ObjectMeta()
    status: ClaimStatus = ClaimStatus()


class GroupVersion(KubeStruct, frozen=True, gc=False):
    """A version of a group of APIs."""

    group_version: str = ""


class ApiGroup(KubeStruct, frozen=True, gc=False):
    """A group of APIs that a server serves."""

    name: str = ""
    versions: list[GroupVersion] = []


class ApiGroups(KubeStruct, frozen=True, gc=False):
    """All groups that a server serves."""

    groups: list[ApiGroup] = []
