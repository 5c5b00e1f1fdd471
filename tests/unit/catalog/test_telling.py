"""Which class devices are of: hints by rank, memory that chooses a variant, and hints that are not believed."""

import pytest

from builders import node
from sampan.catalog import load
from sampan.catalog.facts import Vendor
from sampan.catalog.telling import Publication, number, tell, without_suffixes
from sampan.model.accelerator import Sharing

GIB = 2**30
GPU, PRODUCT, MEMORY = "nvidia.com/gpu", "nvidia.com/gpu.product", "nvidia.com/gpu.memory"


def nvidia() -> Vendor:
    return next(vendor for vendor in load().vendors if vendor.name == "nvidia")


@pytest.mark.parametrize(
    ("labels", "want", "unsure"),
    [
        ({PRODUCT: "NVIDIA-H20", MEMORY: "97871"}, "nvidia-h20-sxm-96gb", False),
        ({PRODUCT: "NVIDIA-H20"}, "nvidia-h20-sxm-96gb", True),
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
    told = tell(nvidia(), node(labels=labels), Publication(resource=GPU, sharing=Sharing.WHOLE))
    assert (told.variant.facts.name if told.variant else None, told.unsure) == (want, unsure)


def test_what_the_publication_says_outranks_labels() -> None:
    published = Publication(
        resource=GPU, sharing=Sharing.WHOLE, products=(("attribute product", "NVIDIA L4"),), memory=("capacity", 23034 * 2**20)
    )
    told = tell(nvidia(), node(labels={PRODUCT: "Tesla-T4"}), published)
    assert told.variant is not None
    assert told.variant.facts.name == "nvidia-l4-24gb"


def test_memory_that_is_let_out_twice_contradicts_nothing() -> None:
    published = Publication(
        resource=GPU, sharing=Sharing.VIRTUAL, products=(("type", "NVIDIA-Tesla T4"),), memory=("annotation", 31 * GIB), scaled=True
    )
    told = tell(nvidia(), node(), published)
    assert told.variant is not None
    assert told.variant.facts.name == "nvidia-t4-16gb"


def test_what_is_not_told_names_the_labels_that_could() -> None:
    told = tell(nvidia(), node(), Publication(resource=GPU, sharing=Sharing.WHOLE))
    assert f"label {PRODUCT} would tell" in told.evidence


@pytest.mark.parametrize(("text", "want"), [("64G", 64), ("16151MiB", 16151), ("1.5", 0), (None, 0), ("9" * 40, 0), ("\uff19", 0)])
def test_numbers_of_labels(text: str | None, want: int) -> None:
    assert number(text) == want


def test_suffixes_come_off() -> None:
    assert without_suffixes("A100-MIG-1g.5gb-SHARED", nvidia().labels) == "A100"
