"""Which nodes of one cell a demand takes: all or nothing for a gang, as many as fit for a sweep. Plain numbers in, plain numbers out.

Best fit: the least added fragmentation first where it is known, then the least free; untouched nodes last.
"""

from dataclasses import dataclass

import numpy as np

from sampan.scheduling.capacity.topology import Numbers

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRoom:
    """What the nodes of a cell have for a demand, in name order."""

    fits: Numbers
    """Replicas that fit now."""
    free: Numbers
    """Free amount of the resource that matters: device units, or milli-CPU where no device is asked for."""
    untouched: Flags
    """Nothing of that resource is taken on this node."""
    fragmentation: Numbers | None = None
    """Where it is known, how much more of the node one replica makes unusable: least first, before everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFit:
    """A choice of nodes."""

    replicas: int
    nodes: tuple[tuple[int, int], ...]
    """(place in the cell, replicas), in name order."""
    leftover: int
    """Free amount that stays on the chosen nodes."""
    packing: int
    """1..100: which share of what was free on the chosen nodes is now used, times which share of the wanted replicas runs."""


def select_nodes(room: NodeRoom, *, wanted: int, least: int, per_replica: int, asked: int | None = None) -> NodeFit | None:
    """Choose nodes for `wanted` replicas, at least `least`; None if they do not fit.

    Fewest sufficient free first, so that large holes stay; untouched nodes last; by name where equal. A node takes as many
    replicas as fit on it. `asked`: replicas that packing is measured by, where a limit allows fewer; else those wanted.
    """
    able = np.flatnonzero(room.fits > 0)
    keys = [able, room.free[able], room.untouched[able]]
    if room.fragmentation is not None:
        keys.append(room.fragmentation[able])
    order = able[np.lexsort(keys)]
    filled = np.cumsum(np.minimum(room.fits[order], wanted))
    last = int(np.searchsorted(filled, wanted))
    chosen = order[: last + 1]
    taken = np.minimum(room.fits[chosen], wanted)
    if last < len(order):
        taken[-1] -= int(filled[last]) - wanted
    placed = int(taken.sum())
    if placed < max(least, 1):
        return None
    used, before = per_replica * placed, int(room.free[chosen].sum())
    packing = max(100 * used * placed // (max(before, used, 1) * (asked or wanted)), 1)
    nodes = tuple(sorted(zip(chosen.tolist(), taken.tolist(), strict=True)))
    return NodeFit(replicas=placed, nodes=nodes, leftover=max(before - used, 0), packing=packing)
