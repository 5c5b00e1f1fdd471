"""Devices that are not alike inside a node: rings that a replica must not straddle, and cards handed out in shares. Plain numbers only.

Where it is not known which devices of a ring are taken, the worst case counts.
"""

from functools import cache
from typing import Final

import numpy as np

from sampan.model.job import Share
from sampan.model.members.accelerator import CountRule, Span

Cards = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""One row per card: free memory, free cores, free slots."""
Numbers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
MOST_COUNT: Final = 64
"""Largest number of devices per replica that a node of rings is asked for."""


def rings_fit(rings: tuple[int, ...], count: int, rule: CountRule) -> int:
    """Return how many replicas of `count` devices fit into rings with so many free devices each."""
    if count <= rule.group_size:
        return sum(free // count for free in rings)
    if rule.span is not Span.WHOLE or count % rule.group_size:
        return 0
    return sum(free >= rule.group_size for free in rings) // (count // rule.group_size)


@cache
def worst_rings_fit(free: int, groups: int, *, count: int, group: int, spans: bool) -> int:
    """Return how many replicas fit however `free` devices lie in `groups` rings of `group` devices."""
    if count > group:
        whole = max(free - groups * (group - 1), 0)
        return whole // (count // group) if spans and count % group == 0 else 0
    best = {0: 0}  # replicas: most devices that can be free with no more than these
    for _ in range(groups):
        grown: dict[int, int] = {}
        for replicas, held in best.items():
            for more in range(group // count + 1):
                most = held + min(more * count + count - 1, group)
                grown[replicas + more] = max(grown.get(replicas + more, 0), most)
        best = grown
    return min((replicas for replicas, most in best.items() if most >= free), default=free // count)


def ring_table(rings: tuple[int, ...] | None, free: int, *, groups: int, rule: CountRule) -> Numbers:
    """Return the replicas that fit by devices per replica, 0..`MOST_COUNT`; `rings` None: not known which devices are free."""
    free = max(free, 0)
    known = rings is not None and sum(rings) == free
    fits = [0] * (MOST_COUNT + 1)
    for count in range(1, min(free, MOST_COUNT) + 1):
        if known and rings is not None:
            fits[count] = rings_fit(rings, count, rule)
        else:
            spans = rule.span is Span.WHOLE
            fits[count] = worst_rings_fit(free, groups, count=count, group=rule.group_size, spans=spans)
    return np.array(fits, dtype=np.int64)


def cards_fit(cards: Cards, share: Share, count: int) -> int:
    """Return how many replicas with a share of each of `count` cards fit."""
    per_card = card_fits(cards, share)
    return int(per_card.sum()) if count == 1 else int((per_card > 0).sum()) // count


def card_fits(cards: Cards, share: Share) -> Numbers:
    """Return how often the share fits on each card."""
    fits: Numbers = np.maximum(cards[:, 2], 0)
    if share.memory > 0:
        fits = np.minimum(fits, np.maximum(cards[:, 0], 0) // share.memory)
    if share.compute_percent > 0:
        fits = np.minimum(fits, np.maximum(cards[:, 1], 0) // share.compute_percent)
    return fits


def take_cards(cards: Cards, share: Share, count: int) -> Cards:
    """Return the cards after one replica: the fullest that suffice, the first of those equally full."""
    left = cards.copy()
    able = np.flatnonzero(card_fits(cards, share) > 0)
    order = able[np.lexsort((able, left[able, 0], left[able, 1]))][:count]
    left[order] -= np.array([share.memory, share.compute_percent, 1], dtype=np.int64)
    return left
