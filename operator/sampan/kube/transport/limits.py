"""How much one client may ask of its server, and take from it.

Lives here: the limits as a value and the token bucket.
Must never live here: HTTP.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one client. Times are seconds, sizes bytes after decompression, rates calls per second."""

    timeout: float = 10.0  # of a call in all: waiting for a turn, retries and reading included
    list_timeout: float = 30.0  # of one page
    connect_timeout: float = 5.0
    max_body: int = 8 * MIB
    max_line: int = 4 * MIB
    qps: float = 50.0
    burst: int = 100
    max_in_flight: int = 32
    compress: bool = False  # ask for gzip: worth its CPU on a far link only


class TokenBucket:
    """Lets ``rate`` calls per second pass, ``burst`` at once; waiters go in the order they came."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        """``clock`` is monotonic, in seconds."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    async def take(self) -> None:
        """Wait for one token. A waiter that is cancelled gives its token back."""
        delay = self._reserve()
        if delay <= 0:
            return
        try:
            await asyncio.sleep(delay)
        except asyncio.CancelledError:
            self._tokens += 1
            raise

    def _reserve(self) -> float:
        """Take one token, on credit if need be; the seconds until it is ours."""
        now = self._clock()
        self._tokens = min(float(self._burst), self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1
        return -self._tokens / self._rate
