"""The typed form of one vendor's facts: resource names, labels, variants. No parsing and no decision about a node here."""

import re
from dataclasses import dataclass
from enum import StrEnum

from sampan.model.accelerator import AcceleratorClass, Sharing


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
    """An extended resource name, or a pattern of names, and what its units are."""

    pattern: re.Pattern[str]
    kind: Kind
    publisher: str
    """Which program publishes it; two publishers of a vendor on one node show the same devices twice."""
    model: str | None = None
    """Product that the name itself tells; a group `model` of the pattern tells it too."""
    virtual_annotations: tuple[str, ...] = ()
    """A node with one of these has virtual devices under this name, not whole ones."""

    def product(self, name: str) -> str | None:
        """Return the product that a matching resource name tells, None where it tells none."""
        match = self.pattern.fullmatch(name)
        told = match.groupdict().get("model") if match else None
        return told or self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffix:
    """An ending of a product label that says how the device is shared."""

    pattern: re.Pattern[str]
    sharing: Sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFacts:
    """Which node labels tell model, memory and sharing."""

    product: tuple[str, ...] = ()
    board: tuple[str, ...] = ()
    memory: tuple[tuple[str, int], ...] = ()
    """(label, bytes per unit of its number)."""
    replicas: tuple[str, ...] = ()
    """A number above one means time-sliced devices."""
    strategy: tuple[str, ...] = ()
    """Any value but `none` means time-sliced devices."""
    virtual: tuple[str, ...] = ()
    """Value `true` means a virtual machine's share of a device."""
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[Suffix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One class and what tells it from its siblings."""

    facts: AcceleratorClass
    products: frozenset[str] = frozenset()
    """Normalised product texts."""
    boards: frozenset[str] = frozenset()
    reported: tuple[int, ...] = ()
    """Bytes that drivers report where that is not the nominal memory."""
    resources: re.Pattern[str] | None = None
    """Only these resource names can carry the class; None: any of the vendor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """All that is known about one vendor."""

    name: str
    publishers: tuple[str, ...]
    """Whom to believe first where several publish on one node."""
    resources: tuple[ResourceName, ...]
    labels: LabelFacts
    variants: tuple[Variant, ...]
    taints: frozenset[str] = frozenset()
    """Taint keys that by convention only keep pods without devices away."""

    def resource(self, name: str) -> ResourceName | None:
        """Return the entry that knows an extended resource, the first that matches."""
        return next((known for known in self.resources if known.pattern.fullmatch(name)), None)
