"""A TCP proxy on 127.0.0.1 that can cut every connection and refuse new ones; TLS passes through. Never here: what runs over it."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Proxy(AbstractContextManager["Proxy"]):
    """Forwards to one port of this machine while the block runs, in a thread of its own."""

    def __init__(self, target: int) -> None:
        """`target` is the port to forward to."""
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._open = True
        self.port = 0

    def __enter__(self) -> "Proxy":
        """Listen on a free port: `port`."""
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything and stop listening."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> int:
        """Cut every connection there is, without a word; returns how many there were."""
        return self._call(self._cut())

    def block(self) -> None:
        """Cut every connection and refuse new ones from now on."""
        self._open = False
        self.cut()

    def unblock(self) -> None:
        """Let connections through again."""
        self._open = True

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._open = False
        assert self._server is not None
        self._server.close()
        await self._cut()
        current = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not current]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self) -> int:
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        return len(writers) // 2

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()  # nobody listens behind us: as if nobody did here
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            self._writers -= {writer, back}
            writer.transport.abort()
            back.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until one side ends, then end the other."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
