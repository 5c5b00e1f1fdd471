"""What to do next about one job: a pure function of its record, of what its member is known to hold, and of the time.

Level-triggered: it is asked again after every action and every change, so that nothing rests on having seen an event.
No I/O here; the executor carries the answers out. The protocol is docs/decisions/0006: an attempt that was seen once is never created
again, and a finalizer leaves only after the remote copy was proved gone.
"""

from collections.abc import Sequence
from dataclasses import replace

from sampan.api.fields.alternative import Alternative
from sampan.api.launch.manifest import in_queue
from sampan.controller.members.job_copies import attempt_of
from sampan.controller.observation.attempt import Observation
from sampan.controller.reconcile.actions import (
    Action,
    Confirm,
    Create,
    Expire,
    Extend,
    Inquire,
    Patch,
    Refresh,
    Release,
    RemoteState,
    Remove,
    Start,
    Sweep,
    Times,
    Wait,
)
from sampan.controller.reconcile.endings import (
    exhausted,
    given_up_ending,
    is_late,
    late_ending,
    lost_ending,
    observed_ending,
    start_deadline,
    suspended_words,
    unsent_ending,
    with_ending,
)
from sampan.controller.reconcile.mirror import CopyView, counters_due, explained, held_removal, inquiry_due, may_pass, summary, with_failure
from sampan.controller.reconcile.retries import ON_HUB, key_of
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.text import clean_text
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.status.attempt import Binding, Ending
from sampan.model.status.generation import is_refusal_outdated
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import JobConditionType, JobReason

HELD_MILLIS = 5_000
"""How long to wait before a copy that is deleted and stays is looked at again."""
STALE_MILLIS = 30_000
"""How long to wait before a copy from the future is looked at again."""
PROOF_MILLIS = 3000
"""How long to wait for the pod that explains a failure before it is recorded without."""
MAX_TRIES = 4
"""Calls that fail or come to nothing before another pool is tried."""


def _attempt_number(copy: RemoteJob, binding: Binding) -> int:
    """Return the attempt a copy counts as: the UID that the hub recorded outweighs a label, which the member can write."""
    recorded = binding.remote_uid is not None and copy.metadata.uid == binding.remote_uid
    return binding.attempt if recorded else attempt_of(copy.metadata.labels)


def decide(job: JobRecord, remote: RemoteState, times: Times) -> Action:
    """Return the one next action, or the pause before it where it was tried already and did not help."""
    action = _next(job, remote, times)
    held = held_removal(job, remote, times) if isinstance(action, Wait) else None
    if held is not None:
        told = with_failure(job, held, times)
        return Patch(told) if told is not None else Wait(HELD_MILLIS)
    key = key_of(action, attempt=job.binding.attempt if job.binding else 0, version=job.resource_version)
    tried = remote.tried(*key) if key else None
    if key is None or tried is None:
        return action
    left = tried.remaining(times.now)
    if key[0] in ON_HUB or not left:
        return Wait(left) if left else action
    told = with_failure(job, tried, times)
    return Patch(told) if told is not None else Wait(left)


def _next(job: JobRecord, remote: RemoteState, times: Times) -> Action:
    """Return what is to be done next; the first rule that has something decides."""
    if job.deleting:
        return _deleting(job, remote)
    if job.phase.ended:
        return _ended(job, remote, times)
    if job.phase is Phase.SUSPENDED:
        return Wait() if job.suspend else Patch(job.status.resumed(at=times.now))
    binding = job.binding
    if binding is None:
        return _unbound(job, times)
    if not job.attempt_open:
        return _remove_copy(binding, remote) or Patch(_released(job, times))
    if job.suspend:
        ending = Ending(outcome=Outcome.CANCELLED, reason=JobReason.SUSPENDED_BY_USER, ended_at=times.now)
        return Patch(job.status.attempt_ended(ending))
    return _follow(job, remote, times)


def _unbound(job: JobRecord, times: Times) -> Action:
    """The scheduler alone finds a place; a spec that it cannot read is told once."""
    if job.suspend:
        return Patch(job.status.suspended(at=times.now))
    if job.exhausted:
        return Patch(exhausted(job, times.now))
    if not job.problem:
        return Wait()
    told = job.status.condition(JobConditionType.SCHEDULED)
    status = job.status.refused(reason=JobReason.INVALID_SPEC, message=job.problem[:256], at=times.now)
    same = told is not None and (told.reason, told.message) == (JobReason.INVALID_SPEC, job.problem[:256])
    return Wait() if same and not is_refusal_outdated(job.status, job.generation) else Patch(status)


