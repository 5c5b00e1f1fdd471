"""Counts the cards of one vendor on one node once: views of the same cards, parts beside wholes, cards behind shares.

What must never live here: which class devices are of (`classification.py`) and how they are handed out (`resolve.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from math import ceil
from typing import Final

from sampan.catalog.classification import number
from sampan.catalog.packaged.facts import Kind, ResourceName, Variant, Vendor
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Node
from sampan.model.members.device import DeviceGroup, Ignored

CONTRADICTORY: Final = "Contradictory"
MOST_EVIDENCE: Final = 8
_EIGHTHS: Final = 8
_GIB: Final = 2**30
_MOST_TEXT: Final = 256


def view_of(entry: ResourceName | None, name: str) -> tuple[str, str]:
    """Return (the cards that a resource shows, the view it is of them); without an alias it shows cards of its own."""
    if entry is None or not entry.alias:
        return "", name
    match = entry.pattern.fullmatch(name)
    words = {word: text or "" for word, text in match.groupdict().items()} if match else {}
    return entry.alias.format(**words), entry.view or name


def shared_first(vendor: Vendor, node: Node, entry: ResourceName | None) -> bool:
    """Tell whether a resource is the view that holds because the node's labels say that its cards are handed out in shares."""
    if entry is None or entry.kind is not Kind.SHARED:
        return False
    labels = vendor.labels
    return any(number(node.labels.get(key)) > 1 for key in labels.replicas) or any(
        node.labels.get(key, "none") not in ("none", "") for key in labels.strategy
    )


def cards_of(vendor: Vendor, node: Node) -> int:
    """Return how many cards the node says to have, whoever shows them; 0: not told."""
    labelled = (number(node.labels[key]) for key in vendor.labels.count if key in node.labels)
    kept = (
        units for name, units in node.allocatable if (entry := vendor.resource(name)) and entry.kind is Kind.BOOKKEEPING and entry.cards
    )
    return next((amount for amount in chain(labelled, kept) if amount > 0), 0)


def without_contradiction(vendor: Vendor, node: Node, groups: Sequence[DeviceGroup]) -> tuple[list[DeviceGroup], list[Ignored]]:
    """Return the groups, of which whole ones count nothing where they and the parts beside them would be more cards than there are.

    A count of whole cards outlives their being cut. A part needs at least its share of compute and of memory of a card.
    """
    cards, parts = cards_of(vendor, node), [group for group in groups if group.sharing is Sharing.PARTITION and group.claim is None]
    uncut = (Sharing.WHOLE, Sharing.TIME_SLICED)
    whole = [group for group in groups if group.sharing in uncut and group.claim is None and not _of_partitions(vendor, node, group)]
    needed, shown = least_cards(vendor, parts), sum(_least_uncut(vendor, node, group) for group in whole)
    if not cards or not parts or not shown or shown + needed <= cards:
        return list(groups), []
    why = f"contradictory: {shown} whole, and partitions that need {needed} of {cards} cards"
    emptied = {
        id(group): replace(group, devices=0, unhealthy=0, rings=None, evidence=(why, *group.evidence)[:MOST_EVIDENCE]) for group in whole
    }
    left = [Ignored(resource=group.resource, amount=group.devices, why=CONTRADICTORY) for group in whole]
    return [emptied.get(id(group), group) for group in groups], left


def _least_uncut(vendor: Vendor, node: Node, group: DeviceGroup) -> int:
    """Return the fewest cards that whole devices are, or time slices of whole devices."""
    if group.sharing is Sharing.WHOLE:
        return group.devices
    replicas = max((number(node.labels.get(key)) for key in vendor.labels.replicas), default=0)
    return ceil(Fraction(group.devices, max(replicas, 1)))


