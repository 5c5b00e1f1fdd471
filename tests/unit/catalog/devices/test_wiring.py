"""Fabric domains, rings and health words, and the values that name none."""

import re

import pytest

from builders import node
from sampan.catalog import load
from sampan.catalog.devices.wiring import fabric_of, rack_of, rings_of, unhealthy_of
from sampan.catalog.packaged.facts import FabricLabel, LabelFacts
from sampan.model.members.device import Fabric

CLIQUE, GPU = "nvidia.com/gpu.clique", "nvidia.com/gpu"
LABELS = LabelFacts(unhealthy=("bad",))


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("84f5dcd9-8b9c-4b63-a7ea-8a3a4b3a2e2e.1", Fabric("NVLink", "84f5dcd9-8b9c-4b63-a7ea-8a3a4b3a2e2e.1")),
        ("00000000-0000-0000-0000-000000000000.0", None),
        ("00000000-0000-0000-0000-000000000000.32766", None),
        ("nonsense", None),
        ("", None),
        ("a" * 10_000, None),
    ],
)
def test_nvlink_cliques(value: str, want: Fabric | None) -> None:
    (group,) = load().resolve(node(resources={GPU: 4}, labels={CLIQUE: value}))
    assert group.fabric == want


def test_a_labelled_rack_stands_in_where_the_vendor_names_no_fabric() -> None:
    labels = {"topology.sampan.dev/rack": "r7", "acme.example/rack": "a1"}
    (group,) = load().resolve(node(resources={GPU: 4}, labels=labels))
    assert group.fabric == Fabric("Rack", "r7")
    assert rack_of(node(labels={"acme.example/rack": "a1"})) is None


def test_annotations_name_domains_too() -> None:
    fabric = FabricLabel(kind="SuperPod", key="superPodID", pattern=re.compile("[0-9]+"))
    assert fabric_of((fabric,), node(annotations={"superPodID": "3"})) == Fabric("SuperPod", "3")
    assert fabric_of((fabric,), node(annotations={"superPodID": "-1"})) is None


@pytest.mark.parametrize(
    ("devices", "size", "annotations", "want"),
    [
        (8, 4, {}, (4, 4)),
        (8, 0, {}, None),
        (7, 4, {}, None),
        (7, 4, {"r/x": "Ascend910-0,Ascend910-1,Ascend910-2,Ascend910-3,Ascend910-5,Ascend910-6,Ascend910-7"}, (4, 3)),
        (7, 4, {"r/x": "Ascend910-0"}, None),
        (0, 4, {}, None),
        (10**9, 4, {}, None),
    ],
)
def test_rings(devices: int, size: int, annotations: dict[str, str], want: tuple[int, ...] | None) -> None:
    assert rings_of(LABELS, node(annotations=annotations), "r/x", devices=devices, size=size) == want


@pytest.mark.parametrize(("text", "want"), [("", 0), ("Ascend910-1.Ascend910-3", 2), ("Ascend910-1,Ascend910-1", 1)])
def test_devices_that_the_vendor_leaves_out(text: str, want: int) -> None:
    assert unhealthy_of(LABELS, node(labels={"bad": text})) == want


@pytest.mark.parametrize(("devices", "want"), [(8, (4, 4)), (7, None)])
def test_a_node_of_the_first_ascend_generation_is_two_rings(devices: int, want: tuple[int, ...] | None) -> None:
    labels = {"node.kubernetes.io/npu.chip.name": "910A"}
    (group,) = load().resolve(node(resources={"huawei.com/Ascend910": devices}, labels=labels))
    assert (group.accelerator_class, group.rings) == ("huawei-910a-32gb", want)