def _deleting(job: JobRecord, remote: RemoteState) -> Action:
    if not job.has_finalizer:
        return Wait()
    binding = job.binding
    return (_remove_copy(binding, remote, deleting=True) if binding else None) or Release()


def _ended(job: JobRecord, remote: RemoteState, times: Times) -> Action:
    """The evidence is written: remove the copy after its tombstone time, the hub object after its ttl."""
    since = job.status.finished_at or 0
    ttl = job.spec.ttl_seconds_after_finished if job.spec else None
    left = since + times.tombstone - times.now
    if (remote.job is not None or remote.pods) and left > 0 and not remote.offer_draining:
        return Wait(left)
    if remote.job is not None or remote.pods:
        binding = job.binding
        return (_remove_copy(binding, remote) if binding else None) or Wait()
    if ttl is None:
        return Wait()
    return Expire() if since + ttl * 1000 <= times.now else Wait(since + ttl * 1000 - times.now)


def _remove_copy(binding: Binding, remote: RemoteState, *, deleting: bool = False) -> Action | None:
    """Return what removes the copy, or None when it is proved gone: no Job, no pod, no create in flight, or none ever sent."""
    if not remote.offer_exists or remote.absent or remote.unsent:
        return None  # an offer's own finalizer leaves only after all its copies were proved gone
    if not remote.reachable:
        return Wait()
    if remote.job is not None:
        if _attempt_number(remote.job, binding) > binding.attempt and not (deleting and remote.current):
            return _newer(remote)
        return Wait() if remote.job.metadata.deletion_timestamp else Remove(remote.job.metadata.uid)
    return Sweep() if remote.pods else Confirm()


def _newer(remote: RemoteState) -> Action:
    """A copy of a later attempt than the hub knows: we are stale, or the hub was set back. Nothing is done to it."""
    return Wait(STALE_MILLIS) if remote.current else Refresh()


def _released(job: JobRecord, times: Times) -> JobStatus:
    """The attempt is over and nothing of it is left: free the binding."""
    newest = job.status.last_attempt
    assert newest is not None  # it was open once, and is no longer
    words = ": ".join(filter(None, (f"attempt {newest.number} ended: {newest.outcome}", newest.message)))
    reason, message = newest.reason or JobReason.ATTEMPT_ENDED, clean_text(words, 512)
    event = Event.SUSPENDED if job.suspend else Event.REQUEUED
    return job.status.released(event, reason=reason, message=message, at=times.now)


def _follow(job: JobRecord, remote: RemoteState, times: Times) -> Action:
    """An attempt is under way."""
    binding = job.binding
    assert binding is not None
    if not remote.reachable:
        return _unreachable(job, remote, times.now)
    if remote.job is None:
        if remote.ended is not None and remote.observation is not None:
            return _result_of_removed_copy(job, CopyView(remote.ended, remote.observation, remote.still_for), remote, times=times)
        if binding.remote_uid is None and not remote.seen_before:
            return _create(job, remote, times)
        return Patch(with_ending(job, lost_ending(times.now))) if remote.job_absent or remote.absent else Confirm()
    number = _attempt_number(remote.job, binding)
    if number != binding.attempt:
        return _newer(remote) if number > binding.attempt else _remove_copy(binding, remote) or Wait()
    assert remote.observation is not None
    seen = remote.observation
    if _needs_start(job, remote.job, times):
        started = remote.tried("Start", remote.job.metadata.uid)
        if started is None or not (started.remaining(times.now) or started.times >= MAX_TRIES):
            return Start(remote.job)
        if started.times >= MAX_TRIES and (started.reason or not started.remaining(times.now)):
            return Patch(with_ending(job, given_up_ending(started, times.now)))
        seen = _not_started(seen, started, times.now)
    if seen.state.final and not seen.proved and remote.final_for < PROOF_MILLIS:
        return Wait(500)  # the pods' watch may still bring the one that shows why
    return _mirror(job, CopyView(remote.job, seen, remote.still_for), remote, times=times)


def _result_of_removed_copy(job: JobRecord, look: CopyView, remote: RemoteState, *, times: Times) -> Action:
    """The copy is gone, but its result was told before: that counts, whoever cleaned up."""
    if not look.observed.proved and remote.final_for < PROOF_MILLIS:
        return Wait(500)
    ending = observed_ending(job, look.observed, times.now)
    return Patch(with_ending(job, lost_ending(times.now)) if ending is None else _ended_with(job, ending, look, times=times))


