"""How late the loop is: what keeps it busy is seen."""

import asyncio
import time

import pytest

from sampan.controller.runtime.loop_lag import PERIOD, LoopLag
from unit.controller.fakes import until


@pytest.mark.looptime
async def test_it_measures_twice_a_second() -> None:
    lag = LoopLag()
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(20 * PERIOD + 0.1)
    task.cancel()
    assert lag.seconds.cumulative[-1][1] == 20


async def test_work_that_holds_the_loop_is_seen() -> None:
    lag = LoopLag()
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(0)
    time.sleep(PERIOD + 0.3)  # noqa: ASYNC251  this is the fault that is looked for
    await until(lambda: lag.seconds.cumulative[-1][1] > 0)
    task.cancel()
    assert lag.seconds.total >= 0.29
