"""Pools: which nodes stand together, under which name, and what is shown of them."""

from dataclasses import replace

import pytest

from builders import A100, ASCEND, H100, HYGON, cluster, node, nodes, offer, selector, vector
from sampan.catalog import load
from sampan.model.accelerator import Sharing
from sampan.model.cluster import Cluster, Node, Pool, Taint
from sampan.model.offer import PoolRule
from sampan.model.vector import Vector
from sampan.scheduling.pools import describe, left_out, pools_of

GPU_TAINT = Taint("nvidia.com/gpu", "", "NoSchedule")


def made(member: Cluster, *rules: PoolRule, trust: bool = True) -> dict[str, Pool]:
    pools = pools_of(offer(rules=rules), member, load(), home_origins=frozenset({"CN"}), trust_overrides=trust)
    assert len({pool.name for pool in pools}) == len(pools)
    return {pool.name: pool for pool in pools}


def test_like_nodes_are_one_pool_with_a_readable_name() -> None:
    member = cluster(*nodes("h", 2, H100), *nodes("a", 1, ASCEND), *nodes("y", 1, HYGON, 4), *nodes("c", 3))
    pools = made(member)
    assert {name: pool.nodes for name, pool in pools.items()} == {
        "h100-sxm-80gb-x8": ("h-0", "h-1"),
        "910b3-64gb-x8": ("a-0",),
        "k100-ai-64gb-x4": ("y-0",),
        "cpu": ("c-0", "c-1", "c-2"),
    }
    assert {name for name, pool in pools.items() if pool.domestic} == {"910b3-64gb-x8", "k100-ai-64gb-x4"}
    assert all(pool.cluster_uid == "c1" for pool in pools.values())


def test_names_do_not_depend_on_the_order_of_nodes() -> None:
    members = [*nodes("h", 2, H100), node("odd", H100, taints=[GPU_TAINT]), *nodes("c", 2)]
    assert made(cluster(*members)) == made(cluster(*reversed(members)))


def test_pools_of_the_same_name_all_get_a_suffix() -> None:
    plain, tainted = node("n1", H100), node("n2", H100, taints=[GPU_TAINT])
    names = sorted(made(cluster(plain, tainted)))
    assert len(names) == 2
    assert all(name.startswith("h100-sxm-80gb-x8-") for name in names)
    tolerated = {pool.nodes: pool.tolerated for pool in made(cluster(plain, tainted)).values()}
    assert tolerated == {("n1",): (), ("n2",): (GPU_TAINT,)}


def test_what_is_unusual_is_in_the_name() -> None:
    shared = node("n1", H100, labels={"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED"})
    member = cluster(shared, node("n2", H100, architecture="arm64"), node("n3", resources={"acme.example/npu": 4}))
    pools = made(member)
    assert sorted(pools) == ["h100-sxm-80gb-timesliced-x8", "h100-sxm-80gb-x8-arm64", "unknown-npu-x4"]
    assert pools["h100-sxm-80gb-timesliced-x8"].sharing is Sharing.TIME_SLICED
    assert pools["unknown-npu-x4"].accelerator is None


@pytest.mark.parametrize(
    ("odd", "cause"),
    [
        (node("odd", H100, ready=False), "NotReady"),
        (node("odd", H100, cordoned=True), "Cordoned"),
        (node("odd", H100, taints=[Taint("team-b", "", "NoSchedule")]), "Tainted"),
        (node("odd", taints=[GPU_TAINT]), "Tainted"),  # without devices of its own nothing lets us tolerate it
        (node("odd", ASCEND, taints=[GPU_TAINT]), "Tainted"),
    ],
)
def test_nodes_that_are_left_out_are_counted(odd: Node, cause: str) -> None:
    member = cluster(node("good", H100), odd)
    assert [pool.nodes for pool in made(member).values()] == [("good",)]
    assert left_out(offer(), member, load()) == {cause: 1}


def test_a_node_with_two_kinds_of_devices_is_in_two_pools() -> None:
    both = node("n1", A100, 4, resources={"nvidia.com/mig-1g.10gb": 28})
    pools = made(cluster(both))
    assert {pool.resource: pool.nodes for pool in pools.values()} == {"nvidia.com/gpu": ("n1",), "nvidia.com/mig-1g.10gb": ("n1",)}


def test_rules_restrict_to_their_nodes() -> None:
    member = cluster(node("in", H100, labels={"rack": "r7"}), node("out", H100))
    rule = PoolRule(selector=selector(rack="r7"), max_devices=4)
    (pool,) = made(member, rule).values()
    assert (pool.nodes, pool.max_devices, pool.rule) == (("in",), 4, 0)
    assert left_out(offer(rules=[rule]), member, load()) == {"NotSelected": 1}


def test_the_first_rule_that_selects_a_node_has_it() -> None:
    first, second = PoolRule(selector=selector(rack="r7"), max_devices=1), PoolRule(selector=selector(), max_devices=2)
    caps = {
        pool.nodes: pool.max_devices
        for pool in made(cluster(node("a", H100, labels={"rack": "r7"}), node("b", H100)), first, second).values()
    }
    assert caps == {("a",): 1, ("b",): 2}


