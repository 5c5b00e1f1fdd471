"""Our jobs of which something changed on a member: told together a moment later, because a pod that starts says so six times in a row.

Told only while the member is known to be the one it was; what changed meanwhile is told then.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sampan.faults import log_fault

log = logging.getLogger(__name__)

DELAY: Final = 0.02
"""Seconds for which changes are gathered."""


class ChangedJobs:
    """The UIDs of ComputeJobs that are to be told, each once."""

    def __init__(self, tell: Callable[[str], None], *, may_tell: Callable[[], bool]) -> None:
        """`tell` is called with a UID, once a burst; never while `may_tell` says no."""
        self._tell, self._may_tell = tell, may_tell
        self._uids: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, uid: str) -> None:
        """Hear that something of a job changed."""
        self._uids[uid] = None
        if self._timer is None and self._may_tell():
            self._timer = asyncio.get_running_loop().call_later(DELAY, self.release)

    def release(self) -> None:
        """Tell what is to be told, if that may be by now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._uids and self._may_tell():
            changed, self._uids = self._uids, {}
            for uid in changed:
                try:
                    self._tell(uid)
                except Exception as error:  # noqa: BLE001  one poisoned job must not keep the others from being heard of
                    log_fault(log, "job.change_lost", error, uid=uid)
