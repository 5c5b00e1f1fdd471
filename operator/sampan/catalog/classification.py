"""Tells which class devices are of: hints that name a product, and a memory figure that chooses among its variants.

What must never live here: how devices are shared or counted (`resolve.py`), and any guess. The nominal memory of the class counts;
what labels and drivers report only chooses the variant, and where it does not, no variant is told.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sampan.catalog.devices.pci import device_ids
from sampan.catalog.packaged.facts import LabelFacts, Variant, Vendor
from sampan.catalog.packaged.reading import normalise
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Node
from sampan.model.values.quantity import format_bytes

TOLERANCE_PERCENT: Final = 8
"""How far a reported memory may lie from the nominal one and still choose the variant: ECC takes a sixteenth of it, firmware a little."""

REMEDY: Final = "an AcceleratorClass object can tell it, by resourceNames and nodeSelector"
"""What a platform team can do where no class is told."""

_NUMBER: Final = re.compile(r"([0-9]{1,9})(?:Gi?B?|Mi?B?)?", re.ASCII)
_MOST_TEXT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What the publication itself says of devices, apart from the node's labels."""

    resource: str
    sharing: Sharing
    products: tuple[tuple[str, str], ...] = ()
    """(what says so, product text), such as (`attribute productName`, `NVIDIA L4`)."""
    model: str | None = None
    """Product that the resource name tells."""
    memory: tuple[str, int] | None = None
    """(what says so, bytes of one whole device)."""
    scaled: bool = False
    """The memory may be let out more than once: it chooses a variant, and contradicts none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something that names a product: a label where `key` is set, else what the evidence says."""

    evidence: str
    products: tuple[str, ...]
    key: str = ""
    value: str = ""
    of_board: bool = False
    of_chip: bool = False
    """The products are PCI device ids."""

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Return the label that a pod can be kept by."""
        return ((self.key, self.value),) if self.key else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The variant that is told, if any, by what, and the labels that keep a pod to devices that are alike."""

    variant: Variant | None
    evidence: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()
    unsure: bool = False
    """Several variants differ in memory, and nothing says which it is: none is told."""
    family: str = ""
    """The family of all variants that are possible; empty where they have none in common."""


def classify(vendor: Vendor, node: Node, published: Publication) -> Classification:
    """Return the variant and what told it; a hint that contradicts the resource name is not believed."""
    able = [v for v in vendor.variants if v.resources is None or v.resources.fullmatch(published.resource)]
    for hint in _hints(vendor, node, published):
        named = [v for v in able if not _texts(v, hint).isdisjoint(hint.products)]
        if named:
            told = _by_memory(named, _memory(vendor.labels, node, published), hint=hint, published=published)
            return replace(told, evidence=(*told.evidence, *_suggested_labels(vendor.labels), REMEDY)) if told.unsure else told
    seen = _seen(vendor.labels, node, published)
    alike = next(((key, node.labels[key]) for key in vendor.labels.product if key in node.labels), None)
    return Classification(
        variant=None,
        evidence=(f"no class is known for {published.resource}", *seen, REMEDY),
        labels=(alike,) if alike else (),
    )


def _texts(variant: Variant, hint: Hint) -> frozenset[str]:
    """Return what of a variant a hint can name."""
    return variant.devices if hint.of_chip else variant.boards if hint.of_board else variant.products


def without_suffixes(product: str, labels: LabelFacts) -> str:
    """Return a product text without the endings that say how the device is shared."""
    product, before = product[:_MOST_TEXT], ""
    while before != product:
        before = product
        for suffix in labels.suffixes:
            product = suffix.pattern.sub("", product)
    return product


def number(text: str | None) -> int:
    """Return the number that a label holds, with or without a unit; 0 where it holds none."""
    match = _NUMBER.fullmatch(text or "")
    return int(match[1]) if match else 0


def unread(labels: LabelFacts, node: Node) -> tuple[str, ...]:
    """Return evidence for every label that should hold a number and does not: nothing is told by it."""
    keys = dict.fromkeys((*(key for key, _ in labels.memory), *labels.count, *labels.replicas))
    return tuple(
        f"label {key}={node.labels[key][:_MOST_TEXT]} not used: no number"
        for key in keys
        if key in node.labels and not _NUMBER.fullmatch(node.labels[key])
    )


def _hints(vendor: Vendor, node: Node, published: Publication) -> Iterable[Hint]:
    """Yield what names a product, from the most to the least telling."""
    labels = vendor.labels
    for source, product in published.products:
        yield Hint(evidence=f"{source}={product[:_MOST_TEXT]}", products=(normalise(product[:_MOST_TEXT], labels.prefixes),))
    for key in labels.product:
        if key in node.labels:
            value = node.labels[key]
            meant = labels.aliases.get(f"{key}={value}", (without_suffixes(value, labels),))
            products = tuple(normalise(product, labels.prefixes) for product in meant)
            yield Hint(evidence=f"label {key}={value}", products=products, key=key, value=value)
    yield from _counted(labels, node)
    for key in labels.board:
        if key in node.labels:
            value = node.labels[key]
            yield Hint(evidence=f"label {key}={value}", products=(value,), key=key, value=value, of_board=True)
    for device, key, value in device_ids(labels, vendor.pci, node.labels):
        yield Hint(evidence=f"label {key}={value}", products=(device,), key=key, value=value, of_chip=True)
    if published.model:
        meant = labels.aliases.get(f"={published.model}", (published.model,))
        yield Hint(evidence=f"resource {published.resource}", products=tuple(normalise(product, labels.prefixes) for product in meant))


