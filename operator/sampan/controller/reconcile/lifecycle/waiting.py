"""How a job ends that waits for a place: in vain, for too long, or with no alternative left. Pure: values in, the next status out."""

from sampan.controller.reconcile.lifecycle.situation import Situation
from sampan.controller.state.pauses import ended_at
from sampan.controller.state.record import JobRecord
from sampan.kube.text import clean_text
from sampan.model.job import OnNeverFits
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.generation import is_refusal_outdated
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, AttemptReason, JobConditionType, JobReason


def exhausted(job: JobRecord, now: int) -> JobStatus:
    """Return the end of a waiting job whose alternatives are all closed, because `retry.maxRejected` was lowered."""
    newest = job.status.last_attempt
    words = newest.message if newest is not None else ""
    message = clean_text(f"no alternative is left that was not rejected retry.maxRejected times: {words}")
    reason = (newest.reason if newest is not None else NO_WORD) or AttemptReason.REJECTED
    return job.status.finished(Event.FAILED, reason=reason, message=message, at=now)


def unfit(job: JobRecord, now: int) -> JobStatus:
    """Return the end of a waiting job that no pool would take, as `spec.onNeverFits` wants it."""
    told = job.status.condition(JobConditionType.SCHEDULED)
    words = "" if told is None else f"{told.reason}: {told.message}"
    return job.status.finished(Event.FAILED, reason=JobReason.NEVER_FITS, message=clean_text(words, 1000), at=now)


def waited_too_long(job: JobRecord, now: int) -> JobStatus:
    """Return the end of a job that found no place within `spec.maxWaitSeconds`, with the reason for which it waited."""
    seconds, told = job.spec.max_wait_seconds if job.spec else 0, job.status.condition(JobConditionType.SCHEDULED)
    why = f": {told.reason}: {told.message}" if told is not None and not told.is_true else ""
    message = clean_text(f"no place within maxWaitSeconds ({seconds} s){why}", 1000)
    return job.status.finished(Event.FAILED, reason=JobReason.MAX_WAIT_EXCEEDED, message=message, at=now)


def waits_until(job: JobRecord) -> int | None:
    """Return until when a job waits for a place at most, in milliseconds since the epoch; None where it waits for ever."""
    if job.spec is None or job.spec.max_wait_seconds is None:
        return None
    resumed = job.status.condition(JobConditionType.SUSPENDED)
    since = 0 if resumed is None or resumed.is_true else resumed.since or 0
    ran = max((ended_at(each) for each in job.status.attempts if each.outcome != Outcome.REJECTED), default=0)
    return max(job.created, since, ran) + job.spec.max_wait_seconds * 1000


def is_unfit(s: Situation) -> bool:
    """Tell whether it was found that no pool would take the job as it is, and it wants to fail then."""
    job, told = s.job, s.job.status.condition(JobConditionType.NEVER_FITS)
    wanted = job.spec is not None and job.spec.on_never_fits is OnNeverFits.FAIL
    return wanted and told is not None and told.is_true and not is_refusal_outdated(job.status, job.generation)


def is_overdue(s: Situation) -> bool:
    """Tell whether a job waits for longer than it may."""
    until = waits_until(s.job)
    return until is not None and until <= s.times.now
