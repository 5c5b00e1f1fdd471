"""Waiting jobs of queues as lanes."""

from dataclasses import replace

from builders import NOW, demand, job, requirement, shape
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.reason import Reason
from sampan.scheduling.queueing.pending import PendingIndex

SMALL, LARGE = shape(demand(requirement(count=1))), shape(demand(requirement(count=8)))
LATE = shape(demand(requirement(count=1)), replace(demand(requirement(count=2)), alternative=1, wait_seconds=60))


def one(name: str, *, queue: str = "q", namespace: str = "n", age: int = 0, large: bool = False) -> Job:
    return replace(job(name, LARGE if large else SMALL, created=NOW - age), queue=queue, namespace=namespace)


def index_of(*jobs: Job) -> PendingIndex:
    pending = PendingIndex()
    pending.sync(Backlog.of(jobs), NOW)
    return pending


def seen(pending: PendingIndex) -> dict[str, dict[str, list[str]]]:
    """By queue and namespace: the oldest job of each bucket."""
    return {
        name: {queue.namespace: [b.head.uid for b in queue.buckets] for queue in queues.values()} for name, queues in pending.queues.items()
    }


def alike(pending: PendingIndex) -> set[frozenset[str]]:
    return {frozenset(each.uid for piece in equivalence.chunks() for each in piece) for equivalence in pending.classes.live()}


def test_a_lane_holds_the_buckets_of_a_namespace_oldest_first() -> None:
    pending = index_of(one("new"), one("old", age=9, large=True), one("other", namespace="m"))
    assert seen(pending) == {"q": {"n": ["old", "new"], "m": ["other"]}}


def test_an_index_kept_up_equals_one_made_anew() -> None:
    first = Backlog.of([one("a", queue="a"), one("b", queue="b", age=3), one("d", queue="a", age=2, large=True)])
    second = first.with_job(one("a2", queue="a", age=5)).without_job(one("b", queue="b", age=3)).with_job(one("c", queue="c"))
    third = second.without_job(one("d", queue="a", age=2, large=True)).with_job(one("d", queue="c", age=2, large=True))
    pending = PendingIndex()
    for backlog in (first, second, third, first):
        pending.sync(backlog, NOW)
        fresh = index_of(*backlog.jobs)
        assert (seen(pending), alike(pending)) == (seen(fresh), alike(fresh))
        assert pending.find({"a", "a2", "b", "c", "d"}) == {each.uid: each for each in backlog.jobs}
        for each in backlog.jobs:
            assert each in set(pending.bucket_of(each))
        for queue in (queue for queues in pending.queues.values() for queue in queues.values()):
            assert queue.array().tolist() == [pending.classes.of(bucket.head, NOW).number for bucket in queue.buckets]


def test_barred_jobs_are_in_no_lane() -> None:
    shut = replace(one("shut"), inadmissible=Reason.QUEUE_NOT_ALLOWED)
    pending = index_of(shut)
    assert (seen(pending), alike(pending), pending.find({"shut"})) == ({}, set(), {})
    assert [bucket.head.uid for bucket in pending.inadmissible()] == ["shut"]
    pending.sync(Backlog(), NOW)
    assert list(pending.inadmissible()) == []


def test_what_a_job_shares_changes_when_an_alternative_ripens() -> None:
    backlog = Backlog.of([replace(one("young"), shape=LATE), replace(one("old", age=30_000, namespace="m"), shape=LATE)])
    pending = PendingIndex()
    groups = []
    for later in (0, 30_000, 60_000):
        pending.sync(backlog, NOW + later)
        groups.append(sorted(sorted(group) for group in alike(pending)))
    assert groups == [[["old", "young"]], [["old"], ["young"]], [["old", "young"]]]