def _unreachable(job: JobRecord, remote: RemoteState, now: int) -> Action:
    """Wait for a member that may hold a copy; where nothing was sent the job goes elsewhere once it is late."""
    if not remote.unsent:
        return Wait()
    if remote.offer_exists and not is_late(job, now):
        return Wait(start_deadline(job) - now)
    return Patch(with_ending(job, unsent_ending(now, offer_exists=remote.offer_exists)))


def _create(job: JobRecord, remote: RemoteState, times: Times) -> Action:
    """Create the copy, unless it is too late, or the member failed too often: then another pool may do better."""
    assert job.binding is not None
    tried = remote.tried("Create", str(job.binding.attempt))
    if is_late(job, times.now):
        return Patch(with_ending(job, late_ending(job, times.now, tried=tried)))
    if tried is not None and tried.reason and tried.times >= MAX_TRIES:
        return Patch(with_ending(job, given_up_ending(tried, times.now)))
    return Create()


def _needs_start(job: JobRecord, copy: RemoteJob, times: Times) -> bool:
    """Tell whether the copy waits for us to lift its suspension."""
    waits = copy.spec.suspend and not in_queue(copy.metadata.labels)
    unstarted = job.phase is Phase.BOUND and copy.status.start_time is None
    return waits and unstarted and not copy.metadata.deletion_timestamp and not is_late(job, times.now)


def _not_started(seen: Observation, started: RetryState, now: int) -> Observation:
    """Return what is seen of a copy whose start failed, or was undone: once may be chance."""
    if may_pass(started, now):
        return replace(seen, reason="", message="")
    reason, message = (started.reason, started.message) if started.reason else suspended_words()
    return replace(seen, reason=reason, message=message)


def _mirror(job: JobRecord, look: CopyView, remote: RemoteState, *, times: Times) -> Action:
    copy, seen = look.copy, look.observed
    if copy.spec.suspend and copy.status.start_time is not None:
        reason, _ = suspended_words()
        look = look._replace(observed=replace(seen, reason=reason, message="The member suspended the job after it had started."))
        seen = look.observed
    ending = observed_ending(job, seen, times.now)
    if ending is not None:
        return Patch(_ended_with(job, ending, look, times=times))
    look = look._replace(observed=explained(job, seen, remote, times=times))
    inquiry, seen = inquiry_due(job, look, remote, times=times), look.observed
    told = summary(job, seen, times)
    status = job.status.seen(told, copy.metadata.uid, at=times.now)
    if job.phase is Phase.BOUND and seen.whole:
        return Patch(status.running(at=times.now))
    longer = _longer_deadline(job, copy)
    extended = remote.tried("Extend", copy.metadata.uid)
    if longer is not None and (extended is None or not extended.remaining(times.now)):
        return Extend(copy, longer)
    left = start_deadline(job) - times.now
    if job.phase is Phase.BOUND and left <= 0:
        return Patch(_ended_with(job, late_ending(job, times.now, reason=seen.reason, message=seen.message), look, times=times))
    if inquiry == 0:
        return Inquire(copy)
    due = counters_due(job, told, times, still_for=look.still_for)
    if due is not None and due <= 0:
        return Patch(status)
    again = remote.tried("Start", copy.metadata.uid) or extended
    waits = (due, left if job.phase is Phase.BOUND else None, (again.remaining(times.now) or None) if again else None, inquiry)
    return Wait(min((wait for wait in waits if wait is not None), default=None))


def _ended_with(job: JobRecord, ending: Ending, look: CopyView, *, times: Times) -> JobStatus:
    """Return the status with what was seen last, and the end of the attempt."""
    status = job.status.seen(summary(job, look.observed, times), look.copy.metadata.uid, at=times.now)
    if job.phase is Phase.BOUND and ending.outcome in (Outcome.SUCCEEDED, Outcome.APP_FAILED):
        bound_at = job.binding.bound_at if job.binding else 0
        status = status.running(at=min(max(look.observed.started_at or times.now, bound_at), times.now))  # clocks differ
    return with_ending(job, ending, status)


def _longer_deadline(job: JobRecord, copy: RemoteJob) -> int | None:
    """Return the deadline to set on the member where the user gave the bound job a longer one; none while its start is left to us."""
    binding = job.binding
    ours_to_start = copy.spec.suspend and not in_queue(copy.metadata.labels)
    if ours_to_start or job.spec is None or binding is None or _overridden(job.spec.alternatives, binding.alternative):
        return None
    wanted = job.spec.active_deadline_seconds
    current = copy.spec.active_deadline_seconds
    return wanted if wanted is not None and current is not None and wanted > current else None


def _overridden(alternatives: Sequence[Alternative], chosen: int | None) -> bool:
    return chosen is not None and alternatives[chosen].active_deadline_seconds is not None
