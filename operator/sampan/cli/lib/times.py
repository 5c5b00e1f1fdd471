"""Times as Kubernetes writes them → datetimes, ages and durations in kubectl's words. `now` is always an argument."""

from datetime import UTC, datetime, timedelta

_STEPS = ((365 * 86400, "y"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def parse(text: str | None) -> datetime | None:
    """An RFC 3339 time as a UTC datetime; None where there is none or it is not one."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def duration(span: timedelta) -> str:
    """A span in at most two units, as kubectl: `42s`, `5m10s`, `3h7m`, `12d`; a negative one is `0s`."""
    seconds = max(int(span.total_seconds()), 0)
    for size, unit in _STEPS:
        if seconds >= size * (2 if unit == "m" else 1) or unit == "s":
            whole, rest = divmod(seconds, size)
            minor = _minor(rest, unit) if whole < 10 else ""
            return f"{whole}{unit}{minor}"
    return "0s"


def _minor(rest: int, unit: str) -> str:
    """The next smaller unit of a short span, empty where it is zero."""
    size, name = {"y": (86400, "d"), "d": (3600, "h"), "h": (60, "m"), "m": (1, "s"), "s": (1, "")}[unit]
    return f"{rest // size}{name}" if name and rest // size else ""


def age(created: str | None, *, now: datetime) -> str:
    """How long ago, in kubectl's words; `<unknown>` where the time is missing."""
    born = parse(created)
    return duration(now - born) if born else "<unknown>"
