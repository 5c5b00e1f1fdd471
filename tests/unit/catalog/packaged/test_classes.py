"""Class data: grades, sources, figures per package, and what the packaged files say as a whole."""

import re

import pytest

from sampan.catalog import load
from sampan.catalog.packaged.classes import ClassDataError, Maker, products_of, read_classes
from sampan.model.members.accelerator import Precision
from sampan.model.values.quantity import MICRO

GIB = 2**30
ACME = Maker(name="acme", stack="acme-stack", origin="DE")
FILE = """
vendor = "acme"
image = "family"
[sources]
sheet = "Acme data sheet"
[[classes]]
name = "acme-1-16gb"
family = "acme-1"
count_multiple_of = 2
devices_per_package = {devices}
memory = {{ value = {memory}, grade = "{grade}", source = "{source}", per = "{per}" }}
throughput.fp16 = {{ value = {value}, grade = "medium", source = "sheet" }}
"""


def data(**changes: object) -> str:
    given = {"devices": 1, "memory": 16, "grade": "high", "source": "sheet", "per": "device", "value": '"12.5"'}
    return FILE.format(**{**given, **changes})


def test_a_class_is_read_in_base_units() -> None:
    known = read_classes(data(), ACME, {"acme-1-16gb": frozenset({"one"})})
    (variant,) = known.variants
    assert (variant.facts.memory, variant.facts.fp16_tflops) == (16 * GIB, 12_500_000)
    assert not variant.facts.count_rule.accepts(3)
    assert variant.facts.sources == ("Acme data sheet",)
    assert variant.products == frozenset({"one"})


def test_low_grades_are_records_and_no_facts() -> None:
    known = read_classes(data(grade="low"), ACME)
    assert known.variants[0].facts.memory is None
    assert [(figure.name, figure.grade) for figure in known.figures["acme-1-16gb"]] == [("memory", "low"), ("FP16", "medium")]


def test_a_figure_per_package_is_divided_by_its_devices() -> None:
    (variant,) = read_classes(data(per="package", devices=2, memory=32), ACME).variants
    assert variant.facts.memory == 16 * GIB
    assert variant.facts.fp16_tflops == 12_500_000, "this one is per device"


@pytest.mark.parametrize(
    "broken",
    [
        data(grade="sure"),
        data(source="hearsay"),
        data(value="12.5"),
        data(per="rack"),
        data(memory=0),
        data(per="package", devices=3, memory='"0.000001"'),
        'vendor = "other"\nimage = "family"',
        'vendor = "acme"',
    ],
    ids=["grade", "source", "float", "per", "nothing", "indivisible", "another vendor", "no image"],
)
def test_broken_data_names_the_vendor(broken: str) -> None:
    with pytest.raises(ClassDataError, match="acme"):
        read_classes(broken, ACME)


def test_products_are_given_as_written() -> None:
    assert products_of('[[classes]]\nname = "a"\nproducts = ["X 1"]\n[[classes]]\nname = "b"') == {"a": ("X 1",), "b": ()}


@pytest.mark.parametrize(
    ("name", "memory", "bandwidth", "fp16"),
    [
        ("huawei-910c-64gb", 64, 1600, 376),
        ("amd-mi250x-oam-64gb", 64, "1638.5", "191.5"),
        ("cambricon-mlu370-x8-48gb", 48, 614, 96),
        ("iluvatar-bi-v150-64gb", 64, None, 192),
        ("huawei-310p-48gb", 48, 204, 70),
    ],
    ids=["two dies of a package", "two devices of a package", "one device of two chips", "one board of two chips", "one chip of a Duo"],
)
def test_figures_are_those_of_one_device(name: str, memory: int, bandwidth: int | str | None, fp16: int | str) -> None:
    """Sold packages: 910C 128 GiB, 3200 GB/s, 752 TFLOPS; MI250X 128, 3277, 383; Atlas 300I Duo 96 GiB, 408, 140."""
    facts = load().classes[name]
    assert facts.memory == memory * GIB
    assert facts.memory_bandwidth == (None if bandwidth is None else int(float(bandwidth) * 10**9))
    assert facts.fp16_tflops == int(float(fp16) * MICRO)


def test_every_class_follows_the_rules_of_the_catalogue() -> None:
    catalog = load()
    stacks: dict[str, set[str]] = {}
    for name, facts in catalog.classes.items():
        assert name == facts.name
        assert name.startswith(f"{facts.vendor}-"), name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name), name
        if facts.memory is not None:
            assert name.endswith(f"-{facts.memory // GIB}gb"), f"{name}: the id ends with the nominal memory"
        assert all(amount > 0 for _, amount in facts.throughput), name
        stacks.setdefault(facts.family, set()).add(facts.stack)
    assert all(len(found) == 1 for found in stacks.values()), "a family has one stack"
    assert len({facts.vendor for facts in catalog.classes.values()}) >= 15


def test_what_is_not_trustworthy_is_not_known() -> None:
    classes = load().classes
    for name in ("cambricon-mlu590-80gb", "thead-ppu810e-96gb", "kunlunxin-p800-oam-96gb", "hygon-bw1000-64gb", "biren-br100-oam-64gb"):
        assert classes[name].throughput == (), f"{name} has figures of grade low only"
    assert classes["nvidia-h100-pcie-80gb"].fp16_tflops is None, "756 against 835"
    assert classes["mthreads-s5000-80gb"].fp16_tflops is None, "the advertised figure is FP8"
    assert classes["mthreads-s5000-80gb"].tflops(Precision.FP8) == 1000 * MICRO


@pytest.mark.parametrize(("name", "want"), [("nvidia-h100-sxm-80gb", 989), ("nvidia-l40s-48gb", 362), ("nvidia-l4-24gb", 121)])
def test_sparse_figures_were_halved(name: str, want: int) -> None:
    assert load().classes[name].fp16_tflops == want * MICRO


def test_ascend_computes_twice_as_much_in_int8() -> None:
    for name in ("huawei-910a-32gb", "huawei-910b4-32gb", "huawei-910c-64gb", "huawei-310p-24gb"):
        facts = load().classes[name]
        assert facts.tflops(Precision.INT8) == 2 * (facts.fp16_tflops or 0), name


def test_a_family_has_one_generation_where_images_are_built_for_generations() -> None:
    """Ascend, ROCm and DTK images run on one generation only, so a job that names a family must get just that."""
    catalog = load()
    finer = {vendor for vendor, known in catalog.known.items() if known.image.startswith("generation")}
    assert finer == {"amd", "huawei", "hygon"}
    generations: dict[str, set[str]] = {}
    for facts in catalog.classes.values():
        if facts.vendor in finer:
            generations.setdefault(facts.family, set()).add(facts.generation)
    assert all(len(found) == 1 for found in generations.values()), generations
    families = {facts.family for facts in catalog.classes.values() if facts.vendor == "huawei"}
    assert families == {"ascend-310p", "ascend-910a", "ascend-910b", "ascend-910c", "ascend-950"}


def test_memory_that_a_product_comes_with_in_two_sizes_makes_two_classes() -> None:
    """The product name cannot tell the memory: 310P3 24 or 44 GiB, 910B4 32 or 64, 4090 24 or 48, H20 96 or 141."""
    catalog = load()
    for product, want in (("h20", {96, 141}), ("geforce-rtx-4090", {24, 48}), ("910b4", {32}), ("910b4-1", {64}), ("310p3", {24, 48})):
        variants = [variant for vendor in catalog.vendors for variant in vendor.variants if product in variant.products]
        assert {(variant.facts.memory or 0) // GIB for variant in variants} >= want, product
