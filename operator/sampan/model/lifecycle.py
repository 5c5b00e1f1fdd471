"""The life of a job as a table. A pair that is not in it is an error; the docs are drawn from it."""

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where a job is, as `status.phase` shows it."""

    PENDING = "Pending"
    BOUND = "Bound"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SUSPENDED = "Suspended"

    @property
    def ended(self) -> bool:
        """Tell whether nothing can follow."""
        return self in (Phase.SUCCEEDED, Phase.FAILED)


class Outcome(StrEnum):
    """How an attempt ended, as `status.attempts[].outcome` shows it."""

    SUCCEEDED = "Succeeded"
    APP_FAILED = "AppFailed"
    DISRUPTED = "Disrupted"
    REJECTED = "Rejected"
    CANCELLED = "Cancelled"
    LOST = "Lost"


class Event(StrEnum):
    """What happens to a job."""

    INTENT = "Intent"  # the binding was written
    STARTED = "Started"  # all pods of a gang, or the first of a sweep, run
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"  # for good: retries are used up, a deadline passed
    REQUEUED = "Requeued"  # the attempt is over and its remote copy proved gone
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"


TABLE: Final[dict[tuple[Phase, Event], Phase]] = {
    (Phase.PENDING, Event.INTENT): Phase.BOUND,
    (Phase.PENDING, Event.SUSPENDED): Phase.SUSPENDED,
    (Phase.PENDING, Event.FAILED): Phase.FAILED,
    (Phase.SUSPENDED, Event.RESUMED): Phase.PENDING,
    (Phase.BOUND, Event.STARTED): Phase.RUNNING,
    (Phase.BOUND, Event.SUCCEEDED): Phase.SUCCEEDED,
    (Phase.BOUND, Event.FAILED): Phase.FAILED,
    (Phase.BOUND, Event.REQUEUED): Phase.PENDING,
    (Phase.BOUND, Event.SUSPENDED): Phase.SUSPENDED,
    (Phase.RUNNING, Event.SUCCEEDED): Phase.SUCCEEDED,
    (Phase.RUNNING, Event.FAILED): Phase.FAILED,
    (Phase.RUNNING, Event.REQUEUED): Phase.PENDING,
    (Phase.RUNNING, Event.SUSPENDED): Phase.SUSPENDED,
}


class TransitionError(ValueError):
    """An event that cannot happen in this phase: a fault of ours, never of a user."""


def follow(phase: Phase, event: Event) -> Phase:
    """Return the phase after the event; raises `TransitionError` for a pair that is not in the table."""
    try:
        return TABLE[phase, event]
    except KeyError:
        raise TransitionError(f"a job that is {phase} cannot be {event}") from None
