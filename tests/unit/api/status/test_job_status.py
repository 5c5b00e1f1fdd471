"""ComputeJob.status as values: what each step changes, and that only differences are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import NOW, OFFER, binding, bound_status
from sampan.api.status import job_status as s
from sampan.model.lifecycle import Event, Outcome, Phase, TransitionError
from sampan.model.plan import Verdict
from sampan.model.reason import Reason
from sampan.model.values.timestamp import to_rfc3339


def condition(status: s.Status, kind: str) -> dict[str, str]:
    """Return one condition."""
    found: dict[str, str] = next(c for c in status["conditions"] if c["type"] == kind)
    return found


def test_a_binding_survives_a_round_trip() -> None:
    status = {"binding": binding(remote_uid="r1", attempt=3).to_dict()}
    assert s.Binding.of(status) == binding(remote_uid="r1", attempt=3)
    assert s.Binding.of({}) is None


def test_bound_says_where_and_keeps_the_verdicts() -> None:
    verdicts = (
        Verdict(offer=OFFER, pool="h100-x8", alternative=0, score=87, parts=(("cost", 40), ("packing", 47))),
        Verdict(offer=OFFER, pool="cpu", alternative=0, reasons=(Reason.ACCELERATOR_MISMATCH,)),
    )
    status = s.bound({}, binding(), verdicts, generation=4)
    assert status["phase"] == "Bound"
    assert status["observedGeneration"] == 4
    assert status["verdicts"][0] == {
        "offer": {"namespace": "prov-a", "name": "lingang"},
        "pool": "h100-x8",
        "score": 87,
        "parts": {"cost": 40, "packing": 47},
    }
    assert status["verdicts"][1]["reasons"] == ["AcceleratorMismatch"]
    assert condition(status, "Scheduled")["status"] == "True"
    assert s.attempt_is_open(status)
    assert s.attempts_seen(status) == 1


def test_an_ended_attempt_is_kept_with_its_evidence_and_the_binding_stays() -> None:
    ending = s.Ending(outcome=Outcome.APP_FAILED, reason="Error", message="boom", exit_code=3, ended_at=NOW)
    status = s.attempt_ended(bound_status(running=True), ending)
    entry = status["attempts"][0]
    assert (entry["number"], entry["outcome"], entry["exitCode"], entry["message"], entry["pool"]) == (1, "AppFailed", 3, "boom", "h100-x8")
    assert "binding" in status
    assert not s.attempt_is_open(status)
    assert condition(status, "Running")["status"] == "False"


def test_at_most_sixteen_attempts_are_kept_and_numbers_go_on() -> None:
    status: s.Status = {"attempts": [{"number": n, "outcome": "Disrupted"} for n in range(1, 17)], "phase": "Pending"}
    status = s.bound(status, binding(attempt=17), (), generation=1)
    status = s.attempt_ended(status, s.Ending(outcome=Outcome.DISRUPTED, reason="Drain", ended_at=NOW))
    assert [a["number"] for a in status["attempts"]] == list(range(2, 18))
    assert s.attempts_seen(status) == 17


@pytest.mark.parametrize(
    ("outcome", "want_restarts"), [(Outcome.APP_FAILED, 1), (Outcome.LOST, 1), (Outcome.DISRUPTED, 0), (Outcome.REJECTED, 0)]
)
def test_only_failures_of_the_application_count_as_restarts(outcome: Outcome, want_restarts: int) -> None:
    status = s.attempt_ended(bound_status(), s.Ending(outcome=outcome, reason="X", ended_at=NOW))
    status = s.released(status, Event.REQUEUED, reason="X", message="", at=NOW)
    assert status["phase"] == "Pending"
    assert "binding" not in status
    assert status.get("restarts", 0) == want_restarts


def test_a_finished_job_has_the_condition_that_kubectl_waits_for() -> None:
    status = s.finished(bound_status(running=True), Event.SUCCEEDED, reason="Completed", message="", at=NOW)
    assert condition(status, "Complete")["status"] == "True"
    assert s.phase_of(status) is Phase.SUCCEEDED
    failed = s.finished(bound_status(), Event.FAILED, reason="Error", message="boom", at=NOW)
    assert condition(failed, "Failed")["message"] == "boom"


def test_nothing_follows_an_end() -> None:
    ended = s.finished(bound_status(running=True), Event.SUCCEEDED, reason="Completed", message="", at=NOW)
    with pytest.raises(TransitionError):
        s.running(ended, at=NOW)


def test_the_transition_time_moves_only_with_the_value() -> None:
    first = s.with_condition({}, s.Fact("Scheduled", False, "TooLarge"), at=NOW)
    again = s.with_condition(first, s.Fact("Scheduled", False, "RegionExcluded"), at=NOW + 5_000)
    turned = s.with_condition(again, s.Fact("Scheduled", True, "Bound"), at=NOW + 9_000)
    assert condition(again, "Scheduled")["lastTransitionTime"] == to_rfc3339(NOW)
    assert condition(again, "Scheduled")["reason"] == "RegionExcluded"
    assert condition(turned, "Scheduled")["lastTransitionTime"] == to_rfc3339(NOW + 9_000)


JSON = st.recursive(
    st.integers() | st.text(max_size=4) | st.booleans() | st.lists(st.integers(), max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=5)


def merged(target: object, patch: object) -> object:
    """RFC 7386, written anew."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@given(OBJECTS, OBJECTS)
def test_the_difference_turns_the_old_into_the_new(old: dict[str, object], new: dict[str, object]) -> None:
    patch = s.merge_difference(old, new)
    assert merged(old, patch) == new
    assert (not patch) == (old == new)
