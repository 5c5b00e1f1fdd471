"""What waiting jobs share."""

from dataclasses import replace

from builders import NOW, demand, job, offer, requirement, shape
from sampan.model.backlog import Backlog, Bucket
from sampan.model.job import Job
from sampan.scheduling.queueing.equivalence import EquivalenceClasses, RankedBuckets
from sampan.scheduling.queueing.order import order_key

SMALL = shape(demand(requirement(count=1)))
LATE = shape(demand(requirement(count=1)), replace(demand(requirement(count=2)), alternative=1, wait_seconds=60))


def bucket(*jobs: Job) -> Bucket:
    (made,) = Backlog.of(jobs)
    return made


def test_buckets_stand_by_priority_then_age_then_uid() -> None:
    ranked = RankedBuckets()
    made = [
        bucket(job(name, SMALL, priority=p, created=NOW - age)) for name, p, age in (("a", 0, 0), ("b", 0, 9), ("c", 5, 0), ("d", 0, 0))
    ]
    assert [ranked.add(each) for each in made] == [0, 0, 0, 3]
    assert [each.head.uid for each in ranked.buckets] == ["c", "b", "a", "d"]
    assert ranked.remove(made[0]) == 2
    assert ranked.order_keys == [order_key(each.head) for each in ranked.buckets]


def test_jobs_are_alike_by_equal_shapes_by_what_cools_down_and_by_what_has_ripened() -> None:
    classes, again = EquivalenceClasses(), shape(demand(requirement(count=1)))
    assert again is not SMALL
    same = classes.of(job("a", SMALL), NOW)
    assert classes.of(job("b", again, priority=3, created=NOW - 5), NOW) is same
    assert classes.of(job("c", SMALL, excluded=[(offer().key, "p")]), NOW) is not same
    assert classes.of(job("d", LATE), NOW) is not classes.of(job("e", LATE, created=NOW - 60_000), NOW)
    assert classes.of(job("d", LATE), NOW + 60_000) is classes.of(job("e", LATE, created=NOW - 60_000), NOW)


def test_numbers_are_given_again_and_pieces_kept_while_nothing_changes() -> None:
    classes = EquivalenceClasses()
    first, second = classes.of(job("a", SMALL), NOW), classes.of(job("b", LATE), NOW)
    assert (first.number, second.number) == (0, 1)
    made = bucket(job("b", LATE))
    second.add(made)
    assert second.chunks() is second.chunks()
    classes.remove_empty()
    assert classes.live() == [second]
    assert classes.of(job("c", SMALL), NOW).number == 0
    second.remove(made)
    assert second.chunks() == ()
