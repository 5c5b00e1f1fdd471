"""Whose turn it is: by priority, then the queue that has used least for its weight, then its namespaces in turn, then by age and UID.

Nothing about places. Keys only grow while a cycle charges, so a key that grew since it was filed is simply filed again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

from sampan.model.backlog import Backlog, Bucket
from sampan.model.job import Job
from sampan.model.quantity import MICRO
from sampan.model.queues import Queue, QueueUse
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot

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
    """The turns of one queue."""

    def __init__(self, name: str, turns: list[Turn], uses: Uses) -> None:
        self.name, self._uses = name, uses
        self._heap = [(self._key(turn), number, turn) for number, turn in enumerate(turns)]
        self._numbers = len(turns)
        heapify(self._heap)

    def _key(self, turn: Turn) -> LocalKey:
        job = turn.job
        return -job.priority, self._uses.of_namespace(self.name, job.namespace), job.created, job.uid

    def first(self) -> Turn | None:
        while self._heap:
            key, number, turn = self._heap[0]
            fresh = self._key(turn)
            if fresh == key:
                return turn
            heapreplace(self._heap, (fresh, number, turn))
        return None

    def drop(self) -> None:
        heappop(self._heap)

    def step(self) -> None:
        """Go on to the bucket's next job."""
        _, number, turn = self._heap[0]
        job = None if turn.own else next(turn.jobs, None)
        if job is None:
            heappop(self._heap)
        else:
            turn.job = job
            heapreplace(self._heap, (self._key(turn), number, turn))


class Turns:
    """Every bucket's next job, in the order of the whole backlog. Jobs that may not compete are left out: see `barred`."""

    def __init__(self, snapshot: Snapshot, uses: Uses, *, alone: Mapping[str, Job]) -> None:
        """`alone`: jobs by UID that stand for themselves, whatever their bucket."""
        self._uses, self._heap = uses, list[tuple[Key, str, _Line]]()
        self._current: _Line | None = None
        for name in sorted(snapshot.backlog.queues):
            turns = list(_turns(snapshot.backlog.queues[name].values(), alone))
            self._file(_Line(name, turns, uses))

    def pop(self) -> Turn | None:
        """Return whose turn it is, None when nobody is left; say `placed` or `closed` before the next."""
        while self._heap:
            key, _, line = heappop(self._heap)
            turn = line.first()
            if turn is None:
                continue
            if self._key(line.name, turn) == key:
                self._current = line
                return turn
            self._file(line)
        return None

    def placed(self) -> None:
        """The job got a place: the bucket's next one comes later."""
        assert self._current is not None
        self._current.step()
        self._file(self._current)

    def closed(self, shut: Callable[[Turn], bool]) -> list[Turn]:
        """Nothing of the bucket can be placed in this cycle: return it with those next in the queue that are known to be shut too."""
        line, out = self._current, list[Turn]()
        assert line is not None
        turn = line.first()
        while turn is not None and (not out or shut(turn)):
            out.append(turn)
            line.drop()
            turn = line.first()
        self._file(line)
        return out

    def _file(self, line: _Line) -> None:
        turn = line.first()
        if turn is not None:
            heappush(self._heap, (self._key(line.name, turn), line.name, line))

    def _key(self, queue: str, turn: Turn) -> Key:
        return -turn.job.priority, self._uses.weighted(queue), turn.job.created, turn.job.uid


def _turns(buckets: Iterable[Bucket], alone: Mapping[str, Job]) -> Iterator[Turn]:
    held = {(job.queue, job.namespace, job.priority) for job in alone.values()}
    for bucket in buckets:
        if bucket.key.barred is not None:
            continue
        jobs = iter(bucket)
        key = bucket.key
        if (key.queue, key.namespace, key.priority) in held:
            members = list(bucket)
            yield from (Turn(bucket, job, iter(()), True) for job in members if job.uid in alone)
            jobs = iter([job for job in members if job.uid not in alone])
        first = next(jobs, None)
        if first is not None:
            yield Turn(bucket, first, jobs, False)


def find_jobs(backlog: Backlog, uids: Set[str]) -> dict[str, Job]:
    """Return those of the jobs that wait and may compete, by UID. Looks at every waiting job if any is asked for."""
    if not uids:
        return {}
    return {job.uid: job for bucket in backlog if bucket.key.barred is None for job in bucket if job.uid in uids}


def barred_jobs(backlog: Backlog) -> list[tuple[Reason, tuple[Job, ...]]]:
    """Return the jobs that their queue does not let compete, bucket by bucket, in order of the oldest."""
    found = [(bucket.key.barred, tuple(bucket)) for bucket in backlog if bucket.key.barred is not None]
    return sorted(found, key=lambda each: (each[1][0].created, each[1][0].uid))