def _counted(labels: LabelFacts, node: Node) -> Iterable[Hint]:
    """Yield the product of labels `<beginning><product>=<count>`, where all of them name one product."""
    for beginning in labels.counted:
        keys = sorted(key for key in node.labels if key.startswith(beginning))
        if len(keys) == 1:
            value, product = node.labels[keys[0]], keys[0].removeprefix(beginning)
            yield Hint(evidence=f"label {keys[0]}={value}", products=(normalise(product, labels.prefixes),), key=keys[0], value=value)


def _seen(labels: LabelFacts, node: Node, published: Publication) -> tuple[str, ...]:
    """Return what is there but names no known product, or which labels would tell."""
    keys = [key for key in (*labels.product, *labels.board) if key in node.labels]
    keys += [key for beginning in labels.counted for key in sorted(node.labels) if key.startswith(beginning)]
    seen = [f"{source}={product[:_MOST_TEXT]}" for source, product in published.products]
    seen += [f"label {key}={node.labels[key]}" for key in keys]
    if seen:
        return tuple(seen)
    if not labels.product:
        return ("no label tells it",)
    return tuple(f"label {key} would tell" for key in labels.product[:2])


def _by_memory(named: list[Variant], memory: tuple[str, str, int] | None, *, hint: Hint, published: Publication) -> Classification:
    """Choose among the variants of one product: the nearest within the tolerance; one that is alone needs no figure."""
    families = {v.facts.family for v in named}
    family = families.pop() if len(families) == 1 else ""
    part = published.sharing is not Sharing.WHOLE or published.scaled
    if memory is None or (part and len(named) == 1 and published.sharing is Sharing.PARTITION):
        return _alone(named, hint, family=family)
    key, text, amount = memory
    shown = f"{f'label {key}' if text else key}={text or amount}"
    near = [(distance, v.facts.name, v) for v in named if (distance := _distance(v, amount)) is not None]
    if near:
        decisive = ((key, text),) if len(named) > 1 and text else ()
        chosen = min(near, key=lambda each: each[:2])[2]
        return Classification(variant=chosen, evidence=(hint.evidence, shown), labels=(*hint.labels, *decisive), family=chosen.facts.family)
    if part or any(v.facts.memory is None for v in named):
        return _alone(named, hint, family=family, note=f"{shown} not used")
    return Classification(
        variant=None, evidence=(hint.evidence, f"{shown} is the memory of no variant", REMEDY), labels=hint.labels, family=family
    )


def _suggested_labels(labels: LabelFacts) -> tuple[str, ...]:
    """Return which label would tell the memory."""
    return tuple(f"label {key} would tell" for key, _ in labels.memory[:1])


def _alone(named: list[Variant], hint: Hint, *, family: str, note: str = "") -> Classification:
    """Return the only variant of a product; where there are more none is told, whatever the least of them is."""
    notes = (note,) if note else ()
    if len(named) == 1:
        return Classification(variant=named[0], evidence=(hint.evidence, *notes), labels=hint.labels, family=family)
    known = sorted({v.facts.memory for v in named if v.facts.memory})
    sizes = " or ".join(format_bytes(amount) for amount in known)
    unknown = f"VariantUnknown: {sizes} of memory, and nothing tells which" if len(known) > 1 else "VariantUnknown: nothing tells which"
    return Classification(variant=None, evidence=(hint.evidence, *notes, unknown), labels=hint.labels, unsure=True, family=family)


def _distance(variant: Variant, amount: int) -> int | None:
    """Return how far an amount lies from the nearest known memory, None beyond the tolerance."""
    known = [figure for figure in (variant.facts.memory, *variant.reported) if figure]
    distances = [abs(amount - figure) for figure in known if abs(amount - figure) * 100 <= figure * TOLERANCE_PERCENT]
    return min(distances, default=None)


def _memory(labels: LabelFacts, node: Node, published: Publication) -> tuple[str, str, int] | None:
    """Return what reports the memory of a whole device: (label or source, the label's text or empty, bytes)."""
    if published.memory is not None:
        return published.memory[0], "", published.memory[1]
    return labelled_memory(labels.memory, node.labels)


def labelled_memory(keys: Iterable[tuple[str, int]], present: Mapping[str, str]) -> tuple[str, str, int] | None:
    """Return the first of these labels that holds a number: (label, text, bytes)."""
    for key, unit in keys:
        amount = number(present.get(key))
        if amount > 0:
            return key, present[key], amount * unit
    return None
