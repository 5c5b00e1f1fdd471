"""Ages and durations in kubectl's words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.cli.lib import times

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "want"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (119, "119s"), (120, "2m"), (310, "5m10s"), (900, "15m"), (3600, "1h"), (11220, "3h7m"),
     (86400 * 2 + 3600, "2d1h"), (86400 * 12, "12d"), (86400 * 800, "2y70d")],
)  # fmt: skip
def test_duration(seconds: int, want: str) -> None:
    assert times.duration(timedelta(seconds=seconds)) == want


@given(st.integers(min_value=0, max_value=10**10))
def test_every_duration_is_short(seconds: int) -> None:
    assert len(times.duration(timedelta(seconds=seconds))) <= 8


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2026-03-01T11:59:18Z", "42s"),
        ("2026-03-01T11:59:18.250000Z", "41s"),
        ("2026-03-01T12:59:18+01:00", "42s"),
        (None, "<unknown>"),
        ("yesterday", "<unknown>"),
    ],
)
def test_age(text: str | None, want: str) -> None:
    assert times.age(text, now=NOW) == want
