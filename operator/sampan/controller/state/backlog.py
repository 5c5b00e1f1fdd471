"""The jobs that wait, kept as the scheduler's backlog: what one change costs does not depend on how many wait.

No I/O and no clock: the moment is an argument. Which job may be shown when is asked of whoever owns the records.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from sampan.model.backlog import Backlog
from sampan.model.job import Job

WHOLESALE = 8
"""The backlog is built anew where more than one in so many of its jobs changed: cheaper than one change after the other."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A job as it is to be shown at a moment."""

    job: Job | None
    """None: not now."""
    again: int | None = None
    """When (milliseconds since the epoch) it is to be looked at again though nothing changed; None: never."""


class Waiting:
    """A backlog and what of it is stale."""

    def __init__(self, look: Callable[[str, int], Sight]) -> None:
        """`look(uid, now)` tells how a job is to be shown."""
        self._look = look
        self._shown: dict[str, Job] = {}
        self._stale: dict[str, None] = {}
        self._timed: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}
        self._backlog = Backlog()

    def touch(self, uid: str) -> None:
        """Hear that something about a job changed, or that it is gone."""
        self._stale[uid] = None

    def touch_all(self, uids: Iterable[str]) -> None:
        """Hear that something about these jobs changed."""
        self._stale.update(dict.fromkeys(uids))

    def shown(self, uid: str) -> Job | None:
        """Return a job as it was last shown."""
        return self._shown.get(uid)

    def backlog(self, now: int) -> Backlog:
        """Return the backlog at this moment; the same value where nothing changed."""
        self._ripen(now)
        stale, self._stale = self._stale, {}
        changes = [(uid, self._job(uid, now)) for uid in stale]
        changes = [(uid, job) for uid, job in changes if job != self._shown.get(uid)]
        if len(changes) * WHOLESALE > len(self._shown):
            for uid, job in changes:
                self._show(uid, job)
            self._backlog = Backlog.of(self._shown.values())
        else:
            for uid, job in changes:
                self._backlog = _exchanged(self._backlog, self._shown.get(uid), job)
                self._show(uid, job)
        return self._backlog

    def _job(self, uid: str, now: int) -> Job | None:
        sight = self._look(uid, now)
        if sight.again is None:
            self._due.pop(uid, None)
        elif self._due.get(uid) != sight.again:
            self._due[uid] = sight.again
            heappush(self._timed, (sight.again, uid))
        return sight.job

    def _ripen(self, now: int) -> None:
        while self._timed and self._timed[0][0] <= now:
            at, uid = heappop(self._timed)
            if self._due.get(uid) == at:
                del self._due[uid]
                self._stale[uid] = None
        if len(self._timed) > 2 * len(self._due) + 64:  # most are of moments that no longer matter
            self._timed = [(at, uid) for uid, at in self._due.items()]
            heapify(self._timed)

    def _show(self, uid: str, job: Job | None) -> None:
        if job is None:
            self._shown.pop(uid, None)
        else:
            self._shown[uid] = job


def _exchanged(backlog: Backlog, before: Job | None, after: Job | None) -> Backlog:
    if before is not None:
        backlog = backlog.without_job(before)
    return backlog.with_job(after) if after is not None else backlog
