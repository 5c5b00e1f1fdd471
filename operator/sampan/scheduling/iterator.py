"""The order of the queues' heads: by priority, then the queue of the least weighted use, then its namespaces in turn, then age and UID.

Fair share as Kueue's fairSharingIterator has it, on use that decays as Slurm's: a queue's key is the use per weight of all queues from
the topmost down, so that siblings share what their parent is due. Nothing about cells. The heaps are lazy: keys only grow while a
cycle charges, so a head whose key grew since it was pushed is pushed again when it comes up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush, heapreplace

from sampan.model.backlog import Bucket
from sampan.model.job import Job
from sampan.model.reason import Reason
from sampan.scheduling.candidate_index import CandidateIndex
from sampan.scheduling.queueing.equivalence import EquivalenceClass
from sampan.scheduling.queueing.pending import NamespaceQueue, PendingIndex
from sampan.scheduling.queueing.usage import FairShareUsage

LocalKey = tuple[int, int, int, str]
"""(-priority, what the namespace used, created, UID)."""
Key = tuple[int, tuple[int, ...], int, str]
"""(-priority, weighted use from the topmost queue down, created, UID)."""


class EntryStatus(StrEnum):
    """What became of a head."""

    PLACED = "Placed"
    RESERVED = "Reserved"
    """It has or had a reservation and found no cell yet: it had its turn, whatever came of it."""
    BLOCKED = "Blocked"
    """No cell for it, nor for any job of its class: none of them is looked at again."""


@dataclass(slots=True)
class QueueHead:
    """The next job of a bucket, or a job with a reservation, which is a head of its own."""

    bucket: Bucket
    job: Job
    jobs: Iterator[Job]
    """Those after it."""
    equivalence: EquivalenceClass
    has_reservation: bool


class _BucketCursor:
    """Where a namespace queue stands in this cycle."""

    __slots__ = ("_at", "_candidates", "_places", "bucket", "number", "queue")

    def __init__(self, queue: NamespaceQueue, candidates: CandidateIndex, places: list[int]) -> None:
        """`places`: of the buckets that are candidates as things stand, one at least; that none is left out later is for `move` to see."""
        self.queue, self._candidates, self._places, self._at = queue, candidates, places, 0
        self.bucket, self.number = queue.buckets[places[0]], queue.class_numbers[places[0]]
        """Where it stands, and the number of its class."""

    def move(self, detached: Mapping[int, Bucket]) -> bool:
        """Go on to the first candidate that is not detached; tells whether there is one."""
        buckets, numbers, places = self.queue.buckets, self.queue.class_numbers, self._places
        feasible, refused = self._candidates.feasible, self._candidates.refused
        may_reserve = self.queue.priority > self._candidates.reservation_floor
        for at in range(self._at, len(places)):
            number = numbers[places[at]]
            if feasible[number] or (may_reserve and not refused[number]):
                bucket = buckets[places[at]]
                if id(bucket) not in detached:
                    self._at, self.bucket, self.number = at, bucket, number
                    return True
        self._at = len(places)
        return False


class _NamespaceHeads:
    """The first candidates of a queue's namespace queues, with their keys: looked at together, as each of them is asked for often."""

    def __init__(self, name: str, cursors: list[_BucketCursor], *, usage: FairShareUsage, candidates: CandidateIndex) -> None:
        self._name, self._usage, self._candidates, self._cursors = name, usage, candidates, cursors
        self._numbers = [cursor.number for cursor in cursors]
        """Of the classes of the first candidates, by cursor."""
        self._keys = [self._key(cursor) for cursor in cursors]
        self._charges = usage.charges_of(name)
        """How often the queue was charged when the keys were made."""
        self._dropped, self._floor = len(candidates.dropped), candidates.reservation_floor
        """How many classes were dropped, and the floor, when the first candidates were looked at last."""
        self._least: tuple[LocalKey, _BucketCursor] | None = None
        """The last answer, while no charge and no detached bucket is against it."""

    def first(self, detached: Mapping[int, Bucket]) -> tuple[LocalKey, _BucketCursor] | None:
        """Return the least key, and the cursor that has it."""
        charges, least, candidates = self._usage.charges_of(self._name), self._least, self._candidates
        if charges != self._charges:
            self._keys = [self._key(cursor) for cursor in self._cursors]
            self._charges = charges
        elif (
            least is not None
            and candidates.reservation_floor == self._floor
            and candidates.is_candidate(least[1].number, least[1].queue.priority)
        ):
            return least  # where classes of others were dropped, their keys only grew
        self._follow(detached)
        if not self._keys:
            return None
        key = min(self._keys)
        self._least = key, self._cursors[self._keys.index(key)]
        return self._least

    def _follow(self, detached: Mapping[int, Bucket]) -> None:
        """Go on where the first candidate is none any more: its class was dropped, or the floor is higher than when last looked at."""
        candidates, dropped = self._candidates, len(self._candidates.dropped)
        if dropped == self._dropped and candidates.reservation_floor == self._floor:
            return
        self._dropped, self._floor = dropped, candidates.reservation_floor
        feasible, refused, floor = candidates.feasible, candidates.refused, self._floor
        gone = [
            at
            for at, number in enumerate(self._numbers)
            if not feasible[number] and (refused[number] or self._cursors[at].queue.priority <= floor)
        ]
        if gone:
            self._move(gone, detached)

    def leave(self, bucket: Bucket, detached: Mapping[int, Bucket]) -> None:
        """Take over that a bucket is detached."""
        self._least = None
        self._move([at for at, cursor in enumerate(self._cursors) if cursor.bucket is bucket], detached)

    def _move(self, places: Sequence[int], detached: Mapping[int, Bucket]) -> None:
        """Have some cursors go on, if they must; those at their ends are dropped."""
        for at in reversed(places):
            cursor = self._cursors[at]
            before = cursor.bucket
            if not cursor.move(detached):
                del self._cursors[at], self._numbers[at], self._keys[at]
            elif cursor.bucket is not before:
                self._numbers[at], self._keys[at] = cursor.number, self._key(cursor)

    def _key(self, cursor: _BucketCursor) -> LocalKey:
        head = cursor.bucket.head
        return -head.priority, self._usage.of_namespace(self._name, head.namespace), head.created, head.uid


