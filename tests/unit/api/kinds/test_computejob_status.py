"""ComputeJob.status: the words of the model, bounded, and no field of a later version stands in the way."""

import pytest

from sampan.api.crd.structural import structural_schema
from sampan.api.kinds.computejob_status import AttemptView, BindingView, ComputeJobStatus
from sampan.model.lifecycle import Outcome, Phase
from unit.api.rule_check import accepts, refuses
from unit.api.schema_check import fits

BINDING = {
    "offer": {"namespace": "prov-a", "name": "lingang"},
    "clusterUID": "6b1c3c2e-0000-4000-8000-000000000000",
    "attempt": 2,
    "pool": "h100-x8",
    "acceleratorClass": "nvidia-h100-sxm-80gb",
    "alternative": 0,
    "replicas": 4,
    "remote": {"namespace": "sampan-jobs", "name": "sj-abc"},
    "boundAt": "2026-11-22T00:00:00Z",
}
SCHEMA = structural_schema(ComputeJobStatus)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_of_the_model_can_be_written(phase: Phase) -> None:
    status = ComputeJobStatus.model_validate({"phase": str(phase), "binding": BINDING, "observedGeneration": 3}).as_json()
    assert status["binding"] == BINDING
    assert fits(SCHEMA, status)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_the_model_can_be_written(outcome: Outcome) -> None:
    accepts(AttemptView, {"number": 1, "offer": BINDING["offer"], "outcome": str(outcome), "exitCode": -1})


def test_no_word_beyond_the_model_s() -> None:
    assert set(SCHEMA["properties"]["phase"]["enum"]) == set(Phase)
    attempts = SCHEMA["properties"]["attempts"]
    assert set(attempts["items"]["properties"]["outcome"]["enum"]) == set(Outcome)
    assert attempts["maxItems"] == 16
    assert SCHEMA["properties"]["verdicts"]["maxItems"] == 64


def test_an_attempt_is_numbered_from_one() -> None:
    refuses(BindingView, {**BINDING, "attempt": 0}, "attempt")


def test_two_ends_of_one_attempt_are_refused() -> None:
    attempt = {"number": 1, "offer": BINDING["offer"]}
    refuses(ComputeJobStatus, {"attempts": [attempt, attempt]}, "attempts must not hold the same entry twice")


def test_fields_of_a_later_version_are_left_alone() -> None:
    status = ComputeJobStatus.model_validate({"phase": "Bound", "binding": {**BINDING, "epoch": 7}, "lease": {}})
    assert status.binding is not None
    assert status.binding.cluster_uid == BINDING["clusterUID"]
