"""Nodes and pods of a member become capacity: only what holds room counts, and only real changes are told."""

import pytest

from member_objects import HUB, JOB, as_node, as_pod, node_body, pod_body
from sampan.inventory.member import Inventory, to_node
from sampan.inventory.pod_uses import job_uid_of
from sampan.kube.objects.amounts import to_vector
from sampan.model.members.taint import Taint
from sampan.model.values.names import remote_labels
from sampan.model.values.vector import Vector


@pytest.fixture
def told() -> list[frozenset[str]]:
    return []


@pytest.fixture
def inventory(told: list[frozenset[str]]) -> Inventory:
    return Inventory(HUB, told.append)


def test_a_node_keeps_only_taints_that_keep_pods_away() -> None:
    taints = [{"key": "b", "value": "1", "effect": "NoSchedule"}, {"key": "a", "effect": "PreferNoSchedule"}]
    node = to_node(as_node(node_body(unschedulable=True, taints=taints)))
    assert node.taints == (Taint("b", "1", "NoSchedule"),)
    assert (node.cordoned, node.ready, node.hostname, node.allocatable["cpu"], node.allocatable["nvidia.com/gpu"]) == (
        True,
        True,
        "n1",
        64000,
        8,
    )
    assert not to_node(as_node(node_body(ready=False))).ready


def test_amounts_that_are_no_quantities_are_left_out() -> None:
    assert to_vector({"cpu": "500m", "memory": "-1", "x": "1e1000000", "pods": "3"}) == Vector.of({"cpu": 500, "pods": 3})


def test_a_heartbeat_tells_nobody(inventory: Inventory, told: list[frozenset[str]]) -> None:
    inventory.put_node(as_node(node_body(version=1)))
    inventory.put_node(as_node(node_body(version=2)))
    assert told == [frozenset({"n1"})]
    inventory.put_node(as_node(node_body(version=3, gpus=7)))
    inventory.drop_node("n1")
    inventory.drop_node("n1")
    assert told == [frozenset({"n1"})] * 3


def test_a_full_list_replaces_everything(inventory: Inventory, told: list[frozenset[str]]) -> None:
    inventory.replace_nodes([as_node(node_body(name)) for name in ("a", "b")])
    inventory.replace_nodes([as_node(node_body(name)) for name in ("b", "c")])
    assert sorted(inventory.nodes) == ["b", "c"]
    assert told == [frozenset({"a", "b"}), frozenset({"a", "c"})]


@pytest.mark.parametrize(
    ("node", "phase", "want"), [("n1", "Running", 1), ("n1", "Pending", 1), ("", "Pending", 0), ("n1", "Succeeded", 0), ("n1", "Failed", 0)]
)
def test_only_pods_on_a_node_that_did_not_end_hold_room(inventory: Inventory, node: str, phase: str, want: int) -> None:
    inventory.put_pod(as_pod(pod_body(node=node, phase=phase)))
    assert len(inventory.pods) == want


def test_a_pod_that_ends_gives_its_room_back(inventory: Inventory, told: list[frozenset[str]]) -> None:
    inventory.put_pod(as_pod(pod_body(ours=JOB)))
    inventory.put_pod(as_pod(pod_body(ours=JOB)))
    assert [use.job_uid for use in inventory.pods_on("n1")] == [JOB]
    assert [use.uid for use in inventory.pods_of(JOB)] == ["uid-p1"]
    inventory.put_pod(as_pod(pod_body(ours=JOB, phase="Succeeded")))
    assert not inventory.pods
    assert not inventory.pods_on("n1")
    assert not inventory.pods_of(JOB)
    assert told == [frozenset({"n1"})] * 2


def test_a_list_of_pods_keeps_the_last_reading_of_one_that_cannot_be_read(inventory: Inventory) -> None:
    inventory.replace_pods([as_pod(pod_body(name)) for name in ("p1", "p2")])
    inventory.replace_pods([], unreadable=["uid-p2", "uid-new"])
    assert list(inventory.pods) == ["uid-p2"]
    inventory.drop_pod("uid-p2")
    assert not inventory.pods_on("n1")


def test_labels_must_name_exactly_this_hub() -> None:
    labels = remote_labels(hub_id=HUB, job_uid=JOB, attempt=1)
    assert job_uid_of(labels, HUB) == JOB
    assert job_uid_of(labels, HUB[:-1]) is None
    assert job_uid_of(labels, f"{HUB}x") is None
    assert job_uid_of({}, HUB) is None


def test_what_a_node_claims_counts_up_to_what_a_node_can_have() -> None:
    body = node_body()
    body["status"]["allocatable"] = {"cpu": "9223372036854775807", "memory": "9223372036854775807", "pods": "9223372036854775807"}
    allocatable = to_node(as_node(body)).allocatable
    assert (allocatable["cpu"], allocatable["memory"], allocatable["pods"]) == (10**9, 2**60, 10**6)


def test_amounts_that_are_no_whole_numbers_are_named() -> None:
    body = node_body()
    body["status"]["allocatable"] = {"nvidia.com/gpu": "1500m", "x.example/y": "lots"}
    made = to_node(as_node(body))
    assert (made.allocatable["nvidia.com/gpu"], made.odd) == (1, (("nvidia.com/gpu", "1500m"), ("x.example/y", "lots")))
