"""Stores what queues used: one task, in batches, off the loop. A store that fails, in whatever way, is seen and never stops a job."""

import asyncio
import logging
from typing import Final

from sampan.controller.state.usage import UsageTracker
from sampan.faults import log_fault
from sampan.store.use import UseStore

log = logging.getLogger(__name__)

GATHER: Final = 1.0
"""Seconds for which entries are gathered before they are stored: a transaction costs as much as dozens of entries."""
BATCH: Final = 500
"""Entries of one transaction at most."""
RETRY_DELAYS: Final = (1, 2, 5, 10, 30)
"""Seconds before a batch that failed is tried again, the last one repeated."""
RETENTION: Final = 90 * 24 * 3600 * 1000
"""Milliseconds for which single charges are kept after they were corrected."""


class UsageWriter:
    """Takes entries from the tracker's outbox into a store."""

    def __init__(self, usage: UsageTracker, store: UseStore) -> None:
        """Start idle."""
        self._usage, self._store = usage, store
        self._wake = asyncio.Event()
        self._failures = 0
        self.errors = 0
        """Batches that failed, since the start."""
        usage.outbox.on_entry.append(self._wake.set)

    @property
    def healthy(self) -> bool:
        """Tell whether the last batch was stored."""
        return self._failures == 0

    @property
    def unstored(self) -> int:
        """Return how many entries wait to be stored."""
        return len(self._usage.outbox)

    @property
    def folded(self) -> int:
        """Return how many attempts were stored, or are to be, as one sum with others, since the start."""
        return self._usage.outbox.folded

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            if not self._usage.outbox:
                self._wake.clear()
                await self._wake.wait()
            if len(self._usage.outbox) < BATCH:
                await asyncio.sleep(GATHER)
            await self._write()

    def flush(self) -> None:
        """Store what is left, once: for the end of the process. What cannot be stored is found in the jobs at the next start."""
        left = self._usage.outbox.batch(self.unstored)
        try:
            self._store.write(left)
        except Exception as error:  # noqa: BLE001  whatever a database or its driver raises, the process is to end in order
            self._tell(error)
        else:
            self._usage.outbox.stored(len(left))

    async def _write(self) -> None:
        batch = self._usage.outbox.batch(BATCH)
        try:
            await asyncio.to_thread(self._store.write, batch)
        except Exception as error:  # noqa: BLE001  a charge is lost if whatever a database or its driver raises ends this task
            self.errors += 1
            pause = RETRY_DELAYS[min(self._failures, len(RETRY_DELAYS) - 1)]
            self._failures += 1
            self._tell(error, delay=pause)
            await asyncio.sleep(pause)
        else:
            self._failures = 0
            self._usage.outbox.stored(len(batch))

    def _tell(self, error: Exception, **about: object) -> None:
        log_fault(log, "usage.write_failed", error, entries=self.unstored, folded=self.folded, **about)
