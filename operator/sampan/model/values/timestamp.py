"""Times as Kubernetes writes them, and milliseconds since the epoch, which everything else reckons in."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 4096
"""Texts whose moment is remembered: each write of a job's status brings the times of the one before again."""


def to_rfc3339(millis: int) -> str:
    """Return milliseconds since the epoch as Kubernetes writes times: whole seconds, UTC; of years that can be written, the nearest."""
    seconds = min(max(millis // 1000, -62_135_596_800), 253_402_300_799)  # the years 1 to 9999
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat() + "Z"  # strftime writes the year 1 as "1"


def from_rfc3339(text: str | None) -> int | None:
    """Return a Kubernetes time in milliseconds since the epoch; None for nothing or for a text that is no time."""
    return _moment(text) if text else None


@lru_cache(maxsize=_REMEMBERED)
def _moment(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
