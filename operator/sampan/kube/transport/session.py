"""HTTP calls under one set of credentials.

Lives here: requests as bytes, headers, whole replies and streams, retirement after a rotation.
Must never live here: retries of what was sent, rate limits, types.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sampan import __version__
from sampan.kube.credentials.credential import Credentials
from sampan.kube.errors import TooLarge
from sampan.kube.transport.connection import Connection, Reply, StreamReceiver
from sampan.kube.transport.http_reply import Head
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.pool import ConnectionPool

_REPEATABLE = frozenset({"GET", "DELETE"})
"""Methods that may be sent again where a connection that had served before ended without a byte of a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, ready to send; ``path`` was made by sampan.kube.transport.paths."""

    method: str
    path: str
    params: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    """Pairs where a name may come more than once."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """How a reply is read as it comes: headers within ``open_timeout`` seconds, then something every ``read_timeout`` seconds.

    ``buffer``: bytes that wait for their reader before the server has to wait. ``bounded``: the same in all buffers below, of a
    connection that serves no other request afterwards.
    """

    open_timeout: float
    read_timeout: float
    buffer: int
    bounded: bool = False


class Stream:
    """A reply that is read as it comes. ``aborted`` is true once we ended it ourselves."""

    def __init__(self, head: Head, receiver: StreamReceiver, read_timeout: float) -> None:
        """Read from ``receiver``, which may be silent for ``read_timeout`` seconds."""
        self.code = head.code
        self.headers = head.headers
        self.aborted = False
        self._receiver = receiver
        self._read_timeout = read_timeout

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's bytes as they arrive; ends quietly when aborted. Raises OSError."""
        try:
            while chunk := await self._next():
                yield chunk
        except OSError:
            if not self.aborted:
                raise

    async def read(self, cap: int) -> bytes:
        """All of it, at most ``cap`` bytes; raises TooLarge beyond."""
        parts: list[bytes] = []
        size = 0
        while chunk := await self._next():
            size += len(chunk)
            if size > cap:
                self._receiver.close()
                raise TooLarge(self.code, "ReplyTooLarge", f"the reply is longer than {cap} bytes")
            parts.append(chunk)
        return b"".join(parts)

    def abort(self) -> None:
        """End the stream; a reader that waits is woken."""
        self.aborted = True
        self._receiver.close()

    async def _next(self) -> bytes:
        async with asyncio.timeout(self._read_timeout):
            return await self._receiver.read()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The reply to a request for another protocol: where its code is 101, `connection` and `receiver` speak that from now on."""

    reply: Stream
    connection: Connection
    receiver: StreamReceiver


class Session:
    """Calls under one set of credentials. Make it inside a running loop; raises ssl.SSLError or AddressNotAllowed."""

    def __init__(self, credentials: Credentials, limits: Limits) -> None:
        """Open the pool; no connection yet."""
        self._pool = ConnectionPool(credentials, connect_timeout=limits.connect_timeout)
        self._path = credentials.path
        self._headers = {
            "Host": _host(credentials),
            "User-Agent": f"sampan/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if credentials.token is not None:
            self._headers["Authorization"] = f"Bearer {credentials.token.reveal()}"
        self._common = _lines(self._headers)
        self._cap = limits.max_body
        self._users = 0
        self._retired = False
        self._streams: set[Stream] = set()

    async def send(self, request: Request) -> Reply:
        """Send and read the whole reply, whatever its code. Raises OSError and TooLarge; no timeout but connecting."""
        data = self._bytes(request)
        with self._use():
            connection = self._pool.idle()
            if connection is not None:
                try:
                    return await self._call(connection, data)
                except ConnectionError:
                    if connection.heard or self._pool.closed or request.method not in _REPEATABLE:
                        raise
            return await self._call(await self._pool.dial(), data)

    @asynccontextmanager
    async def stream(self, request: Request, how: Streaming) -> AsyncIterator[Stream]:
        """Send, and read the reply as it comes."""
        data = self._bytes(request)
        with self._use():
            async with asyncio.timeout(how.open_timeout):
                connection, receiver, head = await self._open(data, how.buffer)
            if how.bounded:
                connection.bound(how.buffer)
            stream = Stream(head, receiver, how.read_timeout)
            self._streams.add(stream)
            if self._retired:  # while it was being opened
                stream.abort()
            try:
                yield stream
            finally:
                self._streams.discard(stream)
                if how.bounded:
                    receiver.close()
                else:
                    receiver.finish()
                    self._pool.give_back(connection)

    @asynccontextmanager
    async def upgrade(self, request: Request, how: Streaming) -> AsyncIterator[Upgrade]:
        """Send on a connection of its own, which ends with the context. It outlives a rotation of credentials, as a call in flight does."""
        data = self._bytes(request)
        with self._use():
            async with asyncio.timeout(how.open_timeout):
                connection, receiver, head = await _begin(await self._pool.dial(), data, how.buffer, upgrade=True)
            connection.bound(how.buffer)
            try:
                yield Upgrade(Stream(head, receiver, how.read_timeout), connection, receiver)
            finally:
                receiver.close()

    async def retire(self) -> None:
        """No new calls will come: end streams, let calls in flight and upgraded connections finish, then close."""
        self._retired = True
        for stream in tuple(self._streams):
            stream.abort()
        if self._users == 0:
            await self._pool.close()

    async def close(self) -> None:
        """Close at once, calls in flight included."""
        self._retired = True
        await self._pool.close()

    async def _open(self, data: bytes, buffer: int) -> tuple[Connection, StreamReceiver, Head]:
        """Begin a stream, where one has ended on its connection if there is such: a handshake costs more than the whole call."""
        connection = self._pool.idle()
        if connection is not None:
            try:
                return await _begin(connection, data, buffer)
            except ConnectionError:
                if connection.heard or self._pool.closed:
                    raise
        return await _begin(await self._pool.dial(), data, buffer)

    async def _call(self, connection: Connection, data: bytes) -> Reply:
        reply = await connection.call(data, self._cap)
        self._pool.give_back(connection)
        return reply

    def _bytes(self, request: Request) -> bytes:
        """The request as it is sent, in one piece: one record of TLS, one system call."""
        target = f"{self._path}{request.path}?{urlencode(request.params)}" if request.params else self._path + request.path
        common = _lines({**self._headers, **request.headers}) if request.headers else self._common
        body = request.body if request.body is not None else b""
        length = "" if request.body is None and request.method == "GET" else f"Content-Length: {len(body)}\r\n"
        return f"{request.method} {target} HTTP/1.1\r\n{common}{length}\r\n".encode("ascii") + body

    @contextmanager
    def _use(self) -> Iterator[None]:
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._retired and self._users == 0:
                self._pool.drop()


async def _begin(connection: Connection, data: bytes, buffer: int, *, upgrade: bool = False) -> tuple[Connection, StreamReceiver, Head]:
    try:
        receiver = connection.open_stream(data, buffer, upgrade=upgrade)
        return connection, receiver, await receiver.head()
    except BaseException:
        connection.abort()
        raise


def _host(credentials: Credentials) -> str:
    host = f"[{credentials.host}]" if ":" in credentials.host else credentials.host
    return host if credentials.port == 443 else f"{host}:{credentials.port}"


def _lines(headers: Mapping[str, str]) -> str:
    """Header lines; ValueError where a value would begin another line."""
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"the header {name} has a character that no header may have")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
