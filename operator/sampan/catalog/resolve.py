"""Tells the devices of one node from its allocatable resources and labels. Knows no class objects of the hub: `catalog.py` adds them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sampan.catalog.facts import LabelFacts, ResourceName, Variant, Vendor
from sampan.catalog.reading import normalise
from sampan.model.accelerator import Sharing
from sampan.model.cluster import Node
from sampan.model.device import DeviceGroup

UNKNOWN_VENDOR: Final = "unknown"
TOLERANCE_PERCENT: Final = 5
"""How far a reported memory may lie from the nominal one and still choose the variant."""

_NUMBER: Final = re.compile(r"([0-9]{1,9})(?:Gi?B?|Mi?B?)?")
_MOST_EVIDENCE: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A resource of one node that a vendor's table knows as devices."""

    name: str
    units: int
    entry: ResourceName


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that names a product: a label, or the resource name itself where `key` is empty."""

    key: str
    value: str
    product: str
    of_board: bool = False

    @property
    def evidence(self) -> str:
        """Return what to show as the source."""
        return f"label {self.key}={self.value}" if self.key else f"resource {self.value}"

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Return the label that a pod can be kept by."""
        return ((self.key, self.value),) if self.key else ()


@dataclass(frozen=True, slots=True)
class Told:
    """The variant that a node's labels tell, if any, by what, and the labels that a pod can be kept by."""

    variant: Variant | None
    evidence: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


def groups_of_vendor(vendor: Vendor, node: Node, published: Iterable[tuple[str, int]]) -> tuple[DeviceGroup, ...]:
    """Return the device groups of one vendor on a node: from one publisher only, with the others named as evidence."""
    found = [Found(name, units, entry) for name, units in published if (entry := vendor.resource(name)) and entry.kind.sharing]
    if not found:
        return ()
    ranks = {publisher: rank for rank, publisher in enumerate(vendor.publishers)}
    believed = min((one.entry.publisher for one in found), key=lambda publisher: (ranks.get(publisher, len(ranks)), publisher))
    ignored = tuple(f"ignored {one.name}: {believed} publishes the same devices" for one in found if one.entry.publisher != believed)
    return tuple(_group(vendor, node, one, ignored=ignored) for one in found if one.entry.publisher == believed)


def unknown_group(name: str, units: int) -> DeviceGroup:
    """Return the group of an extended resource that no table knows: shown, never matched."""
    return DeviceGroup(resource=name, devices=units, vendor=UNKNOWN_VENDOR, accelerator_class=None, evidence=(f"unknown resource {name}",))


def _group(vendor: Vendor, node: Node, found: Found, *, ignored: tuple[str, ...]) -> DeviceGroup:
    sharing = _sharing(vendor.labels, node, found)
    told = _variant(vendor, node, found, sharing=sharing)
    units_per_device = told.variant.facts.units_per_device if told.variant else 1
    group = DeviceGroup(
        resource=found.name,
        devices=found.units // units_per_device,
        vendor=vendor.name,
        accelerator_class=told.variant.facts.name if told.variant else None,
        sharing=sharing,
        telling_labels=told.labels,
    )
    return replace(group, evidence=(*told.evidence, *ignored)[:_MOST_EVIDENCE])


def _sharing(labels: LabelFacts, node: Node, found: Found) -> Sharing:
    """Return how the devices are handed out; whole only if nothing says otherwise."""
    of_name = found.entry.kind.sharing or Sharing.WHOLE
    if of_name is not Sharing.WHOLE:
        return of_name
    if any(key in node.annotations for key in found.entry.virtual_annotations):
        return Sharing.VIRTUAL
    if any(node.labels.get(key) == "true" for key in labels.virtual):
        return Sharing.VIRTUAL
    for key in labels.product:
        suffix = _suffix(node.labels.get(key, ""), labels)
        if suffix is not None:
            return suffix
    sliced = any(_number(node.labels.get(key)) > 1 for key in labels.replicas)
    strategies = (node.labels.get(key, "none") for key in labels.strategy)
    return Sharing.TIME_SLICED if sliced or any(value not in ("none", "") for value in strategies) else Sharing.WHOLE


