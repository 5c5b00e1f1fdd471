"""Which class devices are of: hints by rank, memory that chooses a variant, and hints that are not believed."""

import pytest

from builders import node
from sampan.catalog import load
from sampan.catalog.classification import Publication, classify, number, without_suffixes
from sampan.catalog.packaged.facts import Vendor
from sampan.model.members.accelerator import Sharing
from sampan.model.members.device import DeviceGroup

GIB = 2**30
GPU, PRODUCT, MEMORY = "nvidia.com/gpu", "nvidia.com/gpu.product", "nvidia.com/gpu.memory"
CHIP = "node.kubernetes.io/npu.chip.name"


def nvidia() -> Vendor:
    return next(vendor for vendor in load().vendors if vendor.name == "nvidia")


@pytest.mark.parametrize(
    ("labels", "want", "unsure"),
    [
        ({PRODUCT: "NVIDIA-H20", MEMORY: "97871"}, "nvidia-h20-sxm-96gb", False),
        ({PRODUCT: "NVIDIA-H20"}, None, True),
        ({PRODUCT: "NVIDIA-H20", MEMORY: "50000"}, None, False),
        ({"karpenter.k8s.aws/instance-gpu-name": "a100", "karpenter.k8s.aws/instance-gpu-memory": "81920"}, "nvidia-a100-sxm-80gb", False),
        ({"cloud.google.com/gke-accelerator": "nvidia-tesla-a100"}, "nvidia-a100-sxm-40gb", False),
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}, "nvidia-h100-sxm-80gb", False),
        ({"gpu.nvidia.com/model": "H100_NVLINK_80GB", "gpu.nvidia.com/vram": "80"}, "nvidia-h100-sxm-80gb", False),
        ({"accelerator": "nvidia"}, None, False),
        ({"kubernetes.azure.com/accelerator": "nvidia"}, None, False),
    ],
)
def test_labels_tell(labels: dict[str, str], want: str | None, unsure: bool) -> None:
    told = classify(nvidia(), node(labels=labels), Publication(resource=GPU, sharing=Sharing.WHOLE))
    assert (told.variant.facts.name if told.variant else None, told.unsure) == (want, unsure)


def test_what_the_publication_says_outranks_labels() -> None:
    published = Publication(
        resource=GPU, sharing=Sharing.WHOLE, products=(("attribute product", "NVIDIA L4"),), memory=("capacity", 23034 * 2**20)
    )
    told = classify(nvidia(), node(labels={PRODUCT: "Tesla-T4"}), published)
    assert told.variant is not None
    assert told.variant.facts.name == "nvidia-l4-24gb"


def test_memory_that_is_let_out_twice_contradicts_nothing() -> None:
    published = Publication(
        resource=GPU, sharing=Sharing.VIRTUAL, products=(("type", "NVIDIA-Tesla T4"),), memory=("annotation", 31 * GIB), scaled=True
    )
    told = classify(nvidia(), node(), published)
    assert told.variant is not None
    assert told.variant.facts.name == "nvidia-t4-16gb"


def test_what_is_not_told_names_the_labels_that_could() -> None:
    told = classify(nvidia(), node(), Publication(resource=GPU, sharing=Sharing.WHOLE))
    assert f"label {PRODUCT} would tell" in told.evidence


@pytest.mark.parametrize(("text", "want"), [("64G", 64), ("16151MiB", 16151), ("1.5", 0), (None, 0), ("9" * 40, 0), ("\uff19", 0)])
def test_numbers_of_labels(text: str | None, want: int) -> None:
    assert number(text) == want


def test_suffixes_come_off() -> None:
    assert without_suffixes("A100-MIG-1g.5gb-SHARED", nvidia().labels) == "A100"


def only(resource: str, labels: dict[str, str]) -> DeviceGroup:
    (group,) = load().resolve(node(resources={resource: 8}, labels=labels))
    return group


