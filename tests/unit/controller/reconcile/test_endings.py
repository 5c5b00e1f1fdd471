"""What follows an attempt's end: another one, or the end of the job once no alternative is left."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, binding, bound_status, record, shown
from sampan.controller.reconcile.endings import given_up_ending, is_late, late_ending, lost_ending, suspended_words, with_ending
from sampan.controller.reconcile.lifecycle.waiting import exhausted
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, MemberWord, stated_reason

TWO = {"alternatives": [{"accelerator": {"vendor": vendor, "count": 1}} for vendor in ("nvidia", "amd")]}


def rejection(reason: str = "OutOfcpu", *, counted: bool = True) -> Ending:
    """A rejected attempt's end."""
    return Ending(outcome=Outcome.REJECTED, reason=stated_reason(reason), message="no room on the node", ended_at=NOW, counted=counted)


def bound(status: JobStatus, *, spec: dict[str, Any], alternative: int | None) -> JobRecord:
    """A job of which one more attempt is bound."""
    where = binding(attempt=status.attempts_seen + 1)
    again = status.bound(replace(where, alternative=alternative), (), generation=1)
    return record(status=again, spec=spec)


def freed(status: JobStatus) -> JobStatus:
    """The status once nothing of the attempt is left."""
    return status.released(Event.REQUEUED, reason=MemberWord("X"), message="", at=NOW)


def run(spec: dict[str, Any], *attempts: tuple[int | None, Ending]) -> JobStatus:
    """The status after these attempts."""
    status = JobStatus()
    for number, (alternative, ending) in enumerate(attempts):
        status = freed(status) if number else status
        status = with_ending(bound(status, spec=spec, alternative=alternative), ending)
    return status


def test_a_job_that_is_rejected_three_times_for_one_reason_has_failed_with_it() -> None:
    twice = run({}, (None, rejection()), (None, rejection()))
    assert twice.phase == "Bound"
    status = run({}, *((None, rejection()),) * 3)
    assert (status.phase, status.reason) == ("Failed", "OutOfcpu")
    assert status.message == "3 attempts were rejected, and no alternative is left: no room on the node"


def test_different_reasons_are_counted_apart_and_the_tenant_says_how_many() -> None:
    assert run({}, (None, rejection()), (None, rejection("Forbidden")), (None, rejection())).phase == "Bound"
    assert run({"retry": {"maxRejected": 1}}, (None, rejection())).phase == "Failed"


def test_an_alternative_is_closed_before_the_job_fails() -> None:
    status = run(TWO, *((0, rejection()),) * 3)
    assert status.phase == "Bound"
    assert record(status=freed(status), spec=TWO).closed == {0}
    status = run(TWO, *((0, rejection()),) * 3, *((1, rejection()),) * 3)
    assert status.phase == "Failed"
    assert str(status.message).startswith("3 attempts by alternatives[1] were rejected")


@pytest.mark.parametrize("ending", [rejection(counted=False), rejection("PoolGone"), rejection("ConfigMapNotFound")])
def test_what_says_nothing_about_the_alternative_closes_none(ending: Ending) -> None:
    assert run({}, *((None, ending),) * 6).phase == "Bound"


def test_an_alternative_that_ran_starts_afresh() -> None:
    status = run({}, (None, rejection()), (None, rejection()))
    ran = bound(freed(status), spec={}, alternative=None).status.running(at=NOW)
    assert ran.rejections == ()
    assert "rejections" not in shown(ran)


def test_a_sweep_that_failed_on_its_member_has_failed() -> None:
    ending = Ending(outcome=Outcome.APP_FAILED, reason=AttemptReason.ERROR, ended_at=NOW)
    retried = {"retry": {"maxRestarts": 3}}
    assert with_ending(bound(JobStatus(), spec=retried, alternative=None), ending).phase == "Bound"
    assert with_ending(bound(JobStatus(), spec={**retried, "gang": False}, alternative=None), ending).phase == "Failed"


def test_a_late_start_says_what_held_it_up() -> None:
    job = record(status=bound_status(), spec={"startDeadlineSeconds": 5})
    assert late_ending(job, NOW).message == "not started within startDeadlineSeconds (5 s)"
    full = late_ending(job, NOW, reason=MemberWord("Unschedulable"), message="0/4 nodes")
    assert (full.reason, full.message) == (
        "StartDeadlineExceeded",
        "not started within startDeadlineSeconds (5 s): Unschedulable: 0/4 nodes",
    )
    for word in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):  # kubelets say the first two in turn
        assert late_ending(job, NOW, reason=MemberWord(word)).reason == "ImageCannotBePulled"
    full_quota = late_ending(job, NOW, reason=MemberWord("FailedCreate"), message='pods "x" is forbidden: exceeded quota: q')
    assert (full_quota.reason, full_quota.counted) == ("StartDeadlineExceeded", False), "waiting alone may mend it"
    assert len(late_ending(job, NOW, reason=MemberWord("X"), message="y" * 999).message.encode()) <= 256


def test_the_start_deadline_is_for_jobs_that_have_not_started() -> None:
    status = bound_status(binding(bound_at=NOW - 20_000))
    assert is_late(record(status=status, spec={"startDeadlineSeconds": 10}), NOW)
    assert not is_late(record(status=status.running(at=NOW), spec={"startDeadlineSeconds": 10}), NOW)


def test_a_call_that_never_helped_ends_the_attempt_with_its_words() -> None:
    tried = RetryState(
        target="r", times=4, since=NOW, not_before=NOW, reason=AttemptReason.WEBHOOK_FAILED, message="connection refused", transient=True
    )
    ending = given_up_ending(tried, NOW)
    assert (ending.outcome, ending.reason, ending.message, ending.counted) == (
        Outcome.REJECTED,
        "WebhookFailed",
        "connection refused",
        False,
    )
    undone = given_up_ending(RetryState(target="r", times=4, since=NOW, not_before=NOW), NOW)
    assert (undone.reason, undone.message) == suspended_words()
    assert undone.counted


def test_a_lost_copy_counts_as_a_restart() -> None:
    job = record(status=bound_status(), spec={})
    assert with_ending(job, lost_ending(NOW)).phase == "Failed"


def test_a_waiting_job_with_nothing_left_has_failed_with_the_last_words() -> None:
    waiting = record(status=freed(run({}, (None, rejection()))), spec={"retry": {"maxRejected": 1}})
    assert not waiting.waits
    status = exhausted(waiting, NOW)
    assert (status.phase, status.reason) == ("Failed", "OutOfcpu")
    assert "no room on the node" in str(status.message)
