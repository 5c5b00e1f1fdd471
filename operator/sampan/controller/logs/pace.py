"""How much output may pass at once: streams by namespace, bytes a second in all. Whoever reads without end delays nobody else."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

MAX_STREAMS: Final = 512
"""Ranks that are read at the same time; each has 64 KiB in each direction, and little more."""
MAX_STREAMS_OF_NAMESPACE: Final = 128
BYTES_PER_SECOND: Final = 16 * 1024 * 1024
"""Of all together, with what each line counts for: cutting so much into lines takes less than a fifth of a core."""


class TooManyStreamsError(Exception):
    """No further stream may be opened now; the text says why."""


@dataclass(slots=True)
class StreamLimits:
    """Counts the open streams."""

    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def slot(self, namespace: str, ranks: int = 1) -> Iterator[None]:
        """Have streams of so many ranks open while the context is. Raises TooManyStreamsError."""
        if self._open[namespace] + ranks > MAX_STREAMS_OF_NAMESPACE:
            raise TooManyStreamsError(
                f"at most {MAX_STREAMS_OF_NAMESPACE} ranks of namespace {namespace} are read at once: close a log first"
            )
        if self._open.total() + ranks > MAX_STREAMS:
            raise TooManyStreamsError(f"at most {MAX_STREAMS} ranks are read on this hub at once: ask again in a while")
        self._open[namespace] += ranks
        try:
            yield
        finally:
            self._open[namespace] -= ranks
            self._open += Counter()  # names without a stream go


@dataclass(slots=True)
class Pace:
    """Lets `rate` bytes a second pass, a second's worth at once."""

    rate: int = BYTES_PER_SECOND
    _paid_until: float = 0.0
    """The event loop's time at which all that passed is within the rate."""

    async def spend(self, count: int) -> None:
        """Wait until so many bytes more may pass; others have their turn in any case."""
        now = asyncio.get_running_loop().time()
        self._paid_until = max(self._paid_until, now - 1.0) + count / self.rate
        await asyncio.sleep(max(self._paid_until - now, 0.0))
