"""What is told of a copy, and when that is worth a write: news soon, the same never."""

from dataclasses import replace
from typing import Any

from jobs import NOW, binding, blocked_copy, bound_status, copy, record, shown
from sampan.controller.observation.attempt import AttemptState, Observation
from sampan.controller.reconcile.actions import Extend, Patch, Times, Wait
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.mirror import (
    INQUIRE_MILLIS,
    NEWS_MILLIS,
    OVERDUE_MILLIS,
    PATIENT_MILLIS,
    CopyView,
    blocked_removal,
    counters_due,
    explained,
    inquiry_due,
    summary,
    with_failure,
)
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, MemberWord, stated_reason

TIMES = Times(now=NOW, tombstone=30_000, counters=15_000, last_write=NOW - 1_000)
FAILING = RetryState(
    target="1",
    times=2,
    since=NOW - 1_000,
    not_before=NOW + 1_000,
    reason=AttemptReason.WEBHOOK_FAILED,
    message="dial tcp 10.0.0.1:4711: refused",
)


def seen(reason: str = "", message: str = "", **kwargs: Any) -> Observation:
    """Return an observation of a copy that waits."""
    counts = {"active": 1, "ready": 0, "succeeded": 0, "failed": 0, "pending": 1}
    return Observation(state=AttemptState.WAITING, whole=False, reason=stated_reason(reason), message=message, **{**counts, **kwargs})


def told(reason: str = "", message: str = "") -> JobStatus:
    """The status of a bound job of which this is told."""
    return bound_status().seen(summary(record(status=bound_status()), seen(reason, message), TIMES), None, at=NOW)


def due(status: JobStatus, *what: str, last_write: int = NOW - 1_000) -> int | None:
    """In how many milliseconds an observation is written."""
    job, times = record(status=status), Times(now=NOW, tombstone=0, counters=15_000, last_write=last_write)
    return counters_due(job, summary(job, seen(*what), times), times, still_for=0)


def test_what_holds_up_a_start_is_told_at_once_and_in_a_condition() -> None:
    assert due(bound_status(), "Unschedulable", "0/4 nodes") == 0
    (_, running) = shown(told("Unschedulable", "0/4 nodes"))["conditions"]
    assert (running["type"], running["status"], running["reason"], running["message"]) == ("Running", "False", "Unschedulable", "0/4 nodes")


def test_a_longer_deadline_waits_for_the_start_where_that_is_ours() -> None:
    tried = {"Start": RetryState(target="remote-1", times=1, since=NOW, not_before=NOW + 1_000)}
    job = record(status=bound_status(), spec={"activeDeadlineSeconds": 600})
    ours, queued = (copy(suspend=True, deadline=300, queue=queue) for queue in ("", "q"))
    assert decide(job, RemoteState(reachable=True, job=ours, observation=seen(), tries=tried), TIMES) == Wait(1_000)
    assert decide(job, RemoteState(reachable=True, job=queued, observation=seen()), TIMES) == Extend(queued, 600)


def test_the_same_with_other_numbers_is_not_written_again() -> None:
    assert due(told("Unschedulable", "0/4 nodes, 12:00"), "Unschedulable", "0/5 nodes, 12:01") is None
    assert due(told("ImagePullBackOff", "back-off"), "ErrImagePull", "no such host") is None, "a kubelet says both in turn"


def test_whoever_changes_its_mind_all_the_time_is_not_followed() -> None:
    assert due(told("Unschedulable", "0/4 nodes"), "ErrImagePull", "no such host") == NEWS_MILLIS - 1_000
    assert due(told("Unschedulable", "0/4 nodes"), "ErrImagePull", "no such host", last_write=NOW - 60_000) == 0


def test_a_stall_that_is_over_is_taken_back_in_its_time() -> None:
    status = told("Unschedulable", "0/4 nodes")
    job = record(status=status)
    assert due(status) == 14_000
    free = status.seen(summary(job, seen(), TIMES), None, at=NOW)
    running = next(c for c in shown(free)["conditions"] if c["type"] == "Running")
    assert (running["status"], running["reason"], running["message"]) == ("False", "NotStarted", "")


