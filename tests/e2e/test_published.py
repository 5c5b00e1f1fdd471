"""A member that publishes its capacity: jobs run there as anywhere, and the hub's identity may look at no node and no foreign pod."""

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.life import H100, UNTIL_TOLD, World, job
from integration.support import wait_for
from sampan.local.binaries import Binaries
from sampan.local.processes.publisher_process import PublisherProcess
from sampan.local.scenario import Scenario, load
from servers import federation_of

MEMBER, OFFER, PROVIDER = "lingang", "lingang-ondemand", "lingang"
HUB = "--as=system:serviceaccount:sampan-jobs:sampan-hub"


def scenario() -> Scenario:
    """The demo's first member, alone, publishing every two seconds."""
    demo = load("demo")
    member = next(each for each in demo.members if each.name == MEMBER)
    published = member.model_copy(update={"values": {**member.values, "capacity": "published", "publisher": {"interval": 2}}})
    return demo.model_copy(
        update={
            "members": [published],
            "offers": [each for each in demo.offers if each.name == OFFER],
            "providers": [each for each in demo.providers if each.name == PROVIDER],
        }
    )


@pytest.fixture(scope="module")
def world(binaries: Binaries) -> Iterator[World]:
    """A hub and one member with a publisher."""
    with federation_of(binaries, "published", scenario()) as federation:
        yield World(federation)


def publisher(world: World) -> PublisherProcess:
    """The member's publisher."""
    return world.fed.federation.publishers[0]


def status(world: World) -> dict[str, Any]:
    """The offer's status."""
    namespace = next(each.namespace for each in scenario().providers)
    found: dict[str, Any] = world.offer(namespace, OFFER).get("status", {})
    return found


def connected(world: World) -> tuple[str, str]:
    """Reason and message of the offer's condition Connected."""
    return next((c["reason"], c.get("message", "")) for c in status(world)["conditions"] if c["type"] == "Connected")


def free(world: World) -> int:
    """Free H100s that the offer shows."""
    return sum(pool["free"] for pool in status(world).get("pools", []) if pool.get("acceleratorClass") == H100)


def h100(name: str, script: str, count: int = 8, **spec: Any) -> dict[str, Any]:
    """A job on H100s."""
    return job(name, script, device=(H100, count), **spec)


@pytest.mark.parametrize("question", [("list", "nodes"), ("get", "nodes"), ("list", "pods", "-A"), ("watch", "pods", "-n", "default")])
def test_the_hub_may_not_look_around(world: World, question: tuple[str, ...]) -> None:
    asked = world.fed.members[MEMBER].try_kubectl("auth", "can-i", *question, HUB)
    assert (asked.returncode, asked.stdout.strip()) == (1, "no")


def test_the_offer_says_that_its_capacity_is_published_and_takes_jobs(world: World) -> None:
    wait_for(lambda: free(world) == 32, "all devices are shown")
    told = ("Connected", "capacity is published by the member")
    wait_for(
        lambda: connected(world) == told, "the offer says how it knows"
    )  # a summary may come late on a loaded machine: stale till then
    world.submit(h100("gang", UNTIL_TOLD, replicas=2))
    world.reaches("gang", "Running")
    wait_for(lambda: free(world) == 16, "each of its devices is counted once")
    world.finish("gang")
    world.reaches("gang", "Succeeded")
    wait_for(lambda: free(world) == 32, "its devices are free again")


def test_a_cordon_and_a_foreign_pod_are_seen(world: World) -> None:
    member = world.fed.members[MEMBER]
    member.kubectl("cordon", "h100-1")
    wait_for(lambda: free(world) == 24, "the node is left out")
    assert [(each["cause"], each["nodes"]) for each in status(world)["excludedNodes"]] == [("Cordoned", 1)]
    member.kubectl("uncordon", "h100-1")
    wait_for(lambda: free(world) == 32, "the node is back")
    asks = {"limits": {"nvidia.com/gpu": "3"}}
    pod = {"containers": [{"name": "main", "image": "registry.example/tool:1", "resources": asks}], "terminationGracePeriodSeconds": 0}
    member.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "foreign", "namespace": "default"}, "spec": pod})
    wait_for(lambda: free(world) == 29, "what somebody else runs is taken")
    member.kubectl("delete", "pod", "foreign", "-n", "default", "--wait=false")
    wait_for(lambda: free(world) == 32, "and free again")


def test_without_its_publisher_a_member_keeps_its_jobs_and_gets_no_new_ones(world: World) -> None:
    world.submit(h100("runs", UNTIL_TOLD))
    world.reaches("runs", "Running")
    publisher(world).stop()
    words = "no new summary of the member's capacity for 3 times 2 seconds"
    wait_for(lambda: (told := connected(world))[0] == "CapacityStale" and words in told[1], "the offer is stale")
    world.submit(h100("waits", "sleep 1"))
    world.waits_because("waits", "OfferNotConnected")
    world.finish("runs")
    world.reaches("runs", "Succeeded")
    assert world.status("runs")["binding"]["attempt"] == 1, "it was followed to its end where it was"
    assert world.status("waits")["phase"] == "Pending"
    publisher(world).start()
    wait_for(lambda: connected(world)[0] == "Connected", "a new summary ends it")
    world.reaches("waits", "Succeeded")
