"""Kopf in a thread with a loop of its own: one `asyncio.run` per start, restarted with jitter when it ends.

`kopf.operator` cancels every task of its loop when it leaves, and ends itself on watch errors other than 410: in a thread,
supervised, neither touches the core. Its storages are no-ops, so that it writes nothing and diffs nothing.
"""

import asyncio
import contextlib
import gc
import logging
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import kopf

from sampan.faults import log_fault

log = logging.getLogger(__name__)

JOIN_SECONDS = 15


class _NoDiff(kopf.DiffBaseStorage):
    """Remembers nothing: our handlers do not ask what changed."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        """Store nothing."""


class _NoProgress(kopf.ProgressStorage):
    """Remembers nothing: event handlers have no progress."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Purge nothing."""

    def touch(self, **_: Any) -> None:
        """Touch nothing."""

    def clear(self, *, essence: Any) -> Any:
        return essence


class _EndlessBackoff:
    """Backoffs that never run out: 1, 2, 4, 8, then 15 seconds for ever."""

    def __iter__(self) -> Iterator[float]:
        yield from (1.0, 2.0, 4.0, 8.0)
        while True:
            yield 15.0


def settings() -> kopf.OperatorSettings:
    """Return Kopf's settings: watch, and nothing else."""
    chosen = kopf.OperatorSettings()
    chosen.persistence.diffbase_storage = _NoDiff()
    chosen.persistence.progress_storage = _NoProgress()
    chosen.posting.enabled = False
    chosen.posting.level = logging.CRITICAL
    chosen.scanning.disabled = True
    chosen.peering.standalone = True
    chosen.watching.server_timeout = 300
    chosen.watching.connect_timeout = 10
    chosen.watching.chunk_size = 500
    chosen.networking.error_backoffs = _EndlessBackoff()
    chosen.networking.request_timeout = 60
    chosen.networking.connect_timeout = 10
    chosen.queueing.idle_timeout = 0.5
    return chosen


class KopfThread:
    """Runs Kopf until stopped. `starts` counts its starts."""

    def __init__(self, registry: Callable[[], kopf.OperatorRegistry]) -> None:
        """`registry` makes a fresh registry for each start."""
        self._registry = registry
        self._stop = threading.Event()
        self._end: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self.starts = 0

    def start(self) -> None:
        """Start the thread."""
        logging.getLogger("kopf.objects").setLevel(logging.WARNING)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    async def stop(self) -> None:
        """End the run and wait for the thread."""
        self._stop.set()
        with contextlib.suppress(RuntimeError):  # its loop is closed: it ended by itself just now
            self._end()
        await asyncio.to_thread(self._thread.join, JOIN_SECONDS)

    async def _run_once(self) -> None:
        """Run Kopf once, under a flag of its own loop: to wait for a flag of threads holds a thread that outlives Kopf's failure."""
        loop, flag = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(flag.set)
        if not self._stop.is_set():
            await kopf.operator(registry=self._registry(), settings=settings(), clusterwide=True, standalone=True, stop_flag=flag)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.starts += 1
            try:
                asyncio.run(self._run_once())
            except Exception as error:  # noqa: BLE001  whatever ended it, the watches must go on
                log_fault(log, "kopf.ended", error, start=self.starts)
            gc.collect()  # a Kopf that failed leaves its connections to the collector: until then the hub serves dead watches
            self._stop.wait(random.uniform(0.2, 2.0))  # noqa: S311  jitter, no secret
