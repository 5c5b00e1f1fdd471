"""A member cluster as the scheduler sees it: nodes own what is free, pools and cells are views on nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sampan.model.launch import NO_LAUNCH, Launch
from sampan.model.members.accelerator import AcceleratorClass, Sharing
from sampan.model.members.admission import NO_ADMISSION, Admission, Quota
from sampan.model.members.device import UNKNOWN_VENDOR, ClaimSource, DeviceGroup, DeviceSlice
from sampan.model.members.offer import OfferKey
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.members.taint import Taint
from sampan.model.values.vector import CPU, MEMORY, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of a member: what it can hand out, and what tells its devices."""

    name: str
    allocatable: Vector
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    architecture: str = "amd64"
    hostname: str = ""
    """Value of the label kubernetes.io/hostname, for preferred affinity; empty where it is missing."""
    ready: bool = True
    cordoned: bool = False
    unfit: tuple[str, str] | None = None
    """(cause, what tells it) where no pod of ours can ever run there, such as ("NotLinux", "kubernetes.io/os=windows")."""
    capacity: Vector = field(default_factory=Vector)
    """What the node has of extended resources, whether or not it can be handed out now."""
    slices: tuple[DeviceSlice, ...] = ()
    """What DRA drivers publish for this node."""
    odd: tuple[tuple[str, str], ...] = ()
    """Allocatable amounts as published, at most 64 characters, by resource, that are no whole numbers: nothing of what is no number
    counts, and of a number not its fraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A job of ours that holds nodes of a member, or is about to."""

    job_uid: str
    namespace: str
    queue: str
    priority: int
    offer: OfferKey
    pool: str
    nodes: tuple[tuple[str, int], ...]
    """(node, replicas)."""
    per_replica: Vector
    limits: tuple[tuple[str, int], ...] = ()
    """Limits that one replica names, by resource."""
    ends: int | None
    """Milliseconds since the epoch by which it is gone at the latest, grace included; None: not declared."""
    likely_ends: int | None = None
    """When it is probably gone, by what its tenant expects; None: not told."""

    @property
    def replicas(self) -> int:
        """Return how many replicas it has."""
        return sum(replicas for _, replicas in self.nodes)

    @property
    def in_use(self) -> Vector:
        """Return what all its replicas hold together."""
        return self.per_replica.times(self.replicas)

    @property
    def best_effort(self) -> bool:
        """Tell whether its pods ask for neither CPU nor memory."""
        return not (self.per_replica[CPU] or self.per_replica[MEMORY])


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUse:
    """What is taken of one card that is handed out in shares."""

    memory: int = 0
    cores: int = 0
    slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberQueue:
    """A queue of the member's own (Kueue LocalQueue and its ClusterQueue) that a job enters."""

    name: str
    free: Mapping[str, int] = field(default_factory=dict)
    """Amounts by resource that it may still admit, borrowing included; a resource that is not named is not limited."""
    source: str = ""
    """What else draws on `free`: every queue of this ClusterQueue; empty: no other."""
    cohort: str = ""
    """What its ClusterQueue may borrow from; empty: nothing."""
    cohort_free: Mapping[str, int] = field(default_factory=dict)
    """What all ClusterQueues of the cohort may still admit together."""
    largest: Mapping[str, int] = field(default_factory=dict)
    """The most that one job may take, as all its pods enter one flavour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The nodes of one member and what is taken on them: by every pod seen and by our own assignments in flight."""

    uid: str
    nodes: Mapping[str, Node] = field(default_factory=dict)
    devices: Mapping[str, tuple[DeviceGroup, ...]] = field(default_factory=dict)
    """Per node, what the catalogue resolved."""
    used: Mapping[str, Vector] = field(default_factory=dict)
    cards: Mapping[tuple[str, str], CardUse] = field(default_factory=dict)
    """What is taken of cards handed out in shares, by (node, card id)."""
    rings: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Free devices per ring on nodes of classes with a group size; a node that is not named: not known which devices are taken."""
    contended: Mapping[str, Vector] = field(default_factory=dict)
    """What foreign pods that still wait for a node ask for, by the extended resource they name; the empty name: CPU only."""
    running: Mapping[str, Running] = field(default_factory=dict)
    """Our own attempts on this member, by job UID."""
    quotas: Mapping[str, tuple[Quota, ...]] = field(default_factory=dict)
    """What the ResourceQuotas of a job namespace leave, by namespace and then by name."""
    admission: Mapping[str, Admission] = field(default_factory=dict)
    """What the API server asks of pods of a job namespace, by namespace; not named: nothing, or nobody may look."""
    queues: Mapping[str, MemberQueue] = field(default_factory=dict)
    """The member's own queues in the job namespaces, by `namespace/name`."""
    covered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Resources that each of them hands out, as far as it is known."""
    open_queues: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of those that are there and admit jobs, by namespace; the empty name: every other namespace; not named: nobody may look."""
    queueing: tuple[str, ...] = ()
    """Layers found on the member: `Kueue`, `Volcano`, `HAMi`, `Koordinator`."""
    runtime_classes: Mapping[str, RuntimeClass] | None = None
    """RuntimeClasses by name; None: nobody let us look."""

    def free(self, node: str) -> Vector:
        """Return what is free on a node; negative amounts mean overcommitted."""
        known = self.nodes[node].allocatable
        return known - self.used[node] if node in self.used else known


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Nodes of an offer that are alike in everything a demand can ask for."""

    name: str
    cluster_uid: str
    nodes: tuple[str, ...]
    """Ready, uncordoned nodes in name order."""
    vendor: str = ""
    resource: str = ""
    """Extended resource of the devices; empty for CPU-only nodes."""
    accelerator: AcceleratorClass | None = None
    """None for CPU-only nodes and where the model cannot be told."""
    family: str = ""
    """Family that all classes have that are possible, where none is told; empty: not known."""
    stack: str = ""
    """Software stack of the vendor, where no class is told."""
    domestic: bool = False
    sharing: Sharing = Sharing.WHOLE
    publisher: str = ""
    profile: str = ""
    """Partition of the devices, such as `1g.10gb`; empty for whole ones."""
    memory: int | None = None
    """Bytes of one device of the pool: a partition's, else the class's nominal memory; None: not known."""
    variant_unknown: bool = False
    architecture: str = "amd64"
    devices_per_node: int = 0
    identifying_labels: tuple[tuple[str, str], ...] = ()
    """Labels that every node of the pool carries and that tell its class: a pod's required affinity."""
    tolerated: tuple[Taint, ...] = ()
    """Taints of these nodes that a pod of ours must tolerate."""
    for_devices_only: bool = False
    """A taint of the device plugin's convention keeps pods that ask for no device away."""
    max_devices: int | None = None
    """The offer's cap on devices in use in this pool, and in all pools of the same rule together."""
    rule: int | None = None
    """Index of the offer's rule that these nodes came by."""
    fabric: str = ""
    """Kind of the fabric that its nodes are wired with; empty: none, or none known."""
    domains: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(domain, nodes in name order) of every fabric domain: each is a cell of its own for gangs that must stay inside one."""
    claim: ClaimSource | None = None
    """Set where the devices are had by claim only."""
    launch: Launch = NO_LAUNCH
    """The class's recipe with the offer's word over it."""
    overhead: Vector = Vector()
    """What the recipe's RuntimeClass adds to each pod on the member."""
    runtime_missing: bool = False
    """The recipe names a RuntimeClass that the member has not: no pod can be made there."""
    member_queue: str = ""
    """`namespace/name` of the member's queue that jobs enter; empty: none."""
    namespace: str = field(default="", repr=False)
    """Of the offer's jobs on the member. Not in the repr, from which names of pools are made, nor are the next."""
    tenant_namespaces: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    """As `Offer.tenant_namespaces`, by tenant."""
    admission: Admission = field(default=NO_ADMISSION, repr=False)
    """What the member's API server asks of pods of that namespace."""
    covers: frozenset[str] | None = field(default=None, repr=False)
    """Resources that the member's queue hands out: a pod that asks for another is never admitted; None: all, or not known."""
    queue_inactive: bool = field(default=False, repr=False)
    """The member's queue is missing or stopped: a job that enters it would wait there."""
    driver: str = ""
    """Least driver version on its nodes; empty: not known."""
    compute_capability: str = ""

    def namespace_of(self, tenant: str) -> str:
        """Return the namespace on the member where jobs of a tenant run; empty where it has none."""
        return self.namespace if self.tenant_namespaces is None else dict(self.tenant_namespaces).get(tenant, "")

    @property
    def device_class(self) -> AcceleratorClass | None:
        """Return what is known of one of its devices, as a class; None where there are no devices.

        Its memory is a partition's own; where the model cannot be told it has no name, and no figure but that.
        """
        have = self.accelerator
        if not self.resource:
            return None
        if have is None:
            vendor = "" if self.vendor == UNKNOWN_VENDOR else self.vendor
            return AcceleratorClass(name="", vendor=vendor, family=self.family, stack=self.stack, origin="", memory=self.memory)
        memory = self.memory if self.memory is not None or self.sharing is Sharing.PARTITION else have.memory
        return have if memory == have.memory else replace(have, memory=memory)

    @property
    def device_names(self) -> dict[str, str]:
        """Return the names by which its devices can be asked for, by word of the manifest; none where there are no devices."""
        have = self.device_class
        return {} if have is None else {**have.names, "resource": self.resource}

    @property
    def units_per_device(self) -> int:
        """Return how many of its resource one device is."""
        return self.accelerator.units_per_device if self.accelerator else 1

    @property
    def extra(self) -> Vector:
        """Return what every replica takes besides what it asks for and its devices: by the recipe, and by its RuntimeClass."""
        added = self.launch.extra_resources
        return added + self.overhead if self.overhead.amounts else added


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A pool of an offer, or one fabric domain of it: what a verdict is about."""

    offer: OfferKey
    pool: Pool
    domain: str = ""
    """A domain of the pool; empty: the whole pool."""

    @property
    def id(self) -> tuple[OfferKey, str]:
        """Return what names the cell: offer, and pool name or `pool@domain`."""
        return self.offer, f"{self.pool.name}@{self.domain}" if self.domain else self.pool.name

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the nodes in name order."""
        return dict(self.pool.domains)[self.domain] if self.domain else self.pool.nodes
