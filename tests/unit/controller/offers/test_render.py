"""What an offer on the hub needs next, in order: finalizer, status, nothing; and off it goes when nothing is left."""

from dataclasses import replace
from typing import Any

import pytest

from builders import running
from member_objects import HUB, MEMBER, as_node, as_pod, node_body, offer_body, pod_body, provider_body
from sampan.catalog import load
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import OfferRegistry
from sampan.controller.offers.render import OfferPatchPlanner, OfferUsage
from sampan.inventory.in_flight import InFlight
from sampan.inventory.member import Inventory
from sampan.kube.objects.meta import ObjectMeta
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.transport.client import PatchType
from sampan.model.members.cluster import Running
from sampan.model.members.offer import OfferKey
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.values.names import FINALIZER

UID = "uid-prov-a-one"
UP = LinkFacts(connected=True, reason=OfferReason.CONNECTED, cluster_uid=MEMBER, missing=())


class World:
    """A book with one offer, its pools, and a clock."""

    def __init__(self) -> None:
        self.now = 1_767_225_600_000
        self.facts = UP
        self.used: set[OfferKey] = set()
        self.inventory = Inventory(HUB, lambda nodes: None)
        self.inventory.put_node(as_node(node_body()))
        self.registry = OfferRegistry(HUB, lambda key: self.facts)
        self.pools = OfferPools(load(), frozenset({"CN"}))
        self.running: dict[str, Running] = {}
        self.kept: dict[str, int] = {}
        self.counts = 0
        use = OfferUsage(
            in_use=lambda key: key in self.used, running=self.running_there, in_flight=self.in_flight, reserved=lambda _: self.kept
        )
        self.renderer = OfferPatchPlanner(self.registry, self.pools, usage=use, clock=lambda: self.now)
        self.registry.apply_provider(provider_body())

    def running_there(self, _: str) -> dict[str, Running]:
        self.counts += 1
        return self.running

    def in_flight(self, _: str) -> tuple[InFlight, ...]:
        self.counts += 1
        return ()

    def put(self, **over: Any) -> None:
        version = 1 + int(self.registry.declared[UID].resource_version) if UID in self.registry.declared else 5
        self.registry.apply_offer(offer_body(version=version, **over))
        self.registry.reassess()
        self.pools.set_offer(self.registry.assessed[UID].offer, trust_overrides=False)
        self.pools.attach_member(MEMBER, self.inventory)

    def patch(self) -> dict[str, Any]:
        write = self.renderer.next_write(UID, True)
        assert write is not None
        assert write.subresource == "status"
        status: dict[str, Any] = write.body["status"]
        return status

    def conditions(self) -> dict[str, tuple[str, str]]:
        return {c["type"]: (c["status"], c["reason"]) for c in self.patch()["conditions"]}


@pytest.fixture
def world() -> World:
    made = World()
    made.put()
    return made


def test_a_status_is_written_once(world: World) -> None:
    assert world.conditions()["Schedulable"] == ("True", "Schedulable")
    world.put(status=world.patch())
    assert world.renderer.next_write(UID, True) is None
    assert world.renderer.next_write("nobody", True) is None


def test_a_refused_status_comes_without_pools_for_a_while_and_says_so(world: World) -> None:
    assert world.patch()["pools"]
    world.renderer.on_refused(UID)
    patch = world.patch()
    assert "pools" not in patch
    shown = {c["type"]: c for c in patch["conditions"]}["Schedulable"]
    assert (shown["status"], shown["reason"]) == ("True", "StatusRefused")
    assert "refuses" in shown["message"]
    world.put(status=patch)
    assert world.renderer.next_write(UID, True) is None, "nothing more to say"
    world.now += 600_000
    assert world.patch()["pools"], "tried again"


def test_news_that_is_counts_alone_has_nothing_counted_before_it_may_be_written(world: World) -> None:
    world.put(status=world.patch())
    world.counts = 0
    for number in range(3):
        world.inventory.put_pod(as_pod(pod_body(f"p{number}")))
        world.pools.mark_changed(MEMBER, world.inventory, {"n1"})
        world.pools.in_flight_changed(MEMBER)
        assert world.renderer.next_write(UID, False) is None
    assert world.counts == 0
    assert world.patch()["pools"][0]["free"] < 8
    world.inventory.put_node(as_node(node_body(ready=False)))
    world.pools.mark_changed(MEMBER, world.inventory, {"n1"})
    write = world.renderer.next_write(UID, False)
    assert write is not None, "a condition is told at once"
    assert {c["type"]: c["reason"] for c in write.body["status"]["conditions"]}["Schedulable"] == "NoPools"


def test_an_exceeded_limit_is_told_at_once(world: World) -> None:
    world.put(pools=[{"maxDevices": 2}])
    world.put(pools=[{"maxDevices": 2}], status=world.patch())
    assert world.renderer.next_write(UID, False) is None
    (pool,) = world.pools.pools(OfferKey("prov-a", "one"))
    world.running = {"j": replace(running("j", "n1", ends=None, devices=3), offer=OfferKey("prov-a", "one"), pool=pool.name)}
    assert world.renderer.next_write(UID, False) is not None


