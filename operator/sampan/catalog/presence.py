"""Tells that a node has devices of which none can be had: the machine, its labels or its capacity say so, its allocatable amounts do not.

Such a node is no CPU node. What must never live here: guesses. A label that merely exists, one that says no, and the display chip of a
server's management controller say nothing; who counts devices is `resolve.py`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sampan.catalog.classification import Publication, classify
from sampan.catalog.counting import cards_of
from sampan.catalog.devices.cards import parse_cards
from sampan.catalog.devices.pci import NFD, chip_of
from sampan.catalog.devices.slices import CLAIM
from sampan.catalog.packaged.facts import Kind, Vendor
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Node
from sampan.model.members.device import MAX_DEVICES_PER_NODE, DeviceGroup, Ignored

UNCOUNTED: Final = ("Stale", "Incomplete", "NotBelieved")
"""Why devices that are published are not counted although they are there."""
NO_DEVICES: Final = frozenset((Kind.COMPANION, Kind.BOOKKEEPING))
"""Kinds of what counts no devices, but memory or cores of shares, or cards: where there is any of it there are devices."""
MOST_EVIDENCE: Final = 8
_SAYS_NO: Final = frozenset(("", "0", "false", "no", "none", "off", "unknown", "disabled", "disable", "n/a", "null"))
_NUMBER: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_MOST_LABELS: Final = 4096
_MOST_TEXT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The signs of all vendors by what a node can be asked for at once: it is looked through for every node without devices."""

    exact: Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]] = field(default_factory=dict)
    beginnings: tuple[tuple[str, str, re.Pattern[str]], ...] = ()
    chips: Mapping[str, tuple[str, tuple[str, ...], frozenset[str]]] = field(default_factory=dict)
    """By PCI vendor id: vendor, device classes that are no mere display, device ids that are known models."""


def index_of(vendors: Iterable[Vendor]) -> Index:
    """Return the signs of these vendors, ready to be looked up."""
    exact: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    beginnings: list[tuple[str, str, re.Pattern[str]]] = []
    chips: dict[str, tuple[str, tuple[str, ...], frozenset[str]]] = {}
    for vendor in vendors:
        for sign in vendor.labels.present:
            if sign.label.endswith("*"):
                beginnings.append((sign.label[:-1], vendor.name, sign.value))
            else:
                exact.setdefault(sign.label, []).append((vendor.name, sign.value))
        if vendor.pci is not None:
            known = frozenset(device for variant in vendor.variants for device in variant.devices)
            chips[vendor.pci.vendor] = vendor.name, vendor.pci.classes, known
    return Index(exact={key: tuple(signs) for key, signs in exact.items()}, beginnings=tuple(beginnings), chips=chips)


def present(index: Index, node: Node) -> dict[str, str]:
    """Return by vendor the label of the node that says that devices of it are there, as evidence: the first in order that does."""
    found: dict[str, str] = {}
    starts = (NFD, *(start for start, _, _ in index.beginnings))
    for key in sorted(key for key in node.labels if key in index.exact or key.startswith(starts))[:_MOST_LABELS]:
        value = node.labels[key][:_MOST_TEXT]
        if value.lower() not in _SAYS_NO:
            for vendor in _told(index, key, value):
                found.setdefault(vendor, f"label {key}={value}")
    return found


def absent_group(vendor: Vendor, node: Node, *, evidence: str = "", left: Iterable[Ignored] = ()) -> DeviceGroup | None:
    """Return the group of a vendor's devices of which none can be had; None where nothing says that there are any.

    `evidence` is what its labels say; `left` is what it publishes that is not counted. For vendors of which nothing else is there.
    """
    held = [(name, amount) for name, amount in node.capacity if (entry := vendor.resource(name)) and entry.kind.sharing is not None]
    left = tuple(left)
    uncounted = [one for one in left if one.why in UNCOUNTED]
    other = [one.resource for one in left if one.amount and one.why not in UNCOUNTED and counts_none(vendor, one.resource)]
    if not held and not evidence and not uncounted and not other:
        return None
    resource = held[0][0] if held else _main_name(vendor, node)
    amount = _how_many(vendor, node, resource) or sum(one.amount for one in uncounted)
    told = classify(vendor, node, Publication(resource=resource, sharing=Sharing.WHOLE))
    why = "; ".join(f"{one.resource} is {one.why}" for one in uncounted) if uncounted else _why_none(vendor, node, resource, other=other)
    missing = f"0 of {amount or 'an unknown number of'} devices: {why}"
    shown = (missing, *told.evidence, *((evidence,) if evidence and evidence not in told.evidence else ()))
    return DeviceGroup(
        resource=resource,
        devices=0,
        vendor=vendor.name,
        accelerator_class=told.variant.facts.name if told.variant else None,
        family=told.family,
        evidence=shown[:MOST_EVIDENCE],
        publisher="",
        unhealthy=min(amount, MAX_DEVICES_PER_NODE),
        missing=missing,
    )


