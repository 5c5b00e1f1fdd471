"""ClusterOffer, the operator's side: what was found on the member and whether it can be used. Providers only read this."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.fields.common import Condition, Observed, Rule, as_atomic, as_map, as_set
from sampan.api.fields.quantities import PositiveAmount
from sampan.api.fields.scalars import Bool, CamelCase, Count, DnsLabel, Int, Timestamp, Uid, Word
from sampan.model.members.accelerator import Sharing

Generation = Annotated[Int, Field(ge=0, le=2**53)]


Taint = Annotated[str, Field(max_length=400)]
"""As `kubectl taint` writes it."""


class LargestGang(Observed):
    """The largest gang that would start now."""

    per_replica: Count = Field(description="Devices per replica.")
    replicas: Annotated[Int, Field(ge=0, le=1_000_000)] = Field(description="Replicas of that size that fit now.")


class PoolStatus(Observed):
    """Nodes of the member that are alike, with their devices."""

    name: Word = Field(description="Name of the pool, unique in the offer.")
    accelerator_class: DnsLabel | None = Field(
        None, description="Class of the devices; absent where there are none or the model cannot be told."
    )
    vendor: DnsLabel | None = Field(None, description="Maker of the devices.")
    domestic: Bool | None = Field(None, description="Whether the devices come from the hub's home country.")
    sharing: Sharing | None = Field(None, description="How devices are handed out: Whole, Partition, TimeSliced or Virtual.")
    resource_name: Word | None = Field(None, description="Extended resource that pods ask for, such as nvidia.com/gpu.")
    architecture: Word | None = Field(None, description="CPU architecture of the nodes.")
    nodes: Count = Field(0, description="Nodes of the pool that can run pods.")
    devices: Count = Field(0, description="Devices of these nodes, as jobs are given them: whole ones, partitions, time slices or shares.")
    cards: Count | None = Field(
        None,
        description="Whole devices that the devices are, or are parts or shares of: 8 behind 56 partitions. Absent where not told.",
    )
    free: Count = Field(0, description="Devices that no pod and no job in flight uses.")
    schedulable: Count = Field(
        0, description="Free devices that pods can still be given: on nodes with a pod slot, CPU, memory and disk left."
    )
    reserved: Count = Field(0, description="Devices that reservations keep for waiting jobs, be they free already or not.")
    largest_gang: LargestGang | None = Field(None, description="The largest gang that would start now.")
    memory_per_device: PositiveAmount | None = Field(None, description="Nominal memory of one device; of a partition its own.")
    profile: Word | None = Field(None, description="Partition that a device of the pool is, such as 1g.10gb.")
    publisher: Word | None = Field(None, description="Program that publishes the devices, such as nvidia-device-plugin, hami or dra.")
    fabric: Word | None = Field(None, description="Fabric between the nodes: NVLink, SuperPod or Rack.")
    domains: Count = Field(0, description="Fabric domains that the nodes form.")
    variant_unknown: Bool = Field(False, description="Several classes of one name differ in memory and nothing tells which: none is shown.")
    contended: Count = Field(0, description="Devices that pods of others wait for on the member.")
    taints: Annotated[tuple[Taint, ...], as_atomic(16)] = Field((), description="Taints of these nodes, which jobs there tolerate.")
    evidence: Annotated[tuple[Word, ...], as_atomic(8)] = Field(
        (), description="Where the model cannot be told: what the node says, and which labels would tell."
    )


class ExcludedNodesStatus(Observed):
    """Nodes or devices of the member that no pool of the offer has, with the cause."""

    cause: CamelCase = Field(
        description="NotLinux, VirtualNode, ArchitectureUnclear, Deleting, NotReady, Cordoned, NotSelected, Tainted, "
        "RuntimeClassElsewhere nodes; "
        "NotAllocatable: nodes with devices of which none can be had; "
        "Unhealthy, NotBelieved, SecondPublisher, Partitioned, Stale, Incomplete, Contradictory devices."
    )
    vendor: DnsLabel | None = Field(None, description="Maker of the devices, where it is told.")
    nodes: Count = Field(0, description="Nodes that are concerned.")
    devices: Count = Field(0, description="Devices that are concerned.")
    example: Annotated[str, Field(max_length=128)] = Field("", description="One of the nodes, with the resource where there is one.")
    detail: Annotated[str, Field(max_length=1024)] = Field("", description="What tells the cause, or what would let the nodes in.")


class ClusterOfferStatus(Observed):
    """What was found on the member cluster, and whether jobs can go there; written by the operator alone."""

    RULES: ClassVar = (
        Rule(
            cel="!has(oldSelf.clusterUID) || (has(self.clusterUID) && self.clusterUID == oldSelf.clusterUID)",
            message="clusterUID cannot change: another cluster needs another offer",
        ),
    )
    observed_generation: Generation | None = Field(None, description="metadata.generation that this status is about.")
    cluster_uid: Uid | None = Field(
        None, alias="clusterUID", description="UID of the member's kube-system namespace, which tells clusters apart; never changes."
    )
    kubernetes_version: Word | None = Field(None, description="Version that the member's API server reports.")
    workloads: Annotated[tuple[Word, ...], as_set(16)] = Field(
        (), description="Workload APIs of the member that Sampan can use, such as batch/v1."
    )
    pools: Annotated[tuple[PoolStatus, ...], as_map("name", 256)] = Field((), description="Pools that the offer consists of now.")
    excluded_nodes: Annotated[tuple[ExcludedNodesStatus, ...], as_atomic(32)] = Field(
        (), description="What of the member is in no pool of this offer, and why."
    )
    queueing: Annotated[tuple[Word, ...], as_set(8)] = Field(
        (), description="Layers found on the member: Kueue, Volcano, HAMi, Koordinator."
    )
    missing_permissions: Annotated[tuple[Word, ...], as_atomic(64)] = Field(
        (), description="Rights that the credential lacks, such as create batch/jobs in sampan-jobs."
    )
    kubeconfig_fingerprint: Uid | None = Field(
        None, description="First digits of the SHA-256 of the kubeconfig in use; tells whether a rotation arrived."
    )
    last_probe_success: Timestamp | None = Field(
        None, description="When the member last answered, as of the last other change of this status."
    )
    conditions: Annotated[tuple[Condition, ...], as_map("type", 16)] = Field(
        (), description="Approved, Connected, PermissionsSufficient, Schedulable, Draining, Overcommitted, CredentialExpiring."
    )
