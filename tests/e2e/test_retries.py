"""What follows a failed attempt: retries of the application, disruptions that are not counted, copies that vanish, deadlines."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kubernetes import client

from e2e.life import H100, HYGON, REMOTE, UNTIL_TOLD, World, condition, job, outcomes
from integration.support import wait_for

ONCE = "[ $SAMPAN_ATTEMPT = 1 ] && exit 3; sleep 2"
PAST = {"maxRestarts": 2, "backoffSeconds": 1}
FIRST_DEADLINE = 60
"""Seconds, in which the longer deadline must have been given."""


@pytest.fixture(scope="module")
def jobs(world: World) -> None:
    """All jobs of this module, submitted at once."""
    world.submit(
        job("always-fails", "sleep 1; echo boom; exit 3", retry=PAST),
        job("fails-once", ONCE, retry=PAST),
        job("gang-fails", "[ $SAMPAN_ATTEMPT$RANK = 11 ] && exit 4; sleep 4", replicas=3, device=(H100, 1), retry=PAST),
        job(
            "sweep-fails",
            "[ $JOB_COMPLETION_INDEX = 1 ] && exit 5; sleep 1",
            gang=False,
            completions=3,
            parallelism=3,
            retry={"maxRestarts": 2},
        ),
        job("evicted", "[ $SAMPAN_ATTEMPT = 1 ] && sleep 3000; sleep 1", device=(H100, 1)),
        job("node-gone", "[ $SAMPAN_ATTEMPT = 1 ] && sleep 3000; sleep 1", device=(HYGON, 1)),
        job("tainted", "[ $SAMPAN_ATTEMPT = 1 ] && sleep 3000; sleep 1", replicas=2, device=(HYGON, 8)),
        job("lost", "sleep 3000"),
        job("lost-retried", "[ $SAMPAN_ATTEMPT = 1 ] && sleep 3000; sleep 1", retry=PAST),
        job("too-long", "sleep 3000", activeDeadlineSeconds=4, retry=PAST),
        job("longer", UNTIL_TOLD, activeDeadlineSeconds=FIRST_DEADLINE),
    )


@pytest.fixture(scope="module", autouse=True)
def longer_deadline(world: World, jobs: None) -> None:
    """One job may run for longer, which its member must hear before the first deadline."""
    world.reaches("longer", "Running")
    world.change("longer", activeDeadlineSeconds=600)
    wait_for(lambda: world.copy("longer").body["spec"]["activeDeadlineSeconds"] == 600, "the member has the longer deadline")


@pytest.fixture(scope="module", autouse=True)
def deleted_node(world: World, longer_deadline: None) -> Iterator[None]:
    """The node under `node-gone` is deleted at once: the member's pod collector takes 40 s to act. It comes back afterwards."""
    world.reaches("node-gone", "Running")
    (pod,) = world.pods("node-gone")
    member = world.member("kunshan")
    node = member.get("node", pod["spec"]["nodeName"])
    member.kubectl("delete", "node", node["metadata"]["name"])
    yield
    kept = {key: node["metadata"][key] for key in ("name", "labels")}
    capacity = node["status"]["capacity"]
    member.apply({"apiVersion": "v1", "kind": "Node", "metadata": kept, "status": {"capacity": capacity, "allocatable": capacity}})


def test_a_retry_may_succeed(world: World) -> None:
    status = world.reaches("fails-once", "Succeeded")
    assert outcomes(status) == [(1, "AppFailed"), (2, "Succeeded")]
    assert world.copy("fails-once").attempt == 2


def test_a_gang_restarts_whole(world: World) -> None:
    status = world.reaches("gang-fails", "Succeeded")
    assert outcomes(status) == [(1, "AppFailed"), (2, "Succeeded")]
    assert status["attempts"][0]["exitCode"] == 4
    pods = world.pods("gang-fails")
    assert {pod["metadata"]["labels"]["sampan.dev/attempt"] for pod in pods} == {"2"}
    assert len(pods) == 3


