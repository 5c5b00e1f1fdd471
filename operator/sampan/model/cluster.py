"""A member cluster as the scheduler sees it: nodes own what is free, pools and cells are views on nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sampan.model.accelerator import AcceleratorClass, DeviceGroup, Sharing
from sampan.model.offer import OfferKey
from sampan.model.vector import Vector


@dataclass(frozen=True, slots=True, order=True)
class Taint:
    """A taint that keeps pods away unless they tolerate it (effects NoSchedule and NoExecute)."""

    key: str
    value: str
    effect: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The nodes of one member and what is taken on them: by every pod seen and by our own assignments in flight."""

    uid: str
    nodes: Mapping[str, Node] = field(default_factory=dict)
    devices: Mapping[str, tuple[DeviceGroup, ...]] = field(default_factory=dict)
    """Per node, what the catalogue resolved."""
    used: Mapping[str, Vector] = field(default_factory=dict)

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
    domestic: bool = False
    sharing: Sharing = Sharing.WHOLE
    architecture: str = "amd64"
    devices_per_node: int = 0
    telling_labels: tuple[tuple[str, str], ...] = ()
    """Labels that every node of the pool carries and that tell its class: a pod's required affinity."""
    tolerated: tuple[Taint, ...] = ()
    """Taints of these nodes that a pod of ours must tolerate."""
    max_devices: int | None = None
    """The offer's cap on devices in use in this pool, and in all pools of the same rule together."""
    rule: int | None = None
    """Index of the offer's rule that these nodes came by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A pool of an offer: what a verdict is about."""

    offer: OfferKey
    pool: Pool

    @property
    def id(self) -> tuple[OfferKey, str]:
        """Return what names the cell: offer and pool name."""
        return self.offer, self.pool.name
