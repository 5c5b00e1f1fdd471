"""Equivalence classes of pending jobs, as of kube-scheduler's equivalence cache: one "no" does for all jobs of a class.

Two jobs without a reservation are equivalent if shape, cells that cool down and eligible alternatives are equal. Which cells suit them
is not known here.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from sampan.model.backlog import Bucket
from sampan.model.job import Job, Shape
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Refusal
from sampan.scheduling.queueing.order import eligible, order_key

OrderKey = tuple[int, int, str]
"""(-priority, created, UID) of the oldest job: see `order_key`."""
ClassKey = tuple[int, frozenset[tuple[OfferKey, str]], tuple[int, ...]]
MAX_IDLE_SHAPES: Final = 4096
"""Shapes known by identity beside those that somebody waits with."""


Chunks = tuple[tuple[Job, ...], ...]


@dataclass(slots=True)
class LastRefusal:
    """What the jobs of a class were last told."""

    versions: tuple[int, ...]
    refusal: Refusal
    chunks: Chunks
    whole: Refusal


class RankedBuckets:
    """Buckets in the order of their oldest jobs."""

    __slots__ = ("buckets", "order_keys")

    def __init__(self) -> None:
        self.order_keys: list[OrderKey] = []
        self.buckets: list[Bucket] = []

    def add(self, bucket: Bucket) -> int:
        """Put a bucket in; returns its place."""
        key = order_key(bucket.head)
        at = bisect_left(self.order_keys, key)
        self.order_keys.insert(at, key)
        self.buckets.insert(at, bucket)
        return at

    def remove(self, bucket: Bucket) -> int:
        """Take a bucket out; returns where it was."""
        at = bisect_left(self.order_keys, order_key(bucket.head))
        del self.order_keys[at], self.buckets[at]
        return at


class EquivalenceClass(RankedBuckets):
    """All buckets whose oldest jobs are equivalent."""

    __slots__ = ("_chunks", "eligible", "excluded", "last_refusal", "number", "shape")

    def __init__(self, number: int, shape: Shape, *, excluded: frozenset[tuple[OfferKey, str]], eligible: tuple[int, ...]) -> None:
        super().__init__()
        self.number, self.shape, self.excluded, self.eligible = number, shape, excluded, eligible
        self._chunks: Chunks | None = None
        self.last_refusal: LastRefusal | None = None

    @property
    def key(self) -> ClassKey:
        """Return what names it while it lasts."""
        return id(self.shape), self.excluded, self.eligible

    def add(self, bucket: Bucket) -> int:
        """Put a bucket in; returns its place."""
        self._chunks = None
        return super().add(bucket)

    def remove(self, bucket: Bucket) -> int:
        """Take a bucket out; returns where it was."""
        self._chunks = None
        return super().remove(bucket)

    def chunks(self) -> Chunks:
        """Return all jobs in chunks, in the order of the buckets; the very same value while nothing changes."""
        if self._chunks is None:
            self._chunks = tuple(chunk for bucket in self.buckets for chunk in bucket.chunks)
        return self._chunks


class EquivalenceClasses:
    """All classes by number. Numbers are small and used again, so that flags by number can lie in arrays."""

    def __init__(self) -> None:
        self._all: list[EquivalenceClass | None] = []
        self._free: list[int] = []
        self._by_key: dict[ClassKey, EquivalenceClass] = {}
        self._shapes: dict[Shape, Shape] = {}
        self._by_identity: dict[int, tuple[Shape, Shape]] = {}
        """By identity, while it is held here: a shape and the first one equal to it."""

    def __len__(self) -> int:
        """Return one more than the greatest number."""
        return len(self._all)

    def live(self) -> list[EquivalenceClass]:
        """Return all by number."""
        return [equivalence for equivalence in self._all if equivalence is not None]

    def by_number(self, number: int) -> EquivalenceClass:
        """Return the one of a number."""
        equivalence = self._all[number]
        assert equivalence is not None
        return equivalence

    def of(self, job: Job, now: int) -> EquivalenceClass:
        """Return the class of a job at a moment; a new one has no buckets yet."""
        shape = self._first_equal(job.shape)
        key = (id(shape), job.excluded, eligible(job, now))
        known = self._by_key.get(key)
        if known is None:
            number = self._free.pop() if self._free else len(self._all)
            known = self._by_key[key] = EquivalenceClass(number, shape, excluded=job.excluded, eligible=key[2])
            self._all[number : number + 1] = [known]
        return known

    def remove_empty(self) -> None:
        """Drop those without buckets."""
        for equivalence in self.live():
            if not equivalence.buckets:
                del self._by_key[equivalence.key]
                self._all[equivalence.number] = None
                self._free.append(equivalence.number)
        self._free.sort(reverse=True)
        if len(self._by_identity) > MAX_IDLE_SHAPES + 2 * len(self._by_key):
            self._shapes = {equivalence.shape: equivalence.shape for equivalence in self.live()}
            self._by_identity.clear()

    def _first_equal(self, shape: Shape) -> Shape:
        known = self._by_identity.get(id(shape))
        if known is None:
            known = self._by_identity[id(shape)] = shape, self._shapes.setdefault(shape, shape)
        return known[1]
