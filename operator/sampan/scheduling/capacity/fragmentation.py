"""What a replica makes unusable on a node for the jobs seen lately, node by node. Which node is taken is decided in `node_selection`.

After Weng et al., "Beware of Fragmentation" (ATC'23): the expected remainder over the mix of demands, before and after. The remainder
is counted exactly: what is left of the devices once as many replicas of a demand as fit are placed, not all or nothing per device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sampan.model.job import Demand, Requirement
from sampan.model.members.cluster import Pool
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.resources import CellKind, NodeResources, Request, RequestTable
from sampan.scheduling.capacity.topology import Cards, Numbers

WEIGHTS: Final = 2**12
"""The weights of a mix are scaled down to this sum, so that sums over a node stay inside int64."""
MAX_DEVICE_AMOUNT: Final = 2**44
"""Amounts of devices, or bytes of a card, are clipped here."""
MAX_FITS: Final = 2**16
"""Replicas that a node is said to fit at most."""
MAX_CACHED: Final = 2**12
"""Requests on cells of which the last answer is kept."""


@dataclass(frozen=True, slots=True)
class DemandMix:
    """The demands of a mix that could use a pool, as numbers."""

    weights: Numbers
    counts: Numbers
    """Devices, or cards, per replica."""
    shares: Numbers
    """(memory, compute) per card; zeros where whole devices are asked for."""
    amounts: Numbers
    """By demand and resource: what a replica takes."""


@dataclass(slots=True)
class _CachedScore:
    """The last answer for a request on a cell, and what it was worked out from, node by node."""

    amounts: Numbers
    cards: list[Cards | None]
    done: Flags
    added: Numbers


class FragmentationScore:
    """Answers for one mix; owned by a memo. A node is worked out anew only once it changed."""

    def __init__(self) -> None:
        self._mix: tuple[tuple[Demand, int], ...] = ()
        self._mixes: dict[tuple[CellKind, tuple[str, ...]], tuple[int, DemandMix | None]] = {}
        self._cache: dict[tuple[Request, int], tuple[CellColumn, _CachedScore]] = {}

    def set_mix(self, mix: tuple[tuple[Demand, int], ...]) -> None:
        """Score by this mix from now on."""
        if mix is not self._mix and mix != self._mix:
            self._mixes.clear()
            self._cache.clear()
        self._mix = mix

    def added(
        self, column: CellColumn, request: Request, *, free: NodeResources, requests: RequestTable, suitable: Flags
    ) -> Numbers | None:
        """Return how much more one replica makes unusable on the able nodes.

        None where nobody seen lately could use the column, or there is nothing to choose between. Nodes of rings get no score:
        which devices of them are taken is not known once a replica is placed.
        """
        if np.count_nonzero(suitable) < 2:
            return None
        mix = self._mix_for(column, requests, resources=free.amounts.shape[1]) if self._mix and column.kind.rule is None else None
        if mix is None:
            return None
        known = self._cached(column, request, resources=free.amounts.shape[1])
        amounts = free.amounts[column.nodes]
        cards = [free.cards.get(node) for node in column.nodes.tolist()] if column.kind.virtual else []
        stale = suitable & ~(known.done & (known.amounts == amounts).all(axis=1))
        if cards:
            stale |= suitable & np.array([old is not new for old, new in zip(known.cards, cards, strict=True)], dtype=bool)
        places = np.flatnonzero(stale)
        if len(places):
            known.amounts[places], known.done[places] = amounts[places], True
            for place in places.tolist() if cards else ():
                known.cards[place] = cards[place]
            table = _table([cards[place] for place in places.tolist()]) if cards else None
            taken = np.zeros(amounts.shape[1], dtype=np.int64)
            for name, amount in requests.vector(request, column.kind):
                taken[requests.position(name)] = amount
            units = requests.position(column.kind.resource)
            before = unusable(mix, amounts[places], units=units, cards=table)
            after = unusable(mix, amounts[places] - taken, units=units, cards=None if table is None else _less(table, request))
            known.added[places] = after - before
        return known.added

    def _cached(self, column: CellColumn, request: Request, *, resources: int) -> _CachedScore:
        key = request, id(column)
        found = self._cache.get(key)
        if found is None or found[1].amounts.shape[1] != resources:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            size = len(column.nodes)
            nothing = np.zeros((size, resources), dtype=np.int64)
            fresh = _CachedScore(nothing, [None] * size, np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64))
            found = self._cache[key] = column, fresh  # the column is kept, so that its identity names no other
        return found[1]

    def _mix_for(self, column: CellColumn, requests: RequestTable, *, resources: int) -> DemandMix | None:
        pool = column.cell.pool
        have = pool.accelerator
        told = (have.name, have.family, have.vendor, have.stack) if have is not None else (pool.family, pool.vendor, pool.stack)
        key = column.kind, (*told, pool.sharing.value, pool.profile)
        found = self._mixes.get(key)
        if found is None or found[0] != resources:
            if len(self._mixes) >= MAX_CACHED:
                self._mixes.clear()
            found = self._mixes[key] = resources, demand_mix(self._mix, column, requests, resources=resources)
        return found[1]


def demand_mix(mix: Sequence[tuple[Demand, int]], column: CellColumn, requests: RequestTable, *, resources: int) -> DemandMix | None:
    """Return the demands of a mix that could use a column's devices; None where there is none."""
    fitting = [(demand, weight) for demand, weight in mix if weight > 0 and _suits(demand.requirement, column.cell.pool)]
    if not fitting:
        return None
    total = sum(weight for _, weight in fitting)
    amounts = np.zeros((len(fitting), resources), dtype=np.int64)
    for row, (demand, _) in enumerate(fitting):
        for name, amount in requests.vector(Request.of(demand), column.kind):
            at = requests.known_position(name)
            if at is not None and at < resources:
                amounts[row, at] = amount
    wanted = [demand.requirement for demand, _ in fitting if demand.requirement is not None]
    shares = [(0, 0) if each.share is None else (each.share.memory, each.share.compute_percent) for each in wanted]
    return DemandMix(
        weights=np.array([max(weight * WEIGHTS // total, 1) for _, weight in fitting], dtype=np.int64),
        counts=np.array([each.count for each in wanted], dtype=np.int64),
        shares=np.array(shares, dtype=np.int64),
        amounts=amounts,
    )


def unusable(mix: DemandMix, amounts: Numbers, *, units: int, cards: Numbers | None) -> Numbers:
    """Return, node by node, the expected amount of devices that replicas of the mix cannot use, in units of weight x amount.

    `amounts`: free by node and resource; `cards`: free memory, cores and slots by node and card, where these are handed out.
    """
    fits: Numbers = np.full((len(amounts), len(mix.counts)), MAX_FITS, dtype=np.int64)
    for column in np.flatnonzero(mix.amounts.any(axis=0)).tolist():
        asked = mix.amounts[:, column]
        share = np.maximum(amounts[:, column], 0)[:, None] // np.maximum(asked, 1)
        np.minimum(fits, np.where(asked > 0, share, MAX_FITS), out=fits)
    if cards is None:
        free = np.clip(amounts[:, units], 0, MAX_DEVICE_AMOUNT)
        each = mix.amounts[:, units]
    else:
        free = np.minimum(np.clip(cards[:, :, 0], 0, MAX_DEVICE_AMOUNT).sum(axis=1), MAX_DEVICE_AMOUNT)
        each = mix.shares[:, 0] * mix.counts
        np.minimum(fits, _on_cards(mix, cards), out=fits)
    left = np.maximum(free[:, None] - np.minimum(fits * np.minimum(each, MAX_DEVICE_AMOUNT), free[:, None]), 0)
    found: Numbers = (left * mix.weights).sum(axis=1)
    return found


def _on_cards(mix: DemandMix, cards: Numbers) -> Numbers:
    """Return replicas that fit by node and demand, as far as the cards allow."""
    free = np.maximum(cards, 0)
    per_card = np.repeat(free[:, :, 2][:, :, None], len(mix.counts), axis=2)
    for part in (0, 1):
        asked = mix.shares[:, part]
        share = free[:, :, part][:, :, None] // np.maximum(asked, 1)
        np.minimum(per_card, np.where(asked > 0, share, per_card), out=per_card)
    found: Numbers = np.where(mix.counts == 1, per_card.sum(axis=1), (per_card > 0).sum(axis=1) // np.maximum(mix.counts, 1))
    return found


def _table(cards: Sequence[Cards | None]) -> Numbers:
    """Return the cards of several nodes as one table; nodes with fewer cards get empty ones."""
    table = np.zeros((len(cards), max((len(each) for each in cards if each is not None), default=1), 3), dtype=np.int64)
    for row, each in enumerate(cards):
        if each is not None:
            table[row, : len(each)] = each
    return table


def _less(cards: Numbers, request: Request) -> Numbers:
    """Return the cards after one replica, taken as `topology.take_cards` takes them."""
    if request.share is None or not request.count:
        return cards
    memory, cores = request.share.memory, request.share.compute_percent
    able = (cards[:, :, 2] > 0) & (cards[:, :, 0] >= memory) & (cards[:, :, 1] >= cores)
    order = np.lexsort((cards[:, :, 0], cards[:, :, 1], ~able))[:, : request.count]
    left = cards.copy()
    rows = np.arange(len(cards))[:, None]
    left[rows, order] -= np.array([memory, cores, 1], dtype=np.int64)
    return left


def _suits(wanted: Requirement | None, pool: Pool) -> bool:
    """Tell whether a demand could be for the devices of a pool, going by what names them."""
    have = pool.device_class
    if wanted is None or have is None:
        return False
    suits = wanted.matches(have, resource=pool.resource) and wanted.partition in ("", pool.profile)
    return suits and (wanted.share is not None) == (pool.sharing.value == "Virtual")
