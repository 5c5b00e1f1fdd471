"""What filters and scores read of every column, and about which columns something of that changed. Nothing is judged here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Pool
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import INFINITE
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.topology import Numbers


@dataclass(slots=True)
class CellFacts:
    """The columns as filters and scores see them, by number; columns that are alike have equal numbers."""

    now: int = 0
    currency: str = ""
    classes: Mapping[str, AcceleratorClass] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    offers: list[Offer | None] = field(default_factory=list)
    stale: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Columns about which something changed with the last picture."""
    kind_at: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Equal where pools are alike in all that filters of pools read."""
    offer_at: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Equal where the offer is the same; another array where columns or offers changed."""
    prices: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """In force by column, in micro-units of the hub's currency; -1: not known."""
    _kinds: dict[Pool, int] = field(default_factory=dict)
    _source: Mapping[OfferKey, Offer] | None = None
    """The offers of the last picture, as they were given."""
    _moments: Numbers = field(default_factory=lambda: np.zeros((2, 0), dtype=np.int64))
    """Since when and until when nothing about a column changes by itself."""

    def same_world(self, snapshot: Snapshot) -> bool:
        """Take over the moment, the currency and the classes; tell whether the latter are as before."""
        classes = snapshot.classes
        same = self.currency == snapshot.currency and (self.classes is classes or self.classes == classes)
        self.now, self.currency, self.classes = snapshot.now, snapshot.currency, classes
        return same

    def permute(self, moved: Numbers | None, columns: int) -> None:
        """Order the columns anew; without `moved` all is forgotten."""
        known = self.offers
        order = [-1] * columns if moved is None else moved.tolist()
        self.offers = [known[at] if at >= 0 else None for at in order]
        if moved is None or self.kind_at.shape[0] == 0:
            self.kind_at, self.prices = np.zeros(columns, dtype=np.int64), np.zeros(columns, dtype=np.int64)
            self._moments = np.zeros((2, columns), dtype=np.int64)
        else:
            self.kind_at, self.prices, self._moments = self.kind_at[moved], self.prices[moved], self._moments[:, moved]

    def find_stale(self, columns: Sequence[CellColumn], *, changed: Sequence[int], snapshot: Snapshot) -> None:
        """Find the columns to ask about: changed pools, changed offers, offers whose moment has come."""
        since, until = self._moments
        stale = {*changed, *np.flatnonzero((since > snapshot.now) | (until <= snapshot.now)).tolist()}
        if changed or self._source is not snapshot.offers or len(self.cells) != len(columns):
            stale |= self._exchange(columns, snapshot)
        moments: dict[int, tuple[int, int]] = {}
        for at in sorted(stale):
            offer = self.offers[at]
            assert offer is not None
            kind = facts_of(self.cells[at].pool)
            self.kind_at[at] = self._kinds.setdefault(kind, len(self._kinds))
            self._moments[:, at] = moments.setdefault(id(offer), _span(offer, snapshot.now))
            self.prices[at] = _price(offer, self.cells[at].pool, snapshot)
        self.stale = np.array(sorted(stale), dtype=np.int64)

    def _exchange(self, columns: Sequence[CellColumn], snapshot: Snapshot) -> set[int]:
        """Take over columns and offers; return the columns whose offer is another value than before."""
        offers, stale, numbers = [snapshot.offers[column.cell.offer] for column in columns], set[int](), dict[int, int]()
        for column, (old, new) in enumerate(zip(self.offers, offers, strict=True)):
            if old is not new and (old is None or old != new):
                stale.add(column)
        self.offers, self._source = list(offers), snapshot.offers
        self.cells = [column.cell for column in columns]
        self.offer_at = np.array([numbers.setdefault(id(each), len(numbers)) for each in offers], dtype=np.int64)
        return stale


def per_kind(alike: Numbers, columns: Numbers, ask: Callable[[int], int]) -> Numbers:
    """Return an answer per column, asked once for columns that are alike."""
    _, first, back = np.unique(alike[columns], return_index=True, return_inverse=True)
    answers = np.array([ask(int(columns[place])) for place in first.tolist()], dtype=np.int64)
    return answers[back]


def facts_of(pool: Pool) -> Pool:
    """Return the pool without what no filter of pools reads: pools of equal facts share their verdicts."""
    return Pool(
        name="",
        cluster_uid="",
        nodes=(),
        vendor=pool.vendor,
        resource=pool.resource,
        accelerator=pool.accelerator,
        family=pool.family,
        stack=pool.stack,
        domestic=pool.domestic,
        sharing=pool.sharing,
        profile=pool.profile,
        memory=pool.memory,
        architecture=pool.architecture,
        driver=pool.driver,
        compute_capability=pool.compute_capability,
        for_devices_only=pool.for_devices_only,
    )


def _price(offer: Offer, pool: Pool, snapshot: Snapshot) -> int:
    price = offer.price_at(pool.accelerator.name, snapshot.now) if pool.accelerator else None
    return min(price.amount, INFINITE) if price is not None and price.currency == snapshot.currency else -1


def _span(offer: Offer, now: int) -> tuple[int, int]:
    """Return since when and until when nothing about an offer changes by itself."""
    moments = tuple(offer.moments())
    return max((m for m in moments if m <= now), default=-INFINITE), min((m for m in moments if m > now), default=INFINITE)
