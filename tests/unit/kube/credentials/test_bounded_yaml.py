"""The YAML reader takes plain documents and refuses everything that has a catch."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.bounded_yaml import MAX_BYTES, UnreadableYaml, YamlMap, read_yaml
from sampan.kube.credentials.codes import Code


def test_reads_block_flow_and_json() -> None:
    want = {"a": ["1", None, "true"], "b": {"c": "x: y"}, "d": None}
    assert read_yaml(b"a: [1, ~, true]\nb:\n  c: 'x: y'\nd:\n") == want
    assert read_yaml(b'{"a": ["1", null, "true"], "b": {"c": "x: y"}, "d": null}') == want


def test_quoted_null_is_text() -> None:
    assert read_yaml(b'a: "null"\nb: null\nc: ""\n') == {"a": "null", "b": None, "c": ""}


def test_guesses_no_types() -> None:
    assert read_yaml(b"a: 0x1F\nb: no\nc: 1:30\nd: 2024-01-01\ne: 1e999\n") == {
        "a": "0x1F",
        "b": "no",
        "c": "1:30",
        "d": "2024-01-01",
        "e": "1e999",
    }


def test_remembers_lines() -> None:
    document = read_yaml(b"a: 1\n\nb: 2\n")
    assert isinstance(document, YamlMap)
    assert document.lines == {"a": 1, "b": 3}


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [*%c,*%c,*%c]\n" % (c, c, c - 1, c - 1, c - 1) for c in range(98, 110))


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (b"a" * (MAX_BYTES + 1), Code.TOO_LARGE),
        (b"a: \xff", Code.NOT_UTF8),
        (BOMB, Code.ANCHORS),
        (b"a: *x", Code.ANCHORS),
        (b"a: &x 1", Code.ANCHORS),
        (b"a: !!python/object/apply:os.system [id]", Code.TAGS),
        (b"a: !!binary aGk=", Code.TAGS),
        (b"[" * 1000, Code.TOO_DEEP),
        (b"[" + b"1," * 20_000 + b"]", Code.TOO_DEEP),
        (b"a: 1\na: 2", Code.DUPLICATE_KEY),
        (b'{"a": 1, "a": 2}', Code.DUPLICATE_KEY),
        (b"a: 1\n---\nb: 2", Code.SEVERAL_DOCUMENTS),
        (b"a: [", Code.NOT_YAML),
        (b"? [a]\n: b", Code.NOT_YAML),
        (b"a: \x00", Code.NOT_YAML),
    ],
)
def test_refuses(raw: bytes, want: Code) -> None:
    with pytest.raises(UnreadableYaml) as caught:
        read_yaml(raw)
    assert caught.value.code is want


def test_names_the_line_and_quotes_nothing() -> None:
    with pytest.raises(UnreadableYaml) as caught:
        read_yaml(b"ok: 1\ntoken: [canary\nx: {")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_hostile_documents_cost_little() -> None:
    started = time.process_time()
    for raw in (b"{" * 60_000, b"- " * 30_000, b"a: " * 20_000, b'"' + b"x" * 60_000, b"? " * 30_000, b"\n" * 60_000):
        with contextlib.suppress(UnreadableYaml):  # refused or not: quickly
            read_yaml(raw)
    assert time.process_time() - started < 2.0


@given(st.binary(max_size=400))
def test_bytes_give_a_value_or_unreadable(raw: bytes) -> None:
    try:
        value = read_yaml(raw)
    except UnreadableYaml:
        return
    assert value is None or isinstance(value, str | list | YamlMap)
