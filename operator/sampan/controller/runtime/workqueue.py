"""A queue of keys: each key is in it once, is worked on by one worker at a time, and may come back after a delay.

Knows nothing of jobs or API servers.
"""

import asyncio
import heapq
from collections import deque


class WorkQueue:
    """Keys to work on. One loop owns it."""

    def __init__(self) -> None:
        """Start empty."""
        self._ready: deque[str] = deque()
        self._queued: set[str] = set()
        self._active: set[str] = set()
        self._again: set[str] = set()
        self._due: dict[str, float] = {}
        self._timers: list[tuple[float, str]] = []
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many keys wait or are worked on; delayed ones are not counted."""
        return len(self._queued) + len(self._active)

    def add(self, key: str, *, after: float = 0) -> None:
        """Put a key in, now or after so many seconds; an earlier time wins, a key being worked on comes once more."""
        if after <= 0:
            self._due.pop(key, None)
            self._enqueue(key)
            return
        due = asyncio.get_running_loop().time() + after
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._timers, (due, key))
            self._changed.set()

    def _enqueue(self, key: str) -> None:
        if key in self._active:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.append(key)
            self._changed.set()

    async def get(self) -> str:
        """Wait for a key and mark it as worked on; `done` must follow."""
        while True:
            self._expire()
            if self._ready:
                key = self._ready.popleft()
                self._queued.discard(key)
                self._active.add(key)
                return key
            self._changed.clear()
            try:
                async with asyncio.timeout(self._next_delay()):
                    await self._changed.wait()
            except TimeoutError:  # a delayed key is due
                continue

    def done(self, key: str) -> None:
        """Say that a key is no longer worked on."""
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._enqueue(key)

    def _next_delay(self) -> float | None:
        return max(self._timers[0][0] - asyncio.get_running_loop().time(), 0) if self._timers else None

    def _expire(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._timers and self._timers[0][0] <= now:
            due, key = heapq.heappop(self._timers)
            if self._due.get(key) == due:
                del self._due[key]
                self._enqueue(key)