def least_cards(vendor: Vendor, parts: Iterable[DeviceGroup]) -> int:
    """Return the fewest cards that these partitions can be cut from, by compute and by memory; 0 where nothing is known of them."""
    compute, memory = Fraction(0), 0
    for group in parts:
        entry, variant = vendor.resource(group.resource), _variant(vendor, group)
        per_card = _per_card(vendor, entry, group=group, variant=variant)
        if per_card:
            compute += Fraction(group.devices * (number(entry.group(group.resource, "part")) if entry else 0) or group.devices, per_card)
        size = variant.facts.memory if variant else None
        gib = number(entry.group(group.resource, "gib")) if entry else 0
        memory += group.devices * (gib * _GIB * _EIGHTHS // size) if size else 0
    return max(ceil(compute), ceil(Fraction(memory, _EIGHTHS)))


def with_physical(vendor: Vendor, node: Node, groups: Sequence[DeviceGroup]) -> list[DeviceGroup]:
    """Return the groups with the number of cards behind them, where it can be told."""
    cards = cards_of(vendor, node)
    whole = sum(group.devices for group in groups if group.sharing is Sharing.WHOLE and group.claim is None)
    cut = [group for group in groups if group.sharing is not Sharing.WHOLE and group.claim is None]
    return [
        group
        if group.physical is not None
        else replace(group, physical=_physical(vendor, node, group, left=max(cards - whole, 0), cut=cut))
        for group in groups
    ]


def _physical(vendor: Vendor, node: Node, group: DeviceGroup, *, left: int, cut: Sequence[DeviceGroup]) -> int | None:
    """Return the cards behind a group; `left` are those that nothing whole takes (0: not told), `cut` all groups of parts or shares."""
    if group.sharing is Sharing.WHOLE:
        entry = vendor.resource(group.resource)
        return None if entry is not None and entry.multiplied and not cards_of(vendor, node) else group.devices
    if group.cards:
        return len(group.cards)
    if group.sharing is Sharing.VIRTUAL:
        return None  # a share of somebody else's card
    if group.sharing is Sharing.PARTITION:
        per_card = _exact(vendor, group)
        if per_card and group.devices % per_card == 0:
            return group.devices // per_card
        return left if left and least_cards(vendor, [group]) == left else None
    if _of_partitions(vendor, node, group):
        return None  # of how many cards nobody tells
    if left and len(cut) == 1:
        return left
    replicas = max((number(node.labels.get(key)) for key in vendor.labels.replicas), default=0)
    return group.devices // replicas if replicas > 1 and group.devices % replicas == 0 else None


def _of_partitions(vendor: Vendor, node: Node, group: DeviceGroup) -> bool:
    """Tell whether time slices are those of partitions: by the resource's name, or by the product's ending before that of slices."""
    entry = vendor.resource(group.resource)
    if entry is not None and entry.group(group.resource, "profile"):
        return True
    texts = [node.labels[key][:_MOST_TEXT] for key in vendor.labels.product if key in node.labels]
    for suffix in vendor.labels.suffixes:
        if suffix.sharing is Sharing.TIME_SLICED:
            texts = [suffix.pattern.sub("", text) for text in texts]
    return any(suffix.sharing is Sharing.PARTITION and suffix.pattern.search(text) for suffix in vendor.labels.suffixes for text in texts)


def _exact(vendor: Vendor, group: DeviceGroup) -> int:
    """Return how many partitions of this profile a card is always cut into; 0 where that differs."""
    mode = group.profile.partition("_")[0]
    variant = _variant(vendor, group)
    return vendor.labels.parts.get(mode, 0) or (variant.slices if variant and vendor.labels.parts.get(mode) == 0 else 0)


def _per_card(vendor: Vendor, entry: ResourceName | None, *, group: DeviceGroup, variant: Variant | None) -> int:
    """Return how many of the parts that a resource name counts are a whole card; 0: not known."""
    if entry is not None and (nth := number(entry.group(group.resource, "nth"))):
        return nth
    if entry is not None and entry.per_card:
        return variant.slices if variant and variant.slices else entry.per_card
    return _exact(vendor, group)


def _variant(vendor: Vendor, group: DeviceGroup) -> Variant | None:
    return next((variant for variant in vendor.variants if variant.facts.name == group.accelerator_class), None)
