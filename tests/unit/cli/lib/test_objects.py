"""Objects from files: Lists, several documents, YAML and JSON, and messages that say where."""

from pathlib import Path

import pytest

from sampan.cli.lib.errors import CliError
from sampan.cli.lib.objects import read_objects, typed
from sampan.kube.objects.workloads import Node

NODE = "kind: Node\nmetadata: {name: n1, creationTimestamp: 2026-01-01T00:00:00Z, uid: null}\nspec: {unschedulable: true}\n"


def written(folder: Path, text: str) -> str:
    path = folder / "in.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        NODE,
        f"---\n{NODE}---\n",
        "kind: List\nitems:\n- kind: Node\n  metadata: {name: n1}\n  spec: {unschedulable: true}\n",
        '{"kind":"List","items":[{"kind":"Node","metadata":{"name":"n1","uid":null},"spec":{"unschedulable":true}}]}',
        "{kind: Node, metadata: {name: n1}, spec: {unschedulable: true}}",
    ],
)
def test_every_form_is_read(tmp_path: Path, text: str) -> None:
    ((where, item),) = read_objects(written(tmp_path, text))
    node = typed(item, Node, where=where)
    assert (node.metadata.name, node.spec.unschedulable) == ("n1", True)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", "no object found"),
        ("- a\n- b\n", "document 1: not a mapping"),
        ("a: [", "not valid YAML"),
        (f"{NODE}---\nkind: List\nitems: [7]\n", "document 2, item 1: not a mapping"),
        ("a: &x [1]\nb: *x\n", "anchors"),
        ("a: &x [*x]\n", "recursive"),
        ("{a: " * 100 + "}" * 100, "levels"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, text: str, want: str) -> None:
    with pytest.raises(CliError, match=want) as caught:
        read_objects(written(tmp_path, text))
    assert caught.value.exit_code == 2


def test_a_wrong_field_is_named() -> None:
    with pytest.raises(CliError, match=r"f, document 1, Node n1: .*metadata\.labels"):
        typed({"kind": "Node", "metadata": {"name": "n1", "labels": "x"}}, Node, where="f, document 1")


def test_items_of_a_typed_list_have_its_kind(tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text('{"kind": "NodeList", "items": [{"metadata": {"name": "n1"}}, {"kind": "Pod"}]}', encoding="utf-8")
    assert [item["kind"] for _, item in read_objects(str(file))] == ["Node", "Pod"]
