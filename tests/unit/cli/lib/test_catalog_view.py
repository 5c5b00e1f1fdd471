"""What is shown of a class: facts as they are used, figures as their sources have them, nothing that is not known."""

from dataclasses import replace

import pytest

from builders import GIB, accelerator_class, selector
from sampan.catalog import Detection, load
from sampan.cli.lib.catalog_view import ClassList, counts, detail, nearest, recipe, row
from sampan.model.launch import NO_LAUNCH, HostPath, Launch, PodSecurity
from sampan.model.members.accelerator import AcceleratorClass, CountRule, Precision, Span
from sampan.model.values.quantity import MICRO

BUILT_IN = ClassList(built_in=load(), declared={})


def built_in(name: str) -> AcceleratorClass:
    facts = BUILT_IN.find(name)
    assert facts is not None
    return facts


def test_every_class_of_the_catalogue_can_be_shown_whole() -> None:
    for facts in BUILT_IN.classes:
        shown = detail(BUILT_IN, facts)
        assert shown["toldBy"], f"{facts.name}: something must tell it"
        assert all(figure["grade"] and figure["source"] for figure in shown["figures"]), facts.name
        used = {figure["name"] for figure in shown["figures"] if figure["used"]}
        known = {precision.value for precision, _ in facts.throughput}
        known |= {"memory"} if facts.memory else set()
        known |= {"bandwidth"} if facts.memory_bandwidth else set()
        assert used == known, f"{facts.name}: what is shown as used is what is used"


@pytest.mark.parametrize(
    ("name", "figure", "want"),
    [
        ("huawei-910c-64gb", "memory", ("64", "128")),
        ("huawei-910c-64gb", "FP16", ("376", "752")),
        ("amd-mi250x-oam-64gb", "bandwidth", ("1638.5", "3277")),
        ("nvidia-h100-sxm-80gb", "memory", ("80", None)),
    ],
)
def test_figures_of_packages_are_shown_per_device_and_as_written(name: str, figure: str, want: tuple[str, str | None]) -> None:
    (found,) = (each for each in detail(BUILT_IN, built_in(name))["figures"] if each["name"] == figure)
    assert (found["value"], found["perPackage"]) == want


def test_a_figure_of_grade_low_is_a_record_and_no_fact() -> None:
    shown = detail(BUILT_IN, built_in("hygon-bw1000-64gb"))
    assert (shown["memory"], shown["memoryBandwidthGBps"], shown["throughput"]) == (None, None, {})
    assert [(each["name"], each["grade"], each["used"]) for each in shown["figures"]] == [
        ("memory", "low", False),
        ("bandwidth", "low", False),
        ("FP16", "low", False),
    ]


def test_what_tells_a_class_is_named_with_the_clouds_aliases() -> None:
    told = {each["what"]: each for each in detail(BUILT_IN, built_in("nvidia-h100-sxm-80gb"))["toldBy"]}
    assert "nvidia.com/gpu" in told["resource"]["keys"]
    assert "h100-80gb-hbm3" in told["product label"]["values"]
    assert told["PCI device id"] == {
        "what": "PCI device id",
        "keys": ["feature.node.kubernetes.io/pci-CLASS_10de_ID.present"],
        "values": ["2330"],
    }
    assert "cloud.google.com/gke-accelerator=nvidia-h100-mega-80gb" in told["alias"]["keys"]
    assert told["reported memory"]["values"] == ["81559Mi"]
    boards = {each["what"]: each for each in detail(BUILT_IN, built_in("huawei-910a-32gb"))["toldBy"]}
    assert "huawei.com/Ascend910" in boards["resource"]["keys"]
    assert "huawei.com/Ascend310P" not in boards["resource"]["keys"], "another chip's resource cannot carry it"
    assert boards["board label"]["values"] == ["card", "half", "module"]