@pytest.mark.parametrize(
    ("named", "trust", "want"),
    [
        ("huawei-910b2-64gb", True, "huawei-910b2-64gb"),
        ("huawei-910b2-64gb", False, ASCEND),
        ("nvidia-t4-16gb", True, ASCEND),  # cannot be: another vendor's resource
        ("acme-9000", True, ASCEND),  # nobody knows it
    ],
)
def test_overrides_are_believed_where_trusted_and_possible(named: str, trust: bool, want: str) -> None:
    (pool,) = made(cluster(node("n1", ASCEND)), PoolRule(selector=selector(), accelerator_class=named), trust=trust).values()
    assert pool.accelerator is not None
    assert pool.accelerator.name == want


def test_a_summary_counts_devices_that_are_free_now() -> None:
    member = cluster(*nodes("h", 3, H100), used={"h-0": vector(gpu=8), "h-1": vector(gpu=2)})
    (pool,) = made(member).values()
    shown = describe(pool, member)
    assert (shown.nodes, shown.devices, shown.free, shown.reserved) == (3, 24, 14, 0)
    assert shown.largest_gang == (8, 1)
    assert (shown.accelerator_class, shown.resource_name, shown.memory_per_device) == (H100, "nvidia.com/gpu", 80 * 2**30)


@pytest.mark.parametrize(
    ("used", "want"),
    [({}, (8, 2)), ({"h-0": vector(gpu=4), "h-1": vector(gpu=2)}, (6, 1)), ({"h-0": vector(gpu=9), "h-1": vector(gpu=8)}, None)],
)
def test_the_largest_gang(used: dict[str, Vector], want: tuple[int, int] | None) -> None:
    member = cluster(*nodes("h", 2, H100), used=used)
    (pool,) = made(member).values()
    assert describe(pool, member).largest_gang == want


def test_a_cap_bounds_what_is_shown() -> None:
    member = cluster(*nodes("h", 2, H100), used={"h-0": vector(gpu=3)})
    (pool,) = made(member, PoolRule(selector=selector(), max_devices=5)).values()
    shown = describe(pool, member)
    assert (shown.devices, shown.free, shown.largest_gang) == (5, 2, (2, 1))


def test_pools_without_devices_have_nodes_only() -> None:
    member = cluster(*nodes("c", 2))
    shown = describe(made(member)["cpu"], member)
    assert (shown.nodes, shown.devices, shown.free, shown.largest_gang) == (2, 0, 0, None)


def test_a_vanished_node_is_not_free() -> None:
    member = cluster(*nodes("h", 2, H100))
    (pool,) = made(member).values()
    assert describe(pool, replace(member, nodes={"h-0": member.nodes["h-0"]})).free == 8


def test_labels_of_a_pool_are_on_all_its_nodes_and_on_no_other_class() -> None:
    older = node("old", A100, labels={"nvidia.com/gpu.product": "A100-SXM4-80GB"})
    member = cluster(*nodes("a", 2, A100), older, *nodes("h", 1, H100))
    pools = made(member)
    assert len(pools) == 3
    for pool in pools.values():
        carried = {name for name, each in member.nodes.items() if set(pool.telling_labels) <= set(each.labels.items())}
        assert carried == set(pool.nodes)


def test_a_rule_keeps_pods_to_its_nodes() -> None:
    (pool,) = made(cluster(node("in", labels={"rack": "r7"}), node("out")), PoolRule(selector=selector(rack="r7"))).values()
    assert pool.telling_labels == (("rack", "r7"),)


@pytest.mark.parametrize("amount", [1025, 2_000_000_000, 2**63 - 1])
def test_devices_that_no_node_can_have_are_left_out_and_counted(amount: int) -> None:
    absurd = node("absurd", labels={"node.kubernetes.io/npu.chip.name": "910A"}, resources={"huawei.com/Ascend910": amount})
    member = cluster(node("good", H100), absurd)
    pools = made(member)
    assert {name: pool.nodes for name, pool in pools.items()} == {"h100-sxm-80gb-x8": ("good",), "cpu": ("absurd",)}
    assert left_out(offer(), member, load()) == {"NotBelieved": 1}


def test_a_pool_of_absurd_size_is_described_at_once() -> None:
    """910A devices are asked for by 1, 2, 4 or 8: the way down to 8 must not be walked."""
    told = {"node.kubernetes.io/npu.chip.name": "910A"}
    member = cluster(node("n1", labels=told, resources={"huawei.com/Ascend910": 8}))
    (pool,) = made(member).values()
    assert pool.accelerator is not None
    assert pool.accelerator.count_rule.largest(2**62) == 8
    huge = node("n1", labels=told, resources={"huawei.com/Ascend910": 2**62})
    assert describe(pool, replace(member, nodes={"n1": huge})).largest_gang == (8, 2**59)
