"""What to do next about one job: a pure function of its record, of what its member is known to hold, and of the time.

Level-triggered: it is asked again after every action and every change, so that nothing rests on having seen an event.
No I/O here; `pilot` enacts the answers. The protocol is docs/decisions/0006: an attempt that was seen once is never created
again, and a finalizer leaves only after the remote copy was proved gone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sampan.api import status as job_status
from sampan.api.alternative import Alternative
from sampan.api.conditions import SCHEDULED, JobReason, find_condition
from sampan.api.generation import refusal_behind
from sampan.api.manifest import in_queue
from sampan.api.status import Binding, Ending, Status
from sampan.controller.actions import (
    Action,
    Confirm,
    Create,
    Expire,
    Extend,
    Patch,
    Refresh,
    Release,
    Remote,
    Remove,
    Start,
    Sweep,
    Times,
    Wait,
)
from sampan.controller.jobs import JobRecord
from sampan.controller.observe import Observation, State
from sampan.kube.workloads import Job as RemoteJob
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.names import LABEL_ATTEMPT

STALE_MILLIS = 30_000
"""How long to wait before a copy from the future is looked at again."""
PROOF_MILLIS = 3000
"""How long to wait for the pod that explains a failure before it is recorded without."""


SETTLE_MILLIS = 2000
"""How long counts must have been the same before they are written by themselves."""


class Look(NamedTuple):
    """A copy, what was seen of it, and for how many milliseconds its counts have been the same."""

    copy: RemoteJob
    seen: Observation
    still_for: int


def attempt_of(job: RemoteJob) -> int:
    """Return the attempt a copy belongs to; a label that somebody broke counts as an attempt before all of ours."""
    text = job.metadata.labels.get(LABEL_ATTEMPT, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _number(copy: RemoteJob, binding: Binding) -> int:
    """Return the attempt a copy counts as: the UID that the hub recorded outweighs a label, which the member can write."""
    return binding.attempt if binding.remote_uid is not None and copy.metadata.uid == binding.remote_uid else attempt_of(copy)


def decide(job: JobRecord, remote: Remote, times: Times) -> Action:
    """Return the one next action; the first rule that has one decides."""
    if job.deleting:
        return _deleting(job, remote)
    if job.phase.ended:
        return _ended(job, remote, times)
    if job.phase is Phase.SUSPENDED:
        return Wait() if job.suspend else Patch(job_status.resumed(job.status, at=times.now))
    binding = job.binding
    if binding is None:
        return _unbound(job, times)
    if not job.attempt_open:
        return _clear(binding, remote) or Patch(_let_go(job, times))
    if job.suspend:
        ending = Ending(outcome=Outcome.CANCELLED, reason="SuspendedByUser", ended_at=times.now)
        return Patch(job_status.attempt_ended(job.status, ending))
    return _follow(job, remote, times)


def _unbound(job: JobRecord, times: Times) -> Action:
    """The scheduler alone finds a place; a spec that it cannot read is told once."""
    if job.suspend:
        return Patch(job_status.suspended(job.status, at=times.now))
    if not job.problem:
        return Wait()
    told = find_condition(job.status.get("conditions") or (), SCHEDULED) or {}
    status = job_status.refused(job.status, reason=str(JobReason.INVALID_SPEC), message=job.problem[:256], at=times.now)
    same = (told.get("reason"), told.get("message")) == (JobReason.INVALID_SPEC, job.problem[:256])
    return Wait() if same and not refusal_behind(job.status, job.generation) else Patch(status)


def _deleting(job: JobRecord, remote: Remote) -> Action:
    if not job.has_finalizer:
        return Wait()
    binding = job.binding
    return (_clear(binding, remote, deleting=True) if binding else None) or Release()


def _ended(job: JobRecord, remote: Remote, times: Times) -> Action:
    """The evidence is written: remove the copy after its tombstone time, the hub object after its ttl."""
    since = job_status.from_rfc3339(job.status.get("finishedAt")) or 0
    ttl = job.spec.ttl_seconds_after_finished if job.spec else None
    left = since + times.tombstone - times.now
    if (remote.job is not None or remote.pods) and left > 0 and not remote.offer_draining:
        return Wait(left)
    if remote.job is not None or remote.pods:
        binding = job.binding
        return (_clear(binding, remote) if binding else None) or Wait()
    if ttl is None:
        return Wait()
    return Expire() if since + ttl * 1000 <= times.now else Wait(since + ttl * 1000 - times.now)


def _clear(binding: Binding, remote: Remote, *, deleting: bool = False) -> Action | None:
    """Return what removes the copy, or None when it is proved gone: no Job, no pod, no create in flight."""
    if not remote.offer_exists or remote.absent:
        return None  # an offer's own finalizer leaves only after all its copies were proved gone
    if not remote.reachable:
        return Wait()
    if remote.job is not None:
        if _number(remote.job, binding) > binding.attempt and not (deleting and remote.current):
            return _newer(remote)
        return Wait() if remote.job.metadata.deletion_timestamp else Remove(remote.job.metadata.uid)
    return Sweep() if remote.pods else Confirm()


def _newer(remote: Remote) -> Action:
    """A copy of a later attempt than the hub knows: we are stale, or the hub was set back. Nothing is done to it."""
    return Wait(STALE_MILLIS) if remote.current else Refresh()


def _let_go(job: JobRecord, times: Times) -> Status:
    """The attempt is over and nothing of it is left: free the binding."""
    newest = job_status.last_attempt(job.status) or {}
    reason = str(newest.get("reason") or "AttemptEnded")
    message = f"Attempt {newest.get('number')} ended: {newest.get('outcome')}."
    event = Event.SUSPENDED if job.suspend else Event.REQUEUED
    return job_status.released(job.status, event, reason=reason, message=message, at=times.now)


def _follow(job: JobRecord, remote: Remote, times: Times) -> Action:
    """An attempt is under way."""
    binding = job.binding
    assert binding is not None
    if not remote.reachable:
        return Wait()
    if remote.job is None:
        if binding.remote_uid is None and not remote.seen:
            late = job.phase is Phase.BOUND and _start_deadline(job) <= times.now
            return Patch(_after(job, _late(times), times)) if late else Create()
        return Patch(_after(job, _lost(times), times)) if remote.job_absent or remote.absent else Confirm()
    number = _number(remote.job, binding)
    if number != binding.attempt:
        return _newer(remote) if number > binding.attempt else _clear(binding, remote) or Wait()
    late = job.phase is Phase.BOUND and _start_deadline(job) <= times.now
    unstarted = job.phase is Phase.BOUND and remote.job.status.start_time is None
    waits = remote.job.spec.suspend and not in_queue(remote.job.metadata.labels)
    if waits and unstarted and not remote.job.metadata.deletion_timestamp and not late:
        return Start(remote.job)
    assert remote.observation is not None
    if remote.observation.state.final and not remote.observation.proved and remote.final_for < PROOF_MILLIS:
        return Wait(500)  # the pods' watch may still bring the one that shows why
    return _mirror(job, Look(remote.job, remote.observation, remote.still_for), times)


def _mirror(job: JobRecord, look: Look, times: Times) -> Action:
    copy, seen = look.copy, look.seen
    if copy.spec.suspend and copy.status.start_time is not None:
        seen = replace(seen, reason="SuspendedByMember", message="The member suspended the job after it had started.")
    ending = _ending(seen, times)
    if ending is not None:
        return Patch(_after(job, ending, times, look=look))
    status = job_status.with_remote(job.status, _summary(seen, times), copy.metadata.uid)
    if job.phase is Phase.BOUND and seen.whole:
        return Patch(job_status.running(status, at=times.now))
    longer = _longer_deadline(job, copy)
    if longer is not None:
        return Extend(copy, longer)
    left = _start_deadline(job) - times.now
    if job.phase is Phase.BOUND and left <= 0:
        return Patch(_after(job, _late(times, seen.message), times, look=look))
    due = _counters_due(job, status, times, still_for=look.still_for)
    if due is not None and due <= 0:
        return Patch(status)
    waits = (due, left if job.phase is Phase.BOUND else None)
    return Wait(min((wait for wait in waits if wait is not None), default=None))


def _counters_due(job: JobRecord, status: Status, times: Times, *, still_for: int) -> int | None:
    """Return in how many milliseconds to write what was counted; None where nothing changed. A new reason is shown at once.

    Counts are written only once they stand still: pods that end are mostly the last but one word, the Job's result follows.
    """
    told, seen = job.status.get("remote") or {}, status["remote"]
    if _same_counters(told, seen):
        return None
    news = seen.get("reason") and seen.get("reason") != told.get("reason")
    return 0 if news else max(times.last_write + times.counters - times.now, min(SETTLE_MILLIS, times.counters) - still_for)


def _same_counters(old: dict[str, object], new: dict[str, object]) -> bool:
    return {k: v for k, v in old.items() if k != "observedAt"} == {k: v for k, v in new.items() if k != "observedAt"}


def _after(job: JobRecord, ending: Ending, times: Times, *, look: Look | None = None) -> Status:
    """Return the status with the end of the attempt, and of the job where no other attempt may follow."""
    status = job.status
    if look is not None:
        status = job_status.with_remote(status, _summary(look.seen, times), look.copy.metadata.uid)
        if job.phase is Phase.BOUND and ending.outcome in (Outcome.SUCCEEDED, Outcome.APP_FAILED):
            status = job_status.running(status, at=min(look.seen.started_at or times.now, times.now))
    restarts = int(status.get("restarts", 0))
    status = job_status.attempt_ended(status, ending)
    if ending.outcome is Outcome.SUCCEEDED:
        return job_status.finished(status, Event.SUCCEEDED, reason="Completed", message="", at=ending.ended_at)
    allowed = job.spec.retry.max_restarts if job.spec else 0
    final = ending.reason == "DeadlineExceeded" or (ending.outcome in (Outcome.APP_FAILED, Outcome.LOST) and restarts >= allowed)
    if final or not _retries_on_hub(job, ending):
        return job_status.finished(status, Event.FAILED, reason=ending.reason, message=ending.message, at=ending.ended_at)
    return status


def _retries_on_hub(job: JobRecord, ending: Ending) -> bool:
    """A sweep's members are retried by index on the member; its failure there is final."""
    return ending.outcome is not Outcome.APP_FAILED or job.spec is None or job.spec.gang