@pytest.mark.parametrize(
    ("product", "memory", "want"),
    [
        ("NVIDIA-GB10", "", "nvidia-gb10"),
        ("NVIDIA-GB10", "122502", "nvidia-gb10"),
        ("NVIDIA-L40", "46068", "nvidia-l40-48gb"),
        ("NVIDIA-L40G", "23028", "nvidia-l40g-24gb"),
        ("NVIDIA-A10", "23028", "nvidia-a10-24gb"),
        ("NVIDIA-A10G", "23028", "nvidia-a10g-24gb"),
        ("NVIDIA-A16", "15356", "nvidia-a16-16gb"),
        ("NVIDIA-A2", "15356", "nvidia-a2-16gb"),
        ("NVIDIA-A30", "24576", "nvidia-a30-24gb"),
        ("NVIDIA-A40", "46068", "nvidia-a40-48gb"),
        ("NVIDIA-A40", "49140", "nvidia-a40-48gb"),
        ("NVIDIA-RTX-A6000", "49140", "nvidia-rtxa6000-48gb"),
        ("NVIDIA-RTX-6000-Ada-Generation", "49140", "nvidia-rtx6000ada-48gb"),
        ("NVIDIA-RTX-6000-Ada-Generation", "46068", "nvidia-rtx6000ada-48gb"),
        ("NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition", "97887", "nvidia-rtxpro6000-server-96gb"),
        ("NVIDIA-RTX-PRO-6000-Blackwell-Max-Q-Workstation-Edition", "97887", "nvidia-rtxpro6000-maxq-96gb"),
        ("NVIDIA-RTX-PRO-5000-Blackwell", "48935", "nvidia-rtxpro5000-48gb"),
        ("NVIDIA-RTX-PRO-5000-72GB-Blackwell", "73415", "nvidia-rtxpro5000-72gb"),
        ("NVIDIA-RTX-PRO-4500-Blackwell", "32623", "nvidia-rtxpro4500-32gb"),
        ("NVIDIA-GH200-480GB", "97871", "nvidia-gh200-96gb"),
        ("NVIDIA-GH200-120GB", "97871", "nvidia-gh200-96gb"),
        ("NVIDIA-GH200-144G-HBM3e", "147456", "nvidia-gh200-144gb"),
        ("NVIDIA-B200", "183359", "nvidia-b200-sxm-180gb"),
        ("NVIDIA-B300-SXM6-AC", "275040", "nvidia-b300-sxm-288gb"),
        ("NVIDIA-GB200", "189471", "nvidia-gb200-186gb"),
        ("NVIDIA-GB300", "284208", "nvidia-gb300-288gb"),
        ("NVIDIA-H100-NVL", "95830", "nvidia-h100-nvl-94gb"),
        ("NVIDIA-H200-NVL", "143771", "nvidia-h200-nvl-141gb"),
        ("NVIDIA-A800-80GB-PCIe", "81920", "nvidia-a800-pcie-80gb"),
        ("NVIDIA-GeForce-RTX-5090", "32607", "nvidia-rtx5090-32gb"),
        ("NVIDIA-GeForce-RTX-3090", "24576", "nvidia-rtx3090-24gb"),
        ("Tesla-V100S-PCIE-32GB", "32768", "nvidia-v100s-pcie-32gb"),
        ("Tesla-P100-SXM2-16GB", "16276", "nvidia-p100-sxm-16gb"),
        ("Tesla-P100-PCIE-12GB", "12198", "nvidia-p100-pcie-12gb"),
        ("Tesla-P40", "22919", "nvidia-p40-24gb"),
        ("Tesla-P4", "7611", "nvidia-p4-8gb"),
        ("Tesla-M60", "8129", "nvidia-m60-8gb"),
        ("Tesla-K80", "11441", "nvidia-k80-12gb"),
    ],
)
def test_more_nvidia_products_as_the_driver_names_them(product: str, memory: str, want: str) -> None:
    labels = {"nvidia.com/gpu.product": product, **({"nvidia.com/gpu.memory": memory} if memory else {})}
    assert only(GPU, labels).accelerator_class == want


