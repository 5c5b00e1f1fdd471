"""What waiting jobs share."""

from dataclasses import replace

from builders import NOW, demand, job, offer, requirement, shape
from sampan.model.backlog import Backlog, Bucket
from sampan.model.job import Job
from sampan.scheduling.queueing.equivalence import Likes, Ranked, rank_of

SMALL = shape(demand(requirement(count=1)))
LATE = shape(demand(requirement(count=1)), replace(demand(requirement(count=2)), alternative=1, wait_seconds=60))


def bucket(*jobs: Job) -> Bucket:
    (made,) = Backlog.of(jobs)
    return made


def test_buckets_stand_by_priority_then_age_then_uid() -> None:
    ranked = Ranked()
    made = [
        bucket(job(name, SMALL, priority=p, created=NOW - age)) for name, p, age in (("a", 0, 0), ("b", 0, 9), ("c", 5, 0), ("d", 0, 0))
    ]
    assert [ranked.add(each) for each in made] == [0, 0, 0, 3]
    assert [each.head.uid for each in ranked.buckets] == ["c", "b", "a", "d"]
    assert ranked.remove(made[0]) == 2
    assert ranked.ranks == [rank_of(each) for each in ranked.buckets]


def test_jobs_are_alike_by_equal_shapes_by_what_cools_down_and_by_what_has_ripened() -> None:
    likes, again = Likes(), shape(demand(requirement(count=1)))
    assert again is not SMALL
    same = likes.of(job("a", SMALL), NOW)
    assert likes.of(job("b", again, priority=3, created=NOW - 5), NOW) is same
    assert likes.of(job("c", SMALL, excluded=[(offer().key, "p")]), NOW) is not same
    assert likes.of(job("d", LATE), NOW) is not likes.of(job("e", LATE, created=NOW - 60_000), NOW)
    assert likes.of(job("d", LATE), NOW + 60_000) is likes.of(job("e", LATE, created=NOW - 60_000), NOW)


def test_numbers_are_given_again_and_pieces_kept_while_nothing_changes() -> None:
    likes = Likes()
    first, second = likes.of(job("a", SMALL), NOW), likes.of(job("b", LATE), NOW)
    assert (first.number, second.number) == (0, 1)
    made = bucket(job("b", LATE))
    second.add(made)
    assert second.pieces() is second.pieces()
    likes.tidy()
    assert likes.live() == [second]
    assert likes.of(job("c", SMALL), NOW).number == 0
    second.remove(made)
    assert second.pieces() == ()
