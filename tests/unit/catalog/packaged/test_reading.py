"""The data format: grades, sources, and errors that say where."""

import pytest

from sampan.catalog.packaged.facts import Kind
from sampan.catalog.packaged.reading import CatalogError, normalise, parse_other, parse_vendor

VENDOR = """
vendor = "acme"
stack = "acme-stack"
origin = "DE"
publishers = ["plugin"]
resources = [{{ name = "acme.example/npu", kind = "{kind}", publisher = "plugin" }}]
[labels]
prefixes = ["acme"]
"""
CLASSES = """
vendor = "acme"
image = "family"
[sources]
[[classes]]
name = "acme-1-16gb"
family = "acme-1"
products = ["ACME One"]
"""


def test_a_vendor_is_read_whole_of_its_two_files() -> None:
    vendor, known = parse_vendor(VENDOR.format(kind="whole"), CLASSES)
    (variant,) = vendor.variants
    assert known.variants == vendor.variants
    assert vendor.resource("acme.example/npu") is vendor.resources[0]
    assert vendor.resource("acme.example/npus") is None
    assert (variant.facts.stack, variant.facts.origin, variant.products) == ("acme-stack", "DE", frozenset({"one"}))


@pytest.mark.parametrize("broken", [VENDOR.format(kind="card"), 'vendor = "acme"', 'vendor = "acme"\nx=1'])
def test_broken_data_names_the_vendor(broken: str) -> None:
    with pytest.raises(CatalogError, match="acme"):
        parse_vendor(broken, CLASSES)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("NVIDIA-A100-SXM4-40GB", "a100-sxm4-40gb"),
        ("Tesla_V100 SXM2", "v100-sxm2"),
        ("NVIDIA-Tesla-T4", "t4"),
        ("nvidia", "nvidia"),
        ("", ""),
    ],
)
def test_products_are_compared_without_their_makers_name(text: str, want: str) -> None:
    assert normalise(text, ("nvidia", "tesla")) == want


def test_others_are_no_devices() -> None:
    (entry,) = parse_other("resources = [{ pattern = 'rdma/.+', kind = \"companion\" }]")
    assert entry.kind.sharing is None
    assert entry.pattern.fullmatch("rdma/hca")


def test_every_device_kind_has_a_sharing_mode() -> None:
    assert {kind for kind in Kind if kind.sharing is None} == {Kind.COMPANION, Kind.BOOKKEEPING, Kind.MONITORING}
