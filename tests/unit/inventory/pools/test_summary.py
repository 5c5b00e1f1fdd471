"""What is shown of pools: counts, gangs, caps, and what is left out."""

from dataclasses import replace

import pytest

from builders import A100, ASCEND, H100, cluster, node, nodes, offer, running, selector, vector
from sampan.catalog import load
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.pools.summary import ExcludedNodes, excluded_nodes, own_use, summarise
from sampan.model.members.cluster import Cluster, Node, Pool, Running
from sampan.model.members.offer import OfferKey, PoolRule
from sampan.model.members.taint import Taint
from sampan.model.values.vector import Vector

GPU_TAINT = Taint("nvidia.com/gpu", "", "NoSchedule")


def made(member: Cluster, *rules: PoolRule, trust: bool = True) -> dict[str, Pool]:
    pools = pools_of(offer(rules=rules), member, load(), home_origins=frozenset({"CN"}), trust_overrides=trust)
    assert len({pool.name for pool in pools}) == len(pools)
    return {pool.name: pool for pool in pools}


@pytest.mark.parametrize(
    ("odd", "cause"),
    [
        (node("odd", H100, ready=False), "NotReady"),
        (node("odd", H100, cordoned=True), "Cordoned"),
        (replace(node("odd", H100), unfit=("NotLinux", "kubernetes.io/os=windows")), "NotLinux"),
        (replace(node("odd"), unfit=("VirtualNode", "type=virtual-kubelet")), "VirtualNode"),
        (replace(node("odd", H100, ready=False), unfit=("Deleting", "deletionTimestamp is set")), "Deleting"),
        (node("odd", H100, taints=[Taint("team-b", "", "NoSchedule")]), "Tainted"),
        (node("odd", taints=[GPU_TAINT]), "Tainted"),  # without devices of its own nothing lets us tolerate it
        (node("odd", ASCEND, taints=[GPU_TAINT]), "Tainted"),
    ],
)
def test_nodes_that_are_left_out_are_counted(odd: Node, cause: str) -> None:
    member = cluster(node("good", H100), odd)
    assert [pool.nodes for pool in made(member).values()] == [("good",)]
    assert [each.cause for each in excluded_nodes(offer(), member, load())] == [cause]


def test_rules_restrict_to_their_nodes() -> None:
    member = cluster(node("in", H100, labels={"rack": "r7"}), node("out", H100))
    rule = PoolRule(selector=selector(rack="r7"), max_devices=4)
    (pool,) = made(member, rule).values()
    assert (pool.nodes, pool.max_devices, pool.rule) == (("in",), 4, 0)
    assert excluded_nodes(offer(rules=[rule]), member, load()) == (ExcludedNodes("NotSelected", "", 1, 8, "out"),)


def test_a_summary_counts_devices_that_are_free_now() -> None:
    member = cluster(*nodes("h", 3, H100), used={"h-0": vector(gpu=8), "h-1": vector(gpu=2)})
    (pool,) = made(member).values()
    shown = summarise(pool, member)
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
    assert summarise(pool, member).largest_gang == want


def test_a_cap_counts_what_our_own_jobs_hold_by_the_offer() -> None:
    member = cluster(*nodes("h", 2, H100), used={"h-0": vector(gpu=3)})
    (pool,) = made(member, PoolRule(selector=selector(), max_devices=5)).values()
    ours = Running(
        job_uid="j",
        namespace="team-a",
        queue="default",
        priority=0,
        offer=offer().key,
        pool=pool.name,
        nodes=(("h-0", 1),),
        per_replica=vector(gpu=3),
        ends=None,
    )
    used = own_use(offer().key, [pool], replace(member, running={"j": ours}))
    assert used == {0: 3}
    shown = summarise(pool, member, used=used[0])
    assert (shown.devices, shown.free, shown.largest_gang) == (5, 2, (2, 1))
    assert own_use(offer().key, [pool], member) == {}
    assert summarise(pool, member).free == 5, "three devices of somebody else do not use up the cap"


