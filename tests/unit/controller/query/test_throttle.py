"""Turns are taken one by one, in order, with rest between them, and nobody fills the queue for all."""

import asyncio

import pytest

from sampan.controller.query import throttle
from sampan.controller.query.rate_limit import RateLimited
from sampan.controller.query.throttle import MAX_WAITING_OF_NAMESPACE, Throttle

pytestmark = pytest.mark.looptime

Log = list[tuple[str, float]]


async def answer(queue: Throttle, namespace: str, seconds: float, log: Log) -> None:
    """Hold a turn for some seconds; note when it began."""
    async with queue.slot(namespace):
        log.append((namespace, asyncio.get_running_loop().time()))
        await asyncio.sleep(seconds)


async def test_one_at_a_time_in_order_and_as_much_rest_as_work_but_bounded() -> None:
    queue, log = Throttle(), Log()
    await asyncio.gather(answer(queue, "a", 1, log), answer(queue, "b", 20, log), answer(queue, "c", 1, log))
    await asyncio.sleep(100)
    await answer(queue, "d", 1, log)
    assert log == [("a", 0), ("b", 2), ("c", 27), ("d", 128)]


async def test_one_namespace_leaves_room_for_others() -> None:
    queue, log = Throttle(), Log()
    many = [asyncio.create_task(answer(queue, "a", 1, log)) for _ in range(MAX_WAITING_OF_NAMESPACE + 3)]
    await asyncio.sleep(0)
    await answer(queue, "b", 1, log)
    ends = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, RateLimited) for each in ends) == 3
    await answer(queue, "a", 1, log)
    assert [name for name, _ in log] == ["a"] * MAX_WAITING_OF_NAMESPACE + ["b", "a"]


async def test_all_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_WAITING", 2)
    queue = Throttle()
    ends = await asyncio.gather(*(answer(queue, name, 1, []) for name in "abc"), return_exceptions=True)
    assert [type(each) for each in ends] == [type(None), type(None), RateLimited]


async def test_a_turn_that_failed_is_over() -> None:
    queue, log = Throttle(), Log()
    with pytest.raises(ValueError, match="no"):
        async with queue.slot("a"):
            raise ValueError("no")
    await answer(queue, "a", 1, log)
    assert log == [("a", 0)]
