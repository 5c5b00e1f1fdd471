"""Tests of sampan.local.nodes.relay, on connections of this test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sampan.local.nodes.relay import Reader, Serve, Writer, forwarder, proxy


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A server on 127.0.0.1; its port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def shout(reader: Reader, writer: Writer) -> None:
    """Answer everything at once when the other side has ended."""
    writer.write((await reader.read()).upper())
    writer.close()


async def call(port: int, *parts: bytes) -> bytes:
    """Send and end; everything that came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_end_of_one_side_leaves_the_other_open() -> None:
    async with serving(shout) as far, serving(forwarder(asyncio.open_connection, "127.0.0.1", far)) as near:
        assert await call(near, b"a" * 300_000, b"b") == b"A" * 300_000 + b"B"


async def test_connect_leads_to_the_host_that_is_asked_for() -> None:
    async with serving(shout) as far, serving(proxy(asyncio.open_connection)) as near:
        answer = await call(near, f"CONNECT 127.0.0.1:{far} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), b"hello")
    assert answer == b"HTTP/1.1 200 OK\r\n\r\nHELLO"


def refusing() -> Callable[[str, int], Awaitable[tuple[Reader, Writer]]]:
    """Nobody listens anywhere."""

    async def connect(host: str, port: int) -> tuple[Reader, Writer]:
        raise ConnectionRefusedError(host, port)

    return connect


async def test_what_cannot_be_reached_is_said_or_closed_at_once() -> None:
    async with serving(proxy(refusing())) as near:
        assert (await call(near, b"CONNECT 10.77.1.9:10250 HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 502 ConnectionRefusedError")
        assert (await call(near, b"no request\r\n\r\n")).startswith(b"HTTP/1.1 502")
    async with serving(forwarder(refusing(), "10.77.1.9", 1)) as near:
        assert await call(near) == b""