@pytest.mark.parametrize(
    ("resource", "labels", "want"),
    [
        ("amd.com/gpu", {"amd.com/gpu.device-id": "74b5", "amd.com/gpu.vram": "192G"}, "amd-mi300x-oam-192gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "0x74A1"}, "amd-mi300x-oam-192gb"),
        ("amd.com/gpu", {"beta.amd.com/gpu.device-id.74a5": "8"}, "amd-mi325x-oam-256gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id.74b9": "8"}, "amd-mi325x-oam-256gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "74bd"}, "amd-mi300x-oam-192gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "74a0"}, "amd-mi300a-128gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "74a2"}, "amd-mi308x-oam-192gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "740f"}, "amd-mi210-pcie-64gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "7410"}, "amd-mi210-pcie-64gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "740c"}, "amd-mi250x-oam-64gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "7408"}, "amd-mi250x-oam-64gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "738c"}, "amd-mi100-pcie-32gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "75a0"}, "amd-mi350x-oam-288gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "75b3"}, "amd-mi355x-oam-288gb"),
        ("amd.com/gpu", {"amd.com/gpu.product-name": "AMD_Instinct_MI300X_VF"}, "amd-mi300x-oam-192gb"),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "ffff"}, None),
        ("amd.com/gpu", {"amd.com/gpu.device-id.74a1": "4", "amd.com/gpu.device-id.740f": "4"}, None),
        ("amd.com/gpu", {"amd.com/gpu.device-id": "74b5", "amd.com/gpu.vram": "24G"}, None),
        ("gpu.intel.com/i915", {"gpu.intel.com/device-id.0380-56c0.present": "true"}, "intel-flex170-16gb"),
        ("gpu.intel.com/xe", {"gpu.intel.com/device-id.0300-e211.count": "2"}, "intel-arcprob60-24gb"),
        ("gpu.intel.com/i915", {"feature.node.kubernetes.io/pci-0380_8086_0bda.present": "true"}, "intel-max1100-pcie-48gb"),
        ("habana.ai/gaudi", {"feature.node.kubernetes.io/pci-1200_1da3_1020.present": "true"}, "habana-gaudi2-oam-96gb"),
        ("habana.ai/gaudi", {"feature.node.kubernetes.io/pci-1200_1da3_1060.present": "true"}, "habana-gaudi3-oam-128gb"),
        ("habana.ai/gaudi", {"feature.node.kubernetes.io/pci-1200_1da3.present": "true"}, None),
        ("habana.ai/gaudi", {"karpenter.k8s.aws/instance-gpu-name": "gaudi-hl-205"}, "habana-gaudi-oam-32gb"),
        (GPU, {"feature.node.kubernetes.io/pci-0302_10de_2330.present": "true"}, "nvidia-h100-sxm-80gb"),
        (GPU, {"feature.node.kubernetes.io/pci-0302_10de_2684.present": "true"}, None),  # a 4090 of 24 or 48 GB
        (GPU, {"feature.node.kubernetes.io/pci-10de_26b9.present": "true"}, "nvidia-l40s-48gb"),
        ("mthreads.com/gpu", {"feature.node.kubernetes.io/pci-0302_1ed5_0327.present": "true"}, "mthreads-s4000-48gb"),
        ("enflame.com/gcu", {"feature.node.kubernetes.io/pci-1200_1e36_c035.present": "true"}, "enflame-s60-48gb"),
        ("hygon.com/dcu", {"feature.node.kubernetes.io/pci-0380_1d94_6211.present": "true"}, "hygon-k100-ai-64gb"),
        ("aws.amazon.com/neuron", {"feature.node.kubernetes.io/pci-0880_1d0f_7164.present": "true"}, "aws-trainium1-32gb"),
        ("huawei.com/Ascend910", {"feature.node.kubernetes.io/pci-1200_19e5_d802.present": "true"}, None),
    ],
)
def test_a_pci_device_id_tells_the_class(resource: str, labels: dict[str, str], want: str | None) -> None:
    group = only(resource, labels)
    assert group.accelerator_class == want
    assert want is None or set(group.identifying_labels) <= set(labels.items()) != set()


@pytest.mark.parametrize(
    ("resource", "labels"),
    [
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-H20"}),
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-GeForce-RTX-4090"}),
        (GPU, {"nvidia.com/gpu.product": "Tesla-V100-SXM2"}),
        (GPU, {"karpenter.k8s.aws/instance-gpu-name": "a100"}),
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-B200"}),
        (GPU, {"nvidia.com/gpu.product": "NVIDIA-GB200"}),
        ("nvidia.com/mig-1g.12gb", {"nvidia.com/gpu.product": "NVIDIA-H20"}),
        ("nvidia.com/gpu.shared", {"nvidia.com/gpu.product": "NVIDIA-H20-SHARED"}),
        ("volcano.sh/vgpu-number", {"nvidia.com/gpu.product": "NVIDIA-H20"}),
        ("huawei.com/Ascend310P", {}),
        ("huawei.com/Ascend310P-1c", {CHIP: "310P3"}),
        ("huawei.com/Ascend910", {CHIP: "910B4"}),
        ("huawei.com/Ascend910B4", {}),
        ("cambricon.com/mlu370", {}),
    ],
)
def test_what_comes_in_several_sizes_is_not_told_by_its_name(resource: str, labels: dict[str, str]) -> None:
    group = only(resource, labels)
    assert (group.accelerator_class, group.variant_unknown) == (None, True)
    assert any("would tell" in told or "AcceleratorClass" in told for told in group.evidence)


@pytest.mark.parametrize(
    ("resource", "labels", "want"),
    [
        ("nvidia.com/mig-1g.12gb", {"nvidia.com/gpu.product": "NVIDIA-H20", "nvidia.com/gpu.memory": "97871"}, "nvidia-h20-sxm-96gb"),
        ("nvidia.com/mig-1g.18gb", {"nvidia.com/gpu.product": "NVIDIA-H20", "nvidia.com/gpu.memory": "143771"}, "nvidia-h20-sxm-141gb"),
        ("nvidia.com/gpu.shared", {"nvidia.com/gpu.product": "NVIDIA-H20-SHARED", "nvidia.com/gpu.memory": "97871"}, "nvidia-h20-sxm-96gb"),
        ("huawei.com/Ascend310P-1c", {CHIP: "310P3", "mind-cluster/npu-chip-memory": "48G"}, "huawei-310p-48gb"),
    ],
)
def test_the_memory_of_the_card_tells_the_class_of_its_parts(resource: str, labels: dict[str, str], want: str) -> None:
    group = only(resource, labels)
    assert (group.accelerator_class, group.variant_unknown) == (want, False)