def test_a_sweep_retries_its_members_on_the_member_and_then_fails(world: World) -> None:
    status = world.reaches("sweep-fails", "Failed")
    assert outcomes(status) == [(1, "AppFailed")]
    assert status["attempts"][0]["exitCode"] == 5
    copy = world.copy("sweep-fails").body
    assert copy["status"]["failedIndexes"] == "1"
    assert copy["status"]["succeeded"] == 2
    assert copy["status"]["failed"] == 3


def test_a_failure_is_retried_as_often_as_asked_with_growing_numbers(world: World) -> None:
    status = world.reaches("always-fails", "Failed")
    assert outcomes(status) == [(1, "AppFailed"), (2, "AppFailed"), (3, "AppFailed")]
    assert [attempt["exitCode"] for attempt in status["attempts"]] == [3, 3, 3]
    assert status["restarts"] == 2
    assert condition(status, "Failed")["status"] == "True"


def test_an_evicted_pod_is_a_disruption_and_counts_against_nobody(world: World) -> None:
    world.reaches("evicted", "Running")
    (pod,) = world.pods("evicted")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"], "namespace": REMOTE}}
    client.CoreV1Api(world.member("lingang").client()).create_namespaced_pod_eviction(pod["metadata"]["name"], REMOTE, body)
    status = world.reaches("evicted", "Succeeded")
    assert outcomes(status) == [(1, "Disrupted"), (2, "Succeeded")]
    assert status.get("restarts", 0) == 0


def test_a_node_that_is_emptied_disrupts_the_whole_gang(world: World) -> None:
    """NoExecute takes the pod; its peer on the other node crashes or is stopped with it, and the gang starts anew as one."""
    world.reaches("tainted", "Running")
    member, pod = world.member("kunshan"), world.pods("tainted")[0]
    node = pod["spec"]["nodeName"]
    member.kubectl("taint", "node", node, "maintenance=now:NoExecute")
    try:
        status = world.reaches("tainted", "Succeeded")
        assert outcomes(status) == [(1, "Disrupted"), (2, "Succeeded")]
        assert node not in {pod["spec"]["nodeName"] for pod in world.pods("tainted")}
    finally:
        member.kubectl("taint", "node", node, "maintenance-")


def test_a_copy_deleted_by_hand_is_lost_and_the_job_fails(world: World) -> None:
    world.reaches("lost", "Running")
    copy = world.copy("lost")
    world.member(copy.member).kubectl("delete", "job", copy.name, "-n", REMOTE)
    status = world.reaches("lost", "Failed")
    assert outcomes(status) == [(1, "Lost")]
    assert condition(status, "Failed")["reason"] == "RemoteLost"
    assert world.copies("lost") == []


def test_a_lost_copy_with_retries_is_a_new_attempt(world: World) -> None:
    world.reaches("lost-retried", "Running")
    copy = world.copy("lost-retried")
    world.member(copy.member).kubectl("delete", "job", copy.name, "-n", REMOTE)
    status = world.reaches("lost-retried", "Succeeded")
    assert outcomes(status) == [(1, "Lost"), (2, "Succeeded")]
    assert status["restarts"] == 1


def test_a_deadline_ends_the_job_without_a_retry(world: World) -> None:
    status = world.reaches("too-long", "Failed")
    assert outcomes(status) == [(1, "AppFailed")]
    assert status["attempts"][0]["reason"] == "DeadlineExceeded"
    assert condition(status, "Failed")["reason"] == "DeadlineExceeded"


def test_a_longer_deadline_is_taken_over_by_the_member(world: World) -> None:
    began = datetime.fromisoformat(world.reaches("longer", "Running")["startedAt"])
    over = began + timedelta(seconds=FIRST_DEADLINE + 5)
    wait_for(lambda: datetime.now(UTC) > over, "the first deadline is over", every=0.5)
    world.finish("longer")
    assert outcomes(world.reaches("longer", "Succeeded")) == [(1, "Succeeded")]


def test_a_deleted_node_is_a_disruption(world: World) -> None:
    status = world.reaches("node-gone", "Succeeded")
    assert outcomes(status) == [(1, "Disrupted"), (2, "Succeeded")]
    assert status.get("restarts", 0) == 0
