"""What nodes have and what of it is free."""

from dataclasses import replace

from builders import ASCEND, H100, cluster, demand, node, nodes, requirement, vector
from sampan.catalog import load
from sampan.model.members.cluster import Cluster
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.nodes import NodeTable
from sampan.scheduling.capacity.resources import Request, ResourceIndex

MEMBER = cluster(*nodes("h", 2, H100), used={"h-0": vector(gpu=3)})
GPU, NPU = "nvidia.com/gpu", "huawei.com/Ascend910"


class Store:
    """An inventory and the names of its columns."""

    def __init__(self) -> None:
        self.names = ResourceIndex()
        self.inventory = NodeTable(self.names)

    def sync(self, member: Cluster) -> tuple[list[int], list[int]]:
        """Take over a picture; returns which nodes differed in what is taken and in what they have."""
        stale = self.inventory.sync([("c1", name) for name in member.nodes], {"c1": member})
        used, whole = self.inventory.changes_of(sorted(stale))
        for number in (*used, *whole):
            self.inventory.write(number)
        return used, whole

    def free(self) -> list[int]:
        return [int(self.inventory.free.amounts[number, self.names.position(GPU)]) for number in range(len(self.inventory))]


def test_free_is_what_nodes_have_less_what_is_used() -> None:
    store = Store()
    assert store.sync(MEMBER) == ([], [0, 1])
    assert store.free() == [5, 8]
    assert store.inventory.number("c1", "h-1") == 1
    assert store.inventory.number("c1", "elsewhere") is None


def test_a_picture_writes_what_differs_and_tells_taken_from_had() -> None:
    store = Store()
    store.sync(MEMBER)
    fuller = replace(MEMBER, used={**MEMBER.used, "h-1": vector(gpu=8)})
    assert (store.sync(fuller), store.free()) == (([1], []), [5, 0])
    smaller = replace(fuller, nodes={**fuller.nodes, "h-0": node("h-0", H100, 4)})
    assert (store.sync(smaller), store.free()) == (([], [0]), [1, 0])
    assert store.sync(replace(smaller)) == ([], [])


def test_what_a_replica_takes_is_gone() -> None:
    store = Store()
    store.sync(MEMBER)
    store.inventory.take(1, vector(gpu=2), request=Request.of(demand(requirement(count=2))), replicas=3)
    assert store.free() == [5, 2]


def test_nodes_of_rings_have_tables_by_count() -> None:
    store = Store()
    store.sync(cluster(*nodes("a", 1, ASCEND)))
    rule = replace(load().classes[ASCEND].count_rule, group_size=4)
    store.inventory.set_rings(0, rule, NPU)
    assert int(store.inventory.free.rings[0][4]) == 2
    store.inventory.take(0, Vector.of({NPU: 4}), request=Request.of(demand(requirement(ASCEND, 4))), replicas=1)
    assert int(store.inventory.free.rings[0][4]) == 0, "not known which four are taken"
    assert int(store.inventory.allocatable.rings[0][4]) == 2
