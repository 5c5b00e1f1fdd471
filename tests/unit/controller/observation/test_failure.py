"""Evidence on one pod: whose doing, when, and the words that are kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sampan.api.fields.scalars import CamelCase
from sampan.controller.observation.failure import Cause, Failure, Indexes, as_reason, count_of, failure_of, tail, word
from sampan.kube.objects.workloads import Pod
from sampan.model.status.reasons import AttemptReason


@pytest.mark.parametrize(
    ("indexes", "index", "want"),
    [
        ("0-3,7", "0", True),
        ("0-3,7", "3", True),
        ("0-3,7", "4", False),
        ("0-3,7", "7", True),
        ("", "0", False),
        ("0", "", False),
        ("x-y,-,1-,-2", "1", True),
        ("x-y,-,-2", "2", False),
        ("9" * 400, "9", False),
        ("1", "\u0661", False),
    ],
)
def test_in_indexes(indexes: str, index: str, want: bool) -> None:
    assert (index in Indexes(indexes)) is want


@pytest.mark.parametrize(("indexes", "want"), [("", 0), ("7", 1), ("0-3,7", 5), ("3-0", 0), ("x,2", 1)])
def test_count_of(indexes: str, want: int) -> None:
    assert count_of(indexes) == want


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Unknown", ""])
def test_no_failure_in_other_phases(phase: str) -> None:
    assert failure_of(msgspec.convert({"status": {"phase": phase}}, Pod)) is None


def test_a_program_that_never_ran_cannot_have_failed() -> None:
    failure = failure_of(msgspec.convert({"status": {"phase": "Failed"}}, Pod))
    assert failure == Failure(pod="", cause=Cause.DISRUPTION, at=None, reason=AttemptReason.NEVER_STARTED, ran=False)


def test_failed_init_container_tells_the_exit_code() -> None:
    statuses = [{"state": {"terminated": {"exitCode": 0}}}, {"state": {"terminated": {"exitCode": 4, "reason": "Error"}}}]
    failure = failure_of(msgspec.convert({"status": {"phase": "Failed", "initContainerStatuses": statuses}}, Pod))
    assert failure is not None
    assert failure.exit_code == 4


def test_a_failed_init_container_is_named_with_its_last_words() -> None:
    ended = [{"name": "fetch", "state": {"terminated": {"exitCode": 4, "reason": "Error", "message": "no such bucket"}}}]
    waits = [{"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}]
    body = {"status": {"phase": "Failed", "initContainerStatuses": ended, "containerStatuses": waits}}
    failure = failure_of(msgspec.convert(body, Pod))
    assert failure is not None
    assert (failure.cause, failure.exit_code, failure.message) == (Cause.PROGRAM, 4, "init container fetch: no such bucket")


def test_a_sidecar_that_was_stopped_after_the_program_failed_is_not_the_failure() -> None:
    stopped = [{"name": "proxy", "state": {"terminated": {"exitCode": 143, "reason": "Error", "message": "bye"}}}]
    failed = [{"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error", "message": "loss is NaN"}}}]
    body = {"status": {"phase": "Failed", "initContainerStatuses": stopped, "containerStatuses": failed}}
    failure = failure_of(msgspec.convert(body, Pod))
    assert failure is not None
    assert (failure.exit_code, failure.message) == (3, "loss is NaN")


def test_order_is_total_and_earliest_first() -> None:
    def at(moment: int | None, cause: Cause = Cause.PROGRAM, pod: str = "a") -> Failure:
        return Failure(pod=pod, cause=cause, at=moment, reason=AttemptReason.ERROR)

    want = [at(1, Cause.DELETION), at(2, Cause.DISRUPTION), at(2), at(2, pod="b"), at(2, Cause.DELETION), at(None)]
    shuffled = want[3:] + want[:3]
    assert sorted(shuffled, key=lambda f: f.order) == want


@pytest.mark.parametrize(
    ("text", "want"), [("OOMKilled", "OOMKilled"), ("", "Unknown"), ("a b", "Unknown"), ("x" * 64, "Unknown"), ("Ünicode", "Unknown")]
)
def test_only_words_become_reasons(text: str, want: str) -> None:
    assert word(text) == want


def test_tail_keeps_the_end_and_the_head_within_256_bytes() -> None:
    got = tail("日本" * 500 + " the end", "failed indexes 1: ")
    assert got.startswith("failed indexes 1: …")
    assert got.endswith("the end")
    assert len(got.encode()) <= 256
    assert tail("short") == "short"


@pytest.mark.parametrize(
    "reason", ["UnexpectedAdmissionError", "OutOfcpu", "OutOfpods", "NodeAffinity", "TopologyAffinityError", "Evicted"]
)
def test_a_pod_that_a_kubelet_refused_never_ran(reason: str) -> None:
    refused = msgspec.convert({"status": {"phase": "Failed", "reason": reason, "message": "no"}}, Pod)
    failure = failure_of(refused)
    assert failure is not None
    assert (failure.cause, failure.reason, failure.message, failure.ran) == (Cause.DISRUPTION, reason, "no", False)


def test_a_resource_that_ran_out_is_named_in_a_word() -> None:
    failure = failure_of(msgspec.convert({"status": {"phase": "Failed", "reason": "OutOfnvidia.com/gpu"}}, Pod))
    assert failure is not None
    assert failure.reason == "OutOfnvidiacomgpu"


@pytest.mark.parametrize(
    ("reason", "message", "ran"),
    [
        ("StartError", "nvidia-container-cli: initialization error: driver error", False),
        ("ContainerCannotRun", "failed to create task for container", False),
        ("StartError", 'exec: "trian.py": executable file not found in $PATH', True),
        ("Error", "", True),
    ],
)
def test_a_container_that_its_runtime_could_not_start_never_ran_unless_the_command_is_wrong(reason: str, message: str, ran: bool) -> None:
    state = {"terminated": {"exitCode": 128, "reason": reason, "message": message}}
    failure = failure_of(msgspec.convert({"status": {"phase": "Failed", "containerStatuses": [{"name": "main", "state": state}]}}, Pod))
    assert failure is not None
    assert failure.ran is ran


def test_a_pod_that_was_evicted_before_it_ran_never_ran() -> None:
    target = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    waiting = {"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}
    for running, ran in ((waiting, False), ({"name": "main", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}, True)):
        pod = msgspec.convert({"status": {"phase": "Failed", "conditions": [target], "containerStatuses": [running]}}, Pod)
        failure = failure_of(pod)
        assert failure is not None
        assert failure.ran is ran


@given(st.text(max_size=300))
def test_foreign_text_becomes_a_reason_that_can_be_written(text: str) -> None:
    assert TypeAdapter(CamelCase).validate_python(as_reason(text)) == as_reason(text)


def test_a_clean_word_stays_itself() -> None:
    assert as_reason("ImagePullBackOff") == "ImagePullBackOff"
    assert as_reason("\x1b[31m evil\n") == "31mevil"[2:]
    assert as_reason("", default=AttemptReason.ERROR) == "Error"
