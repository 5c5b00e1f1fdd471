"""How long a job pauses after attempts that came to nothing, and for how long it leaves the cells alone where they were. Pure.

Everything is read from `status.attempts`, so that it outlives a restart of the operator; jitter is a function of the job and the attempt.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final
from zlib import crc32

from sampan.model.lifecycle import Outcome
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Attempt
from sampan.model.status.reasons import AttemptReason

FIRST_PAUSE: Final = 2_000
LONGEST_PAUSE: Final = 300_000
FIRST_COOLING: Final = 30_000
SHORT_RUN: Final = 600_000
"""An attempt that was disrupted or lost after more than that did some work: it is no setback."""
MAX_DISRUPTIONS: Final = 3
"""Short attempts in one cell that were disrupted or lost, after which it cools down as well."""

CellId = tuple[OfferKey, str]


def ended_at(attempt: Attempt) -> int:
    """Return when an attempt ended, in milliseconds since the epoch."""
    return attempt.ended_at or 0


def after_setbacks(uid: str, attempts: Sequence[Attempt]) -> int:
    """Return the milliseconds to pause where the newest attempt is a setback, 0 where it is not.

    The more attempts in a row came to nothing, the longer, however they ended: a job that suffers two things in turn has both before it.
    """
    if not attempts or not _setback(attempts[-1]):
        return 0
    streak = sum(1 for _ in takewhile(_vain, reversed(attempts)))
    return _jittered(min(FIRST_PAUSE << min(streak - 1, 16), LONGEST_PAUSE), uid, attempts[-1])


def cool_downs(uid: str, attempts: Sequence[Attempt], cooldown: int) -> dict[CellId, int]:
    """Return the cells to be left alone, each until when (milliseconds since the epoch): the longer, the oftener they rejected the job.

    One in which it was not started in time is left alone for the whole `cooldown` at once: it was held there long enough.
    """
    rejected: dict[CellId, int] = {}
    disrupted: dict[CellId, int] = {}
    until: dict[CellId, int] = {}
    for attempt in attempts:
        if attempt.offer is None or attempt.pool is None or not _setback(attempt):
            continue
        cell = attempt.offer, attempt.pool
        counts = rejected if attempt.outcome == Outcome.REJECTED else disrupted
        times = counts[cell] = counts.get(cell, 0) + 1
        if counts is rejected:
            late = attempt.reason == AttemptReason.START_DEADLINE_EXCEEDED
            pause = cooldown if late else min(FIRST_COOLING << min(2 * (times - 1), 16), cooldown)
        elif times >= MAX_DISRUPTIONS:
            pause = cooldown
        else:
            continue
        until[cell] = max(until.get(cell, 0), ended_at(attempt) + _jittered(pause, uid, attempt))
    return until


def setback_words(attempts: Sequence[Attempt]) -> str:
    """Return what befell the newest attempt, as the end of a sentence on why a job waits; empty where that was no setback."""
    if not attempts or not _setback(attempts[-1]):
        return ""
    newest = attempts[-1]
    where = f"{newest.offer} pool {newest.pool or ''}".strip()
    words = ": ".join(filter(None, (newest.reason, newest.message)))
    return f"; attempt {newest.number} in {where} was {newest.outcome.lower()}: {words}"


def _setback(attempt: Attempt) -> bool:
    """Tell whether an attempt came to nothing without the program's doing."""
    return attempt.outcome != Outcome.APP_FAILED and _vain(attempt)


def _vain(attempt: Attempt) -> bool:
    """Tell whether an attempt came to nothing and was not ended by the user."""
    if attempt.outcome == Outcome.REJECTED:
        return True
    began = attempt.started_at
    by_itself = attempt.outcome in (Outcome.APP_FAILED, Outcome.DISRUPTED, Outcome.LOST)
    return by_itself and began is not None and ended_at(attempt) - began < SHORT_RUN


def _jittered(pause: int, uid: str, attempt: Attempt) -> int:
    """Return the pause, up to a quarter shorter: jobs that were turned away together do not come back together."""
    return pause - pause * (crc32(f"{uid}/{attempt.number}".encode()) % 256) // 1024
