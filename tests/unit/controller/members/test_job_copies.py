"""What is ours on a member: by exact labels and name, never undone by older news."""

from dataclasses import replace
from typing import Any

import pytest

from jobs import binding
from member_objects import HUB, JOB, NAMESPACE, as_job, as_pod, job_body, pod_body
from sampan.controller.members.job_copies import JobCopies, attempt_beside, attempt_of
from sampan.kube.objects import workloads as kube
from sampan.model.status.attempt import Binding
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
    own.put(JOB, 1, as_job(job_body(version=7, active=1)))
    own.apply_job(as_job(job_body(version=6)))
    assert own.jobs[JOB][1, NAMESPACE].status.active == 1
    assert not told
    own.apply_job(as_job(job_body(version=8, succeeded=1)))
    assert own.jobs[JOB][1, NAMESPACE].status.succeeded == 1
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
    assert own.ended_jobs[JOB, NAMESPACE].metadata.resource_version == "9"
    own.apply_job(as_job(job_body(version=10)))
    assert not own.ended_jobs, "the next attempt is there"
    own.apply_job(as_job(ended_body(version=11)))
    own.replace_jobs(NAMESPACE, [])
    assert (JOB, NAMESPACE) in own.ended_jobs, "the watch had a gap"


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
    own.pods.replace(NAMESPACE, [], unreadable=[f"{NAME}-0-abcde"])
    own.drop_unreadable_job(NAMESPACE, NAME)
    assert not own.jobs
    assert own.has_remnants(JOB)
    own.pods.drop_unreadable(NAMESPACE, f"{NAME}-0-abcde")
    assert not own.has_remnants(JOB)


def test_pods_are_kept_by_job_and_leave_one_by_one(own: JobCopies, told: list[str]) -> None:
    pods = [as_pod(pod_body(name, ours=JOB, namespace=NAMESPACE, phase="Failed")) for name in ("a", "b")]
    for pod in pods:
        own.pods.apply(pod)
    own.pods.apply(as_pod(pod_body("foreign", namespace=NAMESPACE)))
    assert sorted(own.pods.by_job[JOB]) == ["uid-a", "uid-b"]
    assert len(told) == 2
    own.pods.drop(pods[0])
    own.pods.replace(NAMESPACE, [])
    assert not own.pods.by_job
    assert not own.has_remnants(JOB)
    assert len(told) == 4


def test_pods_of_two_namespaces_are_counted_apart(own: JobCopies) -> None:
    mine, other = (as_pod(pod_body(where, ours=JOB, namespace=where)) for where in (NAMESPACE, "elsewhere"))
    for pod in (mine, other):
        own.pods.apply(pod)
    assert [(where, list(own.pods.of(JOB, where))) for where in (NAMESPACE, "elsewhere")] == [(NAMESPACE, [mine]), ("elsewhere", [other])]
    assert [len(own.pods.tallies(JOB, where)["1"]) for where in (NAMESPACE, "elsewhere")] == [1, 1]
    own.pods.drop(other)
    assert not own.pods.tallies(JOB, "elsewhere")
    assert len(own.pods.tallies(JOB, NAMESPACE)["1"]) == 1
    own.pods.drop(mine)
    assert not own.pods.tallies(JOB, NAMESPACE)
    assert not own.has_remnants(JOB)


def test_a_namespace_that_is_no_longer_watched_is_forgotten(own: JobCopies) -> None:
    own.apply_job(as_job(job_body()))
    own.pods.apply(as_pod(pod_body(ours=JOB, namespace=NAMESPACE)))
    own.forget_namespace(NAMESPACE)
    assert not own.has_remnants(JOB)


def test_an_unreadable_pod_that_was_known_is_kept(own: JobCopies) -> None:
    own.pods.apply(as_pod(pod_body("a", ours=JOB, namespace=NAMESPACE)))
    own.pods.replace(NAMESPACE, [], unreadable=["a"])
    assert "uid-a" in own.pods.by_job[JOB]
    own.pods.drop_unreadable(NAMESPACE, "a")
    assert not own.pods.by_job


def placed(attempt: int, namespace: str = NAMESPACE, *, object_uid: str = "", **more: Any) -> kube.Job:
    """The copy of an attempt in a namespace of the member."""
    body = job_body(attempt=attempt, **more)
    meta = body["metadata"]
    return as_job({**body, "metadata": {**meta, "namespace": namespace, "uid": object_uid or meta["uid"]}})


def bound(attempt: int, namespace: str = NAMESPACE, *, remote_uid: str | None = None) -> Binding:
    """The binding of an attempt in a namespace of the member."""
    return replace(binding(attempt=attempt, remote_uid=remote_uid), namespace=namespace)


