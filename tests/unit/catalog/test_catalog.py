"""The catalogue as the operator uses it: built-in facts, classes of the platform team, unknown resources, taints."""

from dataclasses import replace

import pytest

from builders import A100, ASCEND, GIB, H100, HYGON, accelerator_class, node, selector
from sampan.api.convert.classes import class_of
from sampan.catalog import Detection, load
from sampan.model.members.accelerator import AcceleratorClass, Precision, Sharing
from sampan.model.values.quantity import MICRO

REQUIRED = {
    "nvidia-h100-sxm-80gb": ("nvidia-hopper", 80, 989),
    "nvidia-h100-pcie-80gb": ("nvidia-hopper", 80, None),
    "nvidia-h200-sxm-141gb": ("nvidia-hopper", 141, 989),
    "nvidia-h800-sxm-80gb": ("nvidia-hopper", 80, 989),
    "nvidia-h20-sxm-96gb": ("nvidia-hopper", 96, 148),
    "nvidia-h20-sxm-141gb": ("nvidia-hopper", 141, 148),
    "nvidia-a100-sxm-40gb": ("nvidia-ampere", 40, 312),
    "nvidia-a100-sxm-80gb": ("nvidia-ampere", 80, 312),
    "nvidia-a800-sxm-80gb": ("nvidia-ampere", 80, 312),
    "nvidia-l40s-48gb": ("nvidia-ada", 48, 362),
    "nvidia-l4-24gb": ("nvidia-ada", 24, 121),
    "nvidia-rtx4090-24gb": ("nvidia-ada", 24, None),
    "nvidia-t4-16gb": ("nvidia-turing", 16, 65),
    "nvidia-v100-sxm-32gb": ("nvidia-volta", 32, 125),
    "huawei-910a-32gb": ("ascend-910a", 32, 256),
    "huawei-910b1-64gb": ("ascend-910b", 64, 379),
    "huawei-910b2-64gb": ("ascend-910b", 64, 354),
    "huawei-910b3-64gb": ("ascend-910b", 64, 295),
    "huawei-910b4-32gb": ("ascend-910b", 32, 280),
    "huawei-910c-64gb": ("ascend-910c", 64, 376),
    "huawei-310p-24gb": ("ascend-310p", 24, 70),
    "hygon-k100-64gb": ("hygon-k100", 64, 100),
    "hygon-k100-ai-64gb": ("hygon-k100-ai", 64, 196),
    "hygon-bw1000-64gb": ("hygon-bw", None, None),
    "hygon-z100": ("hygon-z100", None, None),
}


@pytest.mark.parametrize("name", REQUIRED)
def test_built_in_classes_have_the_facts_of_their_sources(name: str) -> None:
    facts = load().get(name)
    family, memory, tflops = REQUIRED[name]
    assert facts is not None
    assert facts.family == family
    assert facts.memory == (None if memory is None else memory * GIB)
    if tflops is not None:
        assert facts.fp16_tflops == tflops * MICRO
    assert facts.stack == {"nvidia": "cuda", "huawei": "cann", "hygon": "dtk"}[facts.vendor]
    assert facts.origin == ("US" if facts.vendor == "nvidia" else "CN")


def test_a_decimal_throughput_is_exact() -> None:
    facts = load().get("nvidia-rtx4090-24gb")
    assert facts is not None
    assert facts.fp16_tflops == 165_200_000


def test_figures_of_low_grade_are_not_known() -> None:
    facts = load().get("nvidia-h100-pcie-80gb")
    assert facts is not None
    assert facts.fp16_tflops is None


def test_both_dies_of_a_package_go_together() -> None:
    facts = load().get("huawei-910c-64gb")
    assert facts is not None
    assert facts.devices_per_package == 2
    assert facts.count_rule.accepts(4)
    assert not facts.count_rule.accepts(3)


def test_what_is_not_known_is_none() -> None:
    assert load().get("acme-9000") is None


def test_a_class_of_the_platform_team_is_found_without_a_restart() -> None:
    npu = accelerator_class("acme-9000", vendor="acme", units=2)
    member = node(resources={"acme.example/npu": 16}, labels={"acme.example/model": "9000"})
    before = load().resolve(member)
    assert [(group.vendor, group.accelerator_class) for group in before] == [("unknown", None)]

    wider = load().with_classes([(npu, Detection(resources=("acme.example/npu",), labels=selector(**{"acme.example/model": "9000"})))])
    (group,) = wider.resolve(member)
    assert (group.vendor, group.accelerator_class, group.devices) == ("acme", "acme-9000", 8)
    assert "AcceleratorClass acme-9000" in group.evidence
    assert wider.get("acme-9000") == npu
    assert load().get("acme-9000") is None


