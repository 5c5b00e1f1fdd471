"""Bytes of a connection → one HTTP/1.1 reply (RFC 9112), read without belief in whoever sent them.

Lives here: the head of a reply, its body by length, by chunks or up to the connection's end, and what makes either of them bad.
Must never live here: sockets, time, how much of a body is wanted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MAX_HEAD = 64 * 1024
"""Bytes of status line and headers together, and of the trailers after the last chunk."""
MAX_CHUNK_LINE = 1024
"""Bytes of the line that tells a chunk's size."""
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_VALUE = re.compile(rb"[\r\n\0]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_BODILESS = frozenset({204, 304})


class BadHTTP(ConnectionError):  # noqa: N818  (an OSError: a connection that fails)
    """What came is not HTTP/1.1 as it should be; the text quotes none of it."""


class ReplyCutOff(ConnectionError):  # noqa: N818
    """The connection ended before the reply did."""


@dataclass(frozen=True, slots=True)
class Head:
    """What comes before a body. Names of headers are written as in ``Retry-After``; a repeated one's values are joined by commas."""

    code: int
    headers: Mapping[str, str]
    keeps_alive: bool


class _Body(Protocol):
    """A body's framing: ``done`` once it is over."""

    done: bool

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the pieces of the body in ``data``, and what comes after the body."""

    def end(self) -> None:
        """Take note of the connection's end; raise ReplyCutOff where the body is not over then."""


class ReplyParser:
    """Reads one reply: ``head`` once it is known, ``done`` once the body is over."""

    __slots__ = ("_body", "_held", "_upgrade", "extra", "head")

    def __init__(self, *, upgrade: bool = False) -> None:
        """Nothing has come yet. `upgrade`: another protocol was asked for, and all that comes after a 101 is the body."""
        self._upgrade = upgrade
        self.head: Head | None = None
        self.extra = False
        """Whether more came than the reply."""
        self._held = bytearray()
        self._body: _Body = _Sized(0)

    @property
    def done(self) -> bool:
        """Whether the reply is over."""
        return self.head is not None and self._body.done

    @property
    def reusable(self) -> bool:
        """Whether the connection can serve another request."""
        return self.head is not None and self.head.keeps_alive and self._body.done and not self.extra

    def feed(self, data: bytes) -> list[bytes]:
        """Return the pieces of the body in ``data``. Raises BadHTTP."""
        while self.head is None:
            rest = self._take_head(data)
            if rest is None:
                return []
            data = rest
        pieces, after = self._body.feed(data)
        self.extra = self.extra or bool(after)
        return pieces

    def end(self) -> None:
        """Take note of the connection's end; raises ReplyCutOff where the reply is not over then."""
        if self.head is None:
            raise ReplyCutOff("the connection ended before a reply")
        self._body.end()

    def _take_head(self, data: bytes) -> bytes | None:
        """What comes after a head that ``data`` completes, None where it does not. A 1xx is not the reply: it is passed over."""
        searched = max(len(self._held) - 3, 0)
        self._held += data
        end = self._held.find(b"\r\n\r\n", searched)
        if end > MAX_HEAD or (end < 0 and len(self._held) > MAX_HEAD):
            raise BadHTTP("the headers are too long")
        if end < 0:
            return None
        raw, rest = bytes(self._held[:end]), bytes(self._held[end + 4 :])
        self._held.clear()
        head = _head(raw)
        if head.code == 101 and not self._upgrade:
            raise BadHTTP("the server switched to another protocol")
        if head.code >= 200 or head.code == 101:
            self.head, self._body = head, _framing(head)
        return rest


def _head(raw: bytes) -> Head:
    first, *lines = raw.split(b"\r\n")
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise BadHTTP("the reply has no status line")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name) or _FORBIDDEN_IN_VALUE.search(value):
            raise BadHTTP("the reply has a header that is none")
        key, text = name.decode("ascii").title(), value.strip(b" \t").decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    connection = headers.get("Connection", "").lower()
    keeps_alive = status[1] == b"1" and "close" not in connection
    return Head(int(status[2]), headers, keeps_alive)


def _framing(head: Head) -> _Body:
    """How the body's end is told."""
    length, coding = head.headers.get("Content-Length"), head.headers.get("Transfer-Encoding")
    if head.code in _BODILESS:
        return _Sized(0)
    if head.code == 101:
        return _UpToTheEnd()
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise BadHTTP("the reply tells the end of its body in two ways, or in one that nobody asked for")
        return _Chunked()
    if length is None:
        return _UpToTheEnd()
    if not _LENGTH.fullmatch(length):
        raise BadHTTP("the reply has a Content-Length that is no number")
    return _Sized(int(length))


class _Sized:
    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        piece, after = (data, b"") if len(data) <= self._left else (data[: self._left], data[self._left :])
        self._left -= len(piece)
        self.done = self._left == 0
        return ([piece] if piece else []), after

    def end(self) -> None:
        if not self.done:
            raise ReplyCutOff("the body is shorter than was said")


class _UpToTheEnd:
    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        return ([data] if data else []), b""

    def end(self) -> None:
        self.done = True


class _Chunked:
    """``_left``: bytes to come of the chunk; ``_state``: what comes next when there are none."""

    __slots__ = ("_held", "_left", "_state", "_trailers", "done")

    def __init__(self) -> None:
        self.done = False
        self._held = b""
        self._left = 0
        self._state = "size"
        self._trailers = 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        data = self._held + data if self._held else data
        pieces: list[bytes] = []
        at = 0
        while not self.done:
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    break
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                if len(data) - at > MAX_CHUNK_LINE:
                    raise BadHTTP("a line between chunks is too long")
                break
            self._take_line(data[at:end])
            at = end + 2
        if self.done:
            return pieces, data[at:]
        self._held = data[at:]
        return pieces, b""

    def end(self) -> None:
        if not self.done:
            raise ReplyCutOff("the last chunk did not come")

    def _take_line(self, line: bytes) -> None:
        if self._state == "after a chunk":
            if line:
                raise BadHTTP("a chunk is longer than was said")
            self._state = "size"
        elif self._state == "size":
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None or len(line) > MAX_CHUNK_LINE:
                raise BadHTTP("a chunk has a size that is no number")
            self._left = int(size[1], 16)
            self._state = "after a chunk" if self._left else "trailers"
        else:
            self._trailers += len(line)
            if self._trailers > MAX_HEAD:
                raise BadHTTP("the trailers are too long")
            self.done = not line
