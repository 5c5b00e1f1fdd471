"""Waiting jobs of queues as lanes."""

from dataclasses import replace

from builders import NOW, demand, job, requirement, shape
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.reason import Reason
from sampan.scheduling.lanes import Yard, like

SMALL, LARGE = shape(demand(requirement(count=1))), shape(demand(requirement(count=8)))


def one(name: str, *, queue: str = "q", namespace: str = "n", age: int = 0, large: bool = False) -> Job:
    return replace(job(name, LARGE if large else SMALL, created=NOW - age), queue=queue, namespace=namespace)


def test_a_lane_holds_the_buckets_of_a_namespace_oldest_first() -> None:
    yard = Yard(Backlog.of([one("new"), one("old", age=9, large=True), one("other", namespace="m")]))
    lanes = {lane.namespace: [bucket.head.uid for bucket in lane.buckets] for lane in yard.queues["q"].lanes}
    assert lanes == {"m": ["other"], "n": ["old", "new"]}


def test_only_queues_that_changed_are_sorted_anew() -> None:
    backlog = Backlog.of([one("a", queue="a"), one("b", queue="b")])
    yard = Yard(backlog)
    before = dict(yard.queues)
    yard.sync(backlog.with_job(one("a2", queue="a")).without_job(one("b", queue="b")).with_job(one("c", queue="c")))
    assert sorted(yard.queues) == ["a", "c"]
    assert yard.queues["a"] is not before["a"]
    assert set(yard.find({"a", "a2", "b", "c"})) == {"a", "a2", "c"}
    kept = yard.queues["c"]
    yard.sync(Backlog({"c": kept.source}))
    assert yard.queues["c"] is kept


def test_barred_jobs_are_in_no_lane() -> None:
    yard = Yard(Backlog.of([replace(one("shut"), barred=Reason.QUEUE_NOT_ALLOWED)]))
    assert yard.queues["q"].lanes == ()
    assert [bucket.head.uid for bucket in yard.barred()] == ["shut"]


def test_jobs_are_alike_by_shape_and_by_what_time_has_ripened() -> None:
    late = shape(demand(requirement(count=1)), replace(demand(requirement(count=2)), alternative=1, wait_seconds=60))
    young, old = replace(one("young"), shape=late), replace(one("old", age=61_000), shape=late)
    assert like(one("a"), NOW) == like(one("b", age=5), NOW)
    assert like(one("a"), NOW) != like(one("a", large=True), NOW)
    assert like(young, NOW) != like(old, NOW)
