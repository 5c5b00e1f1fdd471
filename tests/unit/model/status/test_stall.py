"""Degraded and Deleting: one at a time, the newest word while they hold, and what was said before afterwards."""

from typing import Any

from jobs import NOW, bound_status, shown
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import JobConditionType, JobReason, MemberWord

DEGRADED, DELETING = JobConditionType.DEGRADED, JobConditionType.DELETING
AT, LATER = NOW, NOW + 60_000


def degraded(status: JobStatus, message: str = "Node a does not answer", at: int = AT) -> JobStatus:
    """The status with a lost node."""
    return status.with_stall(DEGRADED, reason=JobReason.NODE_UNREACHABLE, message=message, at=at)


def truth(status: JobStatus, kind: JobConditionType) -> Any:
    """Whether a condition holds; None where it was never told."""
    found = status.condition(kind)
    return None if found is None else found.status


def test_what_holds_up_is_a_condition_and_the_newest_word() -> None:
    status = degraded(bound_status(running=True))
    assert (status.phase, status.reason, status.message) == (
        "Running",
        "NodeUnreachable",
        "Node a does not answer",
    )
    found = status.stall
    assert found is not None
    assert (found.type, found.since) == (DEGRADED, AT)
    assert truth(status, JobConditionType.RUNNING) == "True", "it is still bound to go on"


def test_other_words_do_not_make_it_younger() -> None:
    status = degraded(degraded(bound_status(running=True)), "Nodes a, b do not answer", LATER)
    found = status.stall
    assert found is not None
    assert (found.message, found.since) == ("Nodes a, b do not answer", AT)
    assert [c["type"] for c in shown(status)["conditions"]].count(DEGRADED) == 1


def test_one_follows_the_other() -> None:
    status = degraded(bound_status(running=True)).with_stall(DELETING, reason=JobReason.WAITING_FOR_PODS, message="node a", at=LATER)
    assert (truth(status, DEGRADED), truth(status, DELETING)) == ("False", "True")
    assert status.reason == "WaitingForPods"


def test_when_it_is_over_the_word_before_it_counts_again() -> None:
    for before in (bound_status(running=True), bound_status()):
        status = degraded(before).without_stall(LATER)
        assert status.stall is None
        assert truth(status, DEGRADED) == "False"
        assert (status.reason, status.message) == (before.reason, before.message)
        assert status.without_stall(LATER) == status
        assert before.without_stall(LATER) == before, "who was never stalled gets no condition"


def test_a_later_word_than_the_stall_stays() -> None:
    status = degraded(bound_status(running=True)).told(MemberWord("OOMKilled"), "out of memory")
    assert status.without_stall(LATER).reason == "OOMKilled"


def test_an_attempt_that_ends_and_a_binding_that_is_freed_are_held_up_no_more() -> None:
    ending = Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("DeletionByPodGC"), ended_at=NOW + 60_000)
    status = degraded(bound_status(running=True)).attempt_ended(ending)
    assert (truth(status, DEGRADED), status.reason) == ("False", "DeletionByPodGC")
    status = status.with_stall(DELETING, reason=JobReason.WAITING_FOR_PODS, message="node a", at=LATER)
    status = status.released(Event.REQUEUED, reason=MemberWord("DeletionByPodGC"), message="", at=NOW + 90_000)
    assert status.stall is None
    assert status.reason == "DeletionByPodGC"