def test_the_finalizer_comes_before_the_status(world: World) -> None:
    world.put(meta={"finalizers": ["other/one"]})
    write = world.renderer.next_write(UID, True)
    assert write is not None
    assert write.subresource is None
    assert write.body["metadata"] == {"resourceVersion": "6", "finalizers": ["other/one", FINALIZER]}


def test_an_offer_that_takes_nothing_and_holds_nothing_is_let_go(world: World) -> None:
    """An uninstall closes the offers and takes the finalizers off: nobody puts them back."""
    world.put(meta={"finalizers": []}, accepting=False)
    write = world.renderer.next_write(UID, True)
    assert write is None or write.subresource == "status"
    world.used = {OfferKey("prov-a", "one")}
    held = world.renderer.next_write(UID, True)
    assert held is not None
    assert held.body["metadata"]["finalizers"] == [FINALIZER]


def test_an_offer_that_goes_waits_for_its_jobs_then_loses_the_finalizer(world: World) -> None:
    world.used = {OfferKey("prov-a", "one")}
    world.put(meta={"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["other/one", FINALIZER]})
    assert world.conditions()["Draining"] == ("True", "JobsBound")
    assert world.conditions()["Schedulable"] == ("False", "Draining")
    assert world.renderer.due() == [UID]
    world.used = set()
    write = world.renderer.next_write(UID, True)
    assert write is not None
    assert write.content_type is PatchType.JSON
    assert [step["value"] for step in write.body] == ["6", ["other/one"]]


def test_the_status_stays_while_the_link_is_on_its_first_way_in(world: World) -> None:
    world.put(status=world.patch())
    world.facts = LinkFacts()
    world.registry.link_changed(world.registry.declared[UID].secret, None)  # type: ignore[arg-type]
    world.registry.reassess()
    assert world.renderer.next_write(UID, True) is None
    world.facts = LinkFacts(reason=OfferReason.UNREACHABLE, message="no answer")
    assert world.renderer.next_write(UID, True) is not None


def test_time_alone_opens_and_ends_an_offer(world: World) -> None:
    world.put(validity={"until": "2026-01-01T00:00:10Z"})
    world.put(validity={"until": "2026-01-01T00:00:10Z"}, status=world.patch())
    assert world.renderer.due() == []
    world.now += 10_000
    assert world.renderer.due() == [UID]
    assert world.conditions()["Schedulable"] == ("False", "NotValid")


def test_a_limit_below_what_jobs_of_the_offer_use_is_shown_and_pods_of_others_do_not_count(world: World) -> None:
    for number in range(3):
        world.inventory.put_pod(as_pod(pod_body(f"p{number}")))
    world.pools.mark_changed(MEMBER, world.inventory, {"n1"})
    world.put(pools=[{"maxDevices": 2}])
    assert "Overcommitted" not in world.conditions()
    (pool,) = world.pools.pools(OfferKey("prov-a", "one"))
    world.running = {"j": replace(running("j", "n1", ends=None, devices=3), offer=OfferKey("prov-a", "one"), pool=pool.name)}
    assert world.conditions()["Overcommitted"] == ("True", "Overcommitted")
    world.put(pools=[{"maxDevices": 3}])
    assert "Overcommitted" not in world.conditions()


def test_devices_that_are_kept_for_waiting_jobs_are_shown(world: World) -> None:
    assert [pool["reserved"] for pool in world.patch()["pools"]] == [0]
    world.kept = {world.patch()["pools"][0]["name"]: 4}
    assert [pool["reserved"] for pool in world.patch()["pools"]] == [4]


@pytest.mark.parametrize(
    ("energy", "want"),
    [
        ({"renewableShare": "0.9"}, "spec.energy earns nothing for green: it lacks pue, gCO2PerKWh, asOf"),
        ({"pue": "1.2", "gCO2PerKWh": 400, "asOf": "2020-01-01T00:00:00Z"}, "asOf must be a moment of the last three years"),
        ({"pue": "0.2", "gCO2PerKWh": 400, "asOf": "2025-01-01T00:00:00Z"}, "spec.energy.pue must be 1 or more"),
        ({"pue": "1.2", "gCO2PerKWh": 400, "asOf": "2025-01-01T00:00:00Z"}, ""),
    ],
)
def test_figures_of_power_that_count_for_nothing_are_told(world: World, energy: dict[str, Any], want: str) -> None:
    world.put(energy=energy)
    (schedulable,) = [each for each in world.patch()["conditions"] if each["type"] == "Schedulable"]
    assert schedulable["status"] == "True"
    assert want in schedulable["message"]
    assert bool(want) is bool(schedulable["message"])


def test_an_offer_is_told_of_its_runtime_class() -> None:
    world = World()
    world.put(launch={"runtimeClassName": "kata"}, meta={"finalizers": [FINALIZER]})
    assert world.conditions()["Schedulable"] == ("True", "RuntimeClassUnknown")
    world.inventory.runtime_classes.replace([])
    assert world.conditions()["Schedulable"] == ("False", "RuntimeClassMissing")
    world.inventory.runtime_classes.put(RuntimeClass(metadata=ObjectMeta(name="kata")))
    assert world.conditions()["Schedulable"] == ("True", "Schedulable")
