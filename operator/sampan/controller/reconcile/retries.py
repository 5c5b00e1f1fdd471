"""What was tried about a job, how often in a row, and from when on it may be tried again. No I/O; the moment is an argument.

What is paced here: a call that failed, and a call that a member carried out and undid. What never helps is thus tried ever more
seldom, whatever wakes the pilot meanwhile. The first try is never held up.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.actions import LONGEST_PAUSE, Try
from sampan.controller.reconcile.member_words import Words
from sampan.kube.backoff import Uniform

BASE_MILLIS: Final = 1_000
_SLOW: Final = {"Inquire": 4, "Extend": 4}
"""Kinds of which the first pause is so many times longer."""
MOST_MILLIS: Final = 60_000
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


class Tries:
    """The tries of all jobs, each kind of action on its own."""

    def __init__(self, uniform: Uniform) -> None:
        """`uniform(low, high)` gives the jitter."""
        self._uniform = uniform
        self._known: dict[str, dict[str, Try]] = {}

    def of(self, uid: str) -> Mapping[str, Try]:
        """Return what was tried about a job, by kind of action."""
        return self._known.get(uid, {})

    def made(self, uid: str, key: Key, now: int) -> None:
        """Hear that a call was carried out: the next of its kind is another try unless something else has changed."""
        kind, _ = key
        if kind in (WRITE, "Confirm"):  # a write is seen in its reply; who proves absence has a rhythm of its own
            self._known.get(uid, {}).pop(kind, None)
        else:
            self._note(uid, kind, self._next(uid, key, now))

    def failed(self, uid: str, key: Key, now: int, *, words: Words) -> Try:
        """Hear that a call failed; a server that says when to come back is obeyed. Returns the try."""
        tried = self._next(uid, key, now)
        again = max(tried.again, now + min(words.retry_after, LONGEST_PAUSE))
        tried = replace(tried, again=again, reason=words.reason, message=words.message, passing=words.passing)
        self._note(uid, key[0], tried)
        return tried

    def forget(self, uid: str) -> None:
        """Forget a job that is gone."""
        self._known.pop(uid, None)

    def _next(self, uid: str, key: Key, now: int) -> Try:
        kind, target = key
        known = self._known.get(uid, {}).get(kind)
        if known is None or known.target != target:
            known = Try(target=target, times=0, since=now, again=now)
        pause = min(_SLOW.get(kind, 1) * BASE_MILLIS << min(known.times, 16), MOST_MILLIS)
        return replace(known, times=known.times + 1, again=now + int(pause * self._uniform(0.5, 1)), reason="", message="", passing=False)

    def _note(self, uid: str, kind: str, tried: Try) -> None:
        self._known.setdefault(uid, {})[kind] = tried
