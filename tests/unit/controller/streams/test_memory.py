"""What streams that nobody reads take of the operator's memory."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from unit.controller.logs.world import stamped
from unit.controller.streams.hub import JOB, V5, front_proxy
from unit.controller.streams.hub_process import hub_process
from unit.kube.fake_api import Handler
from unit.kube.fake_api import serving as member

STREAMS = 100
MOST = 200_000_000
"""Bytes."""


class Endless:
    """A member's output without end; counts what was taken of it."""

    def __init__(self) -> None:
        self.sent = 0

    async def lines(self, request: web.BaseRequest) -> web.StreamResponse:
        """A log."""
        response = web.StreamResponse()
        await response.prepare(request)
        text = stamped("x" * 1000) * 32
        while True:
            await response.write(text)
            self.sent += len(text)

    async def output(self, request: web.BaseRequest) -> web.StreamResponse:
        """A command."""
        socket = web.WebSocketResponse(protocols=[V5], compress=False)
        await socket.prepare(request)
        while True:
            await socket.send_bytes(b"\x01" + b"x" * 32768)
            self.sent += 32768


async def opened(session: aiohttp.ClientSession, url: str) -> Any:
    """A stream of which nothing is read."""
    if "exec" in url:
        return await session.ws_connect(url, protocols=[V5])
    return await session.get(url)


@pytest.mark.parametrize(("what", "handler"), [("log?follow=true", "lines"), ("exec?command=yes&stdout=true", "output")])
async def test_a_hundred_streams_that_nobody_reads_take_little_memory(tmp_path: Path, what: str, handler: str) -> None:
    endless = Endless()
    answer: Handler = getattr(endless, handler)
    async with member() as api, asyncio.timeout(600):
        with hub_process(api) as hub:
            connector = aiohttp.TCPConnector(ssl=front_proxy(tmp_path), limit=0)
            async with aiohttp.ClientSession(connector=connector, headers={"X-Remote-User": "alice"}) as session:
                before, streams = hub.memory, []
                for _ in range(STREAMS):
                    api.fail("GET", answer)
                    streams.append(await opened(session, f"https://127.0.0.1:{hub.port}{JOB}{what}"))
                    await api.until(lambda: not api.faults["GET"])
                last = -1
                while last < endless.sent < 2 * MOST:  # until nobody takes any more, or much more has passed than may be kept
                    last = endless.sent
                    await asyncio.sleep(3)
                grown = hub.memory - before
    print(f"{STREAMS} x {what}: {grown / 1e6:.0f} MB more, after {endless.sent / 1e6:.0f} MB of output")  # noqa: T201
    assert grown < MOST
