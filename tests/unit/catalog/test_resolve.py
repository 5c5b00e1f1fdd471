"""What a node's names and labels say: rows as they are seen on real nodes, and the traps among them."""

import pytest

from builders import node
from sampan.catalog import load
from sampan.catalog.classification import Publication, classify
from sampan.model.members.accelerator import Sharing
from sampan.model.members.device import DeviceGroup

GPU, CHIP = "nvidia.com/gpu", "node.kubernetes.io/npu.chip.name"


def resolved(resources: dict[str, int], labels: dict[str, str], annotations: dict[str, str] | None = None) -> tuple[DeviceGroup, ...]:
    return load().resolve(node(resources=resources, labels=labels, annotations=annotations))


def nvidia(product: str, memory: str = "", **others: str) -> DeviceGroup:
    labels = {"nvidia.com/gpu.product": product, **({"nvidia.com/gpu.memory": memory} if memory else {}), **others}
    (group,) = resolved({GPU: 8}, labels)
    return group


@pytest.mark.parametrize(
    ("product", "memory", "want"),
    [
        ("NVIDIA-H100-80GB-HBM3", "81559", "nvidia-h100-sxm-80gb"),
        ("NVIDIA-H100-PCIe", "81559", "nvidia-h100-pcie-80gb"),
        ("NVIDIA-H200", "143771", "nvidia-h200-sxm-141gb"),
        ("NVIDIA-H20", "97871", "nvidia-h20-sxm-96gb"),
        ("NVIDIA-H20", "143771", "nvidia-h20-sxm-141gb"),
        ("NVIDIA-H20-3e", "143771", "nvidia-h20-sxm-141gb"),
        ("A100-SXM4-40GB", "40536", "nvidia-a100-sxm-40gb"),
        ("NVIDIA-A100-SXM4-40GB", "40960", "nvidia-a100-sxm-40gb"),
        ("NVIDIA-A100-SXM4-80GB", "81920", "nvidia-a100-sxm-80gb"),
        ("NVIDIA-A800-SXM4-80GB", "81920", "nvidia-a800-sxm-80gb"),
        ("NVIDIA-H800", "81559", "nvidia-h800-sxm-80gb"),
        ("Tesla-V100-SXM2-32GB", "32768", "nvidia-v100-sxm-32gb"),
        ("Tesla-V100-SXM2-16GB", "16160", "nvidia-v100-sxm-16gb"),
        ("Tesla-T4", "15360", "nvidia-t4-16gb"),
        ("NVIDIA-L4", "23034", "nvidia-l4-24gb"),
        ("NVIDIA-L20", "46068", "nvidia-l20-48gb"),
        ("NVIDIA-L40S", "46068", "nvidia-l40s-48gb"),
        ("NVIDIA-GeForce-RTX-4090", "24564", "nvidia-rtx4090-24gb"),
        ("NVIDIA-GeForce-RTX-4090", "49140", "nvidia-rtx4090-48gb"),
        ("NVIDIA-GeForce-RTX-4090-D", "24564", None),
        ("NVIDIA-X9000", "81559", None),
    ],
)
def test_nvidia_products(product: str, memory: str, want: str | None) -> None:
    group = nvidia(product, memory)
    assert (group.accelerator_class, group.sharing, group.devices) == (want, Sharing.WHOLE, 8)
    assert any(product in told for told in group.evidence)


def test_without_a_memory_label_no_variant_is_told() -> None:
    group = nvidia("NVIDIA-H20")
    assert (group.accelerator_class, group.variant_unknown, group.family) == (None, True, "nvidia-hopper")
    assert "VariantUnknown: 96Gi or 141Gi of memory, and nothing tells which" in group.evidence
    assert any("AcceleratorClass" in told for told in group.evidence)


def test_no_class_is_told_without_memory_where_classes_differ_in_it() -> None:
    """Over the whole catalogue: a product that several classes share tells none of them by itself."""
    for vendor in load().vendors:
        for variant in vendor.variants:
            for product in variant.products:
                named = [other for other in vendor.variants if product in other.products and other.resources == variant.resources]
                if len(named) > 1:
                    published = Publication(resource="claim:x", sharing=Sharing.WHOLE, products=(("attribute product", product),))
                    told = classify(vendor, node(), published)
                    assert (told.variant, told.unsure) == (None, True), product


def test_a_memory_of_no_variant_names_no_class() -> None:
    assert nvidia("NVIDIA-H20", "65536").accelerator_class is None


