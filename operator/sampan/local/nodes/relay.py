"""Carries TCP connections between two network namespaces. Never here: making the namespaces, or who may connect.

A socket belongs to the namespace of the thread that made it, whoever uses it then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_CHUNK: Final = 1 << 16

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Connect = Callable[[str, int], Awaitable[tuple[Reader, Writer]]]
"""Opens a connection to host and port. Raises OSError, TimeoutError."""
Serve = Callable[[Reader, Writer], Awaitable[None]]


def forwarder(connect: Connect, host: str, port: int) -> Serve:
    """Serve a connection by one to host and port."""

    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            far = await connect(host, port)
        except (OSError, TimeoutError):
            writer.close()
            return
        await _join((reader, writer), far)

    return serve


def proxy(connect: Connect) -> Serve:
    """Serve HTTP CONNECT, as an API server asks for it by its egress selector (KEP 1281)."""

    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            host, _, port = head.split(b" ", 2)[1].decode().rpartition(":")
            far = await connect(host.strip("[]"), int(port))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
            writer.write(f"HTTP/1.1 502 {type(error).__name__}\r\n\r\n".encode())
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _join((reader, writer), far)

    return serve


async def _join(near: tuple[Reader, Writer], far: tuple[Reader, Writer]) -> None:
    """Carry both ways until both have ended; one that ends half leaves the other half alive."""
    try:
        await asyncio.gather(_carry(near[0], far[1]), _carry(far[0], near[1]))
    finally:
        for _, writer in (near, far):
            writer.close()


async def _carry(reader: Reader, writer: Writer) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:  # one side is gone: the other shall see it at once
        writer.close()
