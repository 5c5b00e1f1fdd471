"""RuntimeClasses of a member: nothing known is told apart from none there, and only a change is told."""

from typing import Any

import msgspec
import pytest

from builders import vector
from sampan.controller.members.watching.optional_watches import RUNTIME_CLASSES, cluster_scoped_watches
from sampan.inventory.member import Inventory
from sampan.inventory.runtime_classes import RuntimeClasses
from sampan.kube.objects import runtime_class as kube
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.members.taint import Toleration
from sampan.model.values.vector import Vector


def made(name: str = "kata", **fields: Any) -> kube.RuntimeClass:
    return msgspec.convert({"metadata": {"name": name}, "handler": name, **fields}, kube.RuntimeClass)


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def classes(told: list[int]) -> RuntimeClasses:
    return RuntimeClasses(lambda: told.append(1))


def test_nothing_known_is_not_none_there(classes: RuntimeClasses, told: list[int]) -> None:
    assert classes.known is None
    classes.replace([])
    assert classes.known == {}
    classes.forget()
    assert classes.known is None
    assert len(told) == 2


def test_what_a_class_adds_becomes_values(classes: RuntimeClasses) -> None:
    tolerations = [{"key": "kata", "operator": "Exists"}, {"key": "a", "value": "1", "effect": "NoSchedule"}, {"operator": "Exists"}]
    scheduling = {"nodeSelector": {"kata": "yes"}, "tolerations": tolerations}
    classes.put(made(overhead={"podFixed": {"memory": "2Gi", "cpu": "1"}}, scheduling=scheduling))
    want = (Toleration("kata"), Toleration("a", "1", "NoSchedule"), Toleration(""))
    kata = RuntimeClass(name="kata", overhead=vector(cpu=1, gib=2), selector=(("kata", "yes"),), tolerations=want)
    assert classes.known == {"kata": kata}


def test_a_change_is_told_and_what_changes_nothing_is_not(classes: RuntimeClasses, told: list[int]) -> None:
    classes.put(made())
    classes.put(made())
    assert len(told) == 1
    classes.put(made(overhead={"podFixed": {"memory": "1Gi"}}))
    classes.drop("kata")
    assert (classes.known, len(told)) == ({}, 3)


def test_the_watch_feeds_the_inventory() -> None:
    heard: list[frozenset[str]] = []
    inventory = Inventory("hub", heard.append)
    ((name, what, sink),) = cluster_scoped_watches(inventory, {RUNTIME_CLASSES}, lambda _: None)
    assert (name, what.path.url) == (RUNTIME_CLASSES, "/apis/node.k8s.io/v1/runtimeclasses")
    sink.on_replace([made("a"), made("b")], [])
    sink.on_event("DELETED", made("a"))
    sink.on_event("MODIFIED", made("b", overhead={"podFixed": {"cpu": "1"}}))
    assert {key: value.overhead for key, value in (inventory.runtime_classes.known or {}).items()} == {"b": Vector.of({"cpu": 1000})}
    assert heard == [frozenset()] * 3
