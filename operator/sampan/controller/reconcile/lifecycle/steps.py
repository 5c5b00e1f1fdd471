"""What the rules of a job's life do: each step names one action, mostly the write of the next status. Pure: `table` says when.

Must never live here: when a step is taken, and how its action is carried out (executor).
"""

from typing import Final

from sampan.controller.reconcile.actions import Action, Extend, Patch, Start, Wait
from sampan.controller.reconcile.endings import (
    blocked_ending,
    given_up_ending,
    late_ending,
    lost_ending,
    unsent_ending,
    with_ending,
)
from sampan.controller.reconcile.lifecycle.situation import Situation, Stage
from sampan.controller.reconcile.lifecycle.waiting import exhausted, unfit, waited_too_long, waits_until
from sampan.controller.reconcile.mirror import blocked_removal, summary
from sampan.kube.text import clean_text
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, JobReason

PROOF_LOOK_MILLIS: Final = 500
"""How long to wait before the pod that explains a failure is looked for again."""


def wait(_: Situation) -> Action:
    """Wait for a change."""
    return Wait()


def wait_for_proof(_: Situation) -> Action:
    """Wait a moment for the pod that explains a failure: its watch may still bring it."""
    return Wait(PROOF_LOOK_MILLIS)


def suspend(s: Situation) -> Action:
    """Say that the user suspended a job that waits."""
    return Patch(s.job.status.suspended(at=s.times.now))


def resume(s: Situation) -> Action:
    """Let a suspended job wait for a place again."""
    return Patch(s.job.status.resumed(at=s.times.now))


def tell_problem(s: Situation) -> Action:
    """Say that the spec cannot be read, and why."""
    return Patch(s.job.status.refused(reason=JobReason.INVALID_SPEC, message=s.job.problem[:256], at=s.times.now))


def fail_exhausted(s: Situation) -> Action:
    """End a waiting job whose alternatives are all closed."""
    return Patch(exhausted(s.job, s.times.now))


def fail_unfit(s: Situation) -> Action:
    """End a waiting job that no pool would take."""
    return Patch(unfit(s.job, s.times.now))


def fail_overdue(s: Situation) -> Action:
    """End a job that waited for longer than it may."""
    return Patch(waited_too_long(s.job, s.times.now))


def wait_for_place(s: Situation) -> Action:
    """Wait for a plan, and no longer than the job may wait."""
    until = waits_until(s.job)
    return Wait(None if until is None else max(until - s.times.now, 0))


def cancel(s: Situation) -> Action:
    """End the attempt of a job that its user suspended."""
    ending = Ending(outcome=Outcome.CANCELLED, reason=JobReason.SUSPENDED_BY_USER, ended_at=s.times.now)
    return Patch(s.job.status.attempt_ended(ending))


def release_binding(s: Situation) -> Action:
    """Free the binding: the attempt is over, and nothing of it is left."""
    newest = s.job.status.last_attempt
    assert newest is not None  # it was open once, and is no longer
    words = ": ".join(filter(None, (f"attempt {newest.number} ended: {newest.outcome}", newest.message)))
    reason, message = newest.reason or JobReason.ATTEMPT_ENDED, clean_text(words, 512)
    event = Event.SUSPENDED if s.job.suspend else Event.REQUEUED
    return Patch(s.job.status.released(event, reason=reason, message=message, at=s.times.now))


def end_unsent(s: Situation) -> Action:
    """End an attempt of which nothing was sent."""
    return _ended(s, unsent_ending(s.times.now, offer_exists=s.remote.offer_exists))


def end_refused(s: Situation) -> Action:
    """End an attempt whose copy the member refused to make or to start, so that the job goes elsewhere."""
    assert s.remote.rejection is not None
    return _ended(s, s.remote.rejection)


def end_uncreated(s: Situation) -> Action:
    """End an attempt whose copy could not be created, because the member failed too often."""
    assert s.created is not None
    return _ended(s, given_up_ending(s.created, s.times.now))


def end_unstarted(s: Situation) -> Action:
    """End an attempt whose copy could not be started, because that failed or was undone too often."""
    assert s.started is not None
    return _ended(s, given_up_ending(s.started, s.times.now))


def end_late_create(s: Situation) -> Action:
    """End an attempt whose copy could not be created in time."""
    return _ended(s, late_ending(s.job, s.times.now, tried=s.created))


def end_kept_out(s: Situation) -> Action:
    """End an attempt whose place an older copy kept for too long, with what holds that."""
    held = blocked_removal(s.job, s.remote, s.times)
    words = "an older copy of the job is still in its place on the member" if held is None else held.message
    reason = NO_WORD if held is None else held.reason
    return _ended(s, late_ending(s.job, s.times.now, reason=reason, message=words))


def wait_for_older(s: Situation) -> Action:
    """Wait for the end of an older copy, and no longer than until the attempt is late."""
    return Wait(s.until_late if s.job.phase is Phase.BOUND and s.until_late > 0 else None)


def end_late(s: Situation) -> Action:
    """End an attempt whose copy did not start in time, with what held it up."""
    ending = late_ending(s.job, s.times.now, reason=s.explained.reason, message=s.explained.message)
    return Patch(with_ending(s.job, ending, s.mirrored))


def end_blocked(s: Situation) -> Action:
    """End an attempt whose copy cannot start as it is, with the member's words."""
    assert s.blocker is not None
    ending = blocked_ending(s.blocker, s.explained, s.times.now, grace=s.times.start_grace)
    return Patch(with_ending(s.job, ending, s.mirrored))


def end_lost(s: Situation) -> Action:
    """End an attempt whose copy vanished."""
    return _ended(s, lost_ending(s.times.now))


def end_seen(s: Situation) -> Action:
    """End an attempt as the member told, be the copy gone by now: its result counts, whoever cleaned up."""
    if s.ending is None:
        return end_lost(s)
    return Patch(_with_end(s, s.ending))


def begin_running(s: Situation) -> Action:
    """Say that the job runs."""
    return Patch(s.mirrored.running(at=s.times.now))


def start(s: Situation) -> Action:
    """Make what the copy needs, then lift its suspension."""
    return Start(s.copy)


def extend(s: Situation) -> Action:
    """Give the running copy its longer deadline."""
    assert s.longer_deadline is not None
    return Extend(s.copy, s.longer_deadline)


def wait_for_news(s: Situation) -> Action:
    """Wait until what is seen is to be told, the start is late, a call is to be tried again, or the events are to be asked."""
    again = s.remote.tried("Start", s.copy.metadata.uid) or s.extended
    starting = s.until_late if s.stage is Stage.STARTING else None
    given_up = s.until_given_up if s.stage is Stage.STARTING else None
    waits = (s.counters, starting, given_up, (again.remaining(s.times.now) or None) if again else None, s.inquiry)
    return Wait(min((wait for wait in waits if wait is not None), default=None))


def _ended(s: Situation, ending: Ending) -> Action:
    return Patch(with_ending(s.job, ending))


def _with_end(s: Situation, ending: Ending) -> JobStatus:
    """Return the status with what was seen last, and the end of the attempt."""
    job, now, copy = s.job, s.times.now, s.remote.job or s.remote.ended
    assert copy is not None
    status = job.status.seen(summary(job, s.seen, s.times), copy.metadata.uid, at=now)
    if job.phase is Phase.BOUND and ending.outcome in (Outcome.SUCCEEDED, Outcome.APP_FAILED):
        began = max(s.seen.started_at or now, s.binding.bound_at)
        status = status.running(at=min(began, now))  # clocks differ
    return with_ending(job, ending, status)