def counts_none(vendor: Vendor, resource: str) -> bool:
    """Tell whether a resource, or what a DRA driver that publishes whole devices announces too, goes with devices and counts none."""
    if (entry := vendor.resource(resource)) is not None:
        return entry.kind in NO_DEVICES
    kinds = [driver.kinds for driver in vendor.drivers if any(kind.kind is Kind.WHOLE for kind in driver.kinds)]
    alone = {kind.device_class for each in kinds for kind in each if kind.kind in NO_DEVICES}
    return resource.startswith(CLAIM) and resource.removeprefix(CLAIM) in alone


def _main_name(vendor: Vendor, node: Node) -> str:
    """Return the name by which a vendor's whole devices are asked for: the first by which a class is told, else the first of all."""
    names = [entry.name for entry in vendor.resources if entry.kind is Kind.WHOLE and entry.name]
    told = ((name, classify(vendor, node, Publication(resource=name, sharing=Sharing.WHOLE))) for name in names)
    return next((name for name, each in told if each.variant or each.family), names[0] if names else vendor.name)


def _how_many(vendor: Vendor, node: Node, resource: str) -> int:
    """Return how many devices of a vendor the node says to have, by capacity, count labels or a sharing layer's list; 0: not told."""
    told = [node.capacity[resource], cards_of(vendor, node)]
    told += [int(text) for key in vendor.labels.count if _NUMBER.fullmatch(text := node.labels.get(key, ""))]
    counts = [
        int(value)
        for beginning in (*vendor.labels.counted, *vendor.labels.counted_ids)
        for key, value in node.labels.items()
        if key.startswith(beginning) and _NUMBER.fullmatch(value)
    ]
    lists = (node.annotations.get(register.annotation, "") for register in vendor.registers)
    listed = [len(parse_cards(text)) for text in lists if text]
    return next((amount for amount in (*told, *counts, *listed) if amount > 0), 0)


def _why_none(vendor: Vendor, node: Node, resource: str, *, other: Sequence[str]) -> str:
    """Return why no device can be had, as far as it can be told; `other` is published and counts none."""
    states = [
        f"{state.text} (label {state.label}={node.labels[state.label][:_MOST_TEXT]})"
        for state in vendor.labels.states
        if state.label in node.labels and state.value.fullmatch(node.labels[state.label][:_MOST_TEXT])
    ]
    if states:
        return "; ".join(states)
    if node.capacity[resource]:
        return f"capacity has {resource}: {node.capacity[resource]}, allocatable 0: each is unhealthy, or the device plugin has stopped"
    if other:
        return f"what is published counts no devices that a job can ask for: {', '.join(sorted(other))}"
    return f"no {resource} is published: driver or device plugin do not run"


def _told(index: Index, key: str, value: str) -> Iterable[str]:
    """Yield the vendors of which a label says that devices are there."""
    yield from (vendor for vendor, pattern in index.exact.get(key, ()) if pattern.fullmatch(value))
    yield from (vendor for start, vendor, pattern in index.beginnings if key.startswith(start) and pattern.fullmatch(value))
    chip = chip_of(key, index.chips) if value == "true" else None
    if chip is not None:
        vendor, classes, known = index.chips[chip.vendor]
        if (chip.device_class or "any") in classes or chip.device in known:
            yield vendor
