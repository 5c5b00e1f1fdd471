"""Whose turn it is: by priority, then the queue that has used least for its weight, then its namespaces in turn, then by age and UID.

Nothing about places. Keys only grow while a cycle charges, so a key that grew since it was filed is simply filed again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace

from sampan.model.backlog import Bucket
from sampan.model.job import Job
from sampan.model.quantity import MICRO
from sampan.model.queues import Queue, QueueUse
from sampan.model.reason import Reason
from sampan.scheduling.admission_index import Doors
from sampan.scheduling.queueing.equivalence import Like
from sampan.scheduling.queueing.pending import Lane, Yard

LocalKey = tuple[int, int, int, str]
"""(-priority, what the namespace used, created, UID)."""
Key = tuple[int, tuple[int, ...], int, str]
"""(-priority, weighted use from the topmost queue down, created, UID)."""


@dataclass(slots=True)
class Turn:
    """The next job of a bucket, or one that holds a reservation and so stands for itself."""

    bucket: Bucket
    job: Job
    jobs: Iterator[Job]
    """Those after it."""
    like: Like
    own: bool
    """Stands for itself."""


class Uses:
    """What queues and namespaces have used, charges of this cycle included."""

    def __init__(self, queues: Mapping[str, Queue], uses: Mapping[str, QueueUse]) -> None:
        self._queues = queues
        self._total: dict[str, int] = {}
        self._namespaces = {(name, each): used for name, use in uses.items() for each, used in use.namespaces.items()}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._weighted: dict[str, tuple[int, ...]] = {}
        for name, use in uses.items():
            for queue in self.path(name):
                self._total[queue] = self._total.get(queue, 0) + use.total

    def path(self, name: str) -> tuple[str, ...]:
        """Return the queue with its parents, topmost first; a circle of parents ends where it would repeat."""
        if name not in self._paths:
            path, at = [name], self._queues.get(name)
            while at is not None and at.parent is not None and at.parent not in path:
                path.append(at.parent)
                at = self._queues.get(at.parent)
            self._paths[name] = tuple(reversed(path))
        return self._paths[name]

    def weighted(self, name: str) -> tuple[int, ...]:
        """Return what the queue and its parents used for their weight, topmost first."""
        if name not in self._weighted:
            self._weighted[name] = tuple(self._total.get(each, 0) * MICRO // self._weight(each) for each in self.path(name))
        return self._weighted[name]

    def of_namespace(self, queue: str, namespace: str) -> int:
        """Return what a namespace used of a queue."""
        return self._namespaces.get((queue, namespace), 0)

    def charge(self, job: Job, amount: int) -> None:
        """Add what a job is charged, inflated to the moment."""
        self._weighted.clear()
        for queue in self.path(job.queue):
            self._total[queue] = self._total.get(queue, 0) + amount
        key = job.queue, job.namespace
        self._namespaces[key] = self._namespaces.get(key, 0) + amount

    def _weight(self, name: str) -> int:
        queue = self._queues.get(name)
        return max(queue.weight, 1) if queue is not None else MICRO


class _Cursor:
    """Where a lane stands in this cycle."""

    __slots__ = ("_at", "_doors", "_lane", "_places")

    def __init__(self, lane: Lane, doors: Doors, places: list[int]) -> None:
        """`places`: of the buckets that are let in as things stand."""
        self._lane, self._doors, self._places, self._at = lane, doors, places, 0

    def first(self, apart: Mapping[int, Bucket]) -> tuple[Bucket, int] | None:
        """Return the first bucket that is let in and not apart, and the number of what its jobs share."""
        lane, doors, at = self._lane, self._doors, self._at
        numbers, places, hopeful = lane.numbers, self._places, lane.priority > doors.hopeless
        while at < len(places):
            number = numbers[places[at]]
            if doors.open[number] or (hopeful and not doors.seen[number]):
                bucket = lane.buckets[places[at]]
                if id(bucket) not in apart:
                    self._at = at
                    return bucket, number
            at += 1
        self._at = at
        return None


class _Line:
    """The turns of one queue: its lanes, and beside them those who stand for themselves and buckets that a place was taken from."""

    def __init__(self, name: str, cursors: list[_Cursor], *, uses: Uses, doors: Doors) -> None:
        self.name, self._uses, self._doors, self._cursors = name, uses, doors, cursors
        self._heap: list[tuple[LocalKey, int, Turn]] = []
        self._numbers = 0
        self.apart: dict[int, Bucket] = {}
        """Buckets, by identity, that are beside the lanes."""

    def set_apart(self, bucket: Bucket, alone: Mapping[str, Job]) -> None:
        """Let some jobs of a bucket, by UID, stand for themselves."""
        self.apart[id(bucket)] = bucket
        for job in alone.values():
            self._beside(Turn(bucket, job, iter(()), self._doors.of(job), True))
        self._next(bucket, (job for job in bucket if job.uid not in alone))

    def first(self) -> Turn | None:
        """Return whose turn it is in the queue."""
        best, chosen = self._first_beside(), None
        key = self._heap[0][0] if best is not None else None
        for cursor in self._cursors:
            found = cursor.first(self.apart)
            if found is not None:
                other = self._key(found[0].head)
                if key is None or other < key:
                    key, chosen = other, found
        if chosen is None:
            return best
        jobs = iter(chosen[0])
        job = next(jobs)
        return Turn(chosen[0], job, jobs, self._doors.numbered(chosen[1]), False)

    def step(self, turn: Turn) -> None:
        """Go on to the next job of the first turn's bucket."""
        if self._heap and self._heap[0][2] is turn:
            heappop(self._heap)
        if not turn.own:
            self.apart[id(turn.bucket)] = turn.bucket
            self._next(turn.bucket, turn.jobs)

    def _next(self, bucket: Bucket, jobs: Iterator[Job]) -> None:
        job = next(jobs, None)
        if job is not None:
            self._beside(Turn(bucket, job, jobs, self._doors.of(job), False))

    def _key(self, job: Job) -> LocalKey:
        return -job.priority, self._uses.of_namespace(self.name, job.namespace), job.created, job.uid

    def _beside(self, turn: Turn) -> None:
        self._numbers += 1
        heappush(self._heap, (self._key(turn.job), self._numbers, turn))

    def _first_beside(self) -> Turn | None:
        while self._heap:
            key, number, turn = self._heap[0]
            fresh = self._key(turn.job)
            if not (turn.own or self._doors.admits(turn.like.number, turn.job.priority)):
                heappop(self._heap)
            elif fresh == key:
                return turn
            else:
                heapreplace(self._heap, (fresh, number, turn))
        return None


