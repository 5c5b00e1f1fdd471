"""Pools: which nodes stand together, under which name, and what is shown of them."""

from dataclasses import replace

import pytest

from builders import A100, ASCEND, H100, HYGON, cluster, node, nodes, offer, selector
from sampan.catalog import load
from sampan.inventory.pools.grouping import cells_of, pools_of
from sampan.model.launch import Launch
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Cluster, Pool
from sampan.model.members.device import DeviceGroup
from sampan.model.members.offer import PoolRule
from sampan.model.members.taint import Taint

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


def test_a_node_with_two_kinds_of_devices_is_in_two_pools() -> None:
    both = node("n1", A100, 4, resources={"nvidia.com/mig-1g.10gb": 28})
    pools = made(cluster(both))
    assert {pool.resource: pool.nodes for pool in pools.values()} == {"nvidia.com/gpu": ("n1",), "nvidia.com/mig-1g.10gb": ("n1",)}


def test_a_node_whose_devices_are_all_sick_is_in_no_pool() -> None:
    """Not even in that of CPU nodes: it is one of accelerators, whatever it can do today."""
    sick = DeviceGroup(resource="nvidia.com/gpu", devices=0, vendor="nvidia", accelerator_class=H100, unhealthy=8)
    member = replace(cluster(node("sick", H100, 8), node("plain")), devices={"sick": (sick,), "plain": ()})
    assert {name: pool.nodes for name, pool in made(member).items()} == {"cpu": ("plain",)}


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


def test_labels_of_a_pool_are_on_all_its_nodes_and_on_no_other_class() -> None:
    older = node("old", A100, labels={"nvidia.com/gpu.product": "A100-SXM4-80GB"})
    member = cluster(*nodes("a", 2, A100), older, *nodes("h", 1, H100))
    pools = made(member)
    assert len(pools) == 3
    for pool in pools.values():
        carried = {name for name, each in member.nodes.items() if set(pool.identifying_labels) <= set(each.labels.items())}
        assert carried == set(pool.nodes)


def test_a_rule_keeps_pods_to_its_nodes() -> None:
    (pool,) = made(cluster(node("in", labels={"rack": "r7"}), node("out")), PoolRule(selector=selector(rack="r7"))).values()
    assert pool.identifying_labels == (("rack", "r7"),)


def test_fabric_domains_are_cells_of_their_own() -> None:
    clique = {"nvidia.com/gpu.clique": "3a6f1c9e-6a0c-4c7e-9a55-0a4b7a1f2d10.1"}
    member = cluster(node("a", H100, labels=clique), node("b", H100, labels=clique), node("c", H100))
    wired = next(pool for pool in made(member).values() if pool.fabric)
    assert (wired.fabric, wired.domains) == ("NVLink", (("3a6f1c9e-6a0c-4c7e-9a55-0a4b7a1f2d10.1", ("a", "b")),))
    whole, domain = cells_of(offer().key, [wired])
    assert (whole.nodes, domain.nodes) == (("a", "b"), ("a", "b"))
    assert whole.id != domain.id


def test_a_pool_runs_as_its_class_needs_and_its_offer_says() -> None:
    member = replace(cluster(*nodes("a", 1, ASCEND)), queueing=("Volcano",))
    given = replace(offer(), launch=Launch(runtime_class="ascend"), member_queue="gpu")
    (pool,) = pools_of(given, member, load(), home_origins=frozenset(), trust_overrides=False)
    assert (pool.launch.scheduler_name, pool.launch.runtime_class, pool.launch.backend) == ("volcano", "ascend", "hccl")
    assert pool.member_queue == "sampan-jobs/gpu"


def test_the_oldest_driver_of_a_pool_counts() -> None:
    newer, older = ({"nvidia.com/cuda.driver-version.full": version} for version in ("570.172.08", "550.54.15"))
    (pool,) = made(cluster(node("a", H100, labels=newer), node("b", H100, labels=older))).values()
    assert pool.driver == "550.54.15"


@pytest.mark.parametrize(
    ("queue", "known", "want"),
    [
        ("gpu", {}, False),
        ("gpu", {"sampan-jobs": {"gpu"}}, False),
        ("gpu", {"sampan-jobs": {"cpu"}}, True),
        ("gpu", {"other": {"gpu"}}, False),
        ("gpu", {"": set()}, True),
        ("", {"": set()}, False),
    ],
    ids=["nobody may look", "open", "missing or stopped", "not seen in this namespace", "no Kueue", "the offer names none"],
)
def test_a_queue_that_admits_no_jobs_is_shut(queue: str, known: dict[str, set[str]], want: bool) -> None:
    member = replace(cluster(*nodes("a", 1, H100)), open_queues={space: frozenset(names) for space, names in known.items()})
    given = replace(offer(), member_queue=queue)
    (pool,) = pools_of(given, member, load(), home_origins=frozenset(), trust_overrides=False)
    assert pool.queue_inactive is want
