"""What somebody wants to read of a job's output, from the parameters of a request. Never here: pods, calls."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

ALL_RANKS: Final = "all"
MAX_NUMBER: Final = 2**31 - 1
_TRUE: Final = frozenset({"true", "1", ""})
"""A parameter without a value is set, as Kubernetes reads it."""
_FALSE: Final = frozenset({"false", "0"})
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


class BadLogOptionsError(ValueError):
    """A parameter cannot be read; the text names it and says what it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What to read. `rank` None: of all ranks, each line with its rank before it."""

    rank: int | None = 0
    follow: bool = False
    previous: bool = False
    """Of the container before: the attempt before, or the pod before of the same rank of a sweep."""
    timestamps: bool = False
    tail: int | None = None
    """Lines from the end; None: all."""
    since_seconds: int | None = None
    since: datetime | None = None

    def resumed(self, since: datetime) -> "LogOptions":
        """Return the same from a moment on, every line of it."""
        return replace(self, tail=None, since_seconds=None, since=since)

    def whole(self) -> "LogOptions":
        """Return the same from the beginning: of an attempt that began while its job was followed."""
        return replace(self, tail=None, since_seconds=None, since=None)

    def params(self, container: str) -> dict[str, str]:
        """Return the parameters of the pods' log API; times are always asked for, since reading is taken up again by them."""
        named = {
            "container": container,
            "timestamps": "true",
            "follow": "true" if self.follow else "",
            "tailLines": "" if self.tail is None else str(self.tail),
            "sinceSeconds": "" if self.since_seconds is None else str(self.since_seconds),
            "sinceTime": "" if self.since is None else self.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {name: value for name, value in named.items() if value}


def log_options(given: Mapping[str, str]) -> LogOptions:
    """Return what the parameters say, in the names of the pods' log API where it has one. Raises BadLogOptionsError."""
    unknown = sorted(given.keys() - {"rank", "follow", "previous", "timestamps", "tailLines", "sinceSeconds", "sinceTime"})
    if unknown:
        raise BadLogOptionsError(
            f"unknown parameter {unknown[0]}: there are rank, follow, previous, timestamps, tailLines, sinceSeconds and sinceTime"
        )
    if "sinceSeconds" in given and "sinceTime" in given:
        raise BadLogOptionsError("sinceSeconds and sinceTime: give one of them")
    rank = given.get("rank", "0")
    options = LogOptions(
        rank=None if rank == ALL_RANKS else _number({"rank": rank}, "rank", least=0, otherwise=" or all"),
        follow=_flag(given, "follow"),
        previous=_flag(given, "previous"),
        timestamps=_flag(given, "timestamps"),
        tail=_number(given, "tailLines", least=0),
        since_seconds=_number(given, "sinceSeconds", least=1),
        since=_time(given["sinceTime"]) if "sinceTime" in given else None,
    )
    if options.follow and options.previous:
        raise BadLogOptionsError("follow and previous: what was before does not go on; give one of them")
    return options


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false").lower()
    if value not in _TRUE | _FALSE:
        raise BadLogOptionsError(f"{name} must be true or false")
    return value in _TRUE


def _number(given: Mapping[str, str], name: str, *, least: int, otherwise: str = "") -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= MAX_NUMBER):
        raise BadLogOptionsError(f"{name} must be a whole number of {least} or more{otherwise}")
    return int(text)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text if _TIME.fullmatch(text) else "").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLogOptionsError("sinceTime must be a time such as 2026-01-31T12:00:00Z") from error
