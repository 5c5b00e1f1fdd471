"""Nodes of a real member that an offer has or has not: another system, taints, RuntimeClasses; and what their pods look like."""

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.life import World, condition, job
from e2e.test_offers import NAMESPACE, offer, offered, until
from integration.support import Api, wait_for

L4 = {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034"}
MEMBER = "lingang"


def node(name: str, grid: str, *, cpu: str = "16", gpus: int = 0, taints: tuple[str, ...] = (), system: str = "linux") -> dict[str, Any]:
    """A simulated node of one test's offer; taints are key=value."""
    told = {"kubernetes.io/os": system, "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "grid": grid}
    amounts = {"cpu": cpu, "memory": "64Gi", "pods": "110", "ephemeral-storage": "1Ti"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    pairs = (taint.partition("=") for taint in taints)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": told | (L4 if gpus else {}), "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"taints": [{"key": key, "value": value, "effect": "NoSchedule"} for key, _, value in pairs]},
        "status": {"capacity": amounts, "allocatable": amounts},
    }


@pytest.fixture
def member(world: World) -> Iterator[Api]:
    """The member, without the nodes and the RuntimeClass of the test afterwards."""
    api = world.member(MEMBER)
    yield api
    api.kubectl("delete", "node", "-l", "grid", "--ignore-not-found")
    api.kubectl("delete", "runtimeclass", "kata", "--ignore-not-found")


def offer_of(grid: str, **spec: Any) -> dict[str, Any]:
    """An offer of just the nodes of one test."""
    return offer(grid, pools=[{"nodeSelector": {"matchLabels": {"grid": grid}}}], **spec)


def cpu_job(name: str, grid: str, **requests: str) -> dict[str, Any]:
    """A job that may only go to one test's nodes."""
    return job(
        name, "sleep 3000", template={"resources": {"requests": requests}}, placement={"offerSelector": {"matchLabels": {"grid": grid}}}
    )


def left_out(world: World, grid: str, cause: str) -> dict[str, Any]:
    """Wait until the offer tells of nodes that are out for this cause."""

    def look() -> dict[str, Any] | None:
        status = world.offer(NAMESPACE, grid).get("status") or {}
        return next((each for each in status.get("excludedNodes", []) if each["cause"] == cause), None)

    return wait_for(look, f"{grid} tells of {cause}")


def waits(world: World, name: str, reason: str) -> None:
    """Wait until the one pool of the test's offer refuses a job for this reason."""
    world.until(name, lambda status: f"1 pool {reason}" in condition(status, "Scheduled").get("message", ""), f"one pool says {reason}")


def test_a_windows_node_takes_no_job_and_is_told(world: World, member: Api) -> None:
    member.apply(node("win-1", "windows", cpu="300", system="windows"), node("lin-1", "windows"))
    with offered(world, offer_of("windows")):
        until(world, "windows", "Schedulable", "True")
        assert left_out(world, "windows", "NotLinux")["example"] == "win-1"
        world.submit(cpu_job("for-windows", "windows", cpu="280"), cpu_job("for-linux", "windows", cpu="1"))
        waits(world, "for-windows", "TooLarge")
        world.reaches("for-linux", "Running")
        (pod,) = world.pods("for-linux")
        assert (pod["spec"]["nodeName"], pod["spec"]["os"], pod["spec"]["nodeSelector"]["kubernetes.io/os"]) == (
            "lin-1",
            {"name": "linux"},
            "linux",
        )
        for name in ("for-windows", "for-linux"):
            world.delete_gone(name)


def test_taints_of_clouds_are_tolerated_where_the_offer_says_so(world: World, member: Api) -> None:
    member.apply(node("sku-1", "tainted", gpus=1, taints=("nvidia.com/gpu=present", "sku=gpu", "dedicated=ml")))
    body = offer_of("tainted")
    with offered(world, body):
        for words in ("tolerationSets: [GPUNodes]", "key: dedicated"):  # once the node is Ready: until then it has one taint more
            wait_for(lambda words=words: words in left_out(world, "tainted", "Tainted")["detail"], f"{words} is told")  # type: ignore[misc]
        own = [{"key": "dedicated", "value": "ml", "effect": "NoSchedule"}]
        world.fed.hub.apply({**body, "spec": {**body["spec"], "launch": {"tolerationSets": ["GPUNodes"], "tolerations": own}}})
        until(world, "tainted", "Schedulable", "True")
        wanted = job("on-l4", "sleep 3000", device=("nvidia-l4-24gb", 1), placement={"offerSelector": {"matchLabels": {"grid": "tainted"}}})
        world.submit(wanted)
        world.reaches("on-l4", "Running")
        (pod,) = world.pods("on-l4")
        tolerated = {each["key"] for each in pod["spec"]["tolerations"]}
        assert pod["spec"]["nodeName"] == "sku-1"
        assert {"nvidia.com/gpu", "sku", "dedicated"} <= tolerated
        world.delete_gone("on-l4")


def test_a_runtime_class_must_be_there_and_its_overhead_counts(world: World, member: Api) -> None:
    member.apply(node("kata-1", "kata"))
    kata = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata"}, "handler": "kata"}
    with offered(world, offer_of("kata", launch={"runtimeClassName": "kata"})):
        assert until(world, "kata", "Schedulable", "False")["reason"] in ("NotConnected", "RuntimeClassMissing")
        world.submit(cpu_job("with-room", "kata", cpu="8", memory="61Gi"))
        waits(world, "with-room", "RuntimeClassMissing")
        member.apply({**kata, "overhead": {"podFixed": {"memory": "2Gi", "cpu": "250m"}}})
        until(world, "kata", "Schedulable", "True")
        world.submit(cpu_job("exact-fit", "kata", cpu="8", memory="63Gi"))
        world.reaches("with-room", "Running")
        (pod,) = world.pods("with-room")
        assert pod["spec"]["overhead"] == {"cpu": "250m", "memory": "2Gi"}
        waits(world, "exact-fit", "TooLarge")
        assert not world.status("exact-fit").get("attempts"), "it was never bound"
        assert condition(world.status("with-room"), "Running")["status"] == "True"
        for name in ("exact-fit", "with-room"):
            world.delete_gone(name)
