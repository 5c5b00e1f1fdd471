"""Changes of a job are gathered for a moment and told once, and only while the member is known to be the one it was."""

import asyncio

import pytest

from sampan.controller.members.changed_jobs import ChangedJobs

pytestmark = pytest.mark.looptime


async def test_a_burst_about_a_job_is_told_once_and_the_next_one_again() -> None:
    told: list[str] = []
    changed = ChangedJobs(told.append, may_tell=lambda: True)
    for _ in range(6):
        changed.add("a")
        changed.add("b")
    assert told == []
    await asyncio.sleep(1)
    assert told == ["a", "b"]
    changed.add("a")
    await asyncio.sleep(1)
    assert told == ["a", "b", "a"]


async def test_what_goes_on_changing_is_told_all_the_same() -> None:
    told: list[str] = []
    changed = ChangedJobs(told.append, may_tell=lambda: True)
    for _ in range(100):
        changed.add("a")
        await asyncio.sleep(0.005)
    assert 20 <= len(told) <= 26


async def test_nothing_is_told_of_a_member_in_doubt_before_the_doubt_is_over() -> None:
    told: list[str] = []
    sure = False
    changed = ChangedJobs(told.append, may_tell=lambda: sure)
    changed.add("a")
    await asyncio.sleep(1)
    changed.release()
    assert told == []
    sure = True
    changed.release()
    assert told == ["a"]
    changed.add("b")
    sure = False
    await asyncio.sleep(1)
    sure = True
    changed.release()
    assert told == ["a", "b"]