def _suffix(product: str, labels: LabelFacts) -> Sharing | None:
    return next((suffix.sharing for suffix in labels.suffixes if suffix.pattern.search(product)), None)


def _without_suffixes(product: str, labels: LabelFacts) -> str:
    before = ""
    while before != product:
        before = product
        for suffix in labels.suffixes:
            product = suffix.pattern.sub("", product)
    return product


def _variant(vendor: Vendor, node: Node, found: Found, *, sharing: Sharing) -> Told:
    """Return the variant and what told it; labels that contradict the resource name are not believed."""
    able = [v for v in vendor.variants if v.resources is None or v.resources.fullmatch(found.name)]
    for hint in _hints(vendor, node, found):
        named = [v for v in able if hint.product in (v.boards if hint.of_board else v.products)]
        if named:
            return _by_memory(named, vendor.labels, node, hint=hint, sharing=sharing)
    seen = [f"label {key}={node.labels[key]}" for key in (*vendor.labels.product, *vendor.labels.board) if key in node.labels]
    return Told(None, (f"no class is known for {found.name}", *seen))


def _hints(vendor: Vendor, node: Node, found: Found) -> Iterable[Hint]:
    """Yield what names a product, from the most to the least telling."""
    labels = vendor.labels
    for key in labels.product:
        if key in node.labels:
            yield Hint(key, node.labels[key], normalise(_without_suffixes(node.labels[key], labels), labels.prefixes))
    for key in labels.board:
        if key in node.labels:
            yield Hint(key, node.labels[key], node.labels[key], of_board=True)
    told = found.entry.product(found.name)
    if told:
        yield Hint("", found.name, normalise(told, labels.prefixes))


def _by_memory(named: list[Variant], labels: LabelFacts, node: Node, *, hint: Hint, sharing: Sharing) -> Told:
    """Choose among the variants of one product by memory: the nearest within the tolerance; without a figure the smallest."""
    smallest = min(named, key=lambda v: (v.facts.memory or 0, v.facts.name))
    memory = None if sharing is Sharing.PARTITION else _memory(labels, node.labels)  # a slice's memory says nothing of the card
    if memory is None:
        note = () if len(named) == 1 else (f"VariantUnknown: the smallest of {len(named)} counts",)
        return Told(smallest, (hint.evidence, *note), hint.labels)
    key, amount = memory
    label, shown = (key, node.labels[key]), f"label {key}={node.labels[key]}"
    near = [(distance, v.facts.name, v) for v in named if (distance := _distance(v, amount)) is not None]
    if near:
        decisive = (label,) if len(named) > 1 else ()
        return Told(min(near, key=lambda each: each[:2])[2], (hint.evidence, shown), (*hint.labels, *decisive))
    if sharing is not Sharing.WHOLE or any(v.facts.memory is None for v in named):
        return Told(smallest, (hint.evidence, f"{shown} not used"), hint.labels)
    return Told(None, (hint.evidence, f"{shown} is the memory of no variant"))


def _distance(variant: Variant, amount: int) -> int | None:
    """Return how far an amount lies from the nearest known memory, None beyond the tolerance."""
    known = [figure for figure in (variant.facts.memory, *variant.reported) if figure]
    distances = [abs(amount - figure) for figure in known if abs(amount - figure) * 100 <= figure * TOLERANCE_PERCENT]
    return min(distances, default=None)


def _memory(labels: LabelFacts, present: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the first memory label that holds a number, and its bytes."""
    for key, unit in labels.memory:
        amount = _number(present.get(key))
        if amount > 0:
            return key, amount * unit
    return None


def _number(text: str | None) -> int:
    match = _NUMBER.fullmatch(text or "")
    return int(match[1]) if match else 0
