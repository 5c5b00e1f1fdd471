"""clean_text: whatever comes in, a short clean line comes out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.text import clean_text


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
