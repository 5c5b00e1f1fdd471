"""What was tried about a job, how often in a row, and from when on it may be tried again. No I/O; the moment is an argument.

What is paced here: a call that failed, and a call that a member carried out and undid. What never helps is thus tried ever more
seldom, whatever enqueues the job meanwhile. The first try is never held up.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.actions import LONGEST_PAUSE, RetryState
from sampan.controller.reconcile.member_words import CallFailure
from sampan.kube.watch.backoff import Uniform

BASE_MILLIS: Final = 1_000
_SLOW: Final = {"Inquire": 4, "Extend": 4}
"""Kinds of which the first pause is so many times longer."""
MAX_MILLIS: Final = 60_000
"""Longest pause, unless the server asks for a longer one."""
WRITE: Final = "Patch"
ON_HUB: Final = frozenset({WRITE, "Release", "Expire", "Refresh"})
"""Calls to the hub: of their failure nothing can be told on the hub."""

Key = tuple[str, str]
"""What is done, and to which thing: another thing is another matter."""


def key_of(action: a.Action, *, attempt: int, version: str) -> Key | None:
    """Return what an action is counted as; None for one that is no call, or asks of the member what nobody can undo."""
    match action:
        case a.Patch() | a.Release() | a.Expire() | a.Refresh():
            return type(action).__name__, version
        case a.Start(job) | a.Extend(job, _) | a.Inquire(job):
            return type(action).__name__, job.metadata.uid
        case a.Remove(uid):
            return "Remove", uid
        case a.Create() | a.Sweep() | a.Confirm():
            return type(action).__name__, str(attempt)
    return None


class RetryTracker:
    """The tries of all jobs, each kind of action on its own."""

    def __init__(self, uniform: Uniform) -> None:
        """`uniform(low, high)` gives the jitter."""
        self._uniform = uniform
        self._by_job: dict[str, dict[str, RetryState]] = {}

    def of(self, uid: str) -> Mapping[str, RetryState]:
        """Return what was tried about a job, by kind of action."""
        return self._by_job.get(uid, {})

    def succeeded(self, uid: str, key: Key, now: int) -> None:
        """Hear that a call was carried out: the next of its kind is another try unless something else has changed."""
        kind, _ = key
        if kind in (WRITE, "Confirm"):  # a write is seen in its reply; who proves absence has a rhythm of its own
            self._by_job.get(uid, {}).pop(kind, None)
        else:
            self._note(uid, kind, self._next(uid, key, now))

    def failed(self, uid: str, key: Key, now: int, *, failure: CallFailure) -> RetryState:
        """Hear that a call failed; a server that says when to come back is obeyed. Returns the try."""
        tried = self._next(uid, key, now)
        again = max(tried.not_before, now + min(failure.retry_after, LONGEST_PAUSE))
        tried = replace(tried, not_before=again, reason=failure.reason, message=failure.message, transient=failure.transient)
        self._note(uid, key[0], tried)
        return tried

    def forget(self, uid: str) -> None:
        """Forget a job that is gone."""
        self._by_job.pop(uid, None)

    def _next(self, uid: str, key: Key, now: int) -> RetryState:
        kind, target = key
        known = self._by_job.get(uid, {}).get(kind)
        if known is None or known.target != target:
            known = RetryState(target=target, times=0, since=now, not_before=now)
        pause = min(_SLOW.get(kind, 1) * BASE_MILLIS << min(known.times, 16), MAX_MILLIS)
        return replace(
            known, times=known.times + 1, not_before=now + int(pause * self._uniform(0.5, 1)), reason="", message="", transient=False
        )

    def _note(self, uid: str, kind: str, tried: RetryState) -> None:
        self._by_job.setdefault(uid, {})[kind] = tried
