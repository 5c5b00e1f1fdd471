"""A summary comes out as it went in, and nothing outside of its bounds comes out at all."""

import base64
import gzip
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from member_objects import as_node, as_pod, node_body, pod_body
from sampan.kube.objects import summary as summaries
from sampan.kube.objects.meta import ConfigMap, ObjectMeta
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.objects.summary import KEY, BadSummary, Summary, pack, parse_packed
from sampan.kube.objects.workloads import Node


def several(count: int) -> list[Node]:
    return [as_node(node_body(f"n{number}")) for number in range(count)]


def summary(**over: Any) -> Summary:
    told: dict[str, Any] = {"schema": 1, "sequence": 7, "interval_seconds": 10, "nodes": several(1), "pods": [as_pod(pod_body())]}
    return Summary(**told | over)


def holder(data: dict[str, str]) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=summaries.NAME, namespace="sampan-jobs"), binary_data=data)


def holding(raw: bytes) -> ConfigMap:
    return holder({KEY: base64.b64encode(raw).decode()})


TEXT = st.text(max_size=20)


@given(st.lists(st.tuples(st.dictionaries(TEXT, TEXT, max_size=4), st.booleans(), st.integers(0, 16)), max_size=6))
def test_what_goes_in_comes_out(rows: list[tuple[dict[str, str], bool, int]]) -> None:
    nodes: list[Node] = []
    for number, (labels, cordoned, gpus) in enumerate(rows):
        body = node_body(f"n{number}", gpus=gpus, unschedulable=cordoned)
        body["metadata"]["labels"] |= labels
        nodes.append(as_node(body))
    told = summary(nodes=nodes)
    assert parse_packed(holder(pack(told))).summary() == told
    assert pack(told) == pack(told)


@pytest.mark.parametrize(
    ("bad", "want"),
    [
        (summary(schema=2), "schema is 2"),
        (summary(sequence=-1), "sequence"),
        (summary(interval_seconds=0), "intervalSeconds"),
        (summary(interval_seconds=301), "intervalSeconds"),
        (summary(nodes=[as_node(node_body("a")), as_node(node_body("a"))]), "nodes: each entry needs a name"),
        (summary(nodes=[as_node(node_body(""))]), "nodes: each entry needs a name"),
        (summary(pods=[as_pod(pod_body("a")), as_pod(pod_body("a"))]), "pods: each entry"),
    ],
    ids=["another schema", "negative heartbeat", "no interval", "an endless interval", "one node twice", "no name", "one pod twice"],
)
def test_what_is_outside_of_the_bounds_is_neither_written_nor_read(bad: Summary, want: str) -> None:
    with pytest.raises(BadSummary, match=want):
        pack(bad)
    with pytest.raises(BadSummary, match=want):
        parse_packed(holding(gzip.compress(msgspec.json.encode(bad)))).summary()


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (holder({}), "has written nothing yet"),
        (holder({KEY: "%%%"}), "cannot be read"),
        (holding(b"plain"), "cannot be read"),
        (holding(gzip.compress(b"{")), "cannot be read"),
        (holding(gzip.compress(b'{"nodes": 3}')), "cannot be read"),
        (holding(gzip.compress(b"[" * 100_000)), "cannot be read"),
        (holding(gzip.compress(b'{"schema":1,"intervalSeconds":9,"nodes":[{"metadata":{"name":"\xff"}}]}')), "cannot be read"),
        (holding(gzip.compress(b'{"schema":1,"intervalSeconds":9,"pods":[7]}')), "cannot be read"),
        (holding(gzip.compress(b'{"schema": 1}')[:-9]), "cut off"),
        (holder({KEY: "A" * 2_000_001}), "larger than"),
    ],
    ids=["empty", "no base64", "not compressed", "half an object", "another type", "deep", "no UTF-8", "no pod", "cut off", "too large"],
)
def test_what_cannot_be_read_is_refused_with_a_word(data: ConfigMap, want: str) -> None:
    with pytest.raises(BadSummary, match=want):
        parse_packed(data).summary()


def test_a_small_parcel_with_much_inside_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "MOST_TEXT", 1000)
    with pytest.raises(BadSummary, match="larger than 1000 bytes"):
        parse_packed(holding(gzip.compress(b" " * 100_000))).summary()


def test_an_object_that_no_api_server_holds_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "MOST_OF_ONE", 1000)
    body = node_body("a")
    body["metadata"]["labels"] = {f"label-{number}": "x" for number in range(100)}
    with pytest.raises(BadSummary, match="no API server holds more than 1000"):
        parse_packed(holder(pack(summary(nodes=[as_node(body)]))))


def test_equal_objects_are_equal_content_whatever_the_heartbeat() -> None:
    first, second, third = (
        parse_packed(holder(pack(each))) for each in (summary(sequence=1), summary(sequence=2), summary(sequence=3, nodes=several(2)))
    )
    assert first.content == second.content != third.content
    assert [each.sequence for each in (first, second, third)] == [1, 2, 3]


def test_a_summary_that_no_configmap_holds_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "MOST_BYTES", 100)
    with pytest.raises(BadSummary, match="capacity=direct"):
        pack(summary(nodes=several(50)))


def test_runtime_classes_that_may_not_be_looked_at_are_told_apart_from_none() -> None:
    kata = msgspec.convert({"metadata": {"name": "kata"}, "overhead": {"podFixed": {"memory": "2Gi"}}}, RuntimeClass)
    told = [summary(runtime_classes=classes) for classes in (None, [], [kata])]
    assert [parse_packed(holder(pack(each))).summary() for each in told] == told
    assert len({parse_packed(holder(pack(each))).content for each in told}) == 3
    with pytest.raises(BadSummary, match="runtimeClasses: each entry"):
        pack(summary(runtime_classes=[kata, kata]))