def test_a_failing_call_is_told_once_it_is_no_chance_and_not_with_every_port() -> None:
    job = record(status=bound_status())
    assert (
        with_failure(job, RetryState(target="1", times=1, since=NOW - 1_000, not_before=NOW + 500, reason=MemberWord("X")), TIMES) is None
    )
    assert (
        with_failure(job, RetryState(target="1", times=1, since=NOW - 9_000, not_before=NOW + 500, reason=MemberWord("X")), TIMES)
        is not None
    ), "a slow one"
    assert with_failure(job, RetryState(target="1", times=3, since=NOW, not_before=NOW + 500), TIMES) is None, "nothing failed"
    status = with_failure(job, FAILING, TIMES)
    assert status is not None
    assert (status.reason, status.message) == ("WebhookFailed", FAILING.message)
    other_port = RetryState(
        target="1", times=3, since=NOW, not_before=NOW, reason=AttemptReason.WEBHOOK_FAILED, message="dial tcp 10.0.0.1:4712: refused"
    )
    assert with_failure(record(status=status), other_port, TIMES) is None


def test_the_end_of_a_job_is_not_talked_over() -> None:
    failed = bound_status().finished(Event.FAILED, reason=AttemptReason.ERROR, message="loss is NaN", at=NOW)
    assert with_failure(record(status=failed), FAILING, TIMES) is None


def bound_for(millis: int) -> JobRecord:
    """A job that has been bound for so long."""
    return record(status=bound_status(binding(bound_at=NOW - millis)))


def asked(millis: int, look: Observation, **kwargs: Any) -> int | None:
    """In how many milliseconds the member's events are asked for."""
    return inquiry_due(bound_for(millis), CopyView(copy(), look, 0), RemoteState(observation=look, **kwargs), times=TIMES)


def test_events_are_asked_for_only_where_nothing_else_tells_why_a_job_does_not_start() -> None:
    assert asked(1_000, seen()) == INQUIRE_MILLIS - 1_000
    assert asked(INQUIRE_MILLIS, seen()) == 0
    assert asked(INQUIRE_MILLIS, seen("NoPods", "no pod yet")) == 0
    assert asked(INQUIRE_MILLIS, seen("ErrImagePull", "no such host")) is None
    told = seen("FailedMount", "no such Secret")
    assert inquiry_due(bound_for(60_000), CopyView(copy(), told, 0), RemoteState(observation=seen()), times=TIMES) == 0, (
        "what events told may be over"
    )
    just_now = {"Inquire": RetryState(target="remote-1", times=1, since=NOW, not_before=NOW + 4_000)}
    assert asked(60_000, seen(), tries=just_now) == 4_000
    runs = record(status=bound_status(running=True))
    assert inquiry_due(runs, CopyView(copy(), seen(), 0), RemoteState(observation=seen()), times=TIMES) is None


def test_a_job_that_does_not_start_always_says_why() -> None:
    late = bound_for(OVERDUE_MILLIS)
    mount = RemoteState(event=(MemberWord("FailedMount"), "no such Secret"))
    assert explained(late, seen(), mount, times=TIMES).reason == "FailedMount"
    assert explained(late, seen("ErrImagePull"), mount, times=TIMES).reason == "ErrImagePull", "the pods' own word is newer"
    assert explained(late, seen("NoPods", "x"), RemoteState(), times=TIMES).message == "x"
    assert explained(bound_for(OVERDUE_MILLIS - 1_000), seen(), RemoteState(), times=TIMES).reason == ""
    assert explained(late, seen(active=0), RemoteState(), times=TIMES).reason == "NoPods"
    assert explained(late, seen(pending=1), RemoteState(), times=TIMES).message.startswith("1 of 1 pods do not run yet")
    assert explained(late, seen(active=4, ready=3, pending=0), RemoteState(), times=TIMES).message == "3 of 4 pods are ready"