class Turns:
    """Every job that is let in, in the order of the whole backlog. Jobs that may not compete are left out: see `barred_jobs`."""

    def __init__(self, yard: Yard, uses: Uses, *, doors: Doors, alone: Mapping[str, Job]) -> None:
        """`alone`: jobs by UID that stand for themselves, whatever their bucket."""
        self._uses, self._heap = uses, list[tuple[Key, str, _Line]]()
        self._current: tuple[_Line, Turn] | None = None
        self._lines: dict[str, _Line] = {}
        lanes = yard.lanes()
        cursors: dict[str, list[_Cursor]] = {}
        for (name, lane), places in zip(lanes, doors.candidates([lane for _, lane in lanes]), strict=True):
            if places:
                cursors.setdefault(name, []).append(_Cursor(lane, doors, places))
        held: dict[int, tuple[Bucket, dict[str, Job]]] = {}
        for uid, job in alone.items():
            bucket = yard.bucket_of(job)
            held.setdefault(id(bucket), (bucket, {}))[1][uid] = job
        for name in {**cursors, **{bucket.key.queue: [] for bucket, _ in held.values()}}:
            self._lines[name] = _Line(name, cursors.get(name, []), uses=uses, doors=doors)
        for bucket, jobs in held.values():
            self._lines[bucket.key.queue].set_apart(bucket, jobs)
        for line in self._lines.values():
            self._file(line, line.first())

    def pop(self) -> Turn | None:
        """Return whose turn it is, None when nobody is left; say `placed` or `closed` before the next."""
        while self._heap:
            key, _, line = heappop(self._heap)
            turn = line.first()
            if turn is None:
                continue
            if self._key(line.name, turn) == key:
                self._current = line, turn
                return turn
            self._file(line, turn)
        return None

    def placed(self) -> None:
        """The job had its turn, whatever came of it: the bucket's next one comes later."""
        assert self._current is not None
        line, turn = self._current
        line.step(turn)
        self._file(line, line.first())

    def closed(self) -> None:
        """The door was shut on all who are like the job: go on with others."""
        assert self._current is not None
        line, _ = self._current
        self._file(line, line.first())

    def touched(self) -> Iterator[Bucket]:
        """Yield the buckets of which jobs had a turn of their own."""
        for line in self._lines.values():
            yield from line.apart.values()

    def _file(self, line: _Line, turn: Turn | None) -> None:
        if turn is not None:
            heappush(self._heap, (self._key(line.name, turn), line.name, line))

    def _key(self, queue: str, turn: Turn) -> Key:
        return -turn.job.priority, self._uses.weighted(queue), turn.job.created, turn.job.uid


def barred_jobs(yard: Yard) -> list[tuple[Reason, tuple[Job, ...]]]:
    """Return the jobs that their queue does not let compete, bucket by bucket, in order of the oldest."""
    found = [(bucket.key.barred, tuple(bucket)) for bucket in yard.barred() if bucket.key.barred is not None]
    return sorted(found, key=lambda each: (each[1][0].created, each[1][0].uid))
