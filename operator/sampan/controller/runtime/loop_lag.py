"""How late the event loop comes to what is due: measured by sleeping, twice a second. Everything of the operator waits that long."""

import asyncio
from typing import Final

from sampan.model.values.distribution import SECONDS_OF_CALLS, Distribution

PERIOD: Final = 0.5
"""Seconds between two measurements."""


class LoopLag:
    """Measures until cancelled."""

    def __init__(self) -> None:
        """Nothing was measured yet."""
        self.seconds = Distribution(SECONDS_OF_CALLS)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PERIOD
            await asyncio.sleep(PERIOD)
            self.seconds.add(max(loop.time() - due, 0.0))
