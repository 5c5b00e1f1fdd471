"""What follows the end of an attempt: another attempt, or the end of the job. Pure: values in, the next status out.

Also how the ends that no member tells are written: a start that came too late, a copy that vanished, a call that never helps.
"""

from typing import Final

from sampan.controller.observation.attempt import AttemptState, Observation
from sampan.controller.reconcile.member_words import refused_pods
from sampan.controller.reconcile.view.blocker import PULL_FAILURES
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.reasons import PodReason
from sampan.kube.text import clean_text
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.status.attempt import Ending, closed
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, OF_WHAT_TRAVELS, AttemptReason, JobReason, MemberWord, StatedReason

JOB_REASONS: Final[frozenset[str]] = frozenset(
    {
        PodReason.CRASH_LOOP_BACK_OFF,
        PodReason.CREATE_CONTAINER_CONFIG_ERROR,
        PodReason.CREATE_CONTAINER_ERROR,
        PodReason.FAILED_ATTACH_VOLUME,
        PodReason.FAILED_CREATE_POD_SANDBOX,
        PodReason.FAILED_MOUNT,
        PodReason.RUN_CONTAINER_ERROR,
    }
)
"""What delays containers on a node (kubernetes, pkg/kubelet/{events,images,kuberuntime}): jobs that are alike need not suffer it."""
UNCOUNTED: Final = OF_WHAT_TRAVELS | {AttemptReason.POOL_GONE}
"""Reasons of rejected attempts that say nothing about whether the alternative can work."""

_OUTCOMES: Final = {
    AttemptState.SUCCEEDED: Outcome.SUCCEEDED,
    AttemptState.APP_FAILED: Outcome.APP_FAILED,
    AttemptState.DISRUPTED: Outcome.DISRUPTED,
    AttemptState.DEADLINE_EXCEEDED: Outcome.APP_FAILED,
}


def with_ending(job: JobRecord, ending: Ending, status: JobStatus | None = None) -> JobStatus:
    """Return the status with the end of the attempt, and of the job where no other attempt may follow.

    `status`: what the job's own was made into by what was seen last.
    """
    status = job.status if status is None else status
    status = status.attempt_ended(ending)
    if ending.outcome is Outcome.SUCCEEDED:
        return status.finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=ending.ended_at)
    if ending.outcome is Outcome.REJECTED:
        return _rejected(job, ending, status)
    allowed = job.spec.retry.max_restarts if job.spec else 0
    final = ending.reason == AttemptReason.DEADLINE_EXCEEDED or (
        ending.outcome in (Outcome.APP_FAILED, Outcome.LOST) and status.restarts >= allowed
    )
    if final or not _retries_on_hub(job, ending):
        return status.finished(Event.FAILED, reason=ending.reason, message=ending.message, at=ending.ended_at)
    return status


def _rejected(job: JobRecord, ending: Ending, status: JobStatus) -> JobStatus:
    """Count it; where no alternative is left that was not rejected too often, the job has failed: waiting would be in vain."""
    if not ending.counted or ending.reason in UNCOUNTED or job.spec is None or job.binding is None:
        return status
    chosen = job.binding.alternative
    status = status.rejected(chosen, ending.reason)
    if not closed(status.rejections, job.spec.retry.max_rejected).issuperset(range(len(job.spec.alternatives)) or (None,)):
        return status
    by = "" if chosen is None else f" by alternatives[{chosen}]"
    words = f": {ending.message}" if ending.message else ""
    message = clean_text(f"{job.spec.retry.max_rejected} attempts{by} were rejected, and no alternative is left{words}", 512)
    return status.finished(Event.FAILED, reason=ending.reason, message=message, at=ending.ended_at)


def _retries_on_hub(job: JobRecord, ending: Ending) -> bool:
    """A sweep's members are retried by index on the member; its failure there is final."""
    return ending.outcome is not Outcome.APP_FAILED or job.spec is None or job.spec.gang


