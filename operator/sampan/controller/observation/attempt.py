"""What a member's Job and its pods say about an attempt, as one value. Pure: no I/O, no clock.

Lives here: the reading of batch/v1 and core/v1 status. The member is not trusted: counts and texts are bounded, times are its own.
Must never live here: what to do about it (mirror), or any memory: an earlier observation is an argument.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sampan.api.launch.manifest import in_queue
from sampan.controller.observation.failure import Cause, Failure, tail, word
from sampan.controller.observation.pod_tally import PodTally, earliest
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Condition, Job
from sampan.kube.text import clean_text
from sampan.model.status.reasons import NO_WORD, AttemptReason, MemberWord, StatedReason
from sampan.model.values.timestamp import from_rfc3339

MAX_COUNT: Final = 1_000_000
_PULL_PREFIX: Final = re.compile(r'^(?:Back-off pulling image "[^"]*": )?(?:ErrImagePull: )?failed to pull and unpack image "[^"]*": ')
"""How a kubelet and containerd begin: the image's name, up to twice, in the room of what went wrong."""


class AttemptState(StrEnum):
    """How an attempt stands on its member."""

    WAITING = "Waiting"
    """No pod has a node yet, or the Job is suspended."""
    STARTING = "Starting"
    """Pods have nodes, but the gang is not whole, or no member of the sweep runs yet. Also a gang that is whole no longer."""
    RUNNING = "Running"
    """The gang is whole; at least one member of a sweep runs or has succeeded."""
    SUCCEEDED = "Succeeded"
    APP_FAILED = "AppFailed"
    DISRUPTED = "Disrupted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    DELETING = "Deleting"
    """Somebody deleted the Job before it had ended; what its pods do from then on is no result."""

    @property
    def final(self) -> bool:
        """Tell whether the attempt has a result."""
        return self in (AttemptState.SUCCEEDED, AttemptState.APP_FAILED, AttemptState.DISRUPTED, AttemptState.DEADLINE_EXCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at an attempt. Counts are of pods; times are milliseconds since the epoch by the member's clock, to be clamped."""

    state: AttemptState
    whole: bool
    """As many pods are ready or have succeeded as belong to the gang; at least one of a sweep."""
    active: int
    ready: int
    succeeded: int
    failed: int
    pending: int
    reason: StatedReason = NO_WORD
    exit_code: int | None = None
    message: str = ""
    """Clean, at most 256 bytes."""
    started_at: int | None = None
    ended_at: int | None = None
    cause: Failure | None = None
    """The first failure seen in this attempt; pass the observation on as `earlier`, because failed pods may be gone next time."""
    proved: bool = True
    """False where the Job failed but no pod was seen that shows why: list its pods once more before recording the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """State with what explains it."""

    state: AttemptState
    reason: StatedReason = NO_WORD
    message: str = ""
    exit_code: int | None = None
    proved: bool = True


def observe(job: Job, pods: PodTally, *, gang: bool, replicas: int, earlier: Observation | None = None) -> Observation:
    """Return what the Job and those of its pods that carry its attempt say.

    `replicas` is how many pods a gang has. An empty list of pods never means that anything runs: readiness is believed of
    pods, not of the Job's own count. A result is believed only of a Job that carries Complete or Failed, and only if it came
    before the Job's deletion. Never raises, whatever a member writes.
    """
    status = job.status
    succeeded = max(status.succeeded, pods.phases["Succeeded"])
    whole = pods.ready + succeeded >= (max(replicas, 1) if gang else 1)
    cause = _first_of_gang(pods, earlier) if gang else pods.first_failure_of(status.failed_indexes)
    reading = _result(job, cause, gang=gang) or _progress(job, pods, whole=whole, cause=cause)
    end = status.completion_time if reading.state is AttemptState.SUCCEEDED else None
    result = _true(job, "Complete") or _true(job, "Failed")
    return Observation(
        state=reading.state,
        whole=whole,
        active=_count(pods.at_work if pods else status.active),  # the Job's own count comes after its pods
        ready=_count(pods.ready),
        succeeded=_count(succeeded),
        failed=_count(max(status.failed, pods.phases["Failed"])),
        pending=_count(pods.phases["Pending"]),
        reason=reading.reason,
        exit_code=reading.exit_code,
        message=reading.message,
        started_at=from_rfc3339(status.start_time),
        ended_at=from_rfc3339(end or (result.last_transition_time if result and reading.state.final else None)),
        cause=cause,
        proved=reading.proved,
    )


def _result(job: Job, cause: Failure | None, *, gang: bool) -> _Reading | None:
    """The result, None while there is none. FailureTarget and SuccessCriteriaMet only announce one: pods still run."""
    complete, failed = _true(job, "Complete"), _true(job, "Failed")
    result = complete or failed
    if result is None:
        return None
    if _after(result, job.metadata.deletion_timestamp):
        return _Reading(state=AttemptState.DELETING, reason=AttemptReason.JOB_DELETED)
    if failed is None:
        return _Reading(state=AttemptState.SUCCEEDED, reason=AttemptReason.COMPLETED)
    if failed.reason == AttemptReason.DEADLINE_EXCEEDED:
        return _Reading(state=AttemptState.DEADLINE_EXCEEDED, reason=AttemptReason.DEADLINE_EXCEEDED, message=clean_text(failed.message))
    return _failed(job, failed, cause, gang=gang)


def _failed(job: Job, failed: Condition, cause: Failure | None, *, gang: bool) -> _Reading:
    """Disrupted or failed by itself.

    The manifest has one failure policy, on DisruptionTarget: the reason PodFailurePolicy alone proves a disruption, even when
    the drained pod is gone already. In a gang a disrupted pod takes its peers with it, which then crash: the first failure
    counts. In a sweep disruptions are replaced on the member, and the Job fails of failed indexes.
    """
    by_policy = failed.reason == PodReason.POD_FAILURE_POLICY
    disrupted = by_policy or (cause is not None and cause.cause is not Cause.PROGRAM)
    state = AttemptState.DISRUPTED if disrupted else AttemptState.APP_FAILED
    if cause is None or (by_policy and cause.cause is not Cause.DISRUPTION):
        reason = MemberWord(PodReason.DISRUPTION_TARGET) if by_policy else word(failed.reason, AttemptReason.ERROR)
        return _Reading(state=state, reason=reason, message=clean_text(failed.message), proved=by_policy)
    listed = clean_text(job.status.failed_indexes, 64)
    message = cause.message if gang or not listed else tail(cause.message, f"failed indexes {listed}: ")
    return _Reading(state=state, reason=cause.reason, message=message, exit_code=cause.exit_code)


def _progress(job: Job, pods: PodTally, *, whole: bool, cause: Failure | None) -> _Reading:
    """How far an attempt without a result is, and what stalls it."""
    if job.metadata.deletion_timestamp:
        return _Reading(state=AttemptState.DELETING, reason=AttemptReason.JOB_DELETED)
    if job.spec.suspend:
        queued = in_queue(job.metadata.labels)
        message = "the Job waits in a queue of the member" if queued else "spec.suspend of the member's Job is true"
        return _Reading(state=AttemptState.WAITING, reason=AttemptReason.SUSPENDED, message=message)
    state = AttemptState.RUNNING if whole else AttemptState.STARTING if pods.placed else AttemptState.WAITING
    reason, message = _stall(job, pods)
    if _true(job, "FailureTarget") and cause is not None:
        return _Reading(state=state, reason=cause.reason, message=cause.message, exit_code=cause.exit_code)
    return _Reading(state=state, reason=reason, message=message)


def _stall(job: Job, pods: PodTally) -> tuple[StatedReason, str]:
    """Reason and words of the first pending pod that has any; image pulls and the like before a full cluster."""
    told = pods.stall
    if told is not None:
        return word(told[0]), clean_text(_PULL_PREFIX.sub("", told[1], count=1))
    status = job.status
    if not pods and status.start_time and not (status.active or status.succeeded or status.failed):
        words = "the member's Job controller has created no pod yet; a quota or an admission policy there may refuse them"
        return AttemptReason.NO_PODS, words
    return NO_WORD, ""


def _true(job: Job, kind: str) -> Condition | None:
    return next((c for c in job.status.conditions if c.type == kind and c.status == "True"), None)


def _after(condition: Condition, moment: str | None) -> bool:
    """Whether a condition came only after a moment; not where either time cannot be read."""
    since, limit = from_rfc3339(condition.last_transition_time), from_rfc3339(moment)
    return since is not None and limit is not None and since > limit


def _first_of_gang(pods: PodTally, earlier: Observation | None) -> Failure | None:
    """The failure that came first: the others may follow from it."""
    known = pods.first_failure(), earlier.cause if earlier else None
    return earliest(failure for failure in known if failure is not None)


def _count(number: int) -> int:
    return min(max(number, 0), MAX_COUNT)
