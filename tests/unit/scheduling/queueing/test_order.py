"""Who comes first, and when an alternative may be tried."""

from dataclasses import replace

import pytest

from builders import NOW, demand, job, requirement, shape
from sampan.scheduling.queueing.order import eligible, next_eligible_at, order_key


def test_priority_then_age_then_uid() -> None:
    jobs = [
        job("b", created=NOW),
        job("a", created=NOW),
        job("old", created=NOW - 5),
        job("high", created=NOW, priority=1),
        job("low", created=0, priority=-1),
    ]
    assert [each.uid for each in sorted(jobs, key=order_key)] == ["high", "old", "a", "b", "low"]


@pytest.mark.parametrize(("age", "want"), [(0, (0,)), (59_999, (0,)), (60_000, (0, 1, 2)), (600_000, (0, 1, 2, 3))])
def test_alternatives_ripen(age: int, want: tuple[int, ...]) -> None:
    waits = (0, 60, 0, 600)  # the third is never tried before the second
    wanted = shape(*(demand(requirement(), wait_seconds=wait) for wait in waits))
    assert eligible(job(wanted=wanted, created=NOW - age), NOW) == want


def test_a_closed_alternative_is_never_tried_and_nobody_waits_for_it() -> None:
    waits = (0, 60, 600)
    wanted = shape(*(demand(requirement(), wait_seconds=wait) for wait in waits))
    young = replace(job(wanted=wanted, created=NOW), closed=frozenset({0}))
    assert eligible(young, NOW) == (1,)
    assert eligible(young, NOW + 600_000) == (1, 2)
    assert next_eligible_at(replace(young, closed=frozenset({1, 2})), NOW) is None


def test_the_first_alternative_never_waits() -> None:
    assert eligible(job(wanted=shape(demand(requirement(), wait_seconds=9)), created=NOW), NOW) == (0,)


def test_the_next_ripening_is_known() -> None:
    waiting = job(wanted=shape(demand(requirement()), demand(requirement(), wait_seconds=60)), created=NOW - 10_000)
    assert next_eligible_at(waiting, NOW) == NOW + 50_000
    assert next_eligible_at(waiting, NOW + 50_000) is None
