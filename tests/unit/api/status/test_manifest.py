"""A job's status between manifests and values: nothing is lost on the way, and a patch names only what changed."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from jobs import NOW, OFFER, binding, bound_status, shown
from sampan.api.kinds.computejob_status import ComputeJobStatus
from sampan.api.status.manifest import from_manifest, merge_patch, to_manifest
from sampan.api.status.verdicts import StoredVerdicts
from sampan.model.lifecycle import Event, Outcome
from sampan.model.plan import Verdict
from sampan.model.reason import Reason
from sampan.model.status.attempt import ChargedUse, Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, JobConditionType, JobReason, MemberWord
from sampan.model.status.remote import PodCounts, RemoteStatus, ReservedPlace

LATER = NOW + 60_000
CHARGED = replace(binding(remote_uid="r1"), accelerator_class="nvidia-h100-sxm-80gb", alternative=0, use=ChargedUse(amount=5, seconds=9))
VERDICTS = (
    Verdict(offer=OFFER, pool="h100-x8", alternative=None, score=87, parts=(("cost", 40), ("packing", 47))),
    Verdict(offer=OFFER, pool="cpu", alternative=None, reasons=(Reason.ACCELERATOR_MISMATCH,)),
)
SEEN = RemoteStatus(counts=PodCounts(active=1, ready=1), reason=MemberWord("X"), message="m", exit_code=3, observed_at=NOW)
FULL = (
    JobStatus(reservation=ReservedPlace(offer=OFFER, pool="p", alternative=0, start_at_latest=NOW, made_at=NOW))
    .refused(reason=Reason.TOO_LARGE, message="too large", at=NOW)
    .bound(CHARGED, VERDICTS, generation=2)
    .running(at=NOW)
    .seen(SEEN, "r1", at=NOW)
    .with_stall(JobConditionType.DEGRADED, reason=JobReason.NODE_GONE, message="n1", at=NOW)
    .rejected(1, MemberWord("OutOfcpu"))
)
ENDED = FULL.attempt_ended(Ending(outcome=Outcome.APP_FAILED, reason=AttemptReason.ERROR, message="boom", exit_code=3, ended_at=LATER))
STAGES = {
    "untouched": JobStatus(),
    "full": FULL,
    "ended": ENDED,
    "requeued": ENDED.released(Event.REQUEUED, reason=AttemptReason.ERROR, message="", at=LATER),
    "finished": ENDED.finished(Event.FAILED, reason=AttemptReason.ERROR, message="boom", at=LATER),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_status_survives_the_way_to_the_hub_and_back(stage: str) -> None:
    written = to_manifest(STAGES[stage])
    again = from_manifest(written)
    assert to_manifest(again) == written
    assert again == replace(STAGES[stage], verdicts=again.verdicts)
    assert tuple(again.verdicts or ()) == tuple(STAGES[stage].verdicts or ())
    ComputeJobStatus.model_validate(written)


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_read_again_is_no_difference_and_the_same_objects(stage: str) -> None:
    written = to_manifest(STAGES[stage])
    first, second = from_manifest(written), from_manifest(copy.deepcopy(written))
    assert merge_patch(first, second) == {}
    assert first.binding is second.binding
    assert all(one is other for one, other in zip(first.conditions, second.conditions, strict=True))
    assert all(one is other for one, other in zip(first.attempts, second.attempts, strict=True))


def test_a_binding_survives_a_round_trip() -> None:
    status = from_manifest({"binding": shown(JobStatus(binding=binding(remote_uid="r1", attempt=3)))["binding"]})
    assert status.binding == binding(remote_uid="r1", attempt=3)
    assert from_manifest({}).binding is None


def test_a_step_shares_what_it_does_not_change() -> None:
    running = bound_status().running(at=NOW)
    assert running.binding is bound_status(running.binding).binding
    assert running.seen(SEEN, None, at=NOW).conditions[0] is running.conditions[0]
    assert running.seen(SEEN, None, at=NOW).binding is running.binding


def test_a_patch_names_what_changed_and_what_went() -> None:
    patch = merge_patch(ENDED, STAGES["requeued"])
    assert patch["phase"] == "Pending"
    assert (patch["binding"], patch["remote"], patch["startedAt"]) == (None, None, None)
    assert patch["restarts"] == 1
    assert not patch.keys() & {"attempts", "rejections", "verdicts", "observedGeneration"}


def test_a_job_that_nobody_has_looked_at_gets_no_phase_it_has_anyhow() -> None:
    assert "phase" not in merge_patch(JobStatus(), JobStatus().refused(reason=Reason.TOO_LARGE, message="", at=NOW))


def test_what_a_later_version_wrote_stays() -> None:
    """Fields that are not known are never named; an entry of a list, which is written whole, keeps those of its own."""
    raw = to_manifest(ENDED)
    raw |= {"lease": {"holder": "x"}}
    raw["binding"]["epoch"] = 7
    raw["remote"]["gpuSeconds"] = 12
    for entries in ("conditions", "attempts", "rejections"):
        raw[entries][0]["later"] = {"a": 1}
    raw["attempts"][0]["outcome"] = "Fenced"
    raw["conditions"].append({**raw["conditions"][0], "type": "Fenced"})
    before = from_manifest(raw)
    after = before.finished(Event.FAILED, reason=AttemptReason.ERROR, message="", at=LATER).rejected(0, MemberWord("Y"))
    ending = Ending(outcome=Outcome.DISRUPTED, reason=MemberWord("NodeLost"), ended_at=LATER)
    patch = merge_patch(before, replace(after, binding=binding(attempt=2)).attempt_ended(ending))
    assert "lease" not in patch
    assert "epoch" not in patch["binding"]
    assert "remote" not in patch
    for entries in ("conditions", "attempts", "rejections"):
        assert patch[entries][0] == raw[entries][0]
    assert [each["outcome"] for each in patch["attempts"]] == ["Fenced", "Disrupted"]
    assert "Fenced" in {each["type"] for each in patch["conditions"]}


@pytest.mark.parametrize(
    "raw",
    [
        {"phase": "Dreaming"},
        {"binding": {"offer": {}}},
        {"binding": "here"},
        {"binding": {**shown(bound_status())["binding"], "attempt": "first"}},
        {"attempts": [{"outcome": "Lost"}]},
    ],
    ids=["no phase", "a binding without a name", "a binding that is none", "an attempt without number", "an end without number"],
)
def test_a_status_that_nobody_of_us_wrote_is_an_error(raw: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_manifest(raw)


def test_attempts_are_read_in_order_of_their_numbers() -> None:
    status = from_manifest({"attempts": [{"number": 2, "outcome": "Lost"}, {"number": 1, "outcome": "Rejected"}]})
    assert [attempt.number for attempt in status.attempts] == [1, 2]
    assert status.attempts_seen == 2


def test_stored_verdicts_are_translated_when_somebody_looks() -> None:
    stored = from_manifest(to_manifest(FULL)).verdicts
    assert isinstance(stored, StoredVerdicts)
    assert (len(stored), stored[1], tuple(stored[:1])) == (2, VERDICTS[1], VERDICTS[:1])
