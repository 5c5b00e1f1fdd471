"""What is ours on a member: by exact labels and name, never undone by older news."""

from typing import Any

import pytest

from member_objects import HUB, JOB, NAMESPACE, as_job, as_pod, job_body, pod_body
from sampan.controller.members.job_copies import JobCopies, attempt_of
from sampan.model.values.names import remote_name

NAME = remote_name(HUB, JOB)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def own(told: list[str]) -> JobCopies:
    return JobCopies(HUB, told.append)


@pytest.mark.parametrize(("text", "want"), [("3", 3), ("", 0), ("x", 0), ("²", 0), ("9999999999", 0)])
def test_an_attempt_is_a_small_number_or_none(text: str, want: int) -> None:
    assert attempt_of({"sampan.dev/attempt": text}) == want


def test_a_job_of_another_hub_or_name_is_not_seen(own: JobCopies, told: list[str]) -> None:
    own.apply_job(as_job(job_body(hub="prod-evil")))
    own.apply_job(as_job(job_body(name="sj-pretender")))
    assert not own.jobs
    assert not told
    assert not own.has_remnants(JOB)


def test_an_older_event_does_not_undo_an_answer(own: JobCopies, told: list[str]) -> None:
    own.jobs[JOB] = as_job(job_body(version=7, active=1))
    own.apply_job(as_job(job_body(version=6)))
    assert own.jobs[JOB].status.active == 1
    assert not told
    own.apply_job(as_job(job_body(version=8, succeeded=1)))
    assert own.jobs[JOB].status.succeeded == 1
    assert told == [JOB]


def test_a_delete_forgets_the_very_object_only(own: JobCopies, told: list[str]) -> None:
    own.apply_job(as_job(job_body(attempt=2)))
    own.drop_job(as_job(job_body(attempt=1)))
    assert JOB in own.jobs
    own.drop_job(as_job(job_body(attempt=2)))
    assert not own.has_remnants(JOB)
    assert told == [JOB, JOB]


def ended_body(name: str = NAME, **more: Any) -> dict[str, Any]:
    """A Job whose result is told."""
    body = job_body(name=name, **more)
    return {**body, "status": {**body.get("status", {}), "conditions": [{"type": "Complete", "status": "True"}]}}


def test_a_result_outlives_its_job_until_it_is_taken_out(own: JobCopies) -> None:
    own.apply_job(as_job(job_body(version=6)))
    own.drop_job(as_job(job_body(version=7)))
    assert not own.ended_jobs, "it had none"
    own.apply_job(as_job(job_body(version=8)))
    own.drop_job(as_job(ended_body(version=9)))
    assert own.ended_jobs[JOB].metadata.resource_version == "9"
    own.apply_job(as_job(job_body(version=10)))
    assert not own.ended_jobs, "the next attempt is there"
    own.apply_job(as_job(ended_body(version=11)))
    own.replace_jobs(NAMESPACE, [])
    assert JOB in own.ended_jobs, "the watch had a gap"


def test_a_full_list_forgets_what_is_not_in_it(own: JobCopies, told: list[str]) -> None:
    own.apply_job(as_job(job_body()))
    own.replace_jobs(NAMESPACE, [])
    assert not own.jobs
    assert told == [JOB, JOB]
    own.replace_jobs(NAMESPACE, [as_job(job_body())])
    own.replace_jobs("elsewhere", [])
    assert JOB in own.jobs


def test_what_cannot_be_read_is_there_all_the_same(own: JobCopies) -> None:
    own.apply_job(as_job(job_body()))
    own.replace_jobs(NAMESPACE, [], unreadable=[NAME])
    assert JOB in own.jobs
    own.replace_own_pods(NAMESPACE, [], unreadable=[f"{NAME}-0-abcde"])
    own.drop_unreadable_job(NAMESPACE, NAME)
    assert not own.jobs
    assert own.has_remnants(JOB)
    own.drop_unreadable_pod(NAMESPACE, f"{NAME}-0-abcde")
    assert not own.has_remnants(JOB)


def test_pods_are_kept_by_job_and_leave_one_by_one(own: JobCopies, told: list[str]) -> None:
    pods = [as_pod(pod_body(name, ours=JOB, namespace=NAMESPACE, phase="Failed")) for name in ("a", "b")]
    for pod in pods:
        own.apply_own_pod(pod)
    own.apply_own_pod(as_pod(pod_body("foreign", namespace=NAMESPACE)))
    assert sorted(own.own_pods[JOB]) == ["uid-a", "uid-b"]
    assert len(told) == 2
    own.drop_own_pod(pods[0])
    own.replace_own_pods(NAMESPACE, [])
    assert not own.own_pods
    assert not own.has_remnants(JOB)
    assert len(told) == 4


def test_a_namespace_that_is_no_longer_watched_is_forgotten(own: JobCopies) -> None:
    own.apply_job(as_job(job_body()))
    own.apply_own_pod(as_pod(pod_body(ours=JOB, namespace=NAMESPACE)))
    own.forget_namespace(NAMESPACE)
    assert not own.has_remnants(JOB)


def test_an_unreadable_pod_that_was_known_is_kept(own: JobCopies) -> None:
    own.apply_own_pod(as_pod(pod_body("a", ours=JOB, namespace=NAMESPACE)))
    own.replace_own_pods(NAMESPACE, [], unreadable=["a"])
    assert "uid-a" in own.own_pods[JOB]
    own.drop_unreadable_pod(NAMESPACE, "a")
    assert not own.own_pods
