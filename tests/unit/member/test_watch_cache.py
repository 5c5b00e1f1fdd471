"""A watch cache holds what is there now, and rings only when what it keeps has changed."""

from member_objects import as_node, node_body
from sampan.kube.objects.workloads import Node
from sampan.kube.transport.wire import Unreadable
from sampan.member.summarise import trim_node
from sampan.member.watch_cache import WatchCache


def cache() -> tuple[WatchCache[Node], list[int]]:
    rung: list[int] = []
    return WatchCache[Node](trim_node, lambda: rung.append(1)), rung


def test_a_heartbeat_of_a_node_rings_nobody() -> None:
    held, rung = cache()
    held.on_replace([as_node(node_body(version=1))], ())
    held.on_event("MODIFIED", as_node(node_body(version=2)))
    held.on_replace([as_node(node_body(version=3))], ())
    assert len(rung) == 1


def test_changes_ring_and_show() -> None:
    held, rung = cache()
    held.on_replace([as_node(node_body("b")), as_node(node_body("a"))], ())
    held.on_event("MODIFIED", as_node(node_body("a", unschedulable=True)))
    assert [(node.metadata.name, node.spec.unschedulable) for node in held.items] == [("a", True), ("b", False)]
    held.on_event("DELETED", as_node(node_body("a")))
    held.on_replace([], ())
    assert (held.items, len(rung)) == ([], 4)


def test_an_object_that_cannot_be_read_stays_until_it_goes() -> None:
    held, _ = cache()
    held.on_replace([as_node(node_body("a"))], ())
    bad = Unreadable(namespace="", name="a", uid="uid-a", resource_version="1", problem="broken")
    held.on_replace([], [bad])
    held.on_unreadable("MODIFIED", bad)
    assert [node.metadata.name for node in held.items] == ["a"]
    held.on_unreadable("DELETED", bad)
    assert held.items == []