class _QueueCursor:
    """The heads of one queue: of its namespace queues, and beside them jobs with reservations and buckets that a job was placed from."""

    def __init__(self, name: str, cursors: list[_BucketCursor], *, usage: FairShareUsage, candidates: CandidateIndex) -> None:
        self.name, self._usage, self._candidates = name, usage, candidates
        self._namespaces = _NamespaceHeads(name, cursors, usage=usage, candidates=candidates)
        self._heap: list[tuple[LocalKey, int, QueueHead]] = []
        self._numbers = 0
        self.detached: dict[int, Bucket] = {}
        """Buckets, by identity, whose next head is in the heap and no longer in the namespace queues. Held, so that no id is reused."""

    def detach(self, bucket: Bucket, reserved: Mapping[str, Job]) -> None:
        """Let some jobs of a bucket, by UID, be heads of their own."""
        self._leave(bucket)
        for job in reserved.values():
            self._push(QueueHead(bucket, job, iter(()), self._candidates.class_of(job), True))
        self._push_next(bucket, (job for job in bucket if job.uid not in reserved))

    def first_key(self) -> LocalKey | None:
        """Return the key of the queue's first head."""
        found = self._namespaces.first(self.detached)
        detached = self._heap[0][0] if self._first_detached() is not None else None
        return detached if found is None or (detached is not None and detached < found[0]) else found[0]

    def first(self) -> QueueHead | None:
        """Return the queue's first head."""
        detached, found = self._first_detached(), self._namespaces.first(self.detached)
        if found is None or (detached is not None and self._heap[0][0] < found[0]):
            return detached
        bucket = found[1].bucket
        jobs = iter(bucket)
        return QueueHead(bucket, next(jobs), jobs, self._candidates.by_number(found[1].number), False)

    def advance(self, head: QueueHead) -> None:
        """Go on to the next job of the first head's bucket."""
        if self._heap and self._heap[0][2] is head:
            heappop(self._heap)
        if not head.has_reservation:
            self._leave(head.bucket)
            self._push_next(head.bucket, head.jobs)

    def _leave(self, bucket: Bucket) -> None:
        if id(bucket) not in self.detached:
            self.detached[id(bucket)] = bucket
            self._namespaces.leave(bucket, self.detached)

    def _push_next(self, bucket: Bucket, jobs: Iterator[Job]) -> None:
        job = next(jobs, None)
        if job is not None:
            self._push(QueueHead(bucket, job, jobs, self._candidates.class_of(job), False))

    def _key(self, job: Job) -> LocalKey:
        return -job.priority, self._usage.of_namespace(self.name, job.namespace), job.created, job.uid

    def _push(self, head: QueueHead) -> None:
        self._numbers += 1
        heappush(self._heap, (self._key(head.job), self._numbers, head))

    def _first_detached(self) -> QueueHead | None:
        while self._heap:
            key, number, head = self._heap[0]
            fresh = self._key(head.job)
            if not (head.has_reservation or self._candidates.is_candidate(head.equivalence.number, head.job.priority)):
                heappop(self._heap)
            elif fresh == key:
                return head
            else:
                heapreplace(self._heap, (fresh, number, head))
        return None


