"""What a job's status says of its copy, and when that is worth a write. Pure: values in, values out.

Lives here: the words and counts of `status.remote`, and that what says the same is not written again.
Must never live here: what to do about them (decide).
"""

from dataclasses import replace
from typing import Final, NamedTuple

from sampan.controller.members.job_copies import attempt_beside
from sampan.controller.observation.attempt import Observation
from sampan.controller.reconcile.actions import Times
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.text import clean_text, same_words
from sampan.model.lifecycle import Phase
from sampan.model.status.attempt import Binding
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, AttemptReason, JobReason, StatedReason
from sampan.model.status.remote import PodCounts, RemoteStatus
from sampan.model.values.timestamp import from_rfc3339

SETTLE_MILLIS: Final = 2000
"""How long counts must have been the same before they are written by themselves."""
NEWS_MILLIS: Final = 8_000
"""Least time between a write and the next word about the member: whoever changes its mind all the time is not followed."""
CHANCE_MILLIS: Final = 4_000
"""For how long a call may fail before it is told, unless it failed twice."""
INQUIRE_MILLIS: Final = 6_000
"""How long after the binding the member's events are asked for, where nothing else tells why the job does not run."""
REFUSED_MILLIS: Final = 4_000
"""The same where the member's Job controller works on the Job and pods of it are missing: a busy member does not explain that."""
OVERDUE_MILLIS: Final = 9_000
"""How long after the binding a job that does not run says why, if only by what its pods are."""
PATIENT_MILLIS: Final = 90_000
"""The same at most, where the member has other jobs run meanwhile: each in its turn, which is nothing to tell."""
_SERVERS_OWN: Final = frozenset({"foregroundDeletion", "orphan"})
"""Finalizers that an API server's garbage collector puts on and takes off (apimachinery, meta/v1)."""
UNEXPLAINED: Final[frozenset[str]] = frozenset({"", AttemptReason.NO_PODS})
"""Reasons that leave open why."""
NOTHING_TOLD: Final = RemoteStatus()
PULLING: Final[tuple[str, str]] = (PodReason.ERR_IMAGE_PULL, PodReason.IMAGE_PULL_BACK_OFF)
"""Words that a kubelet says in turn while an image cannot be pulled; the second is the one that stays."""


class CopyView(NamedTuple):
    """A copy, what was seen of it, and for how many milliseconds its counts have been the same."""

    copy: RemoteJob
    observed: Observation
    still_for: int


def summary(job: JobRecord, seen: Observation, times: Times) -> RemoteStatus:
    """Return `status.remote`; words that say the same as those that are told stay as they are told."""
    counts = PodCounts(active=seen.active, ready=seen.ready, succeeded=seen.succeeded, failed=seen.failed, pending=seen.pending)
    reason, message = _kept_words(job.status.remote or NOTHING_TOLD, seen.reason, seen.message)
    return RemoteStatus(counts=counts, reason=reason, message=message, exit_code=seen.exit_code, observed_at=times.now)


def _kept_words(told: RemoteStatus, reason: StatedReason, message: str) -> tuple[StatedReason, str]:
    known, words = told.reason, told.message
    if known == PULLING[1] and reason in PULLING:
        return known, words  # the kubelet says both in turn
    return (known, words) if known == reason and same_words(words, message) else (reason, message)


def counters_due(job: JobRecord, seen: RemoteStatus, times: Times, *, still_for: int) -> int | None:
    """Return in how many milliseconds to write what was counted; None where nothing changed. A new reason is shown soon.

    Counts are written only once they stand still, and where no pod is at work any more only if the Job's result does not follow:
    that is one write for both.
    """
    told = job.status.remote or NOTHING_TOLD
    if replace(told, observed_at=seen.observed_at) == seen:
        return None
    if seen.reason and seen.reason != told.reason:
        return max(times.last_write + NEWS_MILLIS - times.now, 0) if told.reason else 0
    at_work = seen.counts is not None and seen.counts.active
    settled = min(SETTLE_MILLIS, times.counters) if at_work else max(times.counters, _busy(times))
    interval = max(times.counters, _busy(times)) if job.phase is Phase.BOUND else times.counters
    return max(times.last_write + interval - times.now, settled - still_for)


def explained(job: JobRecord, seen: Observation, remote: RemoteState, *, times: Times) -> Observation:
    """Return what is seen of a copy that has not started, with what the member's events say where its pods say nothing."""
    if not unstarted(job, seen) or seen.reason not in UNEXPLAINED:
        return seen
    reason, message = remote.event
    if not reason:
        overdue = waited(job, times) >= _patience(job, times, OVERDUE_MILLIS) or (job.status.remote or NOTHING_TOLD).reason
        if overdue and seen.reason:
            return seen
        reason, message = _by_counts(seen) if overdue else (NO_WORD, "")
    return replace(seen, reason=reason, message=message)


