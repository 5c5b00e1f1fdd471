"""How often members would not start a job by each of its alternatives, and which alternatives are closed by that: `status.rejections`.

Values in, values out, as in `status`. An attempt that ran takes all of its alternative back: it works somewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

MAX_REJECTIONS: Final = 32
"""Entries kept; of more the oldest are dropped."""

Status = dict[str, Any]


def counted(status: Status, alternative: int | None, reason: str) -> Status:
    """Return the status with one more attempt by an alternative that was rejected for a reason."""
    old = _entries(status)
    known = next((e for e in old if (e.get("alternative"), e["reason"]) == (alternative, reason)), None)
    named = {} if alternative is None else {"alternative": alternative}
    entry = {**named, "reason": reason, "attempts": (known["attempts"] if known else 0) + 1}
    return {**status, "rejections": [*(e for e in old if e is not known), entry][-MAX_REJECTIONS:]}


def forgotten(status: Status, alternative: int | None) -> Status:
    """Return the status of a job that runs by an alternative: what was counted against that is over."""
    if not _entries(status):
        return status
    left = [e for e in _entries(status) if e.get("alternative") != alternative]
    return {**status, "rejections": left} if left else {key: value for key, value in status.items() if key != "rejections"}


def closed(status: Mapping[str, Any], most: int) -> frozenset[int | None]:
    """Return the alternatives that were rejected `most` times for one reason; None stands for the template alone."""
    return frozenset(e.get("alternative") for e in _entries(status) if e["attempts"] >= most)


def _entries(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = status.get("rejections") or ()
    return found
