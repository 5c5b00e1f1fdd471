"""Waiting jobs of each queue as lanes by priority and namespace, oldest first; kept from cycle to cycle at the cost of what changed.

What queues have used is not known here, so nothing in a lane moves by charges: `turns` says whose lane comes next.
"""

from collections.abc import Iterable, Mapping, Set
from heapq import heappop, heappush

import numpy as np

from sampan.model.backlog import Backlog, Bucket, BucketKey
from sampan.model.job import Job
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.queueing.equivalence import Like, Likes, Ranked
from sampan.scheduling.queueing.order import next_ripening

LaneKey = tuple[int, str]
"""(-priority, namespace)."""


class Lane(Ranked):
    """Buckets of one priority and namespace, by their oldest jobs."""

    __slots__ = ("_array", "namespace", "numbers", "priority")

    def __init__(self, priority: int, namespace: str) -> None:
        super().__init__()
        self.priority, self.namespace = priority, namespace
        self.numbers: list[int] = []
        """What each bucket shares with others, by its number in the likes."""
        self._array: Numbers | None = None

    def array(self) -> Numbers:
        """Return the numbers as an array."""
        if self._array is None:
            self._array = np.array(self.numbers, dtype=np.int64)
        return self._array

    def file(self, bucket: Bucket, like: Like) -> None:
        """Put a bucket in."""
        self._array = None
        self.numbers.insert(self.add(bucket), like.number)

    def drop(self, bucket: Bucket) -> None:
        """Take a bucket out."""
        self._array = None
        del self.numbers[self.remove(bucket)]


class Yard:
    """The lanes of all queues."""

    def __init__(self) -> None:
        self.queues: dict[str, dict[LaneKey, Lane]] = {}
        self.likes = Likes()
        self.now = 0
        self._sources: dict[str, Mapping[BucketKey, Bucket]] = {}
        self._filed: dict[str, dict[int, Bucket]] = {}
        """By queue and identity: every bucket."""
        self._like_of: dict[int, Like] = {}
        """By identity: of the buckets that are in lanes."""
        self._jobs: dict[str, Job] = {}
        self._barred: dict[int, Bucket] = {}
        self._ripening: list[tuple[int, int, Bucket]] = []
        """Heap of moments at which a bucket's oldest job may share other things; numbered, so that buckets are never compared."""
        self._numbers = 0

    def sync(self, backlog: Backlog, now: int) -> None:
        """Take over a backlog at a moment, no earlier than the last one: buckets that are the very same stay where they are."""
        assert now >= self.now  # what has ripened would have to be taken back
        self.now = now
        gone, came = self._differing(backlog)
        self._jobs_changed(gone, came)
        for bucket in gone:
            self._out(bucket)
        for bucket in came:
            self._in(bucket)
        self._ripen()
        self.likes.tidy()

    def find(self, uids: Set[str]) -> dict[str, Job]:
        """Return those of the jobs that wait and may compete, by UID."""
        return {uid: self._jobs[uid] for uid in sorted(uids) if uid in self._jobs}

    def bucket_of(self, job: Job) -> Bucket:
        """Return the bucket that a waiting job is in."""
        return self._sources[job.queue][BucketKey.of(job)]

    def lanes(self) -> list[tuple[str, Lane]]:
        """Return every lane with its queue, in no order that means anything."""
        return [(name, lane) for name, lanes in self.queues.items() for lane in lanes.values()]

    def barred(self) -> Iterable[Bucket]:
        """Return the buckets that their queue does not let compete, in no order that means anything."""
        return self._barred.values()

    def _differing(self, backlog: Backlog) -> tuple[list[Bucket], list[Bucket]]:
        """Return the buckets that are gone and those that are new."""
        gone, came = list[Bucket](), list[Bucket]()
        for name in [name for name in self._sources if name not in backlog.queues]:
            del self._sources[name]
            gone += self._filed.pop(name).values()
        for name, source in backlog.queues.items():
            if self._sources.get(name) is not source:
                before, now = self._filed.get(name, {}), {id(bucket): bucket for bucket in source.values()}
                gone += [bucket for known, bucket in before.items() if known not in now]
                came += [bucket for known, bucket in now.items() if known not in before]
                self._sources[name], self._filed[name] = source, now
        return gone, came

    def _jobs_changed(self, gone: Iterable[Bucket], came: Iterable[Bucket]) -> None:
        """Keep the jobs by UID: only pieces of buckets that changed are gone through."""
        old, new = _chunks(gone), _chunks(came)
        for known, chunk in old.items():
            if known not in new:
                for job in chunk:
                    del self._jobs[job.uid]
        for known, chunk in new.items():
            if known not in old:
                self._jobs.update((job.uid, job) for job in chunk)

    def _in(self, bucket: Bucket) -> None:
        head = bucket.head
        if head.barred is not None:
            self._barred[id(bucket)] = bucket
            return
        like = self._like_of[id(bucket)] = self.likes.of(head, self.now)
        like.add(bucket)
        lanes, key = self.queues.setdefault(head.queue, {}), (-head.priority, head.namespace)
        if key not in lanes:
            lanes[key] = Lane(head.priority, head.namespace)
        lanes[key].file(bucket, like)
        self._wake(bucket)

    def _out(self, bucket: Bucket) -> None:
        head = bucket.head
        if head.barred is not None:
            del self._barred[id(bucket)]
            return
        self._like_of.pop(id(bucket)).remove(bucket)
        lanes, key = self.queues[head.queue], (-head.priority, head.namespace)
        lanes[key].drop(bucket)
        if not lanes[key].buckets:
            del lanes[key]
        if not lanes:
            del self.queues[head.queue]

    def _wake(self, bucket: Bucket) -> None:
        at = next_ripening(bucket.head, self.now)
        if at is not None:
            self._numbers += 1
            heappush(self._ripening, (at, self._numbers, bucket))

    def _ripen(self) -> None:
        """File buckets anew whose oldest job may try a further alternative."""
        while self._ripening and self._ripening[0][0] <= self.now:
            _, _, bucket = heappop(self._ripening)
            if self._filed.get(bucket.key.queue, {}).get(id(bucket)) is bucket:
                self._out(bucket)
                self._in(bucket)


def _chunks(buckets: Iterable[Bucket]) -> Mapping[int, tuple[Job, ...]]:
    return {id(chunk): chunk for bucket in buckets if bucket.key.barred is None for chunk in bucket.chunks}
