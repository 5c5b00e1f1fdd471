"""A proxy for HTTPS (CONNECT) that leads to one port of this machine, whatever it is asked for.

Lives here: what tests of proxies need. Must never live here: assertions.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class ConnectProxy:
    """Where it listens, and what it was asked to connect to."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def connect_proxy(port: int) -> AsyncIterator[ConnectProxy]:
    """Run a proxy whose every tunnel ends at `port` of 127.0.0.1."""
    proxy = ConnectProxy()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        proxy.asked.append(head.split()[1].decode())
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield proxy


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass  # the other side went first
    finally:
        writer.close()
