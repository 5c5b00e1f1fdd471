"""Gangs that cannot start whole: the member's own words, withdrawal after the start deadline, the age that a job keeps."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.history import History, recorded
from e2e.life import ASCEND, H100, HYGON, TEAM, World, condition, job, outcomes
from integration.support import Api, wait_for


@contextmanager
def without_scheduler(world: World, member: str) -> Iterator[None]:
    """The member's own scheduler is dead; the new one afterwards sees all pods and nodes before it places any."""
    cluster = world.fed.cluster(member)
    os.kill(cluster.pids()["kube-scheduler"], signal.SIGKILL)
    wait_for(lambda: "kube-scheduler" not in cluster.pids(), "the scheduler is dead")
    try:
        yield
    finally:
        cluster.start(world.fed.binaries)


DEADLINE = 75
"""Seconds in which the member's scheduler, which starts again, must have said that the gang cannot start."""
NO_DEVICES = "Insufficient nvidia.com/gpu"


def foreign(node: str, devices: int) -> dict[str, Any]:
    """A pod of somebody else that takes devices of a node without asking a scheduler."""
    limits = {"limits": {"nvidia.com/gpu": str(devices)}}
    container = {"name": "main", "image": "registry.example/other:1", "command": ["sleep", "infinity"], "resources": limits}
    spec = {"nodeName": node, "restartPolicy": "Always", "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"foreign-{node}", "namespace": "default"}, "spec": spec}


def occupy(member: Api) -> None:
    """Take seven of eight devices of every H100 node."""
    names = [node["metadata"]["name"] for node in member.items("nodes")]
    member.apply(*(foreign(name, 7) for name in names if name.startswith("h100-")))


@pytest.fixture(scope="module")
def history(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Every version of every job of this module."""
    with recorded(world.fed.hub, TEAM, tmp_path_factory.mktemp("history") / "jobs.json") as history:
        yield history


@pytest.fixture(scope="module", autouse=True)
def created(world: World, history: History) -> Iterator[str]:
    """Job `crowded`, whose devices go to somebody else after its binding: when it was created. What follows takes its start deadline."""
    member = world.member("lingang")
    either = [{"accelerator": {"class": name, "count": 8}} for name in (H100, HYGON)]
    try:
        with without_scheduler(world, "lingang"):
            world.submit(job("crowded", "sleep 2", replicas=2, alternatives=either, startDeadlineSeconds=DEADLINE))
            status = world.until("crowded", lambda s: s.get("binding"), "is bound")
            assert status["binding"]["offer"]["name"] == "lingang-ondemand"
            created = world.must("crowded")["metadata"]["creationTimestamp"]
            wait_for(lambda: len(world.pods("crowded")) == 2, "the copy has its pods")
            occupy(member)
        yield created
    finally:
        member.kubectl("delete", "pods", "--all", "-n", "default", "--wait=true")


def test_a_gang_that_cannot_start_whole_tells_its_members_words(history: History) -> None:
    status = history.ever("crowded", lambda s: NO_DEVICES in (s.get("remote") or {}).get("message", ""), "its words")
    assert status["phase"] == "Bound"
    assert status["remote"]["message"].startswith("0/7 nodes are available")


def test_a_withdrawn_gang_with_nowhere_else_to_go_says_that_the_cell_cools_down(world: World, history: History) -> None:
    """Its place in the queue is its age; the cell is left out for its shape until the cool-down is over."""
    no_image = {"image": "registry.example/does-not-exist:1"}
    world.submit(job("no-image", template=no_image, replicas=2, device=(ASCEND, 4), startDeadlineSeconds=30))
    status = history.ever("no-image", lambda s: (s.get("remote") or {}).get("reason") == "ImagePullBackOff", "image pull fails")
    assert "does-not-exist" in status["remote"]["message"]
    assert status["phase"] == "Bound"
    status = world.until("no-image", lambda s: s.get("phase") == "Pending" and outcomes(s), "is withdrawn")
    assert outcomes(status) == [(1, "Rejected")]
    assert "binding" not in status
    cooling = history.ever("no-image", lambda s: condition(s, "Scheduled").get("reason") == "OfferCoolingDown", "its pool cools down")
    found = condition(cooling, "Scheduled")
    assert found["status"] == "False"
    assert "cool" in found["message"] or "failed to start" in found["message"]
    wait_for(lambda: not world.copies("no-image"), "its copy is gone")
    assert condition(world.status("no-image"), "Failed") == {}


def test_a_gang_larger_than_what_is_free_waits_whole(world: World) -> None:
    """Three nodes are free, four are needed: nothing starts before the fourth is."""
    world.submit(job("holder", "sleep 3000", device=(HYGON, 5)))
    world.reaches("holder", "Running")
    world.submit(job("whole", "sleep 2", replicas=4, device=(HYGON, 8)))
    found = world.waits_because("whole", "InsufficientCapacity")
    assert "4 replicas of 8 devices" in found["message"]
    assert world.copies("whole") == []
    world.delete("holder")
    status = world.reaches("whole", "Succeeded")
    assert status["remote"]["succeeded"] == 4
    assert outcomes(status) == [(1, "Succeeded")]


def test_a_gang_that_cannot_start_whole_is_withdrawn_and_goes_elsewhere(world: World, created: str) -> None:
    """Devices go to somebody else after binding: all or nothing, the member's words, the cell cools down, the age stays."""
    status = world.reaches("crowded", "Succeeded")
    assert outcomes(status) == [(1, "Rejected"), (2, "Succeeded")]
    assert status["attempts"][0]["reason"] == "StartDeadlineExceeded"
    assert NO_DEVICES in status["attempts"][0]["message"]
    assert status["binding"]["offer"]["name"] == "kunshan-ondemand"
    assert world.must("crowded")["metadata"]["creationTimestamp"] == created