def test_a_member_that_has_jobs_run_one_after_the_other_is_given_time() -> None:
    busy = replace(TIMES, usual_start=20_000)
    late, later, latest = map(bound_for, (OVERDUE_MILLIS, 40_000, PATIENT_MILLIS))
    mount = RemoteState(event=(MemberWord("FailedMount"), "no such secret"))
    assert explained(late, seen(pending=1), RemoteState(), times=busy).reason == ""
    assert explained(late, seen("NoPods", "no pod yet"), RemoteState(), times=busy).reason == ""
    assert explained(late, seen("Unschedulable", "0/4 nodes"), RemoteState(), times=busy).reason == "Unschedulable", "the pods' own word"
    assert explained(late, seen("NoPods", "no pod yet"), mount, times=busy).reason == "FailedMount"
    assert explained(later, seen(pending=1), RemoteState(), times=busy).reason == "ContainersNotStarted"
    assert explained(latest, seen(pending=1), RemoteState(), times=replace(busy, usual_start=600_000)).reason == "ContainersNotStarted"
    words = record(
        status=bound_status(binding(bound_at=NOW - OVERDUE_MILLIS)).seen(summary(late, seen("NoPods", "x"), TIMES), None, at=NOW)
    )
    assert explained(words, seen(pending=1), RemoteState(), times=busy).reason == "ContainersNotStarted", "what was told is not taken back"
    look = CopyView(copy(), seen(), 0)
    assert inquiry_due(late, look, RemoteState(observation=seen()), times=busy) == 40_000 * 2 // 3 - OVERDUE_MILLIS
    hasty = record(status=bound_status(binding(bound_at=NOW - 5_000)), spec={"startDeadlineSeconds": 10})
    assert explained(hasty, seen("NoPods", "no pod yet"), RemoteState(), times=busy).reason == "NoPods", "told before the job is late"


def test_the_counts_of_pods_that_ended_wait_for_the_result_as_long_as_a_start_takes() -> None:
    job, ended = record(status=bound_status(running=True)), seen(active=0, pending=0, succeeded=1)
    times = replace(TIMES, last_write=NOW - 60_000)
    for usual, want in ((0, 15_000), (20_000, 40_000), (600_000, PATIENT_MILLIS)):
        busy = replace(times, usual_start=usual)
        assert counters_due(job, summary(job, ended, busy), busy, still_for=0) == want


def test_pods_that_came_and_do_not_run_yet_are_no_news_of_a_busy_member() -> None:
    job, times = record(status=bound_status()), replace(TIMES, last_write=NOW)
    for usual, want in ((0, 15_000), (20_000, 40_000), (600_000, PATIENT_MILLIS)):
        busy = replace(times, usual_start=usual)
        assert counters_due(job, summary(job, seen(), busy), busy, still_for=0) == want


def test_a_copy_that_is_deleted_and_stays_is_told_of_where_its_pods_are_gone() -> None:
    ended = record(status=bound_status().attempt_ended(Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("X"), ended_at=NOW)))
    told = blocked_removal(ended, RemoteState(job=blocked_copy("example.com/hold")), TIMES)
    assert told is not None
    assert "example.com/hold" in told.message
    action = decide(ended, RemoteState(reachable=True, job=blocked_copy("example.com/hold"), observation=seen()), TIMES)
    assert isinstance(action, Patch)
    assert (action.status.reason, action.status.phase) == ("RemovalBlocked", "Bound")
    assert blocked_removal(ended, RemoteState(job=blocked_copy("example.com/hold"), pods=1), TIMES) is None, "those are waited for"
    assert blocked_removal(ended, RemoteState(job=blocked_copy("foregroundDeletion")), TIMES) is None, "the server's own"
    assert blocked_removal(ended, RemoteState(job=copy()), TIMES) is None
    assert blocked_removal(record(status=bound_status()), RemoteState(job=blocked_copy("example.com/hold")), TIMES) is None, (
        "an attempt under way"
    )
