"""Keys are worked on once at a time, and come back when they should."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

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


@types.coroutine
def _counted(work: Coroutine[Any, Any, str], steps: list[None]) -> Generator[Any, Any, str]:
    """Run a coroutine and note each time that it goes on."""
    answer: Any = None
    while True:
        steps.append(None)
        try:
            answer = yield work.send(answer)
        except StopIteration as ended:
            found: str = ended.value
            return found


async def test_a_key_wakes_one_worker_and_each_key_another() -> None:
    queue, steps = WorkQueue(), list[None]()

    async def worker() -> str:
        return await _counted(queue.get(), steps)

    workers = [asyncio.create_task(worker()) for _ in range(32)]
    await asyncio.sleep(1)
    assert len(steps) == 32, "each has begun to wait"
    for key in ("a", "b"):
        queue.add(key)
        await asyncio.sleep(1)
    assert sorted(worker.result() for worker in workers if worker.done()) == ["a", "b"]
    assert len(steps) == 34, "the others slept on"
    for each in workers:
        each.cancel()
    await asyncio.wait(workers)


async def test_a_worker_that_is_cancelled_as_it_is_woken_leaves_the_key_to_another() -> None:
    queue = WorkQueue()
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(1)
    queue.add("a")
    first.cancel()
    assert await asyncio.wait_for(second, 1) == "a"
    await asyncio.wait({first})


async def test_a_key_that_finds_its_lane_full_comes_again_in_its_turn_and_may_be_looked_at_meanwhile() -> None:
    queue = WorkQueue(lambda _: 1)
    for key in ("a", "b", "c"):
        queue.add(key)
    assert [queue.begin(await queue.get(), "slow"), queue.begin(await queue.get(), "slow")] == [True, False]
    assert queue.begin(await queue.get(), "fast")
    assert len(queue) == 3, "one that waits for its turn counts"
    queue.add("b")
    assert await queue.get() == "b", "it is not worked on, so that whatever changed is looked at"
    assert not queue.begin("b", "slow")
    queue.done("a")
    assert await queue.get() == "b"
    assert queue.begin("b", "slow")
    for key in ("b", "c"):
        queue.done(key)
    assert len(queue) == 0


async def test_a_key_whose_turn_has_come_is_told_from_one_that_was_added_meanwhile() -> None:
    queue = WorkQueue(lambda _: 1)
    for key in ("a", "b", "c", "d"):
        queue.add(key)
    assert [queue.begin(await queue.get(), "lane") for _ in range(4)] == [True, False, False, False]
    queue.done("a")
    assert await queue.get() == "b"
    assert queue.is_turn("b")
    assert queue.begin("b", "lane")
    queue.done("b")
    queue.add("c")
    assert await queue.get() == "c"
    assert not queue.is_turn("c"), "whoever added it may know of a change"
    assert queue.begin("c", "lane")
    queue.add("d", after=5)
    queue.done("c")
    assert await queue.get() == "d"
    assert queue.is_turn("d"), "what is due later has not changed yet"
    assert not queue.is_turn("d"), "told once"
