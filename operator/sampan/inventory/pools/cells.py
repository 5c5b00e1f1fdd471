"""The cells of all offers in their order, of which only those of offers that changed are made anew. Pure."""

from bisect import insort
from itertools import chain

from sampan.inventory.pools.grouping import cells_of
from sampan.model.members.cluster import Cell, Pool
from sampan.model.members.offer import OfferKey


class OfferCells:
    """Cells by offer. The order is kept: to sort a thousand keys takes longer than all else."""

    def __init__(self) -> None:
        """Start empty."""
        self._order: list[OfferKey] = []
        self._parts: dict[OfferKey, tuple[tuple[Pool, ...], tuple[Cell, ...]]] = {}
        self._all: tuple[Cell, ...] | None = ()

    def put(self, offer: OfferKey, pools: tuple[Pool, ...] | None) -> None:
        """Take the pools of an offer; None: there is no such offer. The very pools that are known change nothing."""
        known = self._parts.get(offer)
        if (None if known is None else known[0]) is pools:
            return
        if pools is None:
            del self._parts[offer]
            self._order.remove(offer)
        else:
            if known is None:
                insort(self._order, offer)
            self._parts[offer] = pools, tuple(cells_of(offer, pools))
        self._all = None

    def all(self) -> tuple[Cell, ...]:
        """Return every cell, by offer and name; the same value where nothing changed."""
        if self._all is None:
            self._all = tuple(chain.from_iterable(self._parts[offer][1] for offer in self._order))
        return self._all
