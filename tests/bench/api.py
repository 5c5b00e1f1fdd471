"""One API server over aiohttp, as cheap as it gets: the generator must not be what a burst waits for. Never here: what is asked of it.

It shares no code with the operator, which is what is measured.
"""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import aiohttp
import msgspec
import yaml

Params = dict[str, str]


class RefusedError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        """`text` is the start of its answer."""
        super().__init__(f"{status}: {text[:300]}")
        self.status = status


class Api(AbstractAsyncContextManager["Api"]):
    """A client of the server that a kubeconfig names, as its only user."""

    def __init__(self, kubeconfig: Path, *, connections: int = 16) -> None:
        """`connections` are open at once at most, watches not counted."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server: str = cluster["server"]
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if "token" in user:
            self._headers["Authorization"] = f"Bearer {user['token']}"
        self._tls = _tls(cluster, user)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Open the session; connections are made when they are needed."""
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=aiohttp.ClientTimeout(total=None))
        self._gate = asyncio.Semaphore(self._connections)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the watches and close all connections."""
        for task in self._watches:
            task.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """Return the open session."""
        assert self._session is not None, "use the client in an async with block"
        return self._session

    async def call(self, method: str, path: str, body: bytes | None = None, *, patch: str = "", params: Params | None = None) -> bytes:
        """Make one call; `patch` is the kind of patch (`merge-patch`). Raises `RefusedError`."""
        headers = {"Content-Type": f"application/{patch}+json"} if patch else {}
        async with self._gate, self.session.request(method, self.server + path, data=body, headers=headers, params=params) as answer:
            text = await answer.read()
            if answer.status >= 300:
                raise RefusedError(answer.status, text.decode(errors="replace"))
            return text

    async def items(self, path: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Return the items of a list."""
        found: list[dict[str, Any]] = msgspec.json.decode(await self.call("GET", path, params=params))["items"]
        return found

    async def watch(self, path: str, take: Callable[[bytes], str], *, ended: Callable[[str], None], params: Params | None = None) -> None:
        """Give each line of a watch from now on to `take`, which returns the resource version that it tells, until the client closes.

        A server closes the watch of a client that reads too slowly: it is opened again where it ended. `ended` hears where that fails.
        """
        page = msgspec.json.decode(await self.call("GET", path, params={**(params or {}), "limit": "1"}))
        asked = {**(params or {}), "watch": "1", "allowWatchBookmarks": "1", "resourceVersion": page["metadata"]["resourceVersion"]}
        begun = asyncio.Event()
        self._watches.append(asyncio.create_task(self._follow(path, asked, take, begun=begun.set, ended=ended)))
        await begun.wait()

    async def _follow(
        self, path: str, params: Params, take: Callable[[bytes], str], *, begun: Callable[[], None], ended: Callable[[str], None]
    ) -> None:
        try:
            while True:
                async with self.session.get(self.server + path, params=params) as answer:
                    answer.raise_for_status()
                    begun()
                    try:
                        await self._lines(answer, params, take)
                    finally:
                        if answer.connection is not None and answer.connection.transport is not None:
                            answer.connection.transport.abort()  # the server would answer a polite end when the loop is closed already
        except (aiohttp.ClientError, msgspec.MsgspecError, ValueError) as error:
            ended(f"the watch on {path} broke: {error!r}")
        finally:
            begun()

    @staticmethod
    async def _lines(answer: aiohttp.ClientResponse, params: Params, take: Callable[[bytes], str]) -> None:
        rest = b""
        async for chunk in answer.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                params["resourceVersion"] = take(line) or params["resourceVersion"]


async def wait_until(look: Callable[[], bool | Awaitable[bool]], what: str, *, seconds: float, every: float = 0.05) -> None:
    """Return when `look` is true; AssertionError naming `what` after the deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        seen = look()
        if seen if isinstance(seen, bool) else await seen:
            return
        assert loop.time() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(every)


def _tls(cluster: dict[str, str], user: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if "client-certificate-data" in user:
        with TemporaryDirectory() as folder:  # the ssl module takes certificates from files only
            certificate, key = Path(folder) / "crt", Path(folder) / "key"
            key.touch(mode=0o600)
            certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
            key.write_bytes(base64.b64decode(user["client-key-data"]))
            context.load_cert_chain(certificate, key)
    return context