def test_a_cap_is_of_all_pools_of_its_rule_together() -> None:
    member = cluster(node("a", H100, 8), node("b", A100, 8), node("c", H100, 4))
    pools = made(member, PoolRule(selector=selector(), max_devices=9))
    holder = next(pool for pool in pools.values() if pool.nodes == ("b",))
    ours = replace(running("j", "b", ends=None, devices=6), offer=offer().key, pool=holder.name)
    used = own_use(offer().key, pools.values(), replace(member, running={"j": ours, "k": replace(ours, offer=OfferKey("x", "y"))}))
    assert used == {0: 6}
    assert {pool.nodes: summarise(pool, member, used=6).free for pool in pools.values()} == {("a",): 3, ("b",): 3, ("c",): 3}


def test_what_reservations_keep_is_shown() -> None:
    member = cluster(*nodes("h", 2, H100))
    (pool,) = made(member).values()
    assert summarise(pool, member, kept=8).reserved == 8


def test_pools_without_devices_have_nodes_only() -> None:
    member = cluster(*nodes("c", 2))
    shown = summarise(made(member)["cpu"], member)
    assert (shown.nodes, shown.devices, shown.free, shown.largest_gang) == (2, 0, 0, None)


def test_a_vanished_node_is_not_free() -> None:
    member = cluster(*nodes("h", 2, H100))
    (pool,) = made(member).values()
    assert summarise(pool, replace(member, nodes={"h-0": member.nodes["h-0"]})).free == 8


@pytest.mark.parametrize("amount", [1025, 2_000_000_000, 2**63 - 1])
def test_devices_that_no_node_can_have_are_left_out_and_counted(amount: int) -> None:
    absurd = node("absurd", labels={"node.kubernetes.io/npu.chip.name": "910A"}, resources={"huawei.com/Ascend910": amount})
    member = cluster(node("good", H100), absurd)
    pools = made(member)
    assert {name: pool.nodes for name, pool in pools.items()} == {"h100-sxm-80gb-x8": ("good",)}
    assert [each.cause for each in excluded_nodes(offer(), member, load())] == ["NotBelieved"]


def test_a_pool_of_absurd_size_is_described_at_once() -> None:
    """910A devices are asked for by 1, 2, 4 or 8: the way down to 8 must not be walked."""
    told = {"node.kubernetes.io/npu.chip.name": "910A"}
    member = cluster(node("n1", labels=told, resources={"huawei.com/Ascend910": 8}))
    (pool,) = made(member).values()
    assert pool.accelerator is not None
    assert pool.accelerator.count_rule.largest(2**62) == 8
    huge = node("n1", labels=told, resources={"huawei.com/Ascend910": 2**62})
    assert summarise(pool, replace(member, nodes={"n1": huge})).largest_gang == (8, 2**59)


@pytest.mark.parametrize("healthy", [5, 0])
def test_unhealthy_devices_are_counted_even_where_no_healthy_one_is_left(healthy: int) -> None:
    member = cluster(node("h", H100))
    (group,) = member.devices["h"]
    sick = replace(member, devices={"h": (replace(group, devices=healthy, unhealthy=3),)})
    assert excluded_nodes(offer(), sick, load()) == (ExcludedNodes("Unhealthy", "nvidia", 1, 3, "h nvidia.com/gpu"),)


def test_a_stale_whole_count_is_left_out_and_told() -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-A100-80GB-PCIe", "nvidia.com/gpu.count": "2"}
    member = cluster(node(resources={"nvidia.com/gpu": 2, "nvidia.com/mig-1g.10gb": 14}, labels=labels))
    (pool,) = pools_of(offer(), member, load(), home_origins=frozenset(), trust_overrides=True)
    shown = summarise(pool, member)
    assert (shown.resource_name, shown.devices, shown.cards, shown.schedulable) == ("nvidia.com/mig-1g.10gb", 14, 2, 14)
    (left,) = excluded_nodes(offer(), member, load())
    assert (left.cause, left.devices, left.detail) == (
        "Contradictory",
        2,
        "contradictory: 2 whole, and partitions that need 2 of 2 cards",
    )