@pytest.mark.parametrize(
    ("product", "labels", "want"),
    [
        ("NVIDIA-A100-SXM4-80GB-SHARED", {}, Sharing.TIME_SLICED),
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", {"nvidia.com/gpu.memory": "9728"}, Sharing.PARTITION),
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb-SHARED", {"nvidia.com/gpu.memory": "9728"}, Sharing.TIME_SLICED),
        ("NVIDIA-A100-SXM4-80GB", {"nvidia.com/gpu.replicas": "4"}, Sharing.TIME_SLICED),
        ("NVIDIA-A100-SXM4-80GB", {"nvidia.com/gpu.sharing-strategy": "mps"}, Sharing.TIME_SLICED),
        ("NVIDIA-A100-SXM4-80GB", {"nvidia.com/gpu.replicas": "1", "nvidia.com/gpu.sharing-strategy": "none"}, Sharing.WHOLE),
        ("NVIDIA-A100-SXM4-80GB", {"nvidia.com/gpu.replicas": "0", "nvidia.com/mig.strategy": "mixed"}, Sharing.WHOLE),
        ("NVIDIA-A100-SXM4-80GB", {"nvidia.com/vgpu.present": "true"}, Sharing.VIRTUAL),
    ],
)
def test_what_is_shared_is_never_whole(product: str, labels: dict[str, str], want: Sharing) -> None:
    group = nvidia(product, **labels)
    assert (group.sharing, group.accelerator_class) == (want, "nvidia-a100-sxm-80gb")


def test_a_split_by_annotation_is_virtual() -> None:
    (group,) = resolved({GPU: 80}, {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}, {"hami.io/node-nvidia-register": "[]"})
    assert group.sharing is Sharing.VIRTUAL


def test_only_allocatable_counts() -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-SHARED"}
    (group,) = resolved({GPU: 0, "nvidia.com/gpu.shared": 20}, labels)
    assert (group.resource, group.devices, group.sharing) == ("nvidia.com/gpu.shared", 20, Sharing.TIME_SLICED)


