"""Nodes and members that are lost: the status says which and since when, nothing is doubled, and all goes on when they are back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from e2e.life import ASCEND, H100, HYGON, TEAM, Json, World, condition, job, outcomes
from integration.support import PATIENCE, Api, bring_node_back, lose_node, wait_for

pytestmark = [pytest.mark.faults]

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
FOR_EVER = "sleep 3000"


def node_of(world: World, name: str) -> str:
    """The node of a job's first pod."""
    return str(sorted(world.pods(name), key=lambda pod: pod["metadata"]["name"])[0]["spec"]["nodeName"])


def held_up(world: World, name: str, kind: str, reason: str, *, seconds: float = PATIENCE) -> Json:
    """Wait until a condition says what stalls a job; returns the condition."""
    status = world.until(
        name,
        lambda s: (condition(s, kind).get("status"), condition(s, kind).get("reason")) == ("True", reason),
        f"{kind} because of {reason}",
        seconds=seconds,
    )
    return condition(status, kind)


def shown(world: World, *arguments: str) -> str:
    """What `sampan …` prints for the tenant."""
    env = {**os.environ, "KUBECONFIG": str(world.fed.tenant.kubeconfig), "COLUMNS": "400"}
    done = subprocess.run(
        [sys.executable, "-m", "sampan", *arguments], env=env, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout


def explained(world: World, name: str) -> Json:
    """The status of a job's Explanation."""
    raw = world.fed.tenant.kubectl("get", "--raw", f"/apis/query.sampan.dev/v1alpha1/namespaces/{TEAM}/explanations/{name}")
    return dict(json.loads(raw)["status"])


def connected(world: World, namespace: str, name: str) -> Json:
    """An offer's condition Connected."""
    return condition(world.offer(namespace, name)["status"], "Connected")


@contextmanager
def lost_nodes(*places: tuple[Api, str]) -> Iterator[None]:
    """These nodes' kubelets are dead for a while."""
    for member, node in places:
        lose_node(member, node)
    try:
        yield
    finally:
        for member, node in places:
            if "local.sampan.dev/lost" in member.get("node", node)["metadata"]["annotations"]:
                bring_node_back(member, node)


@contextmanager
def without_control_plane(world: World, member: str) -> Iterator[None]:
    """A member's control plane is dead: nothing listens at its API server's address."""
    cluster = world.fed.cluster(member)
    cluster.stop(world.fed.binaries)
    try:
        yield
    finally:
        cluster.start(world.fed.binaries)


def test_what_is_lost_is_named_and_nothing_is_doubled(world: World) -> None:
    """A gang's node comes back; a deletion waits for a dead node; a node is given up; a member's API server dies meanwhile."""
    grace = {"terminationGracePeriodSeconds": 1}
    world.submit(
        job("kept", FOR_EVER, replicas=2, device=(H100, 8), template=grace),
        job("deleted", FOR_EVER, device=(HYGON, 8), template=grace),
        job("again", FOR_EVER, device=(HYGON, 8), template=grace),
        job("held", FOR_EVER, device=(ASCEND, 8), template=grace),
    )
    for name in ("kept", "deleted", "again", "held"):
        world.reaches(name, "Running")
    lingang, kunshan = world.member("lingang"), world.member("kunshan")
    kept, deleted, again = (node_of(world, name) for name in ("kept", "deleted", "again"))
    with lost_nodes((lingang, kept), (kunshan, deleted), (kunshan, again)):
        member_away(world)
        # The node controllers have noticed meanwhile, or will.
        told = held_up(world, "kept", "Degraded", "NodeUnreachable")
        assert kept in told["message"]
        assert "since 20" in told["message"]
        assert world.status("kept")["phase"] == "Running"
        assert kept in shown(world, "jobs", "-n", TEAM, "kept")
        bring_node_back(lingang, kept)
        world.until("kept", lambda s: condition(s, "Degraded").get("status") == "False", "is whole again")
        assert not world.status("kept").get("attempts"), "the job went on where it was"
        deletion_waits(world, deleted)
        # The member's administrator gives the nodes up.
        for node in (deleted, again):
            kunshan.kubectl("taint", "node", node, f"{OUT_OF_SERVICE}=nodeshutdown:NoExecute")
        wait_for(lambda: world.get("deleted") is None, "the deletion is over")
        status = world.until("again", lambda s: outcomes(s) and s.get("phase") == "Running", "runs elsewhere")
        assert outcomes(status) == [(1, "Disrupted")]
        assert condition(status, "Degraded").get("status") != "True"
        for node in (deleted, again):
            kunshan.kubectl("taint", "node", node, f"{OUT_OF_SERVICE}-")


def member_away(world: World) -> None:
    """A member's API server dies: its offer and the jobs bound there say so, nothing is evicted, and it clears when it is back."""
    attempt = world.status("held")["binding"]["attempt"]
    with without_control_plane(world, "pengcheng"):
        wait_for(lambda: refused(connected(world, "prov-pengcheng", "pengcheng-ondemand")), "the offer says so")
        told = held_up(world, "held", "Degraded", "MemberUnreachable")
        assert "prov-pengcheng/pengcheng-ondemand does not answer since 20" in told["message"]
        assert explained(world, "held")["message"] == told["message"]
        assert "MemberUnreachable" in shown(world, "jobs", "-n", TEAM, "held")
        assert world.status("held")["phase"] == "Running"
    wait_for(lambda: connected(world, "prov-pengcheng", "pengcheng-ondemand")["status"] == "True", "the member is back")
    status = world.until("held", lambda s: condition(s, "Degraded").get("status") == "False", "goes on")
    assert (status["phase"], status["binding"]["attempt"], status["reason"]) == ("Running", attempt, "PodsRunning")


def refused(told: Json) -> bool:
    """Tell whether Connected says that nobody listens: while the member goes down it may answer other things first."""
    return (told["status"], told["reason"]) == ("False", "Unreachable") and "ConnectionRefused" in told["message"]


def deletion_waits(world: World, node: str) -> None:
    """A deletion that waits for a pod on a dead node says which node."""
    world.delete("deleted")
    told = held_up(world, "deleted", "Deleting", "WaitingForPods")
    assert node in told["message"]
    assert node in explained(world, "deleted")["message"]
    line = shown(world, "jobs", "-n", TEAM, "deleted")
    assert "WaitingForPods" in line
    assert "Deleting" in line
