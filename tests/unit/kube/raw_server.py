"""A TLS server that writes what a test tells it to, byte by byte, and counts what came."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from unit.kube.certs import authority, issue
from unit.kube.fake_api import LOOPBACK, load

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class RawServer:
    """`answers` are given in turn, one a request, whatever the connection. `requests` are what came, whole unless `reads_bodies` is off."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = 0
        self.port = 0
        self.reads_bodies = True
        self.news = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                while not writer.is_closing():
                    self.requests.append(await self._request(reader))
                    await self._tell()
                    await self.answers.pop(0)(writer)
        finally:
            writer.transport.abort()
        self.ended += 1
        await self._tell()

    async def until(self, condition: Callable[[], bool], seconds: float = 180.0) -> None:
        """Wait until something that came, or went, made `condition` true."""
        async with asyncio.timeout(seconds), self.news:
            await self.news.wait_for(condition)

    def credentials(self) -> Credentials:
        """Credentials for it."""
        return Credentials(host="127.0.0.1", port=self.port, ca_pem=authority().cert_pem, token=Secret("good"), policy=LOOPBACK)

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
        return head + (await reader.readexactly(length) if self.reads_bodies else b"")

    async def _tell(self) -> None:
        async with self.news:
            self.news.notify_all()


def writing(*parts: bytes, then: str = "go on") -> Answer:
    """An answer: these bytes, each sent alone; then `go on` with the next request, `close`, or be `silent`."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if then == "close":
            writer.close()
        elif then == "silent":
            await asyncio.sleep(3600)

    return answer


def endless(first: bytes, part: bytes) -> Answer:
    """An answer: `part` again and again, until the other side has had enough."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(part)
            await writer.drain()

    return answer


@asynccontextmanager
async def raw_server() -> AsyncIterator[RawServer]:
    """Run one on a free port of 127.0.0.1."""
    raw = RawServer()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    load(context, issue(authority(), hosts=("127.0.0.1",)))
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(raw.serve(reader, writer)))
        writers.append(writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
