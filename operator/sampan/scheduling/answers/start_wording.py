"""What is said of a waiting job's start: promised by a moment, or not and why. Words only; nothing is decided or computed here."""

from collections.abc import Mapping
from typing import Final

from sampan.model.plan import StartUnknown

UNKNOWN_STARTS: Final[Mapping[StartUnknown, str]] = {
    StartUnknown.NO_DECLARED_END: "too few of the jobs that run there declare an end (activeDeadlineSeconds)",
    StartUnknown.ALL_RESERVED: "the pools that could run it are kept for jobs that come first",
    StartUnknown.LIMITED: (
        "a cap of the offer, a quota or a queue of the member decides, and too few of the jobs that use it up declare an end"
    ),
    StartUnknown.COOLING_DOWN: "the pools that suit it are left alone for a while after starts there that failed",
    StartUnknown.NO_CELL: "no pool could run it even if nothing else ran there",
}
"""Why no start can be promised, by the word that the plan has."""


def start_words(*, at_latest: str | None, unknown: StartUnknown | None) -> str:
    """Return the end of a waiting job's message, empty where nothing was worked out; `at_latest` is a moment as people read it."""
    if at_latest is not None:
        return f"; starts by {at_latest} at the latest, unless a node is lost or a job of higher priority comes"
    if unknown is not None:
        return f"; start not known: {UNKNOWN_STARTS[unknown]}"
    return ""