def _ending(seen: Observation, times: Times) -> Ending | None:
    outcome = _OUTCOMES.get(seen.state)
    if outcome is None:
        return None
    at = min(seen.ended_at or times.now, times.now)
    return Ending(outcome=outcome, reason=seen.reason or str(outcome), message=seen.message, exit_code=seen.exit_code, ended_at=at)


_OUTCOMES = {
    State.SUCCEEDED: Outcome.SUCCEEDED,
    State.APP_FAILED: Outcome.APP_FAILED,
    State.DISRUPTED: Outcome.DISRUPTED,
    State.DEADLINE_EXCEEDED: Outcome.APP_FAILED,
}


def _late(times: Times, message: str = "") -> Ending:
    return Ending(outcome=Outcome.REJECTED, reason="StartDeadlineExceeded", message=message, ended_at=times.now)


def _lost(times: Times) -> Ending:
    message = "The copy vanished from the member before its end was seen."
    return Ending(outcome=Outcome.LOST, reason="RemoteLost", message=message, ended_at=times.now)


def _summary(seen: Observation, times: Times) -> dict[str, object]:
    counts = {"active": seen.active, "ready": seen.ready, "succeeded": seen.succeeded, "failed": seen.failed, "pending": seen.pending}
    words = {"reason": seen.reason or None, "message": seen.message or None, "exitCode": seen.exit_code}
    return {**counts, **words, "observedAt": job_status.to_rfc3339(times.now)}


def _start_deadline(job: JobRecord) -> int:
    binding = job.binding
    seconds = job.spec.start_deadline_seconds if job.spec else 0
    return (binding.bound_at if binding else 0) + seconds * 1000


def _longer_deadline(job: JobRecord, copy: RemoteJob) -> int | None:
    """Return the deadline to set on the member where the user gave the bound job a longer one."""
    binding = job.binding
    if job.spec is None or binding is None or _overridden(job.spec.alternatives, binding.alternative):
        return None
    wanted = job.spec.active_deadline_seconds
    current = copy.spec.active_deadline_seconds
    return wanted if wanted is not None and current is not None and wanted > current else None


def _overridden(alternatives: Sequence[Alternative], chosen: int | None) -> bool:
    return chosen is not None and alternatives[chosen].active_deadline_seconds is not None
