"""Keys are worked on once at a time, and come back when they should."""

import asyncio

import pytest

from sampan.controller.runtime.workqueue import WorkQueue

pytestmark = pytest.mark.looptime


async def test_a_key_is_in_the_queue_once() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 2


async def test_a_key_being_worked_on_comes_back_after_it() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 5)
    queue.done("a")
    assert await queue.get() == "a"


async def test_a_delayed_key_comes_at_its_time_and_the_earlier_wins() -> None:
    loop, queue = asyncio.get_running_loop(), WorkQueue()
    started = loop.time()
    queue.add("late", after=60)
    queue.add("a", after=10)
    queue.add("a", after=2)
    assert await queue.get() == "a"
    assert loop.time() - started == pytest.approx(2, abs=0.01)
    queue.done("a")
    assert await queue.get() == "late"
    assert loop.time() - started == pytest.approx(60, abs=0.01)


async def test_adding_now_makes_a_delay_void() -> None:
    queue = WorkQueue()
    queue.add("a", after=30)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 100)