def attempts(own: JobCopies) -> dict[int, str]:
    """The attempts that are seen, each with its resourceVersion."""
    return {attempt: job.metadata.resource_version for (attempt, _), job in own.of(JOB).items()}


@pytest.mark.parametrize("where", [NAMESPACE, "elsewhere"], ids=["in one namespace", "in two namespaces"])
def test_two_attempts_on_one_member_are_told_apart(own: JobCopies, where: str) -> None:
    own.apply_job(placed(1, version=5))
    own.put(JOB, 2, placed(2, where, version=6, active=1))
    own.apply_job(placed(1, version=7, active=9))  # late news of the old attempt
    assert attempts(own) == {1: "7", 2: "6"}
    current = own.current(JOB, bound(2, where))
    assert current is not None
    assert current.status.active == 1
    own.drop_job(placed(1, version=8))
    assert attempts(own) == {2: "6"}
    own.drop_job(placed(1, version=8))
    own.apply_job(placed(2, where, version=9))
    assert attempts(own) == {2: "9"}
    own.forget(JOB, current.metadata.uid)
    assert not own.has_remnants(JOB)


def test_the_uid_that_the_hub_recorded_outweighs_a_label_and_a_new_label_makes_no_second_copy(own: JobCopies) -> None:
    own.apply_job(placed(1))
    recorded = own.of(JOB)[1, NAMESPACE].metadata.uid
    body = job_body(attempt=1, version=2)
    body["metadata"]["labels"]["sampan.dev/attempt"] = "7"
    own.apply_job(as_job(body))
    assert attempts(own) == {7: "2"}
    assert own.current(JOB, bound(1)) is None
    assert own.current(JOB, bound(1, remote_uid=recorded)) is own.of(JOB)[7, NAMESPACE]


def test_the_end_of_an_old_attempt_hides_no_result_of_a_later_one(own: JobCopies) -> None:
    own.apply_job(placed(1))
    own.apply_job(placed(2))
    own.drop_job(as_job(ended_body(attempt=2, version=5)))
    own.drop_job(as_job(ended_body(attempt=1, version=6)))
    assert own.ended_jobs[JOB, NAMESPACE].metadata.labels["sampan.dev/attempt"] == "2"
    own.apply_job(placed(1, version=7))
    assert (JOB, NAMESPACE) in own.ended_jobs, "news of an old attempt"
    own.apply_job(placed(3))
    assert not own.ended_jobs


def test_an_answer_that_comes_after_its_event_changes_nothing(own: JobCopies) -> None:
    own.apply_job(placed(1, version=8, active=1))
    assert own.put(JOB, 1, placed(1, version=7)).status.active == 1
    assert attempts(own) == {1: "8"}


def test_a_namesake_in_another_namespace_is_never_taken_for_the_copy(own: JobCopies) -> None:
    """Whatever labels it has, and however new it is: the job is not bound to that namespace."""
    own.apply_job(placed(1, version=5))
    namesake = placed(1, "elsewhere", version=9, object_uid="namesake")
    own.apply_job(namesake)
    real = own.of(JOB)[1, NAMESPACE]
    assert real.metadata.uid != "namesake"
    assert own.current(JOB, bound(1)) is real
    assert own.current(JOB, bound(1, remote_uid=real.metadata.uid)) is real
    own.drop_job(placed(1, version=10))
    assert own.current(JOB, bound(1)) is None
    assert own.current(JOB, bound(1, remote_uid=real.metadata.uid)) is None
    assert own.has_remnants(JOB), "it is known of all the same"


def test_a_namesake_in_another_namespace_hides_no_result(own: JobCopies) -> None:
    own.apply_job(placed(1))
    own.drop_job(as_job(ended_body(version=6)))
    own.apply_job(placed(3, "elsewhere", object_uid="namesake"))
    assert (JOB, NAMESPACE) in own.ended_jobs


def test_a_label_alone_is_not_believed_once_a_uid_is_recorded(own: JobCopies) -> None:
    own.apply_job(placed(1, object_uid="another"))
    assert own.current(JOB, bound(1, remote_uid="recorded")) is None
    there = own.of(JOB)[1, NAMESPACE]
    assert attempt_beside(there, bound(1, remote_uid="recorded")) == 0
    assert attempt_beside(there, bound(1, remote_uid=there.metadata.uid)) == 1
    assert attempt_beside(there, bound(1)) == 1
    assert attempt_beside(there, bound(2, remote_uid="recorded")) == 1
