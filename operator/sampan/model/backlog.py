"""Waiting jobs in buckets: jobs of one bucket differ in age and name only, so one verdict does for all. No order between buckets here.

A backlog is never changed: `with_job` and `without_job` return another one that shares all that is the same.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from sampan.model.job import Job, Shape
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason

MAX_CHUNK: Final = 256
"""Jobs in one piece of a bucket: what one change copies at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketKey:
    """What the jobs of a bucket have in common: all that decides where and when they may run, but for their age."""

    queue: str
    namespace: str
    priority: int
    shape: Shape
    excluded: frozenset[tuple[OfferKey, str]] = frozenset()
    inadmissible: Reason | None = None
    closed: frozenset[int] = frozenset()

    @classmethod
    def of(cls, job: Job) -> "BucketKey":
        """Return the key of the bucket that a job belongs to."""
        return cls(
            queue=job.queue,
            namespace=job.namespace,
            priority=job.priority,
            shape=job.shape,
            excluded=job.excluded,
            inadmissible=job.inadmissible,
            closed=job.closed,
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """Jobs of one key, oldest first, by UID where equally old; never empty."""

    key: BucketKey
    chunks: tuple[tuple[Job, ...], ...]

    @property
    def head(self) -> Job:
        """Return the oldest job."""
        return self.chunks[0][0]

    def __iter__(self) -> Iterator[Job]:
        """Yield the jobs in order."""
        return chain.from_iterable(self.chunks)

    def __len__(self) -> int:
        """Return how many jobs there are."""
        return sum(map(len, self.chunks))

    def replaced(self, job: Job, *, by: Job | None) -> "Bucket | None":
        """Return the bucket with what stands at a job's place exchanged (nothing: put in; `by` None: taken out); None once empty."""
        place = _place(job)
        at = max(bisect_left(self.chunks, place, key=lambda chunk: _place(chunk[0])) - 1, 0)
        if at + 1 < len(self.chunks) and _place(self.chunks[at + 1][0]) == place:
            at += 1
        chunk = self.chunks[at]
        low = bisect_left(chunk, place, key=_place)
        high = low + (low < len(chunk) and _place(chunk[low]) == place)
        fresh = (*chunk[:low], *(() if by is None else (by,)), *chunk[high:])
        halves = (fresh[: len(fresh) // 2], fresh[len(fresh) // 2 :]) if len(fresh) > MAX_CHUNK else (fresh,)
        chunks = (*self.chunks[:at], *(half for half in halves if half), *self.chunks[at + 1 :])
        return Bucket(self.key, chunks) if chunks else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """All waiting jobs: buckets by queue."""

    queues: Mapping[str, Mapping[BucketKey, Bucket]] = field(default_factory=dict)
    """By queue name; a queue without jobs is not named."""

    @classmethod
    def of(cls, jobs: Iterable[Job]) -> "Backlog":
        """Return the backlog of these jobs."""
        grouped: dict[str, dict[BucketKey, list[Job]]] = {}
        for job in jobs:
            grouped.setdefault(job.queue, {}).setdefault(BucketKey.of(job), []).append(job)
        return cls({queue: {key: _bucket(key, members) for key, members in buckets.items()} for queue, buckets in grouped.items()})

    def __iter__(self) -> Iterator[Bucket]:
        """Yield every bucket, in no order that means anything."""
        return chain.from_iterable(buckets.values() for buckets in self.queues.values())

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return sum(map(len, self))

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return every job, oldest first. Costs a sort of all of them: for tests and for answers to people, not for the cycle."""
        return tuple(sorted(chain.from_iterable(self), key=_place))

    def with_job(self, job: Job) -> "Backlog":
        """Return the backlog with a job put in; one of the same bucket, age and UID is replaced.

        A job whose bucket or age changed is to be taken out as it was first.
        """
        key = BucketKey.of(job)
        known = self.queues.get(job.queue, {}).get(key)
        return self._with(key, Bucket(key, ((job,),)) if known is None else known.replaced(job, by=job))

    def without_job(self, job: Job) -> "Backlog":
        """Return the backlog without a job, given as it was put in; the same backlog where it is not there."""
        key = BucketKey.of(job)
        known = self.queues.get(job.queue, {}).get(key)
        return self if known is None else self._with(key, known.replaced(job, by=None))

    def _with(self, key: BucketKey, bucket: Bucket | None) -> "Backlog":
        buckets = dict(self.queues.get(key.queue, {}))
        if bucket is None:
            buckets.pop(key, None)
        else:
            buckets[key] = bucket
        queues = {**self.queues, key.queue: buckets}
        if not buckets:
            del queues[key.queue]
        return Backlog(queues)


NOTHING_WAITS: Final = Backlog()
"""No job waits."""


def _bucket(key: BucketKey, jobs: list[Job]) -> Bucket:
    ordered = sorted(jobs, key=_place)
    half = MAX_CHUNK // 2
    return Bucket(key, tuple(tuple(ordered[at : at + half]) for at in range(0, len(ordered), half)))


def _place(job: Job) -> tuple[int, str]:
    return job.created, job.uid
