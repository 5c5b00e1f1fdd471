"""A TCP proxy on 127.0.0.1 behind which every call takes some time longer; TLS passes through. Never here: what runs over it."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import Self

_HANDSHAKE = (20, 22)
"""TLS record types of a client's handshake, which is let through at once: it is calls that are slow, not connections."""


class SlowProxy(AbstractAsyncContextManager["SlowProxy"]):
    """Forwards to one port of this machine; what a client sends arrives `delay` seconds late, what the server sends at once."""

    def __init__(self, target: int) -> None:
        """`target` is the port to forward to."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.delay = 0.0
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen on a free port: `port`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and cut every connection."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self) -> int:
        """Return how many connections there are now."""
        return len(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._late(reader, back))
                group.create_task(_pump(there, writer))
        except* (OSError, asyncio.CancelledError):
            pass  # one side is gone, or we stop: the other side is cut below
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            back.transport.abort()

    async def _late(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy what the client sends, each piece when its time has come, in order."""
        loop, waiting = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

        async def send() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                writer.write(data)
                await writer.drain()

        sender = asyncio.create_task(send())
        try:
            while data := await reader.read(65536):
                waiting.put_nowait((loop.time() + (0.0 if data[0] in _HANDSHAKE else self.delay), data))
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await sender
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
