"""The data format: grades, sources, and errors that say where."""

import pytest

from sampan.catalog.facts import Kind
from sampan.catalog.reading import CatalogError, figure, normalise, parse_other, parse_vendor

VENDOR = """
vendor = "acme"
stack = "acme-stack"
origin = "DE"
publishers = ["plugin"]
resources = [{{ name = "acme.example/npu", kind = "{kind}", publisher = "plugin" }}]
[sources]
sheet = "Acme data sheet"
[[classes]]
name = "acme-1-16gb"
family = "acme-1"
count_multiple_of = 2
memory = {{ value = 16, grade = "{grade}", source = "{source}" }}
throughput.fp16 = {{ value = {value}, grade = "medium", source = "sheet" }}
"""


def data(kind: str = "whole", grade: str = "high", source: str = "sheet", value: str = '"12.5"') -> str:
    return VENDOR.format(kind=kind, grade=grade, source=source, value=value)


def test_a_vendor_is_read_whole() -> None:
    vendor = parse_vendor(data())
    (variant,) = vendor.variants
    assert vendor.resource("acme.example/npu") is vendor.resources[0]
    assert vendor.resource("acme.example/npus") is None
    assert (variant.facts.memory, variant.facts.fp16_tflops) == (16 * 2**30, 12_500_000)
    assert not variant.facts.count_rule.accepts(3)
    assert variant.facts.sources == ("Acme data sheet",)


def test_low_grades_are_not_used() -> None:
    assert parse_vendor(data(grade="low")).variants[0].facts.memory is None


@pytest.mark.parametrize(
    "broken", [data(kind="card"), data(grade="sure"), data(source="hearsay"), data(value="12.5"), 'vendor = "acme"', 'vendor = "acme"\nx=1']
)
def test_broken_data_names_the_vendor(broken: str) -> None:
    with pytest.raises(CatalogError, match=r"acme|fact"):
        parse_vendor(broken)


def test_an_absent_figure_is_none() -> None:
    assert figure(None, sources={}) is None


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
