"""Gangs that cannot start whole: the member's own words, withdrawal after the start deadline, the age that a job keeps."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from e2e.life import H100, HYGON, World, condition, job, outcomes
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


def test_a_gang_that_cannot_start_whole_is_withdrawn_and_goes_elsewhere(world: World) -> None:
    """Devices go to somebody else after binding: all or nothing, the member's words, the cell cools down, the age stays."""
    member = world.member("lingang")
    either = [{"accelerator": {"class": name, "count": 8}} for name in (H100, HYGON)]
    try:
        with without_scheduler(world, "lingang"):
            world.submit(job("crowded", "sleep 2", replicas=2, alternatives=either, startDeadlineSeconds=30))
            status = world.until("crowded", lambda s: s.get("binding"), "is bound")
            assert status["binding"]["offer"]["name"] == "lingang-ondemand"
            created = world.must("crowded")["metadata"]["creationTimestamp"]
            wait_for(lambda: len(world.pods("crowded")) == 2, "the copy has its pods")
            occupy(member)
        status = world.until("crowded", lambda s: "Insufficient nvidia.com/gpu" in (s.get("remote") or {}).get("message", ""), "its words")
        assert status["phase"] == "Bound"
        assert status["remote"]["message"].startswith("0/7 nodes are available")
        status = world.reaches("crowded", "Succeeded")
        assert outcomes(status) == [(1, "Rejected"), (2, "Succeeded")]
        assert status["attempts"][0]["reason"] == "StartDeadlineExceeded"
        assert "Insufficient nvidia.com/gpu" in status["attempts"][0]["message"]
        assert status["binding"]["offer"]["name"] == "kunshan-ondemand"
        assert world.must("crowded")["metadata"]["creationTimestamp"] == created
    finally:
        member.kubectl("delete", "pods", "--all", "-n", "default", "--wait=true")


def test_a_withdrawn_gang_with_nowhere_else_to_go_says_that_the_cell_cools_down(world: World) -> None:
    """Its place in the queue is its age; the cell is left out for its shape until the cool-down is over."""
    no_image = {"image": "registry.example/does-not-exist:1"}
    world.submit(job("no-image", template=no_image, replicas=2, device=(H100, 4), startDeadlineSeconds=15))
    status = world.until("no-image", lambda s: (s.get("remote") or {}).get("reason") == "ImagePullBackOff", "image pull fails")
    assert "does-not-exist" in status["remote"]["message"]
    assert status["phase"] == "Bound"
    status = world.until("no-image", lambda s: s.get("phase") == "Pending" and outcomes(s), "is withdrawn")
    assert outcomes(status) == [(1, "Rejected")]
    assert "binding" not in status
    found = world.waits_because("no-image", "OfferCoolingDown")
    assert "cool" in found["message"] or "failed to start" in found["message"]
    assert world.copies("no-image") == []
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
