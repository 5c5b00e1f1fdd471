"""Fixtures of the tests that speak to the fake API server."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from unit.kube.fake_api import FakeApi, serving
from unit.kube.raw_server import RawServer, raw_server


@pytest.fixture(scope="session", autouse=True)
def _no_stray_event_loop() -> Iterator[None]:
    """pytest-asyncio asks for the current loop before each test; on Python 3.11 that makes one nobody closes, unless there is one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """A fake API server."""
    async with serving() as server:
        yield server


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    """A TLS server that writes what a test tells it to."""
    async with raw_server() as server:
        yield server
