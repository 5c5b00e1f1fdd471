"""The life of a job as a table: in each stage the first rule that applies names the next action. Pure; docs/lifecycle.md is drawn from it.

A rule says in words when it applies and what it does, and with functions how; tests hold both against each other.
Must never live here: how an action is carried out (executor), and when one that failed is tried again (decide).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.lifecycle import steps
from sampan.controller.reconcile.lifecycle.situation import Situation, Stage
from sampan.controller.reconcile.lifecycle.waiting import is_overdue, is_unfit
from sampan.model.status.generation import is_refusal_outdated
from sampan.model.status.reasons import JobConditionType, JobReason

STALE_MILLIS: Final = 30_000
"""How long to wait before a copy from the future is looked at again."""
MAX_TRIES: Final = 4
"""Calls that fail or come to nothing before another pool is tried."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is next in some stages, where it applies."""

    stages: tuple[Stage, ...]
    when: str
    applies: Callable[[Situation], object]
    action: type[a.Action]
    what: str
    """What the action does here, or what is waited for."""
    does: Callable[[Situation], a.Action]
    to: tuple[Stage, ...] = ()
    """The stages that the action leads to; none: whatever is seen next."""


def rule_of(situation: Situation) -> Rule:
    """Return the first rule of the stage that applies."""
    return next(rule for rule in BY_STAGE[situation.stage] if rule.applies(situation))


def _always(_: Situation) -> bool:
    return True


def _is_suspended(s: Situation) -> bool:
    return s.job.suspend


def _is_exhausted(s: Situation) -> bool:
    return s.job.exhausted


def _is_whole(s: Situation) -> bool:
    return s.explained.whole


def _create_is_late(s: Situation) -> bool:
    return _never_seen(s) and s.late


def _wait_long(_: Situation) -> a.Action:
    return a.Wait(STALE_MILLIS)


def _wait_as_tombstone(s: Situation) -> a.Action:
    return a.Wait(_tombstone(s))


def _remains(s: Situation) -> bool:
    return s.remote.job is not None or s.remote.pods > 0


def _left(s: Situation) -> bool:
    """Tell whether something of the attempt may be left that is to go."""
    return s.job.binding is not None and not s.gone and (s.stage is not Stage.FINISHED or _remains(s))


def _tombstone(s: Situation) -> int:
    return (s.job.status.finished_at or 0) + s.times.tombstone - s.times.now


def _is_kept(s: Situation) -> bool:
    return _remains(s) and _tombstone(s) > 0 and not s.remote.offer_draining


def _until_expiry(s: Situation) -> int | None:
    ttl = s.job.spec.ttl_seconds_after_finished if s.job.spec else None
    return None if ttl is None else max((s.job.status.finished_at or 0) + ttl * 1000 - s.times.now, 0)


def _problem_is_news(s: Situation) -> bool:
    told = s.job.status.condition(JobConditionType.SCHEDULED)
    same = told is not None and (told.reason, told.message) == (JobReason.INVALID_SPEC, s.job.problem[:256])
    return bool(s.job.problem) and (not same or is_refusal_outdated(s.job.status, s.job.generation))


def _may_be_sent(s: Situation) -> bool:
    return s.remote.offer_exists and not s.late


def _said_absent(s: Situation) -> bool:
    return s.remote.job_absent or s.remote.absent


def _counters_are_due(s: Situation) -> bool:
    return s.counters is not None and s.counters <= 0


def _left_unseen(s: Situation) -> bool:
    return _left(s) and not s.remote.reachable


def _is_later(s: Situation) -> bool:
    """Tell whether a copy of a later attempt is there: we are stale, or the hub was set back."""
    return (_left(s) or s.stage is Stage.OTHER_COPY) and s.is_later_copy


def _later_unread(s: Situation) -> bool:
    return _is_later(s) and not s.remote.current


def _copy_is_left(s: Situation) -> bool:
    return _left(s) and s.remote.job is not None


def _copy_is_going(s: Situation) -> bool:
    return _copy_is_left(s) and _is_going(s)


def _is_going(s: Situation) -> bool:
    return s.copy.metadata.deletion_timestamp is not None


def _kept_out(s: Situation) -> bool:
    """Tell whether nothing of the attempt can be on the member, because an older copy is in its place that was deleted and stays."""
    return s.remote.never_sent and s.remote.job is not None and s.copy_attempt < s.binding.attempt and _is_going(s)


def _result_unproved(s: Situation) -> bool:
    return _had_result(s) and s.unproved


def _failure_unproved(s: Situation) -> bool:
    return s.seen.state.final and s.unproved


def _create_gave_up(s: Situation) -> bool:
    return _never_seen(s) and s.created is not None and bool(s.created.reason) and s.created.times >= MAX_TRIES


def _never_seen(s: Situation) -> bool:
    return s.binding.remote_uid is None and not s.remote.seen_before


def _had_result(s: Situation) -> bool:
    return s.remote.ended is not None and s.remote.observation is not None