def test_recipes_are_shown_for_any_member_and_for_members_with_volcano() -> None:
    shown = detail(BUILT_IN, built_in("huawei-910b3-64gb"))["launch"]
    assert [(each["where"], each["recipe"].get("schedulerName")) for each in shown] == [
        ("any member", None),
        ("with Volcano", "volcano"),
        ("shares of hami", "hami-scheduler"),
    ]
    assert all(each["recipe"]["backend"] == "hccl" for each in shown)
    hygon, _ = detail(BUILT_IN, built_in("hygon-k100-ai-64gb"))["launch"]
    assert hygon["recipe"]["hostPaths"] == [{"path": "/opt/hyhal", "mountPath": "/opt/hyhal"}]
    assert hygon["recipe"]["podSecurityLevel"] == "privileged"


def test_objects_of_the_hub_add_and_correct() -> None:
    bare = accelerator_class("acme-a1-64gb", vendor="acme")
    added = replace(bare, throughput=((Precision.INT8, 512 * MICRO),), launch=Launch(backend="acl"))
    corrected = replace(accelerator_class("thead-ppu810e-96gb", vendor="thead"), memory=96 * GIB, sources=("acceptance test",))
    detection = Detection(resources=("acme.example/npu",), labels=selector(model="a1"))
    book = ClassList(built_in=load(), declared={added.name: (added, detection), corrected.name: (corrected, Detection())})
    origin = {facts.name: row(book, facts)["from"] for facts in book.classes}
    assert [origin[name] for name in (added.name, corrected.name, "nvidia-l4-24gb")] == ["declared", "corrected", "built-in"]
    assert [facts.name for facts in book.classes if facts.vendor == "thead"] == [corrected.name], "listed once"
    shown = detail(book, added)
    assert {"what": "declared resource", "keys": ["acme.example/npu"], "values": []} in shown["toldBy"]
    assert {"what": "declared labels", "keys": ["model In a1"], "values": []} in shown["toldBy"]
    assert shown["launch"] == [{"where": "any member", "recipe": {"backend": "acl"}, "source": f"AcceleratorClass {added.name}"}]
    assert ("INT8", "512", "TOPS") in [(each["name"], each["value"], each["unit"]) for each in shown["figures"]]
    memory = next(each for each in detail(book, corrected)["figures"] if each["name"] == "memory")
    assert (memory["value"], memory["grade"], memory["source"]) == ("96", None, "acceptance test")


@pytest.mark.parametrize(
    ("rule", "want"),
    [
        (CountRule(), "any"),
        (CountRule(multiple_of=2), "multiples of 2"),
        (CountRule(allowed=(1, 4, 8)), "1,4,8"),
        (CountRule(allowed=(1, 2, 4, 8), group_size=4), "1,2,4,8 in whole groups of 4"),
        (CountRule(group_size=4, span=Span.NEVER), "any in one group of 4"),
    ],
)
def test_count_rules_in_words(rule: CountRule, want: str) -> None:
    assert counts(rule) == want


def test_a_recipe_is_spelt_as_in_the_object_without_what_is_empty() -> None:
    assert recipe(NO_LAUNCH) == {}
    full = Launch(
        runtime_class="ascend",
        env=(("A", "1"),),
        host_paths=(HostPath(path="/opt/x", mount_path="/opt/y"),),
        supplemental_groups=(44,),
        pod_security=PodSecurity.PRIVILEGED,
    )
    assert recipe(full) == {
        "runtimeClassName": "ascend",
        "env": [{"name": "A", "value": "1"}],
        "hostPaths": [{"path": "/opt/x", "mountPath": "/opt/y"}],
        "supplementalGroups": [44],
        "podSecurityLevel": "privileged",
    }


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("H20", "nvidia-h20-sxm-141gb"),
        ("910 B3", None),
        ("910b3", "huawei-910b3-64gb"),
        ("nvidia-h100-smx-80gb", "nvidia-h100-sxm-80gb"),
        ("h100-80gb-hbm3", "nvidia-h100-sxm-80gb"),
        ("xyzzy", None),
        ("", None),
    ],
)
def test_nearest_names(text: str, first: str | None) -> None:
    found = nearest(BUILT_IN, text)
    assert (found[0] if found else None) == first
    assert len(found) <= 5