def test_slices_and_whole_devices_of_one_publisher_are_two_groups() -> None:
    groups = resolved({GPU: 4, "nvidia.com/mig-1g.10gb": 28}, {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"})
    assert [(group.resource, group.sharing) for group in groups] == [(GPU, Sharing.WHOLE), ("nvidia.com/mig-1g.10gb", Sharing.PARTITION)]


def test_two_publishers_show_the_same_devices_once() -> None:
    (group,) = resolved({"hygon.com/hcu": 8, "hygon.com/dcu": 8, "hygon.com/dcunum": 80}, {"hygon.com/hcu.name": "K100_AI"})
    assert (group.resource, group.devices) == ("hygon.com/hcu", 8)
    assert sum("ignored" in told for told in group.evidence) == 2


@pytest.mark.parametrize(
    "companions",
    [{"nvidia.com/gpumem": 81559, "nvidia.com/gpucores": 100}, {"huawei.com/Ascend310P-memory": 21527}, {"hygon.com/hcumem": 1}],
)
def test_companions_are_never_devices(companions: dict[str, int]) -> None:
    assert [group.devices for group in resolved(companions, {})] == [0]


@pytest.mark.parametrize(
    ("labels", "want"),
    [
        ({CHIP: "910B3", "mind-cluster/npu-chip-memory": "64G"}, "huawei-910b3-64gb"),
        ({CHIP: "Ascend910B3"}, "huawei-910b3-64gb"),
        ({CHIP: "910B1"}, "huawei-910b1-64gb"),
        ({CHIP: "910B4", "mind-cluster/npu-chip-memory": "32G"}, "huawei-910b4-32gb"),
        ({CHIP: "910B4", "mind-cluster/npu-chip-memory": "64G"}, "huawei-910b4-64gb"),
        ({CHIP: "910A"}, "huawei-910a-32gb"),
        ({CHIP: "Ascend910B"}, "huawei-910a-32gb"),  # without a digit: first generation
        ({CHIP: "Ascend910C"}, "huawei-910c-64gb"),
        ({CHIP: "Ascend910_9392"}, "huawei-910c-64gb"),
        ({CHIP: "Ascend910", "accelerator-type": "module-a3-16"}, "huawei-910c-64gb"),
        ({"accelerator/huawei-npu": "ascend-snt9c"}, "huawei-910c-64gb"),
        ({CHIP: "Ascend910"}, None),
        ({"accelerator": "huawei-Ascend910"}, None),
        ({"accelerator": "nvidia"}, None),
        ({CHIP: "310P3"}, None),  # contradicts the resource name
    ],
)
def test_ascend_910_nodes(labels: dict[str, str], want: str | None) -> None:
    (group,) = resolved({"huawei.com/Ascend910": 8}, labels)
    assert (group.accelerator_class, group.vendor, group.devices) == (want, "huawei", 8)


@pytest.mark.parametrize(
    ("labels", "annotations", "want"),
    [
        ({CHIP: "310P3"}, {}, (None, Sharing.WHOLE)),
        ({CHIP: "310P3", "mind-cluster/npu-chip-memory": "24G"}, {}, ("huawei-310p-24gb", Sharing.WHOLE)),
        ({CHIP: "310P3", "mind-cluster/npu-chip-memory": "48G"}, {}, ("huawei-310p-48gb", Sharing.WHOLE)),
        ({"accelerator": "huawei-Ascend310"}, {}, (None, Sharing.WHOLE)),
        ({CHIP: "310P3"}, {"hami.io/node-register-Ascend310P": "[]"}, (None, Sharing.VIRTUAL)),
    ],
)
def test_ascend_310p_nodes(labels: dict[str, str], annotations: dict[str, str], want: tuple[str, Sharing]) -> None:
    (group,) = resolved({"huawei.com/Ascend310P": 8}, labels, annotations)
    assert (group.accelerator_class, group.sharing) == want


@pytest.mark.parametrize(
    ("resource", "labels", "want"),
    [
        ("hygon.com/dcu", {"hygon.com/dcu.name": "K100_AI", "hygon.com/dcu.vram": "64G"}, ("hygon-k100-ai-64gb", Sharing.WHOLE)),
        ("hygon.com/hcu", {"hygon.com/hcu.name": "K100"}, ("hygon-k100-64gb", Sharing.WHOLE)),
        ("hygon.com/hcu", {"hygon.com/hcu.name": "BW1000", "hygon.com/hcu.vram": "64G"}, ("hygon-bw1000-64gb", Sharing.WHOLE)),
        ("hygon.com/hcu", {"hygon.com/hcu.name": "BW3000"}, (None, Sharing.WHOLE)),
        ("hygon.com/K100_AI", {}, ("hygon-k100-ai-64gb", Sharing.WHOLE)),
        ("hygon.com/K100_AI_64G_120CU", {}, ("hygon-k100-ai-64gb", Sharing.WHOLE)),
        ("hygon.com/K100_AI_hcunum", {}, ("hygon-k100-ai-64gb", Sharing.VIRTUAL)),
        ("hygon.com/hcu-mig-4g-31gb", {"hygon.com/hcu.name": "K100_AI"}, ("hygon-k100-ai-64gb", Sharing.PARTITION)),
        ("huawei.com/Ascend910B3", {}, ("huawei-910b3-64gb", Sharing.VIRTUAL)),
        ("huawei.com/Ascend910-10c.3cpu.32g", {CHIP: "910B3"}, ("huawei-910b3-64gb", Sharing.PARTITION)),
        ("baidu.com/a800_80g_cgpu", {}, (None, Sharing.VIRTUAL)),
    ],
)
def test_names_that_tell_kind_or_model(resource: str, labels: dict[str, str], want: tuple[str | None, Sharing]) -> None:
    (group,) = resolved({resource: 4}, labels)
    assert (group.accelerator_class, group.sharing) == want


def test_several_vendors_on_one_node_are_several_groups() -> None:
    groups = resolved({GPU: 2, "huawei.com/Ascend910": 4}, {CHIP: "910B3", "nvidia.com/gpu.product": "Tesla-T4"})
    assert [group.vendor for group in groups] == ["huawei", "nvidia"]


@pytest.mark.parametrize("hostile", ["-MIG-1g.5gb" * 200, "NVIDIA-" * 500, "\u0000", "\uff19\uff11\uff10B3", ""])
def test_hostile_labels_tell_nothing_and_harm_nothing(hostile: str) -> None:
    labels = {"nvidia.com/gpu.product": hostile, "nvidia.com/gpu.memory": "9" * 300, "nvidia.com/gpu.replicas": hostile}
    (group,) = resolved({GPU: 1}, labels)
    assert group.accelerator_class is None


@pytest.mark.parametrize(
    ("resource", "labels", "want"),
    [
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}, {"nvidia.com/gpu.product"}),
        (
            GPU,
            {"nvidia.com/gpu.product": "NVIDIA-H20", "nvidia.com/gpu.memory": "97871"},
            {"nvidia.com/gpu.product", "nvidia.com/gpu.memory"},
        ),
        ("hygon.com/K100_AI", {"rack": "r7"}, set()),
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-X9000"}, {"nvidia.com/gpu.product"}),
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-H20"}, {"nvidia.com/gpu.product"}),
    ],
)
def test_labels_that_keep_a_pod_on_such_nodes(resource: str, labels: dict[str, str], want: set[str]) -> None:
    (group,) = resolved({resource: 8}, labels)
    assert {key for key, _ in group.identifying_labels} == want
    assert all(labels[key] == value for key, value in group.identifying_labels)
