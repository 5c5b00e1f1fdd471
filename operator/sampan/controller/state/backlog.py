"""The jobs that wait, kept as the scheduler's backlog: what one change costs does not depend on how many wait.

No I/O and no clock: the moment is an argument. Which job may be shown when is asked of whoever owns the records.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from sampan.model.backlog import Backlog
from sampan.model.job import Job

REBUILD_RATIO = 8
"""The backlog is built anew where more than one in so many of its jobs changed: cheaper than one change after the other."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """A job as it is to be shown at a moment."""

    job: Job | None
    """None: not now."""
    recheck_at: int | None = None
    """When (milliseconds since the epoch) it is to be looked at again though nothing changed; None: never."""


class BacklogCache:
    """A backlog and what of it is stale."""

    def __init__(self, visibility_of: Callable[[str, int], Visibility]) -> None:
        """`visibility_of(uid, now)` tells how a job is to be shown."""
        self._visibility_of = visibility_of
        self._visible: dict[str, Job] = {}
        self._stale: dict[str, None] = {}
        self._timers: list[tuple[int, str]] = []
        self._recheck_at: dict[str, int] = {}
        self._backlog = Backlog()
        self._now = 0

    def invalidate(self, uid: str) -> None:
        """Mark a job that changed, or is gone."""
        self._stale[uid] = None

    def invalidate_all(self, uids: Iterable[str]) -> None:
        """Mark jobs that changed."""
        self._stale.update(dict.fromkeys(uids))

    def backlog(self, now: int) -> Backlog:
        """Return the backlog at this moment; the same value where nothing changed."""
        if now < self._now:  # the clock was set back: no timer is due when it seems to be
            self._stale.update(dict.fromkeys(self._recheck_at))
        self._now = now
        self._expire_timers(now)
        stale, self._stale = self._stale, {}
        changes = [(uid, self._job(uid, now)) for uid in stale]
        changes = [(uid, job) for uid, job in changes if job != self._visible.get(uid)]
        if len(changes) * REBUILD_RATIO > len(self._visible):
            for uid, job in changes:
                self._set_visible(uid, job)
            self._backlog = Backlog.of(self._visible.values())
        else:
            for uid, job in changes:
                self._backlog = _with_replaced(self._backlog, self._visible.get(uid), job)
                self._set_visible(uid, job)
        return self._backlog

    def _job(self, uid: str, now: int) -> Job | None:
        visibility = self._visibility_of(uid, now)
        if visibility.recheck_at is None:
            self._recheck_at.pop(uid, None)
        elif self._recheck_at.get(uid) != visibility.recheck_at:
            self._recheck_at[uid] = visibility.recheck_at
            heappush(self._timers, (visibility.recheck_at, uid))
        return visibility.job

    def _expire_timers(self, now: int) -> None:
        while self._timers and self._timers[0][0] <= now:
            at, uid = heappop(self._timers)
            if self._recheck_at.get(uid) == at:
                del self._recheck_at[uid]
                self._stale[uid] = None
        if len(self._timers) > 2 * len(self._recheck_at) + 64:  # most are of moments that no longer matter
            self._timers = [(at, uid) for uid, at in self._recheck_at.items()]
            heapify(self._timers)

    def _set_visible(self, uid: str, job: Job | None) -> None:
        if job is None:
            self._visible.pop(uid, None)
        else:
            self._visible[uid] = job


def _with_replaced(backlog: Backlog, before: Job | None, after: Job | None) -> Backlog:
    if before is not None:
        backlog = backlog.without_job(before)
    return backlog.with_job(after) if after is not None else backlog
