"""Every kind's schema, node by node: bounded, described, exact; and names and columns as a person at 3 a.m. needs them."""

from typing import Any

import pytest

from sampan.api.crd.generate import crd
from sampan.api.kinds.table import KINDS, Kind
from unit.api.schema_check import walk

NODES = [
    pytest.param(node, id=f"{kind.name}{path}")
    for kind in KINDS
    for path, node in walk(crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    if path not in ("", ".metadata", ".apiVersion", ".kind")
]


@pytest.mark.parametrize("node", NODES)
def test_every_node_is_bounded_exact_and_described(node: dict[str, Any]) -> None:
    kind = node.get("type")
    assert kind in ("object", "array", "string", "integer", "boolean") or node.get("x-kubernetes-int-or-string") or "not" in node
    if kind == "string" and "enum" not in node:
        assert node["maxLength"] <= 16_384
    if kind == "array":
        assert 0 < node["maxItems"] <= 256
        assert node["x-kubernetes-list-type"] in ("set", "map", "atomic")
    if kind == "integer":
        assert node["minimum"] <= node["maximum"] <= 2**53
        assert node["format"] in ("int32", "int64")
    if kind == "object":
        assert ("properties" in node) != ("maxProperties" in node)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_field_is_described_in_a_sentence(kind: Kind) -> None:
    schema = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    fields = [
        (path, node) for part in ("spec", "status") if part in schema for path, node in walk(schema[part], part) if path[-1] not in "]}"
    ]
    poor = [path for path, node in fields if not node.get("description", "").endswith(".")]
    assert fields
    assert not poor


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_columns_name_fields_that_exist(kind: Kind) -> None:
    schema = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    paths = {path for path, _ in walk(schema)} | {".metadata.creationTimestamp"}
    unknown = [c.path for c in kind.columns if c.path not in paths and not c.path.startswith(".status.conditions[?(@.type==")]
    assert not unknown
    assert any(c.priority == 0 for c in kind.columns)
    assert set(kind.selectable) <= paths


def test_names_are_ours_alone() -> None:
    names = [n for k in KINDS for n in (k.plural, k.name.lower(), *k.short_names)]
    assert len(names) == len(set(names))
    assert "cj" not in names, "CronJob's"


def test_only_the_operator_s_kinds_have_a_status() -> None:
    assert [k.name for k in KINDS if k.status is not None] == ["ComputeJob", "ClusterOffer"]
