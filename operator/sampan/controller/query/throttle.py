"""One answer at a time, and rest between them: whoever asks without end takes half of a thread at most, and no other's turn.

Two answers at once would both be slower, and the scheduler's cycle with them: one interpreter lock is all there is.
Never here: what is answered, who may ask.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from sampan.controller.query.rate_limit import RateLimited

MAX_WAITING: Final = 32
"""Questions that may wait for their turn or have it."""
MAX_WAITING_OF_NAMESPACE: Final = 4
"""The same for one namespace."""
MAX_REST: Final = 5.0
"""Seconds."""


@dataclass(slots=True)
class Throttle:
    """Gives turns in the order of coming. After each, nobody has one for as long as it took."""

    _waiting: Counter[str] = field(default_factory=Counter)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _rested: float = 0.0
    """The event loop's time from which the next may begin."""

    @asynccontextmanager
    async def slot(self, namespace: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it while the context is open. Raises TooMany where too many wait already."""
        if self._waiting.total() >= MAX_WAITING or self._waiting[namespace] >= MAX_WAITING_OF_NAMESPACE:
            raise RateLimited(1)
        self._waiting[namespace] += 1
        try:
            async with self._lock:
                clock = asyncio.get_running_loop().time
                await asyncio.sleep(max(self._rested - clock(), 0))
                began = clock()
                try:
                    yield
                finally:
                    self._rested = clock() + min(clock() - began, MAX_REST)
        finally:
            self._waiting[namespace] -= 1
            self._waiting += Counter()  # names without a question go
