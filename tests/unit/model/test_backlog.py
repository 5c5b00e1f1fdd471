"""Buckets of waiting jobs: what goes in comes out, in order, and earlier pictures stay as they were."""

from dataclasses import replace
from random import Random

from builders import NOW, demand, job, requirement, shape
from sampan.model.backlog import MAX_CHUNK, Backlog, BucketKey

SMALL, LARGE = shape(demand(requirement(count=1))), shape()


def test_jobs_that_differ_in_age_only_share_a_bucket() -> None:
    backlog = Backlog.of([job("b", SMALL, created=NOW), job("a", SMALL, created=NOW), job("c", SMALL, created=NOW - 5), job("d", LARGE)])
    by_key = {bucket.key: [each.uid for each in bucket] for bucket in backlog}
    assert by_key[BucketKey.of(job("x", SMALL))] == ["c", "a", "b"]
    assert len(by_key) == 2


def test_what_decides_a_place_parts_buckets() -> None:
    first = job("a")
    others = [replace(first, uid="b", priority=1), replace(first, uid="c", queue="q"), replace(first, uid="d", namespace="n")]
    assert len(list(Backlog.of([first, *others]))) == 4


def test_one_by_one_is_as_all_at_once_in_any_order() -> None:
    jobs = [job(f"j{i}", SMALL if i % 3 else LARGE, created=NOW + i % 97) for i in range(3 * MAX_CHUNK)]
    shuffled = list(jobs)
    Random(7).shuffle(shuffled)
    grown = Backlog()
    for each in shuffled:
        grown = grown.with_job(each)
    assert grown.jobs == Backlog.of(jobs).jobs == tuple(sorted(jobs, key=lambda j: (j.created, j.uid)))
    assert all(len(chunk) <= MAX_CHUNK for bucket in grown for chunk in bucket.chunks)
    for each in shuffled[: 2 * MAX_CHUNK]:
        grown = grown.without_job(each)
    assert {each.uid for each in grown.jobs} == {each.uid for each in shuffled[2 * MAX_CHUNK :]}
    for each in shuffled:
        grown = grown.without_job(each)
    assert grown == Backlog()


def test_an_earlier_picture_stays_as_it_was() -> None:
    before = Backlog.of([job("a", SMALL)])
    after = before.with_job(job("b", SMALL)).with_job(job("c", LARGE))
    assert [each.uid for each in before.jobs] == ["a"]
    assert [each.uid for each in after.without_job(job("a", SMALL)).jobs] == ["b", "c"]


def test_a_newer_version_takes_the_place_of_the_older() -> None:
    newer = replace(job("a", SMALL), resource_version="2")
    assert Backlog.of([job("a", SMALL)]).with_job(newer).jobs == (newer,)


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    backlog = Backlog.of([job("a", SMALL)])
    assert backlog.without_job(job("z", LARGE)) is backlog
    assert backlog.without_job(job("z", SMALL)).jobs == backlog.jobs
