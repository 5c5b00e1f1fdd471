"""What is told of a job when its picture on the hub changes: at most three Events for one that is bound, starts and completes. Pure.

It is told from the hub's own pictures, whoever wrote them: a write whose reply was lost is told of too, and a restart tells nothing twice.
"""

from collections.abc import Iterator
from typing import Final

from sampan.controller.events.news import News, Regarding
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Outcome, Phase
from sampan.model.status.attempt import Attempt
from sampan.model.status.condition import IS_FALSE, Condition
from sampan.model.status.event_reasons import EventReason
from sampan.model.status.generation import REFUSALS
from sampan.model.status.reasons import JobConditionType, JobReason

KIND: Final = "ComputeJob"
_ENDS: Final = {
    Outcome.APP_FAILED: EventReason.ATTEMPT_FAILED,
    Outcome.DISRUPTED: EventReason.DISRUPTED,
    Outcome.LOST: EventReason.DISRUPTED,
    Outcome.REJECTED: EventReason.REJECTED,
    Outcome.CANCELLED: EventReason.CANCELLED,
}
_AWAY: Final = frozenset({JobReason.MEMBER_UNREACHABLE, JobReason.WAITING_FOR_MEMBER})


def job_news(before: JobRecord, after: JobRecord) -> Iterator[News]:
    """Yield what happened to a job between two pictures of it."""
    for reason, note, about in _told(before, after):
        regarding = Regarding(KIND, after.namespace, after.name, after.uid)
        yield News(regarding=regarding, reason=reason, note=note, about=about)


_Told = tuple[EventReason, str, str]


def _told(before: JobRecord, after: JobRecord) -> Iterator[_Told]:
    if after.deleting and not before.deleting and not after.phase.ended:
        yield EventReason.CANCELLED, "The job is being deleted before it ended.", ""
    if after.status is before.status:
        return
    yield from _attempt_ended(before, after)
    yield from _suspension(before, after)
    yield from _bound(before, after)
    if after.phase is Phase.RUNNING and before.phase is not Phase.RUNNING and after.binding is not None:
        where = f"offer {after.binding.offer} pool {after.binding.pool}"
        yield EventReason.STARTED, f"Attempt {after.binding.attempt} runs, {where}.", str(after.binding.attempt)
    yield from _refused(before, after)
    yield from _stalled(before, after)


def _bound(before: JobRecord, after: JobRecord) -> Iterator[_Told]:
    new, old, newest = after.binding, before.binding, after.status.last_attempt
    if new is None or (old is not None and old.attempt == new.attempt):
        return
    place = f"offer {new.offer} pool {new.pool}, attempt {new.attempt}"
    if newest is None or (newest.offer, newest.pool) == (new.offer, new.pool):
        yield EventReason.BOUND, f"Bound to {place}.", str(new.attempt)
    else:
        yield EventReason.MOVED, f"Moved from offer {newest.offer} pool {newest.pool} to {place}.", str(new.attempt)


def _attempt_ended(before: JobRecord, after: JobRecord) -> Iterator[_Told]:
    newest, known = after.status.last_attempt, before.status.last_attempt
    ended = newest if newest is not None and newest.number > (known.number if known is not None else 0) else None
    if after.phase is Phase.SUCCEEDED and before.phase is not Phase.SUCCEEDED:
        yield EventReason.COMPLETED, f"{_of(ended)}Completed.", ""
    elif after.phase is Phase.FAILED and before.phase is not Phase.FAILED:
        failed = after.status.condition(JobConditionType.FAILED)
        yield EventReason.FAILED, f"{_of(ended)}{_words(failed)}", ""
    elif ended is not None and ended.outcome in tuple(Outcome):
        reason = _ENDS.get(Outcome(ended.outcome))
        if reason is not None:
            words = f"{ended.reason}: {ended.message}" if ended.message else str(ended.reason or ended.outcome)
            yield reason, f"{_of(ended)}{words}", str(ended.reason)


def _of(ended: Attempt | None) -> str:
    return "" if ended is None else f"Attempt {ended.number}{f', offer {ended.offer} pool {ended.pool}' if ended.offer else ''}: "


def _suspension(before: JobRecord, after: JobRecord) -> Iterator[_Told]:
    if after.phase is Phase.SUSPENDED and before.phase is Phase.PENDING:
        yield EventReason.SUSPENDED, "spec.suspend is true.", ""  # of one that ran it is told that its attempt was cancelled
    elif before.phase is Phase.SUSPENDED and after.phase is Phase.PENDING:
        yield EventReason.RESUMED, "spec.suspend is false: the job waits for a place.", ""


def _refused(before: JobRecord, after: JobRecord) -> Iterator[_Told]:
    """A job that waits is told why in its status first, seldom; what is told there is told here."""
    told, known = after.status.condition(JobConditionType.SCHEDULED), before.status.condition(JobConditionType.SCHEDULED)
    if told is None or after.binding is not None or told.status != IS_FALSE or told.reason not in REFUSALS:
        return
    if known is None or (known.status, known.reason, known.message) != (told.status, told.reason, told.message):
        yield EventReason.REFUSED, _words(told), told.reason


def _stalled(before: JobRecord, after: JobRecord) -> Iterator[_Told]:
    now, was = after.status.stall, before.status.stall
    if now is not None and (was is None or (was.type, was.reason) != (now.type, now.reason)):
        yield _stall_reason(now), _words(now), now.reason
    elif now is None and was is not None and after.attempt_open:
        back = was.reason in _AWAY
        yield (EventReason.MEMBER_BACK if back else EventReason.RECOVERED), f"{was.reason} is over.", was.reason


def _stall_reason(stall: Condition) -> EventReason:
    if stall.reason in _AWAY:
        return EventReason.MEMBER_AWAY
    return EventReason.REMOVAL_STALLED if stall.type == JobConditionType.DELETING else EventReason.DEGRADED


def _words(condition: Condition | None) -> str:
    if condition is None:
        return ""
    return f"{condition.reason}: {condition.message}" if condition.message else condition.reason
