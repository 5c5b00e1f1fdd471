"""What no scalar of a node tells: cards in shares, rings, claimed devices."""

from dataclasses import replace

from builders import node, vector
from sampan.catalog import load
from sampan.inventory.device_usage import card_uses, claims_taken, contended, doubles_taken, rings_free, with_claims, with_planned
from sampan.inventory.in_flight import PodUse
from sampan.model.job import Share
from sampan.model.members.cluster import CardUse, Node
from sampan.model.members.device import Card, DeviceGroup, DeviceSlice, DraDevice
from sampan.model.values.vector import Vector

GIB = 2**30
CARDS = (Card(id="a", memory=24 * GIB, slots=4), Card(id="b", memory=24 * GIB, slots=4))


def pod(uid: str, *, cards: tuple[tuple[str, CardUse], ...] = (), devices: tuple[str, ...] = (), npu: int = 0) -> PodUse:
    return PodUse(uid=uid, node="n1", request=vector(**{"huawei.com/Ascend910": npu}), cards=cards, devices=devices)


def test_uses_of_a_card_add_up_over_pods() -> None:
    one, two = CardUse(memory=GIB, cores=10, slots=1), CardUse(memory=2 * GIB, cores=20, slots=1)
    uses = card_uses([pod("p", cards=(("a", one),)), pod("q", cards=(("a", two), ("b", one)))])
    assert uses == {"a": CardUse(memory=3 * GIB, cores=30, slots=2), "b": one}


def test_planned_shares_fill_the_fullest_card_that_suffices() -> None:
    taken = {"b": CardUse(memory=20 * GIB, slots=1)}
    share = Share(memory=4 * GIB, compute_percent=30)
    filled = with_planned(taken, CARDS, share=share, replicas=2)
    assert filled["b"] == CardUse(memory=24 * GIB, cores=30, slots=2)
    assert filled["a"] == CardUse(memory=4 * GIB, cores=30, slots=1)
    assert taken == {"b": CardUse(memory=20 * GIB, slots=1)}, "the given value stays"
    assert with_planned({}, CARDS, share=Share(memory=25 * GIB), replicas=1) == {}


RINGS = DeviceGroup(resource="huawei.com/Ascend910", devices=8, vendor="huawei", accelerator_class="huawei-910a-32gb", rings=(4, 4))


def test_rings_count_by_device_number_and_are_unknown_where_a_pod_does_not_tell() -> None:
    held = pod("p", devices=("Ascend910-0", "Ascend910-5"), npu=2)
    assert rings_free(RINGS, [held]) == (3, 3)
    assert rings_free(RINGS, [held, pod("other")]) == (3, 3), "a pod without devices holds none"
    assert rings_free(RINGS, [held, pod("silent", npu=1)]) is None
    assert rings_free(replace(RINGS, rings=None), []) is None


def a_dra_node() -> Node:
    attributes = {"type": "gpu", "productName": "NVIDIA H100 80GB HBM3", "uuid": "u"}
    devices = tuple(DraDevice(name=f"gpu-{n}", attributes=attributes, capacity={"memory": 81559 * 2**20}) for n in range(2))
    slices = (DeviceSlice(name="s", driver="gpu.nvidia.com", pool="n1", node="n1", devices=devices),)
    return replace(node("n1"), slices=slices)


def test_devices_by_claim_are_amounts_of_their_node_and_claims_take_them() -> None:
    bare = a_dra_node()
    groups = load().resolve(bare)
    (group,) = groups
    assert group.accelerator_class == "nvidia-h100-sxm-80gb"
    assert with_claims(bare, groups).allocatable[group.resource] == 2
    claimed = {("gpu.nvidia.com", "n1", "gpu-1"): 2, ("gpu.nvidia.com", "elsewhere", "gpu-0"): 1}
    assert claims_taken(bare, groups, claimed=claimed, catalog=load()) == Vector.of({group.resource: 1})
    assert claims_taken(bare, groups, claimed={}, catalog=load()) == Vector()


def test_a_claim_on_a_device_that_a_plugin_publishes_too_takes_it_there() -> None:
    bare = a_dra_node()
    both = replace(
        bare, allocatable=bare.allocatable + Vector.of({"nvidia.com/gpu": 2}), labels={"nvidia.com/gpu.product": "H100-80GB-HBM3"}
    )
    groups = load().resolve(both)
    assert [group.resource for group in groups] == ["nvidia.com/gpu"]
    claimed = {("gpu.nvidia.com", "n1", "gpu-1"): 1}
    assert claims_taken(both, groups, claimed=claimed, catalog=load()) == Vector.of({"nvidia.com/gpu": 1})


def test_units_of_a_second_publisher_take_whole_devices() -> None:
    published = {"nvidia.com/gpu": 8, "volcano.sh/vgpu-number": 80, "volcano.sh/vgpu-memory": 1000}
    groups = load().resolve(node("n1", labels={}, resources=published))
    asked = Vector.of({"nvidia.com/gpu": 1, "volcano.sh/vgpu-number": 2, "volcano.sh/vgpu-memory": 500, "cpu": 4000, "acme.example/x": 1})
    assert doubles_taken(groups, asked, catalog=load()) == Vector.of({"nvidia.com/gpu": 2})
    many = Vector.of({"volcano.sh/vgpu-number": 50})
    assert doubles_taken(groups, many, catalog=load()) == Vector.of({"nvidia.com/gpu": 8})
    mixed = load().resolve(node("n1", labels={}, resources={"nvidia.com/gpu": 1, "nvidia.com/mig-1g.10gb": 7}))
    assert doubles_taken(mixed, Vector.of({"nvidia.com/mig-1g.10gb": 7}), catalog=load()) == Vector()


def test_what_others_wait_for_is_told_by_resource() -> None:
    waiting = contended([vector(1, gpu=4), vector(1, gpu=2), vector(8)])
    assert waiting["nvidia.com/gpu"]["nvidia.com/gpu"] == 6
    assert waiting[""]["cpu"] == 8000
