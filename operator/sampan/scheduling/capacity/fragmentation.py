"""What a replica makes unusable on a node for the jobs seen lately, node by node. Which node is taken is decided in `assign`.

After Weng et al., "Beware of Fragmentation" (ATC'23): the expected remainder over the mix of demands, before and after. The remainder
is counted exactly: what is left of the devices once as many replicas of a demand as fit are placed, not all or nothing per device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sampan.model.cluster import Pool
from sampan.model.job import Demand, Requirement
from sampan.scheduling.capacity.fit_matrix import Column
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.resources import Kind, Need, Needs, Stock
from sampan.scheduling.capacity.topology import Cards, Numbers
from sampan.scheduling.feasibility.device_names import named

WEIGHTS: Final = 2**12
"""The weights of a mix are scaled down to this sum, so that sums over a node stay inside int64."""
MOST: Final = 2**44
"""Amounts of devices, or bytes of a card, are clipped here."""
MOST_FITS: Final = 2**16
"""Replicas that a node is said to fit at most."""
MOST_KNOWN: Final = 2**12
"""Needs on columns of which the last answer is kept."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """The demands of a mix that could use a pool, as numbers."""

    weights: Numbers
    counts: Numbers
    """Devices, or cards, per replica."""
    shares: Numbers
    """(memory, compute) per card; zeros where whole devices are asked for."""
    amounts: Numbers
    """By demand and resource column: what a replica takes."""


@dataclass(slots=True)
class _Known:
    """The last answer for a need on a column, and what it was worked out from, node by node."""

    amounts: Numbers
    cards: list[Cards | None]
    done: Flags
    waste: Numbers


class Waste:
    """Answers for one mix; owned by a memo. A node is worked out anew only once it changed."""

    def __init__(self) -> None:
        self._mix: tuple[tuple[Demand, int], ...] = ()
        self._mixtures: dict[tuple[Kind, tuple[str, ...]], tuple[int, Mixture | None]] = {}
        self._known: dict[tuple[Need, int], tuple[Column, _Known]] = {}

    def take_over(self, mix: tuple[tuple[Demand, int], ...]) -> None:
        """Judge by this mix from now on."""
        if mix is not self._mix and mix != self._mix:
            self._mixtures.clear()
            self._known.clear()
        self._mix = mix

    def of(self, column: Column, need: Need, *, stock: Stock, needs: Needs, able: Flags) -> Numbers | None:
        """Return how much more one replica makes unusable on the able nodes.

        None where nobody seen lately could use the column, or there is nothing to choose between. Nodes of rings are not judged:
        which devices of them are taken is not known once a replica is placed.
        """
        if np.count_nonzero(able) < 2:
            return None
        mixture = self._mixture(column, needs, resources=stock.amounts.shape[1]) if self._mix and column.kind.rule is None else None
        if mixture is None:
            return None
        known = self._last(column, need, resources=stock.amounts.shape[1])
        amounts = stock.amounts[column.nodes]
        cards = [stock.cards.get(node) for node in column.nodes.tolist()] if column.kind.virtual else []
        stale = able & ~(known.done & (known.amounts == amounts).all(axis=1))
        if cards:
            stale |= able & np.array([old is not new for old, new in zip(known.cards, cards, strict=True)], dtype=bool)
        places = np.flatnonzero(stale)
        if len(places):
            known.amounts[places], known.done[places] = amounts[places], True
            for place in places.tolist() if cards else ():
                known.cards[place] = cards[place]
            table = _table([cards[place] for place in places.tolist()]) if cards else None
            taken = np.zeros(amounts.shape[1], dtype=np.int64)
            for name, amount in needs.vector(need, column.kind):
                taken[needs.column_of(name)] = amount
            units = needs.column_of(column.kind.resource)
            before = unusable(mixture, amounts[places], units=units, cards=table)
            after = unusable(mixture, amounts[places] - taken, units=units, cards=None if table is None else _less(table, need))
            known.waste[places] = after - before
        return known.waste

    def _last(self, column: Column, need: Need, *, resources: int) -> _Known:
        key = need, id(column)
        found = self._known.get(key)
        if found is None or found[1].amounts.shape[1] != resources:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            size = len(column.nodes)
            nothing = np.zeros((size, resources), dtype=np.int64)
            fresh = _Known(nothing, [None] * size, np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64))
            found = self._known[key] = column, fresh  # the column is kept, so that its identity names no other
        return found[1]

    def _mixture(self, column: Column, needs: Needs, *, resources: int) -> Mixture | None:
        pool = column.cell.pool
        have = pool.accelerator
        told = (have.name, have.family, have.vendor, have.stack) if have is not None else (pool.family, pool.vendor, pool.stack)
        key = column.kind, (*told, pool.sharing.value, pool.profile)
        found = self._mixtures.get(key)
        if found is None or found[0] != resources:
            if len(self._mixtures) >= MOST_KNOWN:
                self._mixtures.clear()
            found = self._mixtures[key] = resources, mixture_of(self._mix, column, needs, resources=resources)
        return found[1]


def mixture_of(mix: Sequence[tuple[Demand, int]], column: Column, needs: Needs, *, resources: int) -> Mixture | None:
    """Return the demands of a mix that could use a column's devices; None where there is none."""
    fitting = [(demand, weight) for demand, weight in mix if weight > 0 and _suits(demand.requirement, column.cell.pool)]
    if not fitting:
        return None
    total = sum(weight for _, weight in fitting)
    amounts = np.zeros((len(fitting), resources), dtype=np.int64)
    for row, (demand, _) in enumerate(fitting):
        for name, amount in needs.vector(Need.of(demand), column.kind):
            at = needs.known(name)
            if at is not None and at < resources:
                amounts[row, at] = amount
    wanted = [demand.requirement for demand, _ in fitting if demand.requirement is not None]
    shares = [(0, 0) if each.share is None else (each.share.memory, each.share.compute_percent) for each in wanted]
    return Mixture(
        weights=np.array([max(weight * WEIGHTS // total, 1) for _, weight in fitting], dtype=np.int64),
        counts=np.array([each.count for each in wanted], dtype=np.int64),
        shares=np.array(shares, dtype=np.int64),
        amounts=amounts,
    )


def unusable(mixture: Mixture, amounts: Numbers, *, units: int, cards: Numbers | None) -> Numbers:
    """Return, node by node, the expected amount of devices that replicas of the mix cannot use, in units of weight x amount.

    `amounts`: free by node and resource column; `cards`: free memory, cores and slots by node and card, where these are handed out.
    """
    fits: Numbers = np.full((len(amounts), len(mixture.counts)), MOST_FITS, dtype=np.int64)
    for column in np.flatnonzero(mixture.amounts.any(axis=0)).tolist():
        asked = mixture.amounts[:, column]
        share = np.maximum(amounts[:, column], 0)[:, None] // np.maximum(asked, 1)
        np.minimum(fits, np.where(asked > 0, share, MOST_FITS), out=fits)
    if cards is None:
        free = np.clip(amounts[:, units], 0, MOST)
        each = mixture.amounts[:, units]
    else:
        free = np.minimum(np.clip(cards[:, :, 0], 0, MOST).sum(axis=1), MOST)
        each = mixture.shares[:, 0] * mixture.counts
        np.minimum(fits, _on_cards(mixture, cards), out=fits)
    left = np.maximum(free[:, None] - np.minimum(fits * np.minimum(each, MOST), free[:, None]), 0)
    found: Numbers = (left * mixture.weights).sum(axis=1)
    return found


def _on_cards(mixture: Mixture, cards: Numbers) -> Numbers:
    """Return replicas that fit by node and demand, as far as the cards allow."""
    free = np.maximum(cards, 0)
    per_card = np.repeat(free[:, :, 2][:, :, None], len(mixture.counts), axis=2)
    for part in (0, 1):
        asked = mixture.shares[:, part]
        share = free[:, :, part][:, :, None] // np.maximum(asked, 1)
        np.minimum(per_card, np.where(asked > 0, share, per_card), out=per_card)
    found: Numbers = np.where(mixture.counts == 1, per_card.sum(axis=1), (per_card > 0).sum(axis=1) // np.maximum(mixture.counts, 1))
    return found


def _table(cards: Sequence[Cards | None]) -> Numbers:
    """Return the cards of several nodes as one table; nodes with fewer cards get empty ones."""
    table = np.zeros((len(cards), max((len(each) for each in cards if each is not None), default=1), 3), dtype=np.int64)
    for row, each in enumerate(cards):
        if each is not None:
            table[row, : len(each)] = each
    return table


def _less(cards: Numbers, need: Need) -> Numbers:
    """Return the cards after one replica, taken as `groups.take_cards` takes them."""
    if need.share is None or not need.count:
        return cards
    memory, cores = need.share.memory, need.share.compute_percent
    able = (cards[:, :, 2] > 0) & (cards[:, :, 0] >= memory) & (cards[:, :, 1] >= cores)
    order = np.lexsort((cards[:, :, 0], cards[:, :, 1], ~able))[:, : need.count]
    left = cards.copy()
    rows = np.arange(len(cards))[:, None]
    left[rows, order] -= np.array([memory, cores, 1], dtype=np.int64)
    return left


def _suits(wanted: Requirement | None, pool: Pool) -> bool:
    """Tell whether a demand could be for the devices of a pool, going by what names them."""
    if wanted is None or not pool.resource:
        return False
    suits = named(wanted, pool) and wanted.partition in ("", pool.profile)
    return suits and (wanted.share is not None) == (pool.sharing.value == "Virtual")
