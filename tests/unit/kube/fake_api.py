"""An API server of one collection, over real TLS, that can be told to misbehave.

Lives here: just enough of LIST, WATCH and the verbs for ConfigMaps, with faults queued by tests.
Must never live here: assertions.
"""

import asyncio
import json
import ssl
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from unit.kube.certs import Pair, authority, issue

LOOPBACK = AddressPolicy(allow_loopback=True)
BASE = "/api/v1/namespaces/ns/configmaps"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class FakeApi:
    """ConfigMaps of the namespace ``ns``. ``faults`` maps ``METHOD`` or ``WATCH`` to handlers, each used for one request."""

    def __init__(self) -> None:
        """Start empty at version 10."""
        self.objects: dict[str, dict[str, Any]] = {}
        self.version = 10
        self.oldest = 0  # watches from below get 410
        self.history: list[tuple[int, dict[str, Any]]] = []
        self.faults: dict[str, deque[Handler]] = {"GET": deque(), "POST": deque(), "PATCH": deque(), "DELETE": deque(), "WATCH": deque()}
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.tokens: set[str] = {"good"}
        self.port = 0
        self.prefix = ""  # of a gateway before the API server
        self._news = asyncio.Event()
        self.hits = asyncio.Condition()

    def put(self, name: str, **extra: Any) -> None:
        """Create or change an object."""
        self.version += 1
        kind = "MODIFIED" if name in self.objects else "ADDED"
        meta = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": str(self.version)}
        self.objects[name] = {"metadata": meta, "data": {}, **extra}
        self._tell(kind, self.objects[name])

    def drop(self, name: str) -> None:
        """Delete an object."""
        self.version += 1
        gone = self.objects.pop(name)
        gone["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", gone)

    def bookmark(self) -> None:
        """Send a bookmark to all watches."""
        self._tell("BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}})

    def compact(self) -> None:
        """Forget history: older watches and tokens expire."""
        self.history.clear()
        self.oldest = self.version

    def fail(self, method: str, *handlers: Handler) -> None:
        """Queue faults."""
        self.faults[method].extend(handlers)

    def count(self, method: str) -> int:
        """How many requests of a kind came."""
        return sum(1 for kind, *_ in self.requests if kind == method)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request."""
        watching = request.query.get("watch") == "true"
        kind = "WATCH" if watching else request.method
        self.requests.append((kind, request.path_qs, dict(request.headers), await request.read()))
        async with self.hits:
            self.hits.notify_all()
        if not request.path.startswith(self.prefix):
            return status(404, "NotFound", "this gateway serves no such cluster")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens:
            return status(401, "Unauthorized")
        if self.faults[kind]:
            return await self.faults[kind].popleft()(request)
        if watching:
            return await self._watch(request)
        if request.method == "GET":
            return self._list(request) if request.path == self.prefix + BASE else self._get(request)
        return web.json_response({"metadata": {"name": "x", "namespace": "ns", "uid": "u", "resourceVersion": str(self.version)}})

    async def until(self, condition: Callable[[], bool], seconds: float = 180.0) -> None:
        """Wait until a request made ``condition`` true."""
        async with asyncio.timeout(seconds), self.hits:
            await self.hits.wait_for(condition)

    def _tell(self, kind: str, item: dict[str, Any]) -> None:
        self.history.append((self.version, json.loads(json.dumps({"type": kind, "object": item}))))
        self._news.set()
        self._news = asyncio.Event()

    def _get(self, request: web.BaseRequest) -> web.Response:
        name = request.path.rpartition("/")[2]
        return web.json_response(self.objects[name]) if name in self.objects else status(404, "NotFound")

    def _list(self, request: web.BaseRequest) -> web.Response:
        limit = int(request.query.get("limit", "500"))
        asked, start = (int(part) for part in request.query.get("continue", "0:0").split(":"))
        version = asked or self.version
        if asked and asked < self.oldest:
            return status(410, "Expired")
        names = sorted(self.objects)
        chosen = names[start : start + limit]
        meta: dict[str, Any] = {"resourceVersion": str(version)}
        if start + limit < len(names):
            meta |= {"continue": f"{version}:{start + limit}", "remainingItemCount": len(names) - start - limit}
        return web.json_response({"metadata": meta, "items": [self.objects[name] for name in chosen]})

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        since = int(request.query["resourceVersion"])
        response = await opened(request)
        if since < self.oldest:
            await response.write(line({"type": "ERROR", "object": json.loads(status_text(410, "Expired"))}))
            return response
        sent = 0
        while True:
            news = self._news
            for version, event in self.history[sent:]:
                if version > since or event["type"] == "BOOKMARK":
                    await response.write(line(event))
            sent = len(self.history)
            await news.wait()


async def until(condition: Callable[[], bool], seconds: float = 180.0) -> None:
    """Wait for a condition that nothing announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def status_text(code: int, reason: str, message: str = "said the server", **extra: Any) -> str:
    """A Status as JSON."""
    return json.dumps({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, **extra})


def status(code: int, reason: str, message: str = "said the server", **headers: str) -> web.Response:
    """A reply with a Status; header names with underscores."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return web.Response(status=code, text=status_text(code, reason, message), content_type="application/json", headers=named)


def replying(code: int, reason: str, message: str = "said the server", **headers: str) -> Handler:
    """A fault: that Status."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return status(code, reason, message, **headers)

    return handler


def answering(body: dict[str, Any]) -> Handler:
    """A fault: this object in the place of the one that was sent."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(body)

    return handler


def line(event: dict[str, Any]) -> bytes:
    """An event as a line."""
    return json.dumps(event).encode() + b"\n"


async def opened(request: web.BaseRequest) -> web.StreamResponse:
    """A chunked reply whose headers are out."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    return response


def sending(*chunks: bytes, cut: bool = False, hang: bool = False) -> Handler:
    """A fault: a 200 with these bytes; then cut the connection, or stay silent."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = await opened(request)
        for chunk in chunks:
            await response.write(chunk)
        if hang:
            await asyncio.sleep(3600)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return handler


def credentials(api: FakeApi, *, token: str = "good", host: str = "127.0.0.1", ca: Pair | None = None) -> Credentials:
    """Credentials for the fake."""
    ca_pem = (ca or authority()).cert_pem
    return Credentials(host=host, port=api.port, path=api.prefix, ca_pem=ca_pem, token=Secret(token), policy=LOOPBACK)


def load(context: ssl.SSLContext, pair: Pair) -> None:
    """Have a server show this pair."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pair.pem")
        file.write_text(pair.cert_pem + pair.key_pem)
        context.load_cert_chain(file)


@asynccontextmanager
async def serving(
    *, client_ca: Pair | None = None, hosts: tuple[str, ...] = ("127.0.0.1", "localhost"), pair: Pair | None = None
) -> AsyncIterator[FakeApi]:
    """Run a fake on a free port of 127.0.0.1; ``pair`` is its certificate, by default one of the test's CA for ``hosts``."""
    api = FakeApi()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = pair or issue(authority(), hosts=hosts)
    load(context, pair)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca.cert_pem)
    server = web.Server(api.handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    api.port = runner.addresses[0][1]
    try:
        yield api
    finally:
        await runner.cleanup()
