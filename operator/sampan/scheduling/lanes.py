"""Waiting jobs of each queue as lanes by priority and namespace, oldest first; kept from cycle to cycle, made anew only where they changed.

What queues have used is not known here, so nothing in a lane moves by charges: `turns` says whose lane comes next.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from sampan.model.backlog import Backlog, Bucket, BucketKey
from sampan.model.job import Job
from sampan.scheduling.order import ripe


@dataclass(frozen=True, slots=True)
class Lane:
    """Buckets of one priority and namespace, by their oldest jobs."""

    priority: int
    namespace: str
    buckets: tuple[Bucket, ...]
    likes: tuple[object, ...]
    """What each bucket shares with those that are refused with it, see `like`; None where that depends on the moment."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """What waits in one queue."""

    source: Mapping[BucketKey, Bucket]
    lanes: tuple[Lane, ...]
    jobs: Mapping[str, Job]
    """Jobs that may compete, by UID."""
    barred: tuple[Bucket, ...]

    @classmethod
    def of(cls, source: Mapping[BucketKey, Bucket], *, known: dict[int, object]) -> "Lanes":
        """Sort the buckets of a queue; `known`: what lasts of shapes, by identity, kept while they all are alive."""
        grouped: dict[tuple[int, str], list[tuple[int, str, Bucket]]] = {}
        barred: list[Bucket] = []
        for bucket in source.values():
            key, head = bucket.key, bucket.head
            if key.barred is not None:
                barred.append(bucket)
            else:
                grouped.setdefault((-key.priority, key.namespace), []).append((head.created, head.uid, bucket))
        lanes = tuple(_lane(-rank, namespace, ordered=sorted(grouped[rank, namespace]), known=known) for rank, namespace in sorted(grouped))
        jobs = {job.uid: job for lane in lanes for bucket in lane.buckets for chunk in bucket.chunks for job in chunk}
        return cls(source, lanes, jobs, tuple(barred))


class Yard:
    """The lanes of all queues."""

    def __init__(self, backlog: Backlog | None = None) -> None:
        self.queues: dict[str, Lanes] = {}
        if backlog is not None:
            self.sync(backlog)

    def sync(self, backlog: Backlog) -> None:
        """Take over a backlog: queues whose buckets are the very same mapping are kept as they are."""
        before, shapes = self.queues, dict[int, object]()
        self.queues = {}
        for name in sorted(backlog.queues):
            source, old = backlog.queues[name], before.get(name)
            self.queues[name] = old if old is not None and old.source is source else Lanes.of(source, known=shapes)

    def find(self, uids: Set[str]) -> dict[str, Job]:
        """Return those of the jobs that wait and may compete, by UID."""
        wanted = sorted(uids)
        return {uid: lanes.jobs[uid] for lanes in self.queues.values() for uid in wanted if uid in lanes.jobs}

    def barred(self) -> Iterator[Bucket]:
        """Yield the buckets that their queue does not let compete, in no order that means anything."""
        for lanes in self.queues.values():
            yield from lanes.barred


def like(job: Job, now: int) -> object:
    """Return what jobs without a reservation share when they find no place; by the very same shape, for it is cheap."""
    known = _lasting(job)
    return (id(job.shape), job.excluded, ripe(job, now)) if known is None else known


def _lasting(job: Job) -> object:
    """Return `like` where no moment changes it: no alternative waits for its time."""
    if any(demand.wait_seconds > 0 for demand in job.shape.demands):
        return None
    return (id(job.shape), job.excluded) if job.excluded else id(job.shape)


def _lane(priority: int, namespace: str, *, ordered: list[tuple[int, str, Bucket]], known: dict[int, object]) -> Lane:
    buckets = tuple(bucket for _, _, bucket in ordered)
    likes: list[object] = []
    for bucket in buckets:
        job = bucket.head
        shape = id(job.shape)
        if job.excluded:
            likes.append(_lasting(job))
            continue
        if shape not in known:
            known[shape] = _lasting(job)
        likes.append(known[shape])
    return Lane(priority, namespace, buckets, tuple(likes))
