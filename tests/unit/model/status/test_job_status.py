"""ComputeJob.status as values: what each step changes, and that only differences are written."""

import pytest

from jobs import NOW, OFFER, binding, bound_status, shown
from sampan.model.lifecycle import Event, Outcome, Phase, TransitionError
from sampan.model.plan import Verdict
from sampan.model.reason import Reason
from sampan.model.status.attempt import Attempt, Ending
from sampan.model.status.condition import Fact
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, JobConditionType, JobReason, MemberWord
from sampan.model.values.timestamp import to_rfc3339


def condition(status: JobStatus, kind: str) -> dict[str, str]:
    """Return one condition."""
    found: dict[str, str] = next(c for c in shown(status)["conditions"] if c["type"] == kind)
    return found


def test_bound_says_where_and_keeps_the_verdicts() -> None:
    verdicts = (
        Verdict(offer=OFFER, pool="h100-x8", alternative=0, score=87, parts=(("cost", 40), ("packing", 47))),
        Verdict(offer=OFFER, pool="cpu", alternative=0, reasons=(Reason.ACCELERATOR_MISMATCH,)),
    )
    status = JobStatus().bound(binding(), verdicts, generation=4)
    assert status.phase == "Bound"
    assert shown(status)["observedGeneration"] == 4
    assert shown(status)["verdicts"] == [
        "prov-a/lingang h100-x8: 87 = cost 40, packing 47",
        "prov-a/lingang cpu: AcceleratorMismatch",
    ]
    assert condition(status, "Scheduled")["status"] == "True"
    assert status.attempt_is_open
    assert status.attempts_seen == 1


def test_an_ended_attempt_is_kept_with_its_evidence_and_the_binding_stays() -> None:
    ending = Ending(outcome=Outcome.APP_FAILED, reason=AttemptReason.ERROR, message="boom", exit_code=3, ended_at=NOW)
    status = bound_status(running=True).attempt_ended(ending)
    entry = shown(status)["attempts"][0]
    assert (entry["number"], entry["outcome"], entry["exitCode"], entry["message"], entry["pool"]) == (1, "AppFailed", 3, "boom", "h100-x8")
    assert status.binding is not None
    assert not status.attempt_is_open
    assert condition(status, "Running")["status"] == "False"


def test_at_most_sixteen_attempts_are_kept_and_numbers_go_on() -> None:
    status = JobStatus(attempts=tuple(Attempt(number=n, outcome=Outcome.DISRUPTED) for n in range(1, 17)))
    status = status.bound(binding(attempt=17), (), generation=1)
    status = status.attempt_ended(Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("Drain"), ended_at=NOW))
    assert [a["number"] for a in shown(status)["attempts"]] == list(range(2, 18))
    assert status.attempts_seen == 17


@pytest.mark.parametrize(
    ("outcome", "want_restarts"), [(Outcome.APP_FAILED, 1), (Outcome.LOST, 1), (Outcome.DISRUPTED, 0), (Outcome.REJECTED, 0)]
)
def test_only_failures_of_the_application_count_as_restarts(outcome: Outcome, want_restarts: int) -> None:
    status = bound_status().attempt_ended(Ending(outcome=outcome, reason=MemberWord("X"), ended_at=NOW))
    status = status.released(Event.REQUEUED, reason=MemberWord("X"), message="", at=NOW)
    assert status.phase == "Pending"
    assert status.binding is None
    assert shown(status).get("restarts", 0) == want_restarts


def test_a_finished_job_has_the_condition_that_kubectl_waits_for() -> None:
    status = bound_status(running=True).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    assert condition(status, "Complete")["status"] == "True"
    assert status.phase is Phase.SUCCEEDED
    failed = bound_status().finished(Event.FAILED, reason=AttemptReason.ERROR, message="boom", at=NOW)
    assert condition(failed, "Failed")["message"] == "boom"


def test_nothing_follows_an_end() -> None:
    ended = bound_status(running=True).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    with pytest.raises(TransitionError):
        ended.running(at=NOW)


def test_the_transition_time_moves_only_with_the_value() -> None:
    first = JobStatus().with_condition(Fact(JobConditionType.SCHEDULED, False, Reason.TOO_LARGE), at=NOW)
    again = first.with_condition(Fact(JobConditionType.SCHEDULED, False, Reason.REGION_EXCLUDED), at=NOW + 5_000)
    turned = again.with_condition(Fact(JobConditionType.SCHEDULED, True, JobReason.BOUND), at=NOW + 9_000)
    assert condition(again, "Scheduled")["lastTransitionTime"] == to_rfc3339(NOW)
    assert condition(again, "Scheduled")["reason"] == "RegionExcluded"
    assert condition(turned, "Scheduled")["lastTransitionTime"] == to_rfc3339(NOW + 9_000)
