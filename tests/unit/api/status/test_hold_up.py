"""Degraded and Deleting: one at a time, the newest word while they hold, and what was said before afterwards."""

from typing import Any

from jobs import NOW, bound_status
from sampan.api.fields.conditions import find_condition
from sampan.api.status import job_status as s
from sampan.api.status.hold_up import current_hold_up, with_hold_up, without_hold_up
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.reasons import JobConditionType
from sampan.model.values.timestamp import to_rfc3339

DEGRADED, DELETING = JobConditionType.DEGRADED, JobConditionType.DELETING
AT, LATER = to_rfc3339(NOW), to_rfc3339(NOW + 60_000)


def degraded(status: s.Status, message: str = "Node a does not answer", at: str = AT) -> s.Status:
    """The status with a lost node."""
    return with_hold_up(status, DEGRADED, reason="NodeUnreachable", message=message, at=at)


def truth(status: s.Status, kind: str) -> Any:
    """Whether a condition holds; None where it was never told."""
    return (find_condition(status["conditions"], kind) or {}).get("status")


def test_what_holds_up_is_a_condition_and_the_newest_word() -> None:
    status = degraded(bound_status(running=True))
    assert (status["phase"], status["reason"], status["message"]) == ("Running", "NodeUnreachable", "Node a does not answer")
    found = current_hold_up(status)
    assert found is not None
    assert (found["type"], found["lastTransitionTime"]) == (DEGRADED, AT)
    assert truth(status, "Running") == "True", "it is still bound to go on"


def test_other_words_do_not_make_it_younger() -> None:
    status = degraded(degraded(bound_status(running=True)), "Nodes a, b do not answer", LATER)
    found = current_hold_up(status)
    assert found is not None
    assert (found["message"], found["lastTransitionTime"]) == ("Nodes a, b do not answer", AT)
    assert [c["type"] for c in status["conditions"]].count(DEGRADED) == 1


def test_one_follows_the_other() -> None:
    status = with_hold_up(degraded(bound_status(running=True)), DELETING, reason="WaitingForPods", message="node a", at=LATER)
    assert (truth(status, DEGRADED), truth(status, DELETING)) == ("False", "True")
    assert status["reason"] == "WaitingForPods"


def test_when_it_is_over_the_word_before_it_counts_again() -> None:
    for before in (bound_status(running=True), bound_status()):
        status = without_hold_up(degraded(before), LATER)
        assert current_hold_up(status) is None
        assert truth(status, DEGRADED) == "False"
        assert (status["reason"], status["message"]) == (before["reason"], before["message"])
        assert without_hold_up(status, LATER) == status
        assert without_hold_up(before, LATER) == before, "who was never held up gets no condition"


def test_a_later_word_than_the_hold_up_stays() -> None:
    status = s.told(degraded(bound_status(running=True)), "OOMKilled", "out of memory")
    assert without_hold_up(status, LATER)["reason"] == "OOMKilled"


def test_an_attempt_that_ends_and_a_binding_that_is_freed_are_held_up_no_more() -> None:
    ending = s.Ending(outcome=Outcome.DISRUPTED, reason="DeletionByPodGC", ended_at=NOW + 60_000)
    status = s.attempt_ended(degraded(bound_status(running=True)), ending)
    assert (truth(status, DEGRADED), status["reason"]) == ("False", "DeletionByPodGC")
    status = with_hold_up(status, DELETING, reason="WaitingForPods", message="node a", at=LATER)
    status = s.released(status, Event.REQUEUED, reason="DeletionByPodGC", message="", at=NOW + 90_000)
    assert current_hold_up(status) is None
    assert status["reason"] == "DeletionByPodGC"
