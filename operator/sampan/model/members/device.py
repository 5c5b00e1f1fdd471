"""Devices as a node, or its ResourceSlices, publish them. Facts of models are in `accelerator`; who tells devices apart is `catalog`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sampan.model.members.accelerator import Sharing

MAX_DEVICES_PER_NODE: Final = 1024
"""More devices of one resource than this are no devices: such an amount on a node is not believed."""

UNKNOWN_VENDOR: Final = "unknown"
"""Vendor of devices that nobody can tell the maker of: no job can ask for them by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One physical device that is handed out in shares; amounts are what the publisher lets out, before anything is taken."""

    id: str
    memory: int
    """Bytes."""
    cores: int = 100
    """Percent of its compute; 100 is all of it."""
    slots: int = 1
    """Containers that may share it."""


@dataclass(frozen=True, slots=True, order=True)
class Fabric:
    """A domain whose nodes reach each other over an accelerator fabric: an NVLink clique, an Ascend super pod, a labelled rack."""

    kind: str
    """`NVLink`, `SuperPod` or `Rack`."""
    domain: str
    """What the label says, unique within a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraDevice:
    """One device of a ResourceSlice: `spec.devices[]` with its attributes and capacities as plain text and integers."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    """By qualified or plain name; versions, booleans and numbers as their text."""
    capacity: Mapping[str, int] = field(default_factory=dict)
    """In base units."""
    tainted: bool = False
    """Carries a NoSchedule or NoExecute device taint: unhealthy."""
    consumable: bool = False
    """`allowMultipleAllocations`: handed out in shares."""
    counters: tuple[tuple[str, str, int], ...] = ()
    """(counter set, counter, amount) that it takes of what devices of its pool share: a whole device and its parts are not had at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSlice:
    """A ResourceSlice (resource.k8s.io/v1) of one node: what a DRA driver publishes there. Only the newest pool generation counts."""

    name: str
    driver: str
    pool: str
    node: str
    generation: int = 1
    expected_slices: int = 1
    """`spec.pool.resourceSliceCount`: with fewer slices seen the pool is incomplete and its devices are not counted."""
    devices: tuple[DraDevice, ...] = ()
    counters: tuple[tuple[str, str, int], ...] = ()
    """(counter set, counter, amount) that devices of the pool share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSource:
    """How devices are asked for by claim where no device plugin serves them."""

    device_class: str
    """DeviceClass to name in the claim's request, such as `gpu.nvidia.com`."""
    driver: str
    selectors: tuple[str, ...] = ()
    """CEL expressions that keep the claim to this group's model and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGroup:
    """Devices of one kind on one node, as the catalogue tells them apart."""

    resource: str
    """Extended resource to ask for, such as `nvidia.com/gpu`; `claim:<device class>` where only claims give them."""
    devices: int
    vendor: str
    accelerator_class: str | None
    """None where the model cannot be told: such devices are shown, counted, and had by vendor or resource name only."""
    family: str = ""
    """Family of the class, or of all classes that are possible where none is told; empty: not known."""
    physical: int | None = None
    """Whole devices that `devices` are, or are parts or shares of; None where that cannot be told."""
    sharing: Sharing = Sharing.WHOLE
    identifying_labels: tuple[tuple[str, str], ...] = ()
    """Node labels (key, value) that tell this class, so that a pod can be kept to such nodes."""
    evidence: tuple[str, ...] = ()
    """What told the class, such as `label nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3`."""
    publisher: str = ""
    """Program that publishes them, such as `nvidia-device-plugin`, `hami` or `dra`; of two on a node one counts, the other is ignored."""
    profile: str = ""
    """Partition as its vendor names it: `1g.10gb`, `cpx_nps1`, `vir04`; empty for whole devices."""
    memory: int | None = None
    """Bytes of one device of this group where that is not its class's (a partition, a share), 0 where not told; None: the class's."""
    variant_unknown: bool = False
    """Several classes of one name differ in memory, and nothing says which it is: none is told."""
    unhealthy: int = 0
    """Devices that the vendor's own health word leaves out; not among `devices`."""
    missing: str = ""
    """Why none of them can be had, where none can though they are there: `0 of 8 devices: …`. The node is no CPU node."""
    cards: tuple[Card, ...] = ()
    """With sharing Virtual: the cards behind the shares."""
    rings: tuple[int, ...] | None = None
    """Devices per group of a class with a group size, in group order; None: not known which devices are where."""
    fabric: Fabric | None = None
    claim: ClaimSource | None = None
    """Set where devices are had by claim only."""
    driver: str = ""
    """Driver version as published, empty where it is not."""
    compute_capability: str = ""
    """As published, such as `9.0`; empty where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A published resource that is not counted, and why."""

    resource: str
    amount: int
    why: str
    """`SecondPublisher`, `Companion`, `Bookkeeping`, `NotBelieved`, `Contradictory`, `Partitioned`, `Stale` or `Incomplete`."""
    text: str = ""
    """The amount as published where it is no number."""
