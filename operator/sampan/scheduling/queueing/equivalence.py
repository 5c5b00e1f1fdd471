"""What waiting jobs share when they find no place, and the buckets of those who share it. Nothing about places.

Two jobs without a reservation are alike if shape, cells that cool down and ripe alternatives are equal: one "no" does for both.
"""

from bisect import bisect_left
from typing import Final

from sampan.model.backlog import Bucket
from sampan.model.job import Job, Shape
from sampan.model.offer import OfferKey
from sampan.scheduling.queueing.order import ripe

Rank = tuple[int, int, str]
"""(-priority, created, UID) of the oldest job."""
Key = tuple[int, frozenset[tuple[OfferKey, str]], tuple[int, ...]]
SPARE: Final = 4096
"""Shapes known by identity beside those that somebody waits with."""


class Ranked:
    """Buckets by rank."""

    __slots__ = ("buckets", "ranks")

    def __init__(self) -> None:
        self.ranks: list[Rank] = []
        self.buckets: list[Bucket] = []

    def add(self, bucket: Bucket) -> int:
        """Put a bucket in; returns its place."""
        rank = rank_of(bucket)
        at = bisect_left(self.ranks, rank)
        self.ranks.insert(at, rank)
        self.buckets.insert(at, bucket)
        return at

    def remove(self, bucket: Bucket) -> int:
        """Take a bucket out; returns where it was."""
        at = bisect_left(self.ranks, rank_of(bucket))
        del self.ranks[at], self.buckets[at]
        return at


class Like(Ranked):
    """All buckets whose oldest jobs are alike."""

    __slots__ = ("_pieces", "allowed", "excluded", "number", "shape", "told")

    def __init__(self, number: int, shape: Shape, *, excluded: frozenset[tuple[OfferKey, str]], allowed: tuple[int, ...]) -> None:
        super().__init__()
        self.number, self.shape, self.excluded, self.allowed = number, shape, excluded, allowed
        self._pieces: tuple[tuple[Job, ...], ...] | None = None
        self.told: object = None
        """What was last told of them, for who tells it."""

    @property
    def key(self) -> Key:
        """Return what names it while it lasts."""
        return id(self.shape), self.excluded, self.allowed

    def add(self, bucket: Bucket) -> int:
        """Put a bucket in; returns its place."""
        self._pieces = None
        return super().add(bucket)

    def remove(self, bucket: Bucket) -> int:
        """Take a bucket out; returns where it was."""
        self._pieces = None
        return super().remove(bucket)

    def pieces(self) -> tuple[tuple[Job, ...], ...]:
        """Return all jobs in pieces, by rank of their buckets; the very same value while nothing changes."""
        if self._pieces is None:
            self._pieces = tuple(chunk for bucket in self.buckets for chunk in bucket.chunks)
        return self._pieces


class Likes:
    """Everything that waiting jobs share, by number. Numbers are small and used again."""

    def __init__(self) -> None:
        self._all: list[Like | None] = []
        self._free: list[int] = []
        self._by_key: dict[Key, Like] = {}
        self._shapes: dict[Shape, Shape] = {}
        self._known: dict[int, tuple[Shape, Shape]] = {}
        """By identity, while it is held here: a shape and the first one equal to it."""

    def __len__(self) -> int:
        """Return one more than the greatest number."""
        return len(self._all)

    def live(self) -> list[Like]:
        """Return all by number."""
        return [like for like in self._all if like is not None]

    def numbered(self, number: int) -> Like:
        """Return the one of a number."""
        like = self._all[number]
        assert like is not None
        return like

    def of(self, job: Job, now: int) -> Like:
        """Return what a job shares with others at a moment; a new one has no buckets yet."""
        shape = self._first_equal(job.shape)
        key = (id(shape), job.excluded, ripe(job, now))
        known = self._by_key.get(key)
        if known is None:
            number = self._free.pop() if self._free else len(self._all)
            known = self._by_key[key] = Like(number, shape, excluded=job.excluded, allowed=key[2])
            self._all[number : number + 1] = [known]
        return known

    def tidy(self) -> None:
        """Forget those without buckets."""
        for like in self.live():
            if not like.buckets:
                del self._by_key[like.key]
                self._all[like.number] = None
                self._free.append(like.number)
        self._free.sort(reverse=True)
        if len(self._known) > SPARE + 2 * len(self._by_key):
            self._shapes = {like.shape: like.shape for like in self.live()}
            self._known.clear()

    def _first_equal(self, shape: Shape) -> Shape:
        known = self._known.get(id(shape))
        if known is None:
            known = self._known[id(shape)] = shape, self._shapes.setdefault(shape, shape)
        return known[1]


def rank_of(bucket: Bucket) -> Rank:
    """Return the rank of a bucket."""
    head = bucket.head
    return -head.priority, head.created, head.uid