def observed_ending(job: JobRecord, seen: Observation, now: int) -> Ending | None:
    """Return the end of an attempt as it is seen on the member; None where it has none yet."""
    outcome = _OUTCOMES.get(seen.state)
    if outcome is None:
        return None
    if job.phase is Phase.BOUND and seen.cause is not None and not seen.cause.ran and outcome is not Outcome.SUCCEEDED:
        outcome = Outcome.REJECTED  # nothing ran: no program failed, and nothing was disrupted
    bound_at = job.binding.bound_at if job.binding else 0
    at = seen.ended_at if seen.ended_at is not None and bound_at <= seen.ended_at <= now else now  # clocks differ
    return Ending(outcome=outcome, reason=seen.reason or outcome, message=seen.message, exit_code=seen.exit_code, ended_at=at)


def late_ending(job: JobRecord, now: int, *, reason: StatedReason = NO_WORD, message: str = "", tried: RetryState | None = None) -> Ending:
    """Return the end of an attempt that did not start in time, with what held it up, where that is known; `tried`: a call that failed."""
    if tried is not None:
        reason, message = tried.reason, tried.message
    seconds = job.spec.start_deadline_seconds if job.spec else 0
    reason = MemberWord(PodReason.IMAGE_PULL_BACK_OFF) if str(reason) == PodReason.ERR_IMAGE_PULL else reason  # a kubelet says both in turn
    words = ": ".join(filter(None, (f"not started within startDeadlineSeconds ({seconds} s)", reason, message)))
    told = reason if reason in JOB_REASONS else AttemptReason.START_DEADLINE_EXCEEDED
    if reason in PULL_FAILURES:
        told = AttemptReason.IMAGE_CANNOT_BE_PULLED
    full = str(reason) == PodReason.FAILED_CREATE and refused_pods(message) is None
    counted = not full if tried is None else not tried.transient
    return Ending(outcome=Outcome.REJECTED, reason=told, message=clean_text(words), ended_at=now, counted=counted)


def blocked_ending(blocker: StatedReason, said: Observation, now: int, *, grace: int) -> Ending:
    """Return the end of an attempt whose copy cannot start as it is, with the member's words; `grace`: how long it was given, in ms."""
    words = ": ".join(filter(None, (f"given up after {grace // 1000} s", said.reason, said.message)))
    return Ending(outcome=Outcome.REJECTED, reason=blocker, message=clean_text(words), ended_at=now)


def lost_ending(now: int) -> Ending:
    """Return the end of an attempt whose copy vanished."""
    message = "The copy vanished from the member before its end was seen."
    return Ending(outcome=Outcome.LOST, reason=AttemptReason.REMOTE_LOST, message=message, ended_at=now)


def unsent_ending(now: int, *, offer_exists: bool) -> Ending:
    """Return the end of an attempt of which nothing was sent, because its member does not answer or its offer is gone."""
    reason = JobReason.MEMBER_UNREACHABLE if offer_exists else JobReason.OFFER_GONE
    message = "The member did not answer in time" if offer_exists else "The offer is gone"
    message = f"{message}; nothing was sent there, so that no copy can run."
    return Ending(outcome=Outcome.REJECTED, reason=reason, message=message, ended_at=now, counted=False)


def given_up_ending(tried: RetryState, now: int) -> Ending:
    """Return the end of an attempt about which a call failed, or came to nothing, too often."""
    reason, message = (tried.reason, tried.message) if tried.reason else suspended_words()
    return Ending(outcome=Outcome.REJECTED, reason=reason, message=message, ended_at=now, counted=not tried.transient)


def suspended_words() -> tuple[StatedReason, str]:
    """Return reason and message for a Job that the member suspends whenever it is started."""
    message = "the member sets spec.suspend of the Job to true again: look there for an admission policy, a webhook or a queue that does"
    return AttemptReason.SUSPENDED_BY_MEMBER, message


def start_deadline(job: JobRecord) -> int:
    """Return by when the bound attempt must have started, in milliseconds since the epoch."""
    binding = job.binding
    seconds = job.spec.start_deadline_seconds if job.spec else 0
    return (binding.bound_at if binding else 0) + seconds * 1000


def is_late(job: JobRecord, now: int) -> bool:
    """Tell whether the bound attempt has not started in time."""
    return job.phase is Phase.BOUND and start_deadline(job) <= now