@pytest.mark.parametrize(
    ("pattern", "resource", "want"),
    [
        ("acme.example/*", "acme.example/npu", "acme-a1"),
        ("acme.example/*pu", "acme.example/npu", "acme-a1"),
        ("acme.example/n*u", "acme.example/npu", "acme-a1"),
        ("acme.example/npu", "acme.example/npu", "acme-a1"),
        ("acme.example/npu", "acme.example/npu-mini", None),
        ("acme.example/n.u", "acme.example/npu", None),
    ],
)
def test_a_declared_class_is_told_by_resource_names_with_stars(pattern: str, resource: str, want: str | None) -> None:
    """From the object of the hub to the devices of a node."""
    spec = {"vendor": "acme", "family": "a", "stack": "acme", "origin": "CN", "resourceNames": [pattern]}
    declared = class_of({"metadata": {"name": "acme-a1"}, "spec": spec})
    detection = Detection(resources=declared.resource_names, labels=declared.node_selector)
    (group,) = load().with_classes([(declared.accelerator, detection)]).resolve(node(resources={resource: 4}))
    assert (group.accelerator_class, group.devices) == (want, 4)


@pytest.mark.parametrize(("amount", "want"), [(1024, [1024]), (1025, [0]), (2**63 - 1, [0])])
def test_more_devices_than_a_node_can_have_are_not_believed(amount: int, want: list[int]) -> None:
    odd = node(resources={"acme.example/npu": amount})
    assert [group.devices for group in load().resolve(odd)] == want
    assert [(one.resource, one.why) for one in load().examine(odd).ignored] == ([] if any(want) else [("acme.example/npu", "NotBelieved")])


def test_a_class_of_the_platform_team_corrects_the_built_in_one() -> None:
    built_in = load().get(H100)
    assert built_in is not None
    corrected: AcceleratorClass = replace(built_in, throughput=((Precision.FP16, 900 * MICRO),))
    wider = load().with_classes([(corrected, Detection())])
    assert wider.get(H100) == corrected
    assert [group.accelerator_class for group in wider.resolve(node(accelerator=A100))] == [A100]


def test_the_most_telling_detection_wins() -> None:
    loose, tight = accelerator_class("acme-any"), accelerator_class("acme-one")
    wider = load().with_classes(
        [
            (loose, Detection(resources=("nvidia.com/*",))),
            (tight, Detection(resources=("nvidia.com/gpu",), labels=selector(rack="r7"))),
        ]
    )
    assert [group.accelerator_class for group in wider.resolve(node(accelerator=A100, labels={"rack": "r7"}))] == ["acme-one"]
    assert [group.accelerator_class for group in wider.resolve(node(accelerator=A100))] == ["acme-any"]


def test_a_detection_never_renames_another_vendors_devices() -> None:
    wider = load().with_classes([(accelerator_class("nvidia-odd"), Detection(labels=selector(rack="r7")))])
    assert [group.accelerator_class for group in wider.resolve(node(accelerator=ASCEND, labels={"rack": "r7"}))] == [ASCEND]


@pytest.mark.parametrize(
    "resource",
    ["hugepages-2Mi", "attachable-volumes-csi-x", "kubernetes.io/batch-cpu", "example.k8s.io/x", "rdma/hca", "gpu.intel.com/xe_monitoring"],
)
def test_what_is_no_accelerator_is_no_device(resource: str) -> None:
    assert load().resolve(node(resources={resource: 4})) == ()


def test_an_unknown_extended_resource_is_shown_but_not_named() -> None:
    (group,) = load().resolve(node(resources={"acme.example/npu": 4}))
    assert (group.vendor, group.accelerator_class, group.devices, group.sharing) == ("unknown", None, 4, Sharing.WHOLE)


@pytest.mark.parametrize(
    ("key", "accelerator", "want"),
    [
        ("nvidia.com/gpu", H100, True),
        ("huawei.com/Ascend910", ASCEND, True),
        ("huawei.com/npu", ASCEND, True),
        ("hygon.com/hcu", HYGON, True),
        ("sampan.dev/only", H100, True),
        ("huawei.com/Ascend910", H100, False),
        ("nvidia.com/gpu.unhealthy", H100, False),
        ("node.kubernetes.io/disk-pressure", H100, False),
        ("team-b", H100, False),
    ],
)
def test_taints_by_convention(key: str, accelerator: str, want: bool) -> None:
    (group,) = load().resolve(node(accelerator=accelerator))
    assert load().conventional(key, vendor=group.vendor, resource=group.resource) is want


def test_an_unknown_resource_shows_the_labels_of_its_domain() -> None:
    labels = {"acme.example/model": "X9", "nvidia.com/gpu.product": "Tesla-T4"}
    (group,) = load().resolve(node(resources={"acme.example/npu": 4}, labels=labels))
    assert (group.vendor, group.evidence) == ("unknown", ("unknown resource acme.example/npu", "label acme.example/model=X9"))


def test_drivers_are_known_by_name() -> None:
    found = load().driver("gpu.nvidia.com")
    assert found is not None
    assert (found.parent, load().driver("acme.example")) == ("parentUUID", None)


@pytest.mark.parametrize(
    ("resource", "want"),
    [("volcano.sh/vgpu-number", "nvidia"), ("nvidia.com/gpumem", ""), ("aws.amazon.com/neuroncore", "aws"), ("acme.example/x", "")],
)
def test_the_vendor_of_a_resource(resource: str, want: str) -> None:
    assert load().vendor_of(resource) == want
