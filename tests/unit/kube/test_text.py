"""clean_text: whatever comes in, a short clean line comes out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.text import clean_text, same_words


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("plain", "plain"),
        ("two\r\nlines\tand tabs", "two lines and tabs"),
        ("\x1b]0;title\x07 escape", "]0;title escape"),
        ("user\u202etxt.exe", "user txt.exe"),
        ("zero\u200bwidth\ufeff", "zero width"),
        ("line\u2028sep", "line sep"),
        ("船 ferry é", "船 ferry é"),
        ("\ud800lone", "lone"),
    ],
)
def test_cleans(text: str, want: str) -> None:
    assert clean_text(text) == want


def test_cuts_at_bytes_not_characters() -> None:
    cut = clean_text("船" * 200, 32)
    assert len(cut.encode()) <= 32
    assert cut.endswith("…")


def test_text_of_exactly_the_limit_is_whole() -> None:
    assert clean_text("x" * 256) == "x" * 256


def test_megabytes_cost_little_and_are_marked_as_cut() -> None:
    assert clean_text(" " * 10_000_000 + "hidden", 64) == "…"


@given(st.text(), st.integers(0, 300))
def test_always_short_and_printable(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned.encode()) <= limit
    assert all(unicodedata.category(char)[0] != "C" for char in cleaned)
    assert "\n" not in cleaned


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dial tcp 127.0.0.1:34567: refused", "dial tcp 127.0.0.1:55555: refused"),
        ("back-off 10s pulling", "back-off 20s pulling"),
        ("0/4 nodes are available: 4 Insufficient cpu", "0/5 nodes are available: 5 Insufficient cpu"),
        ("pod sj-4k2x-0-bcdfg was refused at 10:00:01", "pod sj-4k2x-0-xyzqv was refused at 10:00:59"),
        (clean_text("word " * 60 + "1"), clean_text("word " * 60 + "99")),
    ],
)
def test_words_that_differ_in_times_ports_and_ids_are_the_same(one: str, other: str) -> None:
    assert same_words(one, other)


@pytest.mark.parametrize(("one", "other"), [("refused", "timeout"), ("", "refused"), ("no such image a:1", "no such host a:1")])
def test_other_words_are_not(one: str, other: str) -> None:
    assert not same_words(one, other)
