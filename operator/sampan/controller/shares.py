"""What is taken of things inside a node that no scalar tells: cards handed out in shares, rings, devices had by claim. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sampan.catalog import Catalog
from sampan.catalog.taken import rings_taken
from sampan.controller.layers import Device
from sampan.model.cluster import CardUse, Node
from sampan.model.device import Card, DeviceGroup
from sampan.model.job import Share
from sampan.model.vector import Vector
from sampan.scheduling.capacity import PodUse


def with_claims(node: Node, groups: Iterable[DeviceGroup]) -> Node:
    """Return the node with the devices that are had by claim among its amounts, under their groups' names."""
    extra = {group.resource: group.devices for group in groups if group.claim is not None}
    return replace(node, allocatable=node.allocatable + Vector.of(extra)) if extra else node


def claims_taken(node: Node, groups: Iterable[DeviceGroup], *, claimed: Mapping[Device, int], catalog: Catalog) -> Vector:
    """Return the devices of a node that claims hold, by the group that each belongs to; one that several claims share counts once.

    `node` is as its API server gives it, not as `with_claims` makes it.
    """
    known = {group.resource for group in groups if group.claim is not None}
    taken: dict[str, int] = {}
    for each in node.slices if known and claimed else ():
        for device in each.devices:
            if (each.driver, each.pool, device.name) not in claimed:
                continue
            alone = replace(node, slices=(replace(each, devices=(device,), expected_slices=1),))
            for group in catalog.resolve(alone):
                if group.resource in known:
                    taken[group.resource] = taken.get(group.resource, 0) + 1
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
    taken = rings_taken((device for pod in holders for device in pod.devices), group.rings)
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
