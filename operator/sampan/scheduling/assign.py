"""Which nodes of one pool a demand takes: all or nothing for a gang, as many as fit for a sweep. Plain numbers in, plain numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one node has for a demand."""

    node: str
    fits: int
    """Replicas that fit now."""
    free: int
    """Free amount of the resource that matters: devices, or milli-CPU where no device is asked for."""
    whole: bool
    """Nothing of that resource is taken on this node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A choice of nodes."""

    replicas: int
    nodes: tuple[tuple[str, int], ...]
    left: int
    """Free amount that stays on the chosen nodes."""
    packing: int
    """1..100: which share of what was free on the chosen nodes is now used, times which share of the wanted replicas runs."""


def pick(rooms: Sequence[Room], *, wanted: int, least: int, per_replica: int) -> Fit | None:
    """Choose nodes for `wanted` replicas, at least `least`; None if they do not fit.

    Fewest sufficient free first, so that large holes stay; untouched nodes last; by name where equal. A node takes as many
    replicas as fit on it.
    """
    open_rooms = sorted((room for room in rooms if room.fits > 0), key=lambda room: (room.whole, room.free, room.node))
    left, chosen, before = wanted, [], 0
    for room in open_rooms:
        if left == 0:
            break
        taken = min(room.fits, left)
        chosen.append((room.node, taken))
        before += room.free
        left -= taken
    placed = wanted - left
    if placed < max(least, 1):
        return None
    used = per_replica * placed
    packing = max(100 * used * placed // (max(before, used, 1) * wanted), 1)
    return Fit(replicas=placed, nodes=tuple(sorted(chosen)), left=max(before - used, 0), packing=packing)
