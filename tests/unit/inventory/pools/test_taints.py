"""Which tainted nodes an offer has, what its jobs are given for them, and what would let the others in."""

from dataclasses import replace

import pytest

from builders import ASCEND, H100, cluster, node, offer
from sampan.api.convert.launch import tolerations_of
from sampan.api.fields.launch_spec import OfferLaunchSpec
from sampan.catalog import load
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.pools.summary import excluded_nodes, summarise
from sampan.inventory.pools.taints import advice
from sampan.model.members.cluster import Node, Pool
from sampan.model.members.offer import Offer
from sampan.model.members.taint import Taint

GPU = Taint("nvidia.com/gpu", "present", "NoSchedule")
SPOT = Taint("cloud.google.com/gke-spot", "true", "NoSchedule")
ARM = Taint("kubernetes.io/arch", "arm64", "NoSchedule")
SKU = Taint("sku", "gpu", "NoSchedule")
DEDICATED = Taint("dedicated", "gpu", "NoSchedule")
TEAM = Taint("team", "b", "NoExecute")
GONE = Taint("node.kubernetes.io/unreachable", "", "NoExecute")


def tolerating(*sets: str, tolerations: tuple[dict[str, str], ...] = ()) -> Offer:
    spec = OfferLaunchSpec.model_validate({"tolerationSets": list(sets), "tolerations": list(tolerations)})
    return replace(offer(), tolerations=tolerations_of(spec))


def made(by: Offer, *members: Node) -> tuple[Pool, ...]:
    return pools_of(by, cluster(*members), load(), home_origins=frozenset(), trust_overrides=False)


def gpu(*taints: Taint) -> Node:
    return node("n1", H100, taints=taints)


@pytest.mark.parametrize(
    ("member", "by", "want"),
    [
        (gpu(GPU), offer(), True),
        (gpu(GPU, SPOT), offer(), False),
        (gpu(GPU, SPOT), tolerating("Spot"), True),
        (gpu(GPU, ARM), tolerating("Spot"), False),
        (gpu(GPU, ARM), tolerating("Arm64"), True),
        (gpu(SKU), tolerating("GPUNodes"), True),
        (gpu(GPU, DEDICATED), tolerating("GPUNodes"), True),
        (gpu(TEAM), tolerating("GPUNodes", "Spot", "Arm64"), False),
        (gpu(TEAM), tolerating(tolerations=({"key": "team", "operator": "Exists"},)), True),
        (gpu(TEAM), tolerating(tolerations=({"key": "team", "value": "b"},)), True),
        (gpu(TEAM), tolerating(tolerations=({"key": "team", "value": "b", "effect": "NoSchedule"},)), False),
        (node("n1", ASCEND, taints=[GPU]), offer(), False),  # another vendor's taint keeps these devices too
        (node("n1", taints=[TEAM]), tolerating(tolerations=({"key": "team", "operator": "Exists"},)), True),
        (node("n1", taints=[GPU]), tolerating("GPUNodes"), False),
        (node("n1", taints=[Taint("node-role.kubernetes.io/control-plane", "", "NoSchedule")]), offer(), False),
    ],
)
def test_a_node_is_in_a_pool_where_all_its_taints_are_tolerated(member: Node, by: Offer, want: bool) -> None:
    pools = made(by, member)
    assert bool(pools) is want
    assert [each.cause for each in excluded_nodes(by, cluster(member), load())] == ([] if want else ["Tainted"])
    for pool in pools:
        assert set(pool.tolerated) == set(member.taints)
        assert summarise(pool, cluster(member)).taints == tuple(str(taint) for taint in sorted(member.taints))


def test_no_word_of_an_offer_tolerates_that_a_node_goes() -> None:
    """The API refuses such a key; one that is there nevertheless has no effect."""
    everything = replace(offer(), tolerations=(*tolerating("Spot").tolerations, replace(tolerating("Spot").tolerations[0], key=GONE.key)))
    assert made(everything, gpu(GONE)) == ()


def test_nodes_that_are_left_out_are_told_by_their_taints() -> None:
    member = cluster(node("a", H100, taints=[GPU, SPOT]), node("b", H100, taints=[TEAM]), node("c", H100, taints=[TEAM]))
    told = {each.example: (each.nodes, each.devices, each.detail) for each in excluded_nodes(offer(), member, load())}
    assert told == {"a": (1, 8, advice([SPOT])), "b": (2, 16, advice([TEAM]))}


@pytest.mark.parametrize(
    ("taint", "want"),
    [
        (SPOT, "spec.launch.tolerationSets: [Spot]"),
        (SKU, "spec.launch.tolerationSets: [GPUNodes]"),
        (TEAM, "spec.launch.tolerations: [{key: team, value: b, effect: NoExecute}]"),
        (Taint("x", "", "NoSchedule"), "spec.launch.tolerations: [{key: x, operator: Exists, effect: NoSchedule}]"),
        (GONE, "nothing tolerates it"),
    ],
)
def test_the_way_out_is_a_field_to_set(taint: Taint, want: str) -> None:
    assert str(taint) in advice([taint])
    assert advice([taint]).endswith(want)


def test_a_device_plugins_taint_keeps_jobs_without_devices_away_whatever_the_policy_says() -> None:
    (conventional,) = made(offer(), gpu(GPU))
    (told,) = made(tolerating(tolerations=({"key": "nvidia.com/gpu", "operator": "Exists"},)), gpu(GPU))
    (plain,) = made(offer(), gpu())
    assert [pool.for_devices_only for pool in (conventional, told, plain)] == [True, False, False]