def _start_is_due(s: Situation) -> bool:
    tried = s.started
    return s.needs_start and (tried is None or not (tried.remaining(s.times.now) or tried.times >= MAX_TRIES))


def _start_gave_up(s: Situation) -> bool:
    tried = s.started
    return tried is not None and tried.times >= MAX_TRIES and bool(tried.reason or not tried.remaining(s.times.now))


def _extension_is_due(s: Situation) -> bool:
    return s.longer_deadline is not None and (s.extended is None or not s.extended.remaining(s.times.now))


WAITING, SUSPENDED, FINISHED, DELETING = (Stage.WAITING,), (Stage.SUSPENDED,), (Stage.FINISHED,), (Stage.DELETING,)
UNREACHABLE, NO_COPY, OTHER_COPY = (Stage.UNREACHABLE,), (Stage.NO_COPY,), (Stage.OTHER_COPY,)
STARTING, RUNNING, REMOVING = (Stage.STARTING,), (Stage.RUNNING,), (Stage.REMOVING,)
COPY: Final = (Stage.STARTING, Stage.RUNNING)
OPEN: Final = (Stage.UNREACHABLE, Stage.NO_COPY, Stage.OTHER_COPY, *COPY)
"""An attempt that has not ended."""
CALLED: Final = (Stage.UNREACHABLE, Stage.NO_COPY, Stage.STARTING)
"""A create or a start may just have been refused."""
REMOVAL: Final = (Stage.OTHER_COPY, Stage.REMOVING, Stage.FINISHED, Stage.DELETING)
"""A copy is to go."""
KEPT: Final = (Stage.OTHER_COPY, Stage.REMOVING, Stage.FINISHED)
"""The same, unless the user deleted the job: then a copy goes whatever its attempt."""
COPY_LEFT: Final = (Stage.REMOVING, Stage.FINISHED, Stage.DELETING)
"""The attempt is over, and what is left of it is to go."""
LEAVING: Final = (Stage.REMOVING, Stage.DELETING)
"""The same, and it must be proved that nothing is left: a finished job does not wait for that."""
UNBOUND: Final = (Stage.WAITING, Stage.SUSPENDED)
ENDED: Final = (Stage.REMOVING, Stage.FINISHED)
"""Where the end of an attempt leads: to another one, or to the job's end."""
RULES: Final = (
    Rule(WAITING, "`spec.suspend` is true", _is_suspended, a.Patch, "say so", steps.suspend, SUSPENDED),
    Rule(WAITING, "all alternatives were rejected too often", _is_exhausted, a.Patch, "the job failed", steps.fail_exhausted, FINISHED),
    Rule(WAITING, "the spec cannot be read, and that is news", _problem_is_news, a.Patch, "say so", steps.tell_problem, WAITING),
    Rule(WAITING, "it never fits, and `onNeverFits` is Fail", is_unfit, a.Patch, "the job failed", steps.fail_unfit, FINISHED),
    Rule(WAITING, "it waits longer than `maxWaitSeconds`", is_overdue, a.Patch, "the job failed", steps.fail_overdue, FINISHED),
    Rule(WAITING, "otherwise", _always, a.Wait, "the scheduler finds a place", steps.wait_for_place),
    Rule(SUSPENDED, "`spec.suspend` is true", _is_suspended, a.Wait, "the user lets it go on", steps.wait),
    Rule(SUSPENDED, "otherwise", _always, a.Patch, "the job waits again", steps.resume, WAITING),
    Rule(OPEN, "`spec.suspend` is true", _is_suspended, a.Patch, "the attempt was cancelled", steps.cancel, REMOVING),
    Rule(CALLED, "the member refused to make or start it", lambda s: s.remote.rejection, a.Patch, "rejected", steps.end_refused, ENDED),
    Rule(UNREACHABLE, "a copy may be there", lambda s: not s.remote.unsent, a.Wait, "the member is back", steps.wait),
    Rule(UNREACHABLE, "it is not late, and its offer is there", _may_be_sent, a.Wait, "until it is late", lambda s: a.Wait(s.until_late)),
    Rule(UNREACHABLE, "otherwise", _always, a.Patch, "rejected, as nothing was sent", steps.end_unsent, REMOVING),
    Rule(NO_COPY, "it went with a result that a pod may yet explain", _result_unproved, a.Wait, "that pod, for 3 s", steps.wait_for_proof),
    Rule(NO_COPY, "it went with a result", _had_result, a.Patch, "the attempt ended so", steps.end_seen, ENDED),
    Rule(NO_COPY, "it was never there, and is late", _create_is_late, a.Patch, "rejected", steps.end_late_create, ENDED),
    Rule(NO_COPY, "it was never there, and the create failed 4 times", _create_gave_up, a.Patch, "rejected", steps.end_uncreated, ENDED),
    Rule(NO_COPY, "it was never there", _never_seen, a.Create, "make it, or adopt it", lambda _: a.Create(), STARTING),
    Rule(NO_COPY, "the member itself says that it is gone", _said_absent, a.Patch, "the attempt was lost", steps.end_lost, ENDED),
    Rule(NO_COPY, "otherwise", _always, a.Confirm, "ask the member itself", lambda _: a.Confirm()),
    Rule(STARTING, "its start is ours, and due", _start_is_due, a.Start, "make what it needs, lift its suspension", steps.start),
    Rule(STARTING, "its start failed or was undone 4 times", _start_gave_up, a.Patch, "rejected", steps.end_unstarted, ENDED),
    Rule(COPY, "it failed, and a pod may yet explain why", _failure_unproved, a.Wait, "that pod, for 3 s", steps.wait_for_proof),
    Rule(COPY, "it has a result", lambda s: s.ending is not None, a.Patch, "the attempt ended so", steps.end_seen, ENDED),
    Rule(STARTING, "the gang is whole, or one of a sweep runs", _is_whole, a.Patch, "it runs", steps.begin_running, RUNNING),
    Rule(COPY, "the user gave it a longer deadline", _extension_is_due, a.Extend, "give it to the copy", steps.extend),
    Rule(STARTING, "it is late", lambda s: s.until_late <= 0, a.Patch, "rejected", steps.end_late, ENDED),
    Rule(
        STARTING, "it cannot start as it is, for too long", lambda s: s.until_given_up == 0, a.Patch, "rejected", steps.end_blocked, ENDED
    ),
    Rule(
        STARTING, "nothing tells why it does not start", lambda s: s.inquiry == 0, a.Inquire, "ask the events", lambda s: a.Inquire(s.copy)
    ),
    Rule(COPY, "what is told of it is due", _counters_are_due, a.Patch, "its counts and words", lambda s: a.Patch(s.mirrored)),
    Rule(COPY, "otherwise", _always, a.Wait, "until the first of these may hold", steps.wait_for_news),
    Rule(
        FINISHED,
        "something is left, and kept for a while",
        _is_kept,
        a.Wait,
        "that time",
        _wait_as_tombstone,
    ),
    Rule(DELETING, "our finalizer is off", lambda s: not s.job.has_finalizer, a.Wait, "others take theirs off", steps.wait),
    Rule(LEAVING, "something may be left on a member that cannot be looked at", _left_unseen, a.Wait, "the member is back", steps.wait),
    Rule(REMOVAL, "a copy of a later attempt than the hub knows", _later_unread, a.Refresh, "read the hub again", lambda _: a.Refresh()),
    Rule(
        KEPT,
        "the hub was read again, and does not know of that attempt either",
        _is_later,
        a.Wait,
        "30 s, and nothing is done to the copy",
        _wait_long,
    ),
    Rule(OTHER_COPY, "it is late", lambda s: s.late, a.Patch, "rejected, as an older copy keeps its place", steps.end_kept_out, ENDED),
    Rule(OTHER_COPY, "the older copy is being deleted", _is_going, a.Wait, "its end, until it is late", steps.wait_for_older),
    Rule(OTHER_COPY, "otherwise", _always, a.Remove, "delete the older copy: Foreground, by UID", lambda s: a.Remove(s.copy.metadata.uid)),
    Rule(
        REMOVING,
        "nothing was sent, as an older copy kept its place",
        _kept_out,
        a.Patch,
        "the binding is freed",
        steps.release_binding,
        UNBOUND,
    ),
    Rule(COPY_LEFT, "the copy is being deleted", _copy_is_going, a.Wait, "its end", steps.wait),
    Rule(COPY_LEFT, "a copy is there", _copy_is_left, a.Remove, "delete it: Foreground, by UID", lambda s: a.Remove(s.copy.metadata.uid)),
    Rule(COPY_LEFT, "pods are there", lambda s: _left(s) and s.remote.pods, a.Sweep, "delete what outlived its Job", lambda _: a.Sweep()),
    Rule(LEAVING, "something may be left", _left, a.Confirm, "ask the member itself", lambda _: a.Confirm()),
    Rule(
        REMOVING,
        "otherwise, as nothing is left",
        _always,
        a.Patch,
        "the binding is freed",
        steps.release_binding,
        UNBOUND,
    ),
    Rule(FINISHED, "something is still shown", _remains, a.Wait, "its end", steps.wait),
    Rule(FINISHED, "it has no ttl", lambda s: _until_expiry(s) is None, a.Wait, "the user deletes it", steps.wait),
    Rule(FINISHED, "its ttl is over", lambda s: _until_expiry(s) == 0, a.Expire, "delete the job", lambda _: a.Expire(), DELETING),
    Rule(FINISHED, "otherwise", _always, a.Wait, "the ttl", lambda s: a.Wait(_until_expiry(s))),
    Rule(DELETING, "otherwise, as nothing is left", _always, a.Release, "take the finalizer off", lambda _: a.Release()),
)
"""In order: within a stage the first that applies counts, and the last always does."""
BY_STAGE: Final = {stage: tuple(rule for rule in RULES if stage in rule.stages) for stage in Stage}
