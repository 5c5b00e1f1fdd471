"""A queue of keys: each key is in it once, is worked on by one worker at a time, and may come back after a delay.

What takes long is done in lanes: a key that finds its lane full waits there for its turn, and delays no other lane. While it waits it
may be added, and is then looked at like any other: it keeps its place, unless it is found to need another lane, or none.

Knows nothing of jobs or API servers.
"""

import asyncio
from collections.abc import Callable

from sampan.controller.runtime.lanes import Lanes


class WorkQueue:
    """Keys to work on. One loop owns it."""

    def __init__(self, width: Callable[[str], int] = lambda _: 1) -> None:
        """Start empty. `width(lane)` is how many keys are worked on at once in a lane."""
        self._lanes = Lanes(width, self._call)
        self._called: set[str] = set()
        """Keys that come because it is their turn in their lane, and for nothing else."""
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        """Wakes one worker a key: to wake all of them for each costs more than most of the work."""
        self._queued: set[str] = set()
        self._active: set[str] = set()
        self._again: set[str] = set()
        self._delayed: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """Return how many keys wait or are worked on; delayed ones are not counted."""
        return len(self._queued) + len(self._active) + self._lanes.waiting

    def add(self, key: str, *, after: float = 0) -> None:
        """Put a key in, now or after so many seconds; an earlier time wins, a key being worked on comes once more."""
        known = self._delayed.get(key)
        if after <= 0:
            self._called.discard(key)
            if known is not None:
                known.cancel()
                del self._delayed[key]
            self._enqueue(key)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + after
        if known is None or due < known.when():
            if known is not None:
                known.cancel()
            self._delayed[key] = loop.call_at(due, self._expire, key)

    async def get(self) -> str:
        """Wait for a key and mark it as worked on; `done`, or `begin` and what it asks for, must follow."""
        key = await self._ready.get()
        self._queued.discard(key)
        self._active.add(key)
        return key

    def is_turn(self, key: str) -> bool:
        """Tell of the key that was got whether it came because its turn in its lane has come, and nobody has added it meanwhile."""
        called = key in self._called
        self._called.discard(key)
        return called

    def begin(self, key: str, lane: str) -> bool:
        """Go on with a key in a lane: `done` must follow. False: it waits there, is no longer worked on, and comes again in its turn."""
        begun = self._lanes.enter(key, lane)
        if not begun:
            self._release(key)
        return begun

    def done(self, key: str) -> None:
        """Say that a key is no longer worked on, and needs no lane."""
        self._lanes.leave(key)
        self._release(key)

    def _release(self, key: str) -> None:
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._enqueue(key)

    def _enqueue(self, key: str) -> None:
        if key in self._active:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.put_nowait(key)

    def _call(self, key: str) -> None:
        if key not in self._queued:
            self._called.add(key)
        self._enqueue(key)

    def _expire(self, key: str) -> None:
        del self._delayed[key]
        self._called.discard(key)
        self._enqueue(key)
