"""The token bucket keeps its rate, in order."""

import asyncio

import pytest

from sampan.kube.transport.limits import Limits, TokenBucket


class Clock:
    """Time by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@pytest.mark.looptime
async def test_burst_then_rate() -> None:
    loop = asyncio.get_running_loop()
    bucket = TokenBucket(10, 5, loop.time)
    started = loop.time()
    for _ in range(5):
        await bucket.take()
    assert loop.time() == started
    await asyncio.gather(*(bucket.take() for _ in range(10)))
    assert loop.time() - started == pytest.approx(1.0, abs=0.01)


@pytest.mark.looptime
async def test_a_waiter_that_gives_up_costs_nothing() -> None:
    loop = asyncio.get_running_loop()
    bucket = TokenBucket(1, 1, loop.time)
    await bucket.take()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bucket.take(), 0.5)
    started = loop.time()
    await bucket.take()
    assert loop.time() - started == pytest.approx(0.5, abs=0.01)


async def test_idle_time_saves_no_more_than_a_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(1, 2, clock)
    clock.now = 1000.0
    await bucket.take()
    await bucket.take()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bucket.take(), 0.01)


def test_defaults_are_the_documented_ones() -> None:
    limits = Limits()
    assert (limits.timeout, limits.max_body, limits.max_in_flight) == (10.0, 8 * 1024 * 1024, 32)
