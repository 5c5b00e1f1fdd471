"""What a member's Job and its pods say about an attempt, as one value. Pure: no I/O, no clock.

Lives here: the reading of batch/v1 and core/v1 status. The member is not trusted: counts and texts are bounded, times are its own.
Must never live here: what to do about it (mirror), or any memory: an earlier observation is an argument.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sampan.api.launch.manifest import in_queue
from sampan.controller.observation.failure import Cause, Failure, failure_of, in_indexes, tail, word
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Condition, Job, Pod
from sampan.kube.text import clean_text
from sampan.model.status.reasons import AttemptReason
from sampan.model.values.timestamp import from_rfc3339

MAX_COUNT: Final = 1_000_000
_INDEX: Final = "batch.kubernetes.io/job-completion-index"
_WAITS: Final = frozenset({PodReason.CONTAINER_CREATING, PodReason.POD_INITIALIZING, ""})
"""Container waiting reasons that only say that it takes a moment."""


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
    reason: str = ""
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
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    proved: bool = True


def observe(job: Job, pods: Sequence[Pod], *, gang: bool, replicas: int, earlier: Observation | None = None) -> Observation:
    """Return what the Job and those of its pods that carry its attempt say.

    `replicas` is how many pods a gang has. An empty list of pods never means that anything runs: readiness is believed of
    pods, not of the Job's own count. A result is believed only of a Job that carries Complete or Failed, and only if it came
    before the Job's deletion. Never raises, whatever a member writes.
    """
    status = job.status
    ready = sum(map(_ready, pods))
    succeeded = max(status.succeeded, _phases(pods, "Succeeded"))
    whole = ready + succeeded >= (max(replicas, 1) if gang else 1)
    cause = _first_of_gang(pods, earlier) if gang else _first_of_sweep(job, pods)
    reading = _result(job, cause, gang=gang) or _progress(job, pods, whole=whole, cause=cause)
    end = status.completion_time if reading.state is AttemptState.SUCCEEDED else None
    result = _true(job, "Complete") or _true(job, "Failed")
    return Observation(
        state=reading.state,
        whole=whole,
        active=_count(_at_work(job, pods)),
        ready=_count(ready),
        succeeded=_count(succeeded),
        failed=_count(max(status.failed, _phases(pods, "Failed"))),
        pending=_count(_phases(pods, "Pending")),
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
        reason = PodReason.DISRUPTION_TARGET if by_policy else word(failed.reason, AttemptReason.ERROR)
        return _Reading(state=state, reason=reason, message=clean_text(failed.message), proved=by_policy)
    listed = clean_text(job.status.failed_indexes, 64)
    message = cause.message if gang or not listed else tail(cause.message, f"failed indexes {listed}: ")
    return _Reading(state=state, reason=cause.reason, message=message, exit_code=cause.exit_code)


def _progress(job: Job, pods: Sequence[Pod], *, whole: bool, cause: Failure | None) -> _Reading:
    """How far an attempt without a result is, and what holds it up."""
    if job.metadata.deletion_timestamp:
        return _Reading(state=AttemptState.DELETING, reason=AttemptReason.JOB_DELETED)
    if job.spec.suspend:
        queued = in_queue(job.metadata.labels)
        message = "the Job waits in a queue of the member" if queued else "spec.suspend of the member's Job is true"
        return _Reading(state=AttemptState.WAITING, reason=AttemptReason.SUSPENDED, message=message)
    placed = any(pod.spec.node_name for pod in pods)
    state = AttemptState.RUNNING if whole else AttemptState.STARTING if placed else AttemptState.WAITING
    reason, message = _hold_up(job, pods)
    if _true(job, "FailureTarget") and cause is not None:
        return _Reading(state=state, reason=cause.reason, message=cause.message, exit_code=cause.exit_code)
    return _Reading(state=state, reason=reason, message=message)


def _hold_up(job: Job, pods: Sequence[Pod]) -> tuple[str, str]:
    """Reason and words of the first pending pod that has any; image pulls and the like before a full cluster."""
    pending = sorted((pod for pod in pods if pod.status.phase == "Pending"), key=lambda pod: pod.metadata.name)
    for pod in pending:
        for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
            wait = container.state.waiting
            if wait is not None and wait.reason not in _WAITS:
                return word(wait.reason), clean_text(wait.message)
    for pod in pending:
        for condition in pod.status.conditions:
            if condition.type == "PodScheduled" and condition.status == "False":
                return word(condition.reason), clean_text(condition.message)
    status = job.status
    if not pods and status.start_time and not (status.active or status.succeeded or status.failed):
        words = "the member's Job controller has created no pod yet; a quota or an admission policy there may refuse them"
        return AttemptReason.NO_PODS, words
    return "", ""


def _ready(pod: Pod) -> bool:
    """Running and ready, and not about to go."""
    ready = any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions)
    return ready and pod.status.phase == "Running" and not pod.metadata.deletion_timestamp


def _at_work(job: Job, pods: Sequence[Pod]) -> int:
    """Pods that neither ended nor are about to go. The Job's own count comes after its pods and is taken where none of them is seen."""
    return (
        sum(pod.status.phase in ("Pending", "Running") and not pod.metadata.deletion_timestamp for pod in pods)
        if pods
        else job.status.active
    )


def _phases(pods: Sequence[Pod], phase: str) -> int:
    return sum(pod.status.phase == phase for pod in pods)


def _true(job: Job, kind: str) -> Condition | None:
    return next((c for c in job.status.conditions if c.type == kind and c.status == "True"), None)


def _after(condition: Condition, moment: str | None) -> bool:
    """Whether a condition came only after a moment; not where either time cannot be read."""
    since, limit = from_rfc3339(condition.last_transition_time), from_rfc3339(moment)
    return since is not None and limit is not None and since > limit


def _first_of_gang(pods: Sequence[Pod], earlier: Observation | None) -> Failure | None:
    """The failure that came first: the others may follow from it."""
    return _earliest((*map(failure_of, pods), earlier.cause if earlier else None))


def _first_of_sweep(job: Job, pods: Sequence[Pod]) -> Failure | None:
    """The first failure of an index that failed for good, of its own doing if there is one; others were made good."""
    lost = [p for p in pods if in_indexes(job.status.failed_indexes, p.metadata.labels.get(_INDEX, ""))]
    failures = [failure for failure in map(failure_of, lost or pods) if failure is not None]
    return _earliest([f for f in failures if f.cause is Cause.PROGRAM] or failures)


def _earliest(failures: Iterable[Failure | None]) -> Failure | None:
    return min((f for f in failures if f is not None), key=lambda f: f.order, default=None)


def _count(number: int) -> int:
    return min(max(number, 0), MAX_COUNT)
