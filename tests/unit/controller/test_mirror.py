"""What is told of a copy, and when that is worth a write: news soon, the same never."""

from typing import Any

from jobs import NOW, bound_status, record
from sampan.api import status as s
from sampan.controller.actions import Times, Try
from sampan.controller.mirror import NEWS_MILLIS, counters_due, summary, troubled
from sampan.controller.observe import Observation, State
from sampan.model.lifecycle import Event

TIMES = Times(now=NOW, tombstone=30_000, counters=15_000, last_write=NOW - 1_000)
FAILING = Try(target="1", times=2, since=NOW - 1_000, again=NOW + 1_000, reason="WebhookFailed", message="dial tcp 10.0.0.1:4711: refused")


def seen(reason: str = "", message: str = "", **kwargs: Any) -> Observation:
    """Return an observation of a copy that waits."""
    counts = {"active": 1, "ready": 0, "succeeded": 0, "failed": 0, "pending": 1}
    return Observation(state=State.WAITING, whole=False, reason=reason, message=message, **{**counts, **kwargs})


def told(reason: str = "", message: str = "") -> s.Status:
    """The status of a bound job of which this is told."""
    return s.with_remote(bound_status(), summary(record(status=bound_status()), seen(reason, message), TIMES), None, at=NOW)


def due(status: s.Status, *what: str, last_write: int = NOW - 1_000) -> int | None:
    """In how many milliseconds an observation is written."""
    job, times = record(status=status), Times(now=NOW, tombstone=0, counters=15_000, last_write=last_write)
    return counters_due(job, s.with_remote(status, summary(job, seen(*what), times), None, at=NOW), times, still_for=0)


def test_what_holds_up_a_start_is_told_at_once_and_in_a_condition() -> None:
    assert due(bound_status(), "Unschedulable", "0/4 nodes") == 0
    (_, running) = told("Unschedulable", "0/4 nodes")["conditions"]
    assert (running["type"], running["status"], running["reason"], running["message"]) == ("Running", "False", "Unschedulable", "0/4 nodes")


def test_the_same_with_other_numbers_is_not_written_again() -> None:
    assert due(told("Unschedulable", "0/4 nodes, 12:00"), "Unschedulable", "0/5 nodes, 12:01") is None
    assert due(told("ImagePullBackOff", "back-off"), "ErrImagePull", "no such host") is None, "a kubelet says both in turn"


def test_whoever_changes_its_mind_all_the_time_is_not_followed() -> None:
    assert due(told("Unschedulable", "0/4 nodes"), "ErrImagePull", "no such host") == NEWS_MILLIS - 1_000
    assert due(told("Unschedulable", "0/4 nodes"), "ErrImagePull", "no such host", last_write=NOW - 60_000) == 0


def test_a_hold_up_that_is_over_is_taken_back_in_its_time() -> None:
    status = told("Unschedulable", "0/4 nodes")
    job = record(status=status)
    assert due(status) == 14_000
    free = s.with_remote(status, summary(job, seen(), TIMES), None, at=NOW)
    running = next(c for c in free["conditions"] if c["type"] == "Running")
    assert (running["status"], running["reason"], running["message"]) == ("False", "NotStarted", "")


def test_a_failing_call_is_told_once_it_is_no_chance_and_not_with_every_port() -> None:
    job = record(status=bound_status())
    assert troubled(job, Try(target="1", times=1, since=NOW - 1_000, again=NOW + 500, reason="X"), TIMES) is None
    assert troubled(job, Try(target="1", times=1, since=NOW - 9_000, again=NOW + 500, reason="X"), TIMES) is not None, "a slow one"
    assert troubled(job, Try(target="1", times=3, since=NOW, again=NOW + 500), TIMES) is None, "nothing failed"
    status = troubled(job, FAILING, TIMES)
    assert status is not None
    assert (status["reason"], status["message"]) == ("WebhookFailed", FAILING.message)
    other_port = Try(target="1", times=3, since=NOW, again=NOW, reason="WebhookFailed", message="dial tcp 10.0.0.1:4712: refused")
    assert troubled(record(status=status), other_port, TIMES) is None


def test_the_end_of_a_job_is_not_talked_over() -> None:
    failed = s.finished(bound_status(), Event.FAILED, reason="Error", message="loss is NaN", at=NOW)
    assert troubled(record(status=failed), FAILING, TIMES) is None
