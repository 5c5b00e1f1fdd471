"""What is taken of things inside a node that no scalar tells: cards handed out in shares, rings, devices had by claim. Pure."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sampan.catalog import Catalog
from sampan.catalog.devices.in_use import allocated_rings
from sampan.catalog.devices.slices import held
from sampan.inventory.in_flight import PodUse
from sampan.inventory.quotas import Device
from sampan.model.job import Share
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import CardUse, Node
from sampan.model.members.device import Card, DeviceGroup, DeviceSlice
from sampan.model.values.vector import Vector


def with_claims(node: Node, groups: Iterable[DeviceGroup]) -> Node:
    """Return the node with the devices that are had by claim among its amounts, under their groups' names."""
    extra = {group.resource: group.devices for group in groups if group.claim is not None}
    return replace(node, allocatable=node.allocatable + Vector.of(extra)) if extra else node


def claims_taken(node: Node, groups: Iterable[DeviceGroup], *, claimed: Mapping[Device, int], catalog: Catalog) -> Vector:
    """Return the devices of a node that claims hold, by the group that each belongs to; one that several claims share counts once.

    `node` is as its API server gives it, not as `with_claims` makes it.
    """
    groups = tuple(groups)
    pools: dict[tuple[str, str], list[DeviceSlice]] = {}
    for each in node.slices if claimed else ():
        pools.setdefault((each.driver, each.pool), []).append(each)
    bare, taken = replace(node, allocatable=Vector()), dict[str, int]()
    for (driver, pool), parts in pools.items():
        named = {device.name for part in parts for device in part.devices if (driver, pool, device.name) in claimed}
        for name in held(catalog.driver(driver), parts, named) if named else ():
            part, device = next((part, device) for part in parts for device in part.devices if device.name == name)
            alone = replace(bare, slices=(replace(part, devices=(device,), expected_slices=1),))
            for resource, amount in _holders(catalog.resolve(alone), groups, catalog):
                taken[resource] = taken.get(resource, 0) + amount
    return Vector.of(taken)


def _holders(alone: Iterable[DeviceGroup], groups: Iterable[DeviceGroup], catalog: Catalog) -> Iterable[tuple[str, int]]:
    """Yield the group that a device belongs to, or the one of whole devices by which its vendor's plugin publishes it too."""
    for one in alone:
        if any(group.resource == one.resource for group in groups):
            yield one.resource, 1
            continue
        plugin = (group for group in groups if group.vendor == one.vendor and group.claim is None and group.sharing is Sharing.WHOLE)
        for group in itertools.islice(plugin, 1):
            facts = catalog.get(group.accelerator_class) if group.accelerator_class else None
            yield group.resource, facts.units_per_device if facts else 1


def doubles_taken(groups: Iterable[DeviceGroup], request: Vector, *, catalog: Catalog) -> Vector:
    """Return the whole devices that pods may hold by another name of theirs: a second publisher's units, each on its own device."""
    groups = tuple(groups)
    counted = {group.resource for group in groups}
    taken: dict[str, int] = {}
    for name, units in request:
        vendor = catalog.vendor_of(name) if "/" in name and name not in counted else ""
        if not vendor:
            continue
        whole = (group for group in groups if group.vendor == vendor and group.claim is None and group.sharing is Sharing.WHOLE)
        for group in itertools.islice(whole, 1):
            facts = catalog.get(group.accelerator_class) if group.accelerator_class else None
            taken[group.resource] = taken.get(group.resource, 0) + min(units, group.devices) * (facts.units_per_device if facts else 1)
    return Vector.of(taken)


def card_uses(pods: Iterable[PodUse]) -> dict[str, CardUse]:
    """Return what pods hold of each card, by card id."""
    uses: dict[str, CardUse] = {}
    for pod in pods:
        for card, use in pod.cards:
            uses[card] = _added(uses.get(card, CardUse()), use)
    return uses


def with_planned(uses: dict[str, CardUse], cards: Sequence[Card], *, share: Share, replicas: int) -> dict[str, CardUse]:
    """Return the uses with replicas that are planned but not seen: each on the fullest card that suffices, as the scheduler fills them."""
    filled = dict(uses)
    for _ in range(replicas):
        open_cards = [card for card in cards if _fits(card, filled.get(card.id, CardUse()), share)]
        if not open_cards:
            break  # more than fits: the scalar of the node shows it as taken all the same
        chosen = min(open_cards, key=lambda card: (card.memory - filled.get(card.id, CardUse()).memory, card.id))
        taken = CardUse(memory=share.memory, cores=share.compute_percent, slots=1)
        filled[chosen.id] = _added(filled.get(chosen.id, CardUse()), taken)
    return filled


def rings_free(group: DeviceGroup, pods: Iterable[PodUse]) -> tuple[int, ...] | None:
    """Return the free devices of each ring; None where it is not told which devices are taken."""
    if group.rings is None:
        return None
    holders = [pod for pod in pods if pod.request[group.resource]]
    if any(not pod.devices for pod in holders):
        return None
    taken = allocated_rings((device for pod in holders for device in pod.devices), group.rings)
    return tuple(max(size - used, 0) for size, used in zip(group.rings, taken, strict=True))


def contended(waiting: Iterable[Vector]) -> dict[str, Vector]:
    """Return what foreign pods that wait for a node ask for, by the extended resource they name; the empty name: none."""
    sums: dict[str, Vector] = {}
    for request in waiting:
        named = [name for name, _ in request if "/" in name] or [""]
        for name in named:
            sums[name] = sums.get(name, Vector()) + request
    return sums


def _added(one: CardUse, other: CardUse) -> CardUse:
    return CardUse(memory=one.memory + other.memory, cores=one.cores + other.cores, slots=one.slots + other.slots)


def _fits(card: Card, use: CardUse, share: Share) -> bool:
    return use.slots < card.slots and use.memory + share.memory <= card.memory and use.cores + share.compute_percent <= card.cores
