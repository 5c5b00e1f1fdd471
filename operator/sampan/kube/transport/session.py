"""One aiohttp session for one set of credentials.

Lives here: the connection pool, headers, capped reading, watch streams, retirement after a rotation.
Must never live here: retries, rate limits, types.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from sampan import __version__
from sampan.kube.credentials.addresses import CheckedResolver
from sampan.kube.credentials.credential import Credentials
from sampan.kube.errors import TooLarge
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.tls import tls_context

KEEP_ALIVE = 30.0  # seconds; API servers close idle connections after 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, ready to send; ``path`` was made by sampan.kube.transport.paths."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, read whole."""

    code: int
    headers: Mapping[str, str]
    body: bytes


class Stream:
    """A response that is read as it comes. ``aborted`` is true once we ended it ourselves."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Read from ``response``."""
        self._response = response
        self.aborted = False

    @property
    def code(self) -> int:
        """HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP headers."""
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Decompressed bytes as they arrive; ends quietly when aborted."""
        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, OSError):
            if not self.aborted:
                raise

    async def read(self, cap: int) -> bytes:
        """All of it, at most ``cap`` bytes; raises TooLarge beyond."""
        return await _read(self._response, cap)

    def abort(self) -> None:
        """End the stream; a reader that waits is woken."""
        self.aborted = True
        self._response.close()


class Session:
    """Connections under one set of credentials. Make it inside a running loop; raises ssl.SSLError or AddressNotAllowed."""

    def __init__(self, credentials: Credentials, limits: Limits) -> None:
        """Open the pool; no connection yet."""
        credentials.policy.check_host(credentials.host)
        self._base = credentials.server
        self._server_name = credentials.server_name
        self._cap = limits.max_body
        self._users = 0
        self._retired = False
        self._streams: set[Stream] = set()
        headers = {"User-Agent": f"sampan/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
        if credentials.token is not None:
            headers["Authorization"] = f"Bearer {credentials.token.reveal()}"
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls_context(credentials),
                resolver=CheckedResolver(credentials.policy),
                use_dns_cache=False,
                limit=0,
                keepalive_timeout=KEEP_ALIVE,
            ),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_timeout),
        )

    async def send(self, request: Request) -> Reply:
        """Send and read the whole reply, whatever its code. Raises aiohttp's errors, OSError and TooLarge; no timeout but connecting."""
        with self._use():
            try:
                async with self._open(request, None) as response:
                    return Reply(response.status, response.headers, await _read(response, self._cap))
            finally:
                await self._close_if_done()

    @asynccontextmanager
    async def stream(self, request: Request, *, open_timeout: float, read_timeout: float) -> AsyncIterator[Stream]:
        """Send, and read the reply as it comes. Headers must come in ``open_timeout``, then something every ``read_timeout`` seconds."""
        with self._use():
            try:
                async with asyncio.timeout(open_timeout):
                    response = await self._open(request, read_timeout)
                stream = Stream(response)
                self._streams.add(stream)
                if self._retired:  # while it was being opened
                    stream.abort()
                try:
                    yield stream
                finally:
                    self._streams.discard(stream)
                    response.close()
            finally:
                await self._close_if_done()

    async def retire(self) -> None:
        """No new calls will come: end streams, let calls in flight finish, then close."""
        self._retired = True
        for stream in tuple(self._streams):
            stream.abort()
        if self._users == 0:
            await self._http.close()

    async def close(self) -> None:
        """Close at once, calls in flight included."""
        self._retired = True
        await self._http.close()

    def _open(self, request: Request, read_timeout: float | None) -> aiohttp.client._RequestContextManager:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._http.timeout.sock_connect, sock_read=read_timeout)
        return self._http.request(
            request.method,
            URL(self._base + request.path, encoded=True),
            params=request.params or None,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            server_hostname=self._server_name,
            timeout=timeout,
        )

    @contextmanager
    def _use(self) -> Iterator[None]:
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1

    async def _close_if_done(self) -> None:
        """The last user of a retired session closes it; it still counts itself."""
        if self._retired and self._users <= 1:
            await self._http.close()


async def _read(response: aiohttp.ClientResponse, cap: int) -> bytes:
    """The body after decompression; the connection is dropped when it is longer than ``cap``."""
    parts: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > cap:
            response.close()
            raise TooLarge(response.status, "ReplyTooLarge", f"the reply is longer than {cap} bytes")
        parts.append(chunk)
    return b"".join(parts)