def _patience(job: JobRecord, times: Times, least: int) -> int:
    """Return how long a bound job may wait before that is asked about or told: longer where jobs take longer there at present."""
    half = job.spec.start_deadline_seconds * 500 if job.spec else least
    return min(max(least, _busy(times) * least // OVERDUE_MILLIS), half)


def _busy(times: Times) -> int:
    """Return how long a step may take on the member at present, going by what starts take there."""
    return min(times.usual_start * 2, PATIENT_MILLIS)


def _by_counts(seen: Observation) -> tuple[StatedReason, str]:
    """Return what can be told of pods of which nobody says anything."""
    if not seen.active:
        return AttemptReason.NO_PODS, "the member's Job controller has not taken the Job up"
    if seen.pending:
        words = f"{seen.pending} of {seen.active} pods do not run yet: images are pulled, or volumes are mounted"
        return AttemptReason.CONTAINERS_NOT_STARTED, words
    return JobReason.PODS_NOT_READY, f"{seen.ready} of {seen.active} pods are ready"


def inquiry_due(job: JobRecord, look: CopyView, remote: RemoteState, *, times: Times) -> int | None:
    """Return in how many milliseconds the member's events are to be asked for; None: there is no need."""
    if not unstarted(job, look.observed) or (remote.observation is not None and remote.observation.reason not in UNEXPLAINED):
        return None
    asked = remote.tried("Inquire", look.copy.metadata.uid)
    patience = REFUSED_MILLIS if _lacks_pods(job, look) else _patience(job, times, INQUIRE_MILLIS)
    soonest = max(patience - waited(job, times), 0)
    return max(soonest, asked.remaining(times.now)) if asked is not None else soonest


def _lacks_pods(job: JobRecord, look: CopyView) -> bool:
    """Tell whether the member's Job controller took the Job up and made fewer pods than it is to have: some were refused."""
    status, seen = look.copy.status, look.observed
    made = seen.active + seen.succeeded + seen.failed
    return status.start_time is not None and not look.copy.spec.suspend and job.binding is not None and made < job.binding.replicas


def unstarted(job: JobRecord, seen: Observation) -> bool:
    """Tell whether an attempt is bound and does not run yet."""
    return job.phase is Phase.BOUND and not seen.whole and not seen.state.final


def waited(job: JobRecord, times: Times) -> int:
    """Return for how long the attempt has been bound."""
    return times.now - (job.binding.bound_at if job.binding else times.now)


def may_pass(tried: RetryState, now: int) -> bool:
    """Tell whether what failed, or came to nothing, may be over with the next try: then it is not told."""
    return tried.times < 2 and now - tried.since < CHANCE_MILLIS


def blocked_removal(job: JobRecord, remote: RemoteState, times: Times) -> RetryState | None:
    """Return what is to be told of a copy that was deleted and stays though none of its pods is left; None: nothing holds it."""
    copy = remote.job
    if copy is None or remote.pods or (job.attempt_open and not job.deleting and not _is_in_the_way(copy, job.binding)):
        return None
    since, others = from_rfc3339(copy.metadata.deletion_timestamp), sorted(set(copy.metadata.finalizers) - _SERVERS_OWN)
    if since is None or not others:
        return None
    names = clean_text(", ".join(others), 128)
    message = f"the member's Job is deleted, but stays while it has the finalizers {names}: whoever put them on must take them off"
    return RetryState(
        target=copy.metadata.uid, times=1, since=since, not_before=times.now, reason=AttemptReason.REMOVAL_BLOCKED, message=message
    )


def _is_in_the_way(copy: RemoteJob, binding: Binding | None) -> bool:
    """Tell whether a copy is of another attempt than the bound one, whose place it keeps."""
    return binding is not None and attempt_beside(copy, binding) != binding.attempt


def with_failure(job: JobRecord, tried: RetryState, times: Times) -> JobStatus | None:
    """Return the status that tells of a call which fails again and again; None while that may be chance, or once it is told."""
    if not tried.reason or may_pass(tried, times.now) or (job.phase.ended and not job.deleting):
        return None
    told = job.status.remote or NOTHING_TOLD
    if told.reason == tried.reason and same_words(told.message, tried.message):
        return None
    if told.reason and times.last_write + NEWS_MILLIS > times.now:
        return None
    remote = replace(told, reason=tried.reason, message=tried.message, observed_at=times.now)
    return job.status.seen(remote, None, at=times.now)
