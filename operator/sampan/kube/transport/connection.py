"""One connection to an API server: a request out, a reply in, and the next.

Lives here: the protocol of the event loop, who hears what came, and that a connection whose reply was not read whole is dropped.
Must never live here: which connection serves a call, credentials, retries.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from sampan.kube.buffers import bound_buffers
from sampan.kube.errors import TooLarge
from sampan.kube.transport.http_reply import BadHTTP, Head, ReplyCutOff, ReplyParser

_LARGE = 16 * 1024  # bytes of a request that a server may refuse before it has read it, so that the next one would wait behind the rest


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, read whole."""

    code: int
    headers: Mapping[str, str]
    body: bytes


class Receiver(Protocol):
    """Who hears what comes; told of the end at most once, and of nothing after it."""

    def take(self, data: bytes) -> None:
        """Bytes came. Raises BadHTTP or TooLarge, which ends the connection."""

    def ended(self, why: Exception | None) -> None:
        """The connection is over."""


class Connection(asyncio.Protocol):
    """Serves one request at a time. ``heard`` is true once a byte came for the last one."""

    __slots__ = ("_on_lost", "_receiver", "_transport", "_writable", "closed", "heard")

    def __init__(self, on_lost: Callable[["Connection"], None]) -> None:
        """``on_lost`` is told once, when the connection is over."""
        self.closed = False
        self.heard = False
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    async def call(self, request: bytes, cap: int) -> Reply:
        """Send, and read the whole reply. Raises OSError, and TooLarge above ``cap`` bytes; whoever is cancelled drops the connection."""
        receiver = _WholeReply(asyncio.get_running_loop().create_future(), cap)
        try:
            self._send(request, receiver)
            outcome = await receiver.outcome
        finally:
            self._receiver = None
            if not receiver.parser.reusable:
                self.abort()
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.code >= 300 and len(request) > _LARGE:
            self.abort()
        return outcome

    def open_stream(self, request: bytes, buffer: int, *, upgrade: bool = False) -> "StreamReceiver":
        """Send a request whose reply is read as it comes; the connection serves no other until that lets go of it."""
        receiver = StreamReceiver(self, buffer, upgrade=upgrade)
        self._send(request, receiver)
        return receiver

    def bound(self, size: int) -> None:
        """Keep about so many bytes in each buffer from now on."""
        if self._transport is not None and not self.closed:
            bound_buffers(self._transport, size)

    async def send_on(self, data: bytes) -> None:
        """Send more after a request whose reply is a 101, and wait while the server takes nothing. Raises OSError."""
        if self.closed or self._transport is None:
            raise ReplyCutOff("the connection is over")
        self._transport.write(data)
        await self._writable.wait()

    def pause_writing(self) -> None:
        """Of the event loop: the server takes nothing for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Of the event loop."""
        self._writable.set()

    def release(self) -> None:
        """Nobody listens any more: the reply came whole, and another request may be sent."""
        self._receiver = None

    def abort(self) -> None:
        """Drop the connection; whoever waits for a reply is told."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def hold(self, *, back: bool) -> None:
        """Have the server wait, or go on."""
        if self._transport is not None and not self.closed:
            if back:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of the event loop."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Of the event loop. What comes when nothing was asked is no reply: nothing after it could be trusted."""
        if self.closed:
            return  # it was dropped, and this was on its way
        self.heard = True
        if self._receiver is None:
            self.abort()
            return
        try:
            self._receiver.take(data)
        except (BadHTTP, TooLarge) as exc:
            self.abort()
            self._over(exc)

    def eof_received(self) -> None:
        """Of the event loop: the server sends no more; the transport closes itself."""
        self._over(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of the event loop."""
        self._over(exc)
        self._transport = None
        self._writable.set()
        self._on_lost(self)

    def _send(self, request: bytes, receiver: Receiver) -> None:
        if self.closed or self._transport is None:
            raise ReplyCutOff("the connection is over")
        self._receiver = receiver
        self.heard = False
        self._transport.write(request)

    def _over(self, why: Exception | None) -> None:
        self.closed = True
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.ended(why)


class _WholeReply:
    __slots__ = ("_cap", "_pieces", "_size", "outcome", "parser")

    def __init__(self, outcome: "asyncio.Future[Reply | Exception]", cap: int) -> None:
        self.outcome = outcome
        self.parser = ReplyParser()
        self._cap = cap
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, data: bytes) -> None:
        pieces = self.parser.feed(data)
        self._pieces += pieces
        self._size += sum(map(len, pieces))
        head = self.parser.head
        if head is not None and self._size > self._cap:
            raise _too_large(head, self._cap)
        if head is not None and self.parser.done:
            self._finish(_whole(head, b"".join(self._pieces), self._cap))

    def ended(self, why: Exception | None) -> None:
        try:
            self.parser.end()
        except ReplyCutOff as exc:
            why = why or exc
        if why is not None or self.parser.head is None:
            self._finish(why or ReplyCutOff("the connection ended before a reply"))
        else:
            self._finish(_whole(self.parser.head, b"".join(self._pieces), self._cap))

    def _finish(self, outcome: Reply | Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class StreamReceiver:
    """A reply that is read as it comes."""

    __slots__ = ("_buffer", "_connection", "_end", "_held_back", "_news", "_parser", "_pieces", "_waiting")

    def __init__(self, connection: Connection, buffer: int, *, upgrade: bool = False) -> None:
        """Nothing has come yet. ``buffer``: bytes that wait for their reader before the server has to wait."""
        self._connection = connection
        self._buffer = buffer
        self._parser = ReplyParser(upgrade=upgrade)
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._held_back = False
        self._end: Exception | None = None
        self._news = asyncio.Event()

    async def head(self) -> Head:
        """Return status and headers once they are there. Raises OSError."""
        while self._parser.head is None:
            await self._wait()
        if self._parser.head.headers.get("Content-Encoding", "identity") != "identity":
            raise BadHTTP("the stream is in an encoding that nobody asked for")
        return self._parser.head

    async def read(self) -> bytes:
        """Return what has come since, at least a byte; nothing at the end. Raises OSError."""
        while not self._pieces:
            if self._parser.done and self._end is None:
                return b""
            await self._wait()
        chunk = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._held_back:
            self._held_back = False
            self._connection.hold(back=False)
        return chunk

    def close(self) -> None:
        """Drop the connection, and what was not read; a reader that waits is woken."""
        self._pieces.clear()
        self._connection.abort()
        self.ended(None)

    def finish(self) -> None:
        """Let go of the connection: it may serve another request where the reply came whole, and is dropped where it did not."""
        if self._parser.reusable and self._end is None and not self._held_back:
            self._connection.release()
        else:
            self.close()

    def take(self, data: bytes) -> None:
        """Of the connection."""
        pieces = self._parser.feed(data)
        self._pieces.extend(pieces)
        self._waiting += sum(map(len, pieces))
        if self._waiting > self._buffer and not self._held_back:
            self._held_back = True
            self._connection.hold(back=True)
        self._news.set()

    def ended(self, why: Exception | None) -> None:
        """Of the connection."""
        try:
            self._parser.end()
        except ReplyCutOff as exc:
            why = why or exc
        self._end = self._end or why
        self._news.set()

    async def _wait(self) -> None:
        if self._end is not None:
            raise self._end
        self._news.clear()
        await self._news.wait()


def _whole(head: Head, body: bytes, cap: int) -> Reply | Exception:
    """The reply with its body as it was meant."""
    encoding = head.headers.get("Content-Encoding", "identity")
    if encoding == "identity":
        return Reply(head.code, head.headers, body)
    if encoding != "gzip":
        return BadHTTP("the body is in an encoding that nobody asked for")
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, cap + 1)
    except zlib.error:
        return BadHTTP("the body is not gzip")
    if len(plain) > cap:
        return _too_large(head, cap)
    return Reply(head.code, head.headers, plain) if unpacking.eof else ReplyCutOff("the body ends within its gzip")


def _too_large(head: Head, cap: int) -> TooLarge:
    return TooLarge(head.code, "ReplyTooLarge", f"the reply is longer than {cap} bytes")
