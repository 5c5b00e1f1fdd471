"""Whole Node and ResourceSlice objects of many vendors, foreign labels and a second vendor about: what each is told to hold, and why."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import node as build_node
from places import ROOT
from sampan.catalog import load
from sampan.cli.lib.objects import read_objects, typed
from sampan.inventory.member import to_node
from sampan.inventory.slices import to_slice
from sampan.kube.objects.dra import ResourceSlice
from sampan.kube.objects.workloads import Node as KubeNode
from sampan.model.members.cluster import Node
from sampan.model.members.device import DeviceGroup

FOLDER = ROOT / "tests" / "data" / "nodes"
CASES = yaml.safe_load((FOLDER.parent / "node-cases.yaml").read_text(encoding="utf-8"))
TELLING = ("label ", "attribute ", "annotation ", "no label tells it", "unknown resource ")
FILES = sorted(case["file"] for case in CASES)


@cache
def nodes_of(file: str) -> Mapping[str, Node]:
    objects = read_objects(str(FOLDER / f"{file}.yaml"))
    slices = [to_slice(typed(item, ResourceSlice, where=where)) for where, item in objects if item["kind"] == "ResourceSlice"]
    nodes = [to_node(typed(item, KubeNode, where=where)) for where, item in objects if item["kind"] == "Node"]
    return {node.name: replace(node, slices=tuple(one for one in slices if one and one.node == node.name)) for node in nodes}


def matches(group: DeviceGroup, want: str) -> bool:
    resource, devices, name, sharing, profile = (*want.split("|"), "")[:5]
    told = name == "*" or (
        any(name[1:] in each for each in group.evidence) if name[:1] == "~" else (group.accelerator_class or "-") == name
    )
    shape = (str(group.devices), group.sharing.value, group.profile) == (devices, sharing, profile)
    return told and shape and group.resource == resource


def field_of(group: DeviceGroup, name: str) -> str:
    if name == "fabric":
        return f"{group.fabric.kind}:{group.fabric.domain}" if group.fabric else "None"
    return str(getattr(group, name))


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_a_node_is_told_for_what_it_is(case: dict[str, Any]) -> None:
    found, fields = load().examine(nodes_of(case["file"])["n1"]), case["want_fields"]
    assert len(found.groups) == len(case["want_groups"]), found.groups
    assert all(matches(group, each) for group, each in zip(found.groups, case["want_groups"], strict=True)), found.groups
    assert sorted(f"{one.resource}:{one.why}" for one in found.ignored) == sorted(case["want_ignored"])
    if fields.startswith("~"):
        assert any(fields[1:] in told for told in found.groups[0].evidence)
    for name, value in (each.split("=", 1) for each in fields.split() if not fields.startswith("~")):
        assert field_of(found.groups[0], name).replace(" ", "") == value, name


@pytest.mark.parametrize("file", FILES)
def test_a_second_vendor_about_changes_nothing(file: str) -> None:
    first, second = nodes_of(file)["n1"], nodes_of(file)["n2"]
    (alone,) = load().resolve(second)
    both = replace(first, labels={**second.labels, **first.labels})
    assert load().examine(both) == load().examine(first)
    assert alone.vendor in ("amd", "hygon")


@pytest.mark.parametrize("file", FILES)
def test_what_is_not_told_says_what_could_tell(file: str) -> None:
    for group in load().resolve(nodes_of(file)["n1"]):
        assert group.accelerator_class or any(each.startswith(TELLING) for each in group.evidence), group


def test_every_file_is_a_case_and_cites_its_source() -> None:
    files = {path.stem: path.read_text(encoding="utf-8").splitlines()[0] for path in FOLDER.glob("*.yaml")}
    assert files.keys() == set(FILES)
    assert all(head.startswith(("# seen in ", "# constructed from ")) for head in files.values())


def test_there_are_fixtures_of_many_vendors() -> None:
    vendors = {group.vendor for file in FILES for group in load().resolve(nodes_of(file)["n1"])}
    assert len(FILES) >= 60
    assert len(vendors) >= 14


KEYS = sorted({key for file in FILES for key in nodes_of(file)["n1"].labels})
ANNOTATIONS = sorted({key for file in FILES for key in nodes_of(file)["n1"].annotations})
RESOURCES = sorted({name for file in FILES for name, _ in nodes_of(file)["n1"].allocatable if "/" in name})
TEXT = st.text(max_size=40) | st.sampled_from(["NVIDIA-H20", "[" * 500, '[{"id":"a"}]', "910B3", "64G", "9" * 400, "-MIG-1g.5gb" * 50])


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), TEXT, max_size=6),
    st.dictionaries(st.sampled_from(ANNOTATIONS), TEXT, max_size=3),
    st.dictionaries(st.sampled_from(RESOURCES), st.integers(0, 2**60), max_size=5),
)
def test_no_object_breaks_the_catalogue(labels: dict[str, str], annotations: dict[str, str], resources: dict[str, int]) -> None:
    found = load().examine(build_node(labels=labels, annotations=annotations, resources=resources))
    names = [group.resource for group in found.groups]
    assert len(names) == len(set(names))
    assert all(0 <= group.devices <= 1024 and len(group.evidence) <= 8 for group in found.groups)
    for name, units in resources.items():
        counted = [group for group in found.groups if group.resource == name]
        assert sum(group.devices for group in counted if not group.cards) <= units


@settings(max_examples=5, deadline=None)
@given(st.sampled_from(["[" * 262_144, "a,1,1,1,t,0,true:" * 15_000, '[{"id":"' + "x" * 262_000 + '"}]', ":" * 262_144]))
def test_the_longest_annotations_are_no_work(text: str) -> None:
    annotations = dict.fromkeys(ANNOTATIONS, text)
    found = load().examine(build_node(labels={}, annotations=annotations, resources={"nvidia.com/gpu": 8}))
    assert [group.resource for group in found.groups] == ["nvidia.com/gpu"]
