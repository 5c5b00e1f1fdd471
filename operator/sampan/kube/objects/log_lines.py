"""Bytes of a log with its kubelet's times → lines, each with its time apart. Pure.

Fact: kubernetes.io, Pod v1 read log: `timestamps` puts an RFC 3339 time and a space before each line; a log is bytes, of no promised
encoding, and a line may be of any length.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

MAX_LINE: Final = 16 * 1024
"""Bytes of a line that are passed on as one; a longer one comes in pieces."""
_STAMP: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")
_LONGEST_STAMP: Final = 40
_RANK: Final = re.compile(rb"\[(\d{1,9})\] ")


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or a piece of a long one: `begins` and `ends` tell which. `stamp` is the kubelet's time, empty where it gave none."""

    stamp: bytes
    text: bytes
    """With its newline, if it ends with one."""
    begins: bool = True

    @property
    def ends(self) -> bool:
        """Tell whether the next one begins a line."""
        return self.text.endswith(b"\n")


def nanoseconds(stamp: bytes) -> int | None:
    """Return a stamp in nanoseconds since the epoch; None where it is none."""
    found = _STAMP.fullmatch(stamp + b" ")
    if found is None:
        return None
    try:
        second = datetime.fromisoformat(found[1].decode() + found[3].decode())
    except (ValueError, OverflowError):
        return None
    return int(second.timestamp()) * 10**9 + int((found[2] or b"0").ljust(9, b"0"))


def ranked(line: Line) -> tuple[int, bytes, Line]:
    """Return the rank of a line of many ranks' output, the prefix that tells it, and the line as the rank printed it; -1: of no rank."""
    found = _RANK.match(line.text) if line.begins else None
    if found is None:
        return -1, b"", line
    prefix, rest = found[0], line.text[found.end() :]
    stamp = _STAMP.match(rest)
    if stamp is None:
        return int(found[1]), prefix, Line(b"", rest)
    return int(found[1]), prefix, Line(rest[: stamp.end() - 1], rest[stamp.end() :])


class LineSplitter:
    """Cuts what comes into lines; what has no end yet waits, at most `MAX_LINE` bytes of it."""

    __slots__ = ("_inside", "_rest")

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._rest = b""
        self._inside = False

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that are whole now, and pieces of one that is too long to wait for."""
        lines: list[Line] = []
        whole = (self._rest + data).split(b"\n")
        self._rest = whole.pop()
        for text in whole:
            self._cut(text + b"\n", lines)
        while len(self._rest) > MAX_LINE + _LONGEST_STAMP:
            self._take(self._rest[:MAX_LINE], lines)
            self._rest = self._rest[MAX_LINE:]
        return lines

    def rest(self) -> list[Line]:
        """Return what was waiting for its end, at the end of all."""
        lines: list[Line] = []
        rest, self._rest = self._rest, b""
        if rest:
            self._take(rest, lines)
        return lines

    def _cut(self, text: bytes, lines: list[Line]) -> None:
        while len(text) > MAX_LINE + _LONGEST_STAMP:
            self._take(text[:MAX_LINE], lines)
            text = text[MAX_LINE:]
        self._take(text, lines)

    def _take(self, text: bytes, lines: list[Line]) -> None:
        """Add a piece; only the first of a line has a time before it."""
        found = None if self._inside else _STAMP.match(text)
        stamp = b"" if found is None else text[: found.end() - 1]
        body = text if found is None else text[found.end() :]
        lines.append(Line(stamp, body, begins=not self._inside))
        self._inside = not text.endswith(b"\n")


class Seen:
    """Where the reading of a log stands, so that it can be taken up again: by the time of the last line, and how many had it."""

    __slots__ = ("_at_last", "_last", "_left", "_passed")

    def __init__(self) -> None:
        """Nothing was read."""
        self._last: int | None = None
        self._at_last = 0
        self._left: int | None = None
        """While what was read comes again: lines of the last moment that are still to come. None: nothing comes again."""
        self._passed = True

    def resume(self) -> datetime | None:
        """Return the second from which to read again; what was read is then told from what is new. None: from the beginning."""
        if self._last is None:
            return None
        self._left = self._at_last
        return datetime.fromtimestamp(self._last // 10**9, UTC)

    def is_new(self, line: Line) -> bool:
        """Tell whether a line was not passed on before, and note it. A piece goes with the beginning of its line."""
        if line.begins:
            self._passed = self._note(nanoseconds(line.stamp))
        return self._passed

    def _note(self, at: int | None) -> bool:
        if at is None:
            return True
        if self._left is not None and self._last is not None and at <= self._last:
            if at < self._last:
                return False
            if self._left > 0:
                self._left -= 1
                return False
        else:
            self._left = None
        if at != self._last:
            self._last, self._at_last = at, 0
        self._at_last += 1
        return True
