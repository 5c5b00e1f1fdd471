"""What was tried about a job, how often in a row, and from when on it may be tried again. No I/O; the moment is an argument.

What is paced here: a call that failed, and a call that a member carried out and undid. What never helps is thus tried ever more
seldom, whatever enqueues the job meanwhile. The first try is never stalled.
"""

from dataclasses import replace
from typing import Final, NamedTuple, assert_never

from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.member_words import CallFailure
from sampan.controller.reconcile.view.member_view import UNLABELLED_MILLIS
from sampan.controller.state.entry import ABSENCE, BIND, DEPENDENCIES, LONGEST_PAUSE, RetryState
from sampan.kube.watch.backoff import Uniform


class Pace(NamedTuple):
    """The first pause and the longest, in milliseconds; each is twice the one before. With jitter, down to half of it."""

    first: int
    longest: int
    jitter: bool = True


_USUAL: Final = Pace(1_000, 60_000)
_PACES: Final = {
    "Inquire": Pace(4_000, 60_000),
    "Extend": Pace(4_000, 60_000),
    BIND: Pace(500, 30_000),
    DEPENDENCIES: Pace(10_000, 60_000, jitter=False),
    ABSENCE: Pace(2_000, UNLABELLED_MILLIS, jitter=False),
}
WRITE: Final = "Patch"
ON_HUB: Final = frozenset({WRITE, "Release", "Expire", "Refresh"})
"""Calls to the hub: of their failure nothing can be told on the hub."""

Retries = dict[str, RetryState]
"""What was tried about one job, by kind: `JobEntry.retries`."""
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
        case a.Wait():
            return None
        case _:
            assert_never(action)


class RetryPolicy:
    """How long to wait before the same thing is tried about a job once more: each kind of thing on its own."""

    def __init__(self, uniform: Uniform) -> None:
        """`uniform(low, high)` gives the jitter."""
        self._uniform = uniform

    def again(self, retries: Retries, key: Key, now: int) -> RetryState:
        """Hear that something was tried; the next of its kind is another try unless something else has changed. Returns the try."""
        kind, target = key
        known, pace = retries.get(kind), _PACES.get(kind, _USUAL)
        if known is None or known.target != target:
            known = RetryState(target=target, times=0, since=now, not_before=now)
        pause = min(pace.first << min(known.times, 16), pace.longest)
        tried = RetryState(
            target=target,
            times=known.times + 1,
            since=known.since,
            not_before=now + int(pause * self._uniform(0.5, 1) if pace.jitter else pause),
        )
        retries[kind] = tried
        return tried

    def succeeded(self, retries: Retries, key: Key, now: int) -> None:
        """Hear that a call was carried out."""
        if key[0] in (WRITE, "Confirm"):  # a write is seen in its reply; who proves absence has a rhythm of its own
            retries.pop(key[0], None)
        else:
            self.again(retries, key, now)

    def failed(self, retries: Retries, key: Key, now: int, *, failure: CallFailure) -> RetryState:
        """Hear that a call failed; a server that says when to come back is obeyed. Returns the try."""
        tried = self.again(retries, key, now)
        not_before = max(tried.not_before, now + min(failure.retry_after, LONGEST_PAUSE))
        tried = retries[key[0]] = replace(
            tried, not_before=not_before, reason=failure.reason, message=failure.message, transient=failure.transient
        )
        return tried
