"""The pending jobs of each queue, by priority and namespace, oldest first; kept from cycle to cycle at the cost of what changed.

What queues have used is not known here, so charges move nothing: `iterator` says whose namespace queue comes next. Buckets are told
apart by identity, which is safe as every one is held here until it is gone.
"""

from collections.abc import Iterable, Mapping, Set
from heapq import heappop, heappush

import numpy as np

from sampan.model.backlog import Backlog, Bucket, BucketKey
from sampan.model.job import Job
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.queueing.equivalence import EquivalenceClass, EquivalenceClasses, RankedBuckets
from sampan.scheduling.queueing.order import next_eligible_at

NamespaceQueueKey = tuple[int, str]
"""(-priority, namespace)."""


class NamespaceQueue(RankedBuckets):
    """Buckets of one priority and namespace, by their oldest jobs."""

    __slots__ = ("_array", "class_numbers", "namespace", "priority")

    def __init__(self, priority: int, namespace: str) -> None:
        super().__init__()
        self.priority, self.namespace = priority, namespace
        self.class_numbers: list[int] = []
        """Number of each bucket's equivalence class, in the same order."""
        self._array: Numbers | None = None

    def array(self) -> Numbers:
        """Return the numbers as an array."""
        if self._array is None:
            self._array = np.array(self.class_numbers, dtype=np.int64)
        return self._array

    def enqueue(self, bucket: Bucket, equivalence: EquivalenceClass) -> None:
        """Put a bucket in."""
        self._array = None
        self.class_numbers.insert(self.add(bucket), equivalence.number)

    def dequeue(self, bucket: Bucket) -> None:
        """Take a bucket out."""
        self._array = None
        del self.class_numbers[self.remove(bucket)]


class PendingIndex:
    """The namespace queues of all queues."""

    def __init__(self) -> None:
        self.queues: dict[str, dict[NamespaceQueueKey, NamespaceQueue]] = {}
        self.classes = EquivalenceClasses()
        self.now = 0
        self._sources: dict[str, Mapping[BucketKey, Bucket]] = {}
        self._buckets: dict[str, dict[int, Bucket]] = {}
        """By queue and identity: every bucket."""
        self._class_of: dict[int, EquivalenceClass] = {}
        """By identity: of the buckets in namespace queues."""
        self._jobs: dict[str, Job] = {}
        self._inadmissible: dict[int, Bucket] = {}
        self._eligible_heap: list[tuple[int, int, Bucket]] = []
        """Heap of moments at which a bucket's oldest job changes its class; numbered, so that buckets are never compared."""
        self._numbers = 0

    def sync(self, backlog: Backlog, now: int) -> None:
        """Take over a backlog at a moment, no earlier than the last one: buckets that are the very same stay where they are."""
        assert now >= self.now  # alternatives that became eligible would have to be taken back
        self.now = now
        gone, came = self._differing(backlog)
        self._jobs_changed(gone, came)
        for bucket in gone:
            self._remove(bucket)
        for bucket in came:
            self._add(bucket)
        self._requeue_eligible()
        self.classes.remove_empty()

    def find(self, uids: Set[str]) -> dict[str, Job]:
        """Return those of the jobs that wait and may compete, by UID."""
        return {uid: self._jobs[uid] for uid in sorted(uids) if uid in self._jobs}

    def bucket_of(self, job: Job) -> Bucket:
        """Return the bucket that a waiting job is in."""
        return self._sources[job.queue][BucketKey.of(job)]

    def namespace_queues(self) -> list[tuple[str, NamespaceQueue]]:
        """Return every namespace queue with its queue, in no order that means anything."""
        return [(name, queue) for name, queues in self.queues.items() for queue in queues.values()]

    def inadmissible(self) -> Iterable[Bucket]:
        """Return the buckets that their queue does not let compete, in no order that means anything."""
        return self._inadmissible.values()

    def _differing(self, backlog: Backlog) -> tuple[list[Bucket], list[Bucket]]:
        """Return the buckets that are gone and those that are new."""
        gone, came = list[Bucket](), list[Bucket]()
        for name in [name for name in self._sources if name not in backlog.queues]:
            del self._sources[name]
            gone += self._buckets.pop(name).values()
        for name, source in backlog.queues.items():
            if self._sources.get(name) is not source:
                before, now = self._buckets.get(name, {}), {id(bucket): bucket for bucket in source.values()}
                gone += [bucket for known, bucket in before.items() if known not in now]
                came += [bucket for known, bucket in now.items() if known not in before]
                self._sources[name], self._buckets[name] = source, now
        return gone, came

    def _jobs_changed(self, gone: Iterable[Bucket], came: Iterable[Bucket]) -> None:
        """Keep the jobs by UID: only chunks of buckets that changed are gone through."""
        old, new = _chunks(gone), _chunks(came)
        for known, chunk in old.items():
            if known not in new:
                for job in chunk:
                    del self._jobs[job.uid]
        for known, chunk in new.items():
            if known not in old:
                self._jobs.update((job.uid, job) for job in chunk)

    def _add(self, bucket: Bucket) -> None:
        head = bucket.head
        if head.inadmissible is not None:
            self._inadmissible[id(bucket)] = bucket
            return
        equivalence = self._class_of[id(bucket)] = self.classes.of(head, self.now)
        equivalence.add(bucket)
        queues, key = self.queues.setdefault(head.queue, {}), (-head.priority, head.namespace)
        if key not in queues:
            queues[key] = NamespaceQueue(head.priority, head.namespace)
        queues[key].enqueue(bucket, equivalence)
        self._watch_eligibility(bucket)

    def _remove(self, bucket: Bucket) -> None:
        head = bucket.head
        if head.inadmissible is not None:
            del self._inadmissible[id(bucket)]
            return
        self._class_of.pop(id(bucket)).remove(bucket)
        queues, key = self.queues[head.queue], (-head.priority, head.namespace)
        queues[key].dequeue(bucket)
        if not queues[key].buckets:
            del queues[key]
        if not queues:
            del self.queues[head.queue]

    def _watch_eligibility(self, bucket: Bucket) -> None:
        at = next_eligible_at(bucket.head, self.now)
        if at is not None:
            self._numbers += 1
            heappush(self._eligible_heap, (at, self._numbers, bucket))

    def _requeue_eligible(self) -> None:
        """Put buckets in anew whose oldest job may try a further alternative."""
        while self._eligible_heap and self._eligible_heap[0][0] <= self.now:
            _, _, bucket = heappop(self._eligible_heap)
            if self._buckets.get(bucket.key.queue, {}).get(id(bucket)) is bucket:
                self._remove(bucket)
                self._add(bucket)


def _chunks(buckets: Iterable[Bucket]) -> Mapping[int, tuple[Job, ...]]:
    return {id(chunk): chunk for bucket in buckets if bucket.key.inadmissible is None for chunk in bucket.chunks}
