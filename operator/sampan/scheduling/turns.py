"""Whose turn it is: by priority, then the queue that has used least for its weight, then its namespaces in turn, then by age and UID.

Nothing about places. Keys only grow while a cycle charges, so a key that grew since it was filed is simply filed again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace

from sampan.model.backlog import Bucket, BucketKey
from sampan.model.job import Job
from sampan.model.quantity import MICRO
from sampan.model.queues import Queue, QueueUse
from sampan.model.reason import Reason
from sampan.scheduling.lanes import Lane, Lanes, Yard, like

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


class _Line:
    """The turns of one queue: its lanes, and beside them those who stand for themselves and buckets that a place was taken from."""

    def __init__(self, name: str, lanes: Lanes, uses: Uses) -> None:
        self.name, self._uses = name, uses
        self._lanes = lanes.lanes
        self._at = [0] * len(lanes.lanes)
        self._heap: list[tuple[LocalKey, int, Turn]] = []
        self._numbers = 0
        self._apart: set[int] = set()
        """Buckets, by identity, that are beside the lanes."""
        self._first: int | None = None
        """The lane that the first turn comes from; None: from beside the lanes."""

    def set_apart(self, bucket: Bucket, alone: Mapping[str, Job]) -> None:
        """Let some jobs of a bucket stand for themselves."""
        self._apart.add(id(bucket))
        members = list(bucket)
        for job in members:
            if job.uid in alone:
                self._beside(Turn(bucket, job, iter(()), True))
        jobs = iter([job for job in members if job.uid not in alone])
        first = next(jobs, None)
        if first is not None:
            self._beside(Turn(bucket, first, jobs, False))

    def first(self) -> Turn | None:
        """Return whose turn it is in the queue."""
        best = self._first_beside()
        key = self._heap[0][0] if best is not None else None
        self._first = None
        for number, lane in enumerate(self._lanes):
            bucket = self._open(number, lane)
            if bucket is not None:
                other = self._key(bucket.head)
                if key is None or other < key:
                    key, self._first = other, number
        if self._first is None:
            return best
        bucket = self._lanes[self._first].buckets[self._at[self._first]]
        jobs = iter(bucket)
        return Turn(bucket, next(jobs), jobs, False)

    def step(self, turn: Turn) -> None:
        """Go on to the next job of the first turn's bucket."""
        self._drop()
        job = None if turn.own else next(turn.jobs, None)
        if job is not None:
            turn.job = job
            self._beside(turn)

    def shut(self, turn: Turn, told: Mapping[object, list[tuple[Job, ...]]], now: int) -> None:
        """Leave out the first turn's bucket and those next in each lane whose like is shut; add their jobs to what is told of them."""
        self._drop()
        told[like(turn.job, now)].append((turn.job, *turn.jobs))
        apart = self._apart
        for number, lane in enumerate(self._lanes):
            at, end = self._at[number], len(lane.buckets)
            while at < end:
                bucket = lane.buckets[at]
                if not apart or id(bucket) not in apart:
                    what = lane.likes[at]
                    jobs = told.get(like(bucket.head, now) if what is None else what)
                    if jobs is None:
                        break
                    jobs.extend(bucket.chunks)
                at += 1
            self._at[number] = at
        while (beside := self._first_beside()) is not None and not beside.own:
            jobs = told.get(like(beside.job, now))
            if jobs is None:
                break
            jobs.append((beside.job, *beside.jobs))
            heappop(self._heap)

    def _open(self, number: int, lane: Lane) -> Bucket | None:
        while self._at[number] < len(lane.buckets):
            bucket = lane.buckets[self._at[number]]
            if id(bucket) not in self._apart:
                return bucket
            self._at[number] += 1
        return None

    def _drop(self) -> None:
        if self._first is None:
            heappop(self._heap)
        else:
            self._at[self._first] += 1

    def _key(self, job: Job) -> LocalKey:
        return -job.priority, self._uses.of_namespace(self.name, job.namespace), job.created, job.uid

    def _beside(self, turn: Turn) -> None:
        self._numbers += 1
        heappush(self._heap, (self._key(turn.job), self._numbers, turn))

    def _first_beside(self) -> Turn | None:
        while self._heap:
            key, number, turn = self._heap[0]
            fresh = self._key(turn.job)
            if fresh == key:
                return turn
            heapreplace(self._heap, (fresh, number, turn))
        return None


class Turns:
    """Every bucket's next job, in the order of the whole backlog. Jobs that may not compete are left out: see `barred_jobs`."""

    def __init__(self, yard: Yard, uses: Uses, *, alone: Mapping[str, Job]) -> None:
        """`alone`: jobs by UID that stand for themselves, whatever their bucket."""
        self._uses, self._heap = uses, list[tuple[Key, str, _Line]]()
        self._current: tuple[_Line, Turn] | None = None
        held: dict[str, dict[BucketKey, None]] = {}
        for job in alone.values():
            held.setdefault(job.queue, {})[BucketKey.of(job)] = None
        for name, lanes in yard.queues.items():
            line = _Line(name, lanes, uses)
            for bucket in (lanes.source[key] for key in held.get(name, ()) if key in lanes.source):
                line.set_apart(bucket, alone)
            self._file(line)

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
            self._file(line)
        return None

    def placed(self) -> None:
        """The job got a place: the bucket's next one comes later."""
        assert self._current is not None
        line, turn = self._current
        line.step(turn)
        self._file(line)

    def closed(self, told: Mapping[object, list[tuple[Job, ...]]], now: int) -> None:
        """Nothing of the bucket can be placed in this cycle: leave it out with those next in the queue whose like is shut too.

        `told`: by what jobs share that find no place, see `like`, where their jobs are noted in pieces; this bucket's is among them.
        """
        assert self._current is not None
        line, turn = self._current
        line.shut(turn, told, now)
        self._file(line)

    def _file(self, line: _Line) -> None:
        turn = line.first()
        if turn is not None:
            heappush(self._heap, (self._key(line.name, turn), line.name, line))

    def _key(self, queue: str, turn: Turn) -> Key:
        return -turn.job.priority, self._uses.weighted(queue), turn.job.created, turn.job.uid


def barred_jobs(yard: Yard) -> list[tuple[Reason, tuple[Job, ...]]]:
    """Return the jobs that their queue does not let compete, bucket by bucket, in order of the oldest."""
    found = [(bucket.key.barred, tuple(bucket)) for bucket in yard.barred() if bucket.key.barred is not None]
    return sorted(found, key=lambda each: (each[1][0].created, each[1][0].uid))