class FairShareIterator:
    """Every candidate in the order of the whole backlog. Inadmissible jobs are left out: see `inadmissible_jobs`."""

    def __init__(self, pending: PendingIndex, usage: FairShareUsage, *, candidates: CandidateIndex, reserved: Mapping[str, Job]) -> None:
        """`reserved`: jobs by UID that have a reservation."""
        self._usage, self._heap = usage, list[tuple[Key, str, _QueueCursor]]()
        self._current: tuple[_QueueCursor, QueueHead] | None = None
        self._cursors: dict[str, _QueueCursor] = {}
        queues = pending.namespace_queues()
        cursors: dict[str, list[_BucketCursor]] = {}
        for (name, queue), places in zip(queues, candidates.places([queue for _, queue in queues]), strict=True):
            if places:
                cursors.setdefault(name, []).append(_BucketCursor(queue, candidates, places))
        detached: dict[int, tuple[Bucket, dict[str, Job]]] = {}
        for uid, job in reserved.items():
            bucket = pending.bucket_of(job)
            detached.setdefault(id(bucket), (bucket, {}))[1][uid] = job
        for name in {**cursors, **{bucket.key.queue: [] for bucket, _ in detached.values()}}:
            self._cursors[name] = _QueueCursor(name, cursors.get(name, []), usage=usage, candidates=candidates)
        for bucket, jobs in detached.values():
            self._cursors[bucket.key.queue].detach(bucket, jobs)
        self._heap = [(key, cursor.name, cursor) for cursor in self._cursors.values() if (key := self._key(cursor)) is not None]
        heapify(self._heap)

    def pop(self) -> QueueHead | None:
        """Return the next head, None when nobody is left; `settle` it before the next."""
        while self._heap:
            key, name, cursor = self._heap[0]
            fresh = self._key(cursor)
            if fresh is None:
                heappop(self._heap)
            elif fresh != key:
                heapreplace(self._heap, (fresh, name, cursor))
            else:
                heappop(self._heap)
                head = cursor.first()
                assert head is not None  # it has a key
                self._current = cursor, head
                return head
        return None

    def settle(self, status: EntryStatus) -> None:
        """Say what became of the head: its bucket's next job follows; of a blocked one none of the class does."""
        assert self._current is not None
        cursor, head = self._current
        if status is not EntryStatus.BLOCKED:
            cursor.advance(head)
        key = self._key(cursor)
        if key is not None:
            heappush(self._heap, (key, cursor.name, cursor))

    def detached(self) -> Iterator[Bucket]:
        """Yield the buckets of which some jobs were heads of their own or placed."""
        for cursor in self._cursors.values():
            yield from cursor.detached.values()

    def _key(self, cursor: _QueueCursor) -> Key | None:
        key = cursor.first_key()
        return None if key is None else (key[0], self._usage.weighted(cursor.name), key[2], key[3])


def inadmissible_jobs(pending: PendingIndex) -> list[tuple[Reason, tuple[Job, ...]]]:
    """Return the jobs that their queue does not let compete, bucket by bucket, in order of the oldest."""
    found = [(bucket.key.inadmissible, tuple(bucket)) for bucket in pending.inadmissible() if bucket.key.inadmissible is not None]
    return sorted(found, key=lambda each: (each[1][0].created, each[1][0].uid))
