"""The typed form of one vendor's facts: resource names, labels, registers, drivers, variants. No parsing and no decision about a node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from sampan.model.members.accelerator import AcceleratorClass, Sharing

_MOST_NAMES: Final = 8192


class Kind(StrEnum):
    """What a unit of an extended resource is."""

    WHOLE = "whole"
    PARTITION = "partition"
    SHARED = "shared"
    VIRTUAL = "virtual"
    COMPANION = "companion"  # memory or cores that go with a virtual device: never a device
    BOOKKEEPING = "bookkeeping"
    MONITORING = "monitoring"

    @property
    def sharing(self) -> Sharing | None:
        """Return how such devices are handed out; None for what is not a device."""
        return _SHARING.get(self)


_SHARING = {Kind.WHOLE: Sharing.WHOLE, Kind.PARTITION: Sharing.PARTITION, Kind.SHARED: Sharing.TIME_SLICED, Kind.VIRTUAL: Sharing.VIRTUAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceName:
    """An extended resource name, or a pattern of names, and what its units are.

    Groups of the pattern tell more: `model` a product, `profile` a partition as its vendor names it, `gib` the memory of one.
    """

    pattern: re.Pattern[str]
    kind: Kind
    publisher: str
    name: str = ""
    """The name, where it is just one."""
    """Which program publishes it; two publishers of a vendor on one node show the same devices twice."""
    model: str | None = None
    """Product that the name itself tells."""
    alias: str = ""
    """Names with one alias show one set of devices: the first view of it in the table counts. `{profile}` and the like are what the
    pattern finds."""
    view: str = ""
    """Names of one view show different devices of the set; empty: every name is a view of its own."""
    cards: bool = False
    """Of bookkeeping: its amount is the number of cards."""
    multiplied: bool = False
    """A unit may be one of several replicas of a device: only a count of cards tells."""
    per_card: int = 0
    """Of partitions: how many of what the group `part` of the pattern counts are a whole card; 0: not known."""

    def group(self, name: str, group: str) -> str:
        """Return what a group of the pattern finds in a matching name, empty where it finds nothing."""
        match = self.pattern.fullmatch(name)
        return (match.groupdict().get(group) or "") if match else ""

    def product(self, name: str) -> str | None:
        """Return the product that a matching resource name tells, None where it tells none."""
        return self.group(name, "model") or self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffix:
    """An ending of a product label that says how the device is shared; its group `profile` names the partition."""

    pattern: re.Pattern[str]
    sharing: Sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A label that says how devices are cut: values that match `whole` are whole devices, all others partitions."""

    label: str
    whole: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSignal:
    """A label with a value that says something of the node's devices."""

    label: str
    """The label; with a star at the end the beginning of labels."""
    value: re.Pattern[str]
    text: str = ""
    """What it says, where that is not just that there are devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PciFacts:
    """How the vendor's devices show on the PCI bus."""

    vendor: str
    """PCI vendor id, four lower case hexadecimal digits."""
    classes: tuple[str, ...] = ()
    """PCI class codes that only accelerators of the vendor have; `any`: it makes nothing else that is labelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """Which node labels tell model, memory and sharing."""

    product: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    """Beginnings of labels `<beginning><product>=<number of devices>`."""
    ids: tuple[str, ...] = ()
    """Labels that hold the PCI device id."""
    counted_ids: tuple[str, ...] = ()
    """Beginnings of labels `<beginning><PCI device id>=<number of devices>`."""
    board: tuple[str, ...] = ()
    memory: tuple[tuple[str, int], ...] = ()
    """(label, bytes per unit of its number)."""
    partition_memory: tuple[tuple[str, int], ...] = ()
    """(label with `{resource}` in it, bytes per unit)."""
    count: tuple[str, ...] = ()
    """Physical devices of the node: more units than that are shares."""
    replicas: tuple[str, ...] = ()
    """A number above one means time-sliced devices."""
    strategy: tuple[str, ...] = ()
    """Any value but `none` means time-sliced devices."""
    virtual: tuple[str, ...] = ()
    """Value `true` means a virtual machine's share of a device."""
    modes: tuple[Mode, ...] = ()
    driver: tuple[tuple[str, ...], ...] = ()
    """Label sets whose values, joined by dots, are the driver version; the first set that is there whole."""
    compute: tuple[str, ...] = ()
    """Labels whose values, joined by a dot, are the compute capability."""
    unhealthy: tuple[str, ...] = ()
    """Labels or annotations that list devices the vendor leaves out."""
    devices: tuple[str, ...] = ()
    """Annotations that list the node's devices by name."""
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[Suffix, ...] = ()
    parts: Mapping[str, int] = field(default_factory=dict)
    """Beginning of a partition's profile, up to `_`, to the number of them that every card is cut into; 0: as its class says."""
    guests: tuple[re.Pattern[str], ...] = ()
    """Product texts of a virtual machine's share of a device."""
    present: tuple[LabelSignal, ...] = ()
    """Labels that say that devices are there, whether or not any can be had."""
    states: tuple[LabelSignal, ...] = ()
    """Labels that say why none can be had."""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`label=value` to the products that it stands for; `=name` for a model told by a resource name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Node annotations in which a sharing layer lists its cards; `{word}` stands for the pattern's group of that name."""

    resources: re.Pattern[str]
    annotation: str
    handshake: str
    publisher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FabricLabel:
    """A label or annotation that names the fabric domain of a node."""

    kind: str
    key: str
    pattern: re.Pattern[str]
    """A value that does not match names no domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraKind:
    """One kind of device that a DRA driver publishes."""

    value: str
    """Value of the driver's type attribute; empty: any."""
    kind: Kind
    device_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraDriver:
    """A DRA driver: which attribute tells what. Attributes are named without their domain."""

    name: str
    kinds: tuple[DraKind, ...]
    type: str = ""
    product: tuple[str, ...] = ()
    profile: str = ""
    memory: str = "memory"
    cores: str = ""
    slots: str = ""
    id: str = "uuid"
    parent: str = ""
    driver: str = "driverVersion"
    compute: str = ""
    sized: bool = False
    """A whole device of a class that can be cut, announced without memory, cannot be had: it is set up for its parts."""
    healthy: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(attribute, values that mean healthy); a device without the attribute is healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One class and what tells it from its siblings."""

    facts: AcceleratorClass
    products: frozenset[str] = frozenset()
    """Normalised product texts."""
    boards: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    """PCI device ids, four lower case hexadecimal digits."""
    reported: tuple[int, ...] = ()
    """Bytes that drivers report where that is not the nominal memory."""
    slices: int = 0
    """Parts that a card can be cut into at most; 0: it cannot, or nobody knows."""
    resources: re.Pattern[str] | None = None
    """Only these resource names can carry the class; None: any of the vendor."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vendor:
    """All that is known about one vendor: a table that is read once, and equal to itself alone."""

    name: str
    stack: str
    origin: str
    publishers: tuple[str, ...]
    """Whom to believe first where several publish on one node."""
    resources: tuple[ResourceName, ...]
    labels: LabelFacts
    variants: tuple[Variant, ...]
    taints: frozenset[str] = frozenset()
    """Taint keys that by convention only keep pods without devices away."""
    registers: tuple[Register, ...] = ()
    fabrics: tuple[FabricLabel, ...] = ()
    drivers: tuple[DraDriver, ...] = ()
    pci: PciFacts | None = None

    def resource(self, name: str) -> ResourceName | None:
        """Return the entry that knows an extended resource, the first that matches."""
        return _entry(self, name)

    def dra(self, driver: str) -> DraDriver | None:
        """Return the entry of a DRA driver."""
        return next((known for known in self.drivers if known.name == driver), None)


@lru_cache(maxsize=_MOST_NAMES)
def _entry(vendor: Vendor, name: str) -> ResourceName | None:
    """Return the entry that knows a name: nodes of a member publish the same few, and each is asked for by every vendor."""
    return next((known for known in vendor.resources if known.pattern.fullmatch(name)), None)
