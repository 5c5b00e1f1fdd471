"""One unreadable object never hides the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.errors import BadReply
from sampan.kube.objects.meta import ConfigMap, PartialObject
from sampan.kube.objects.workloads import Job
from sampan.kube.transport.wire import Page, Unreadable, decode, decode_event, decode_page, encode

GOOD = b'{"metadata":{"name":"good","resourceVersion":"3"}}'
BAD = b'{"metadata":{"name":"bad\\u202e","namespace":"ns","uid":"u","resourceVersion":"4"},"status":{"active":-1}}'


def test_bytes_stay_bytes() -> None:
    assert decode(b"no json", bytes) == b"no json"


def test_a_page() -> None:
    page = decode_page(b'{"metadata":{"resourceVersion":"9","continue":"t","remainingItemCount":5},"items":[' + GOOD + b"]}", Job)
    assert [item.metadata.name for item in page.items] == ["good"]
    assert (page.resource_version, page.continue_token, page.remaining, page.unreadable) == ("9", "t", 5, [])


def test_a_page_with_one_bad_object() -> None:
    page: Page[Job] = decode_page(b'{"metadata":{"resourceVersion":"9"},"items":[' + GOOD + b"," + BAD + b",17," + GOOD + b"]}", Job)
    assert len(page.items) == 2
    first, second = page.unreadable
    assert (first.key, first.uid, first.resource_version) == ("ns/bad", "u", "4")
    assert "active" in first.problem
    assert second.key == ""


def test_text_that_is_not_utf_8_makes_one_object_unreadable() -> None:
    page: Page[Job] = decode_page(b'{"items":[' + GOOD + b',{"metadata":{"name":"\xff"}}]}', Job)
    assert [item.metadata.name for item in page.items] == ["good"]
    assert [each.problem for each in page.unreadable] == ["text that is not UTF-8"]
    kind, item = decode_event(b'{"type":"MODIFIED","object":{"metadata":{"name":"\xff"}}}', Job)
    assert (kind, isinstance(item, Unreadable)) == ("MODIFIED", True)
    with pytest.raises(BadReply, match="not UTF-8"):
        decode(b'{"metadata":{"name":"\xff"}}', Job)


@pytest.mark.parametrize("items", [b'"items":null', b'"items":[]', b'"kind":"List"'])
def test_an_empty_page(items: bytes) -> None:
    assert decode_page(b'{"metadata":{"resourceVersion":"9"},' + items + b"}", Job).items == []


@pytest.mark.parametrize("data", [b"", b"[]", b"<html>", b'{"items":{}}', b"[" * 100_000, b"\xff", b'{"metadata":5}'])
def test_what_is_no_list_is_a_bad_reply(data: bytes) -> None:
    with pytest.raises(BadReply):
        decode_page(data, ConfigMap)


def test_events() -> None:
    kind, item = decode_event(b'{"type":"ADDED","object":' + GOOD + b"}", Job)
    assert (kind, type(item)) == ("ADDED", Job)
    kind, item = decode_event(b'{"type":"MODIFIED","object":' + BAD + b"}", Job)
    assert isinstance(item, Unreadable)
    assert (kind, item.uid) == ("MODIFIED", "u")
    for into in (Job, PartialObject):
        kind, raw = decode_event(b'{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410}}', into)
        assert (kind, raw) == ("ERROR", b'{"kind":"Status","status":"Failure","code":410}')


def test_deep_nesting_is_a_bad_reply_not_a_recursion_error() -> None:
    deep = b"[" * 90_000 + b"]" * 90_000
    with pytest.raises(BadReply):
        decode_event(b'{"type":"ADDED","object":{"metadata":{"name":"deep"},"x":' + deep + b"}}", Job)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: encode({"type": text, "object": {"metadata": {"name": text}}})))
def test_any_line_is_an_event_or_a_bad_reply(line: bytes) -> None:
    try:
        kind, _ = decode_event(line, Job)
    except BadReply:
        return
    assert isinstance(kind, str)
