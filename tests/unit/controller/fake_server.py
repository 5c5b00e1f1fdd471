"""An API server of many collections over real TLS, for links, Secrets and writers: list, watch, get, patch, reviews.

What must never live here: assertions.
"""

import asyncio
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from unit.kube.certs import authority, issue, kubeconfig

Json = dict[str, Any]
NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
JOBS = "/apis/batch/v1/namespaces/sampan-jobs/jobs"
OWN_PODS = "/api/v1/namespaces/sampan-jobs/pods"
RUNTIMES = "/apis/node.k8s.io/v1/runtimeclasses"
DEADLINE = 180
"""Seconds after which what is waited for will not come; on a loaded machine it may take some."""


class FakeServer:
    """`put` and `drop` change collections; `denied` and `tokens` say who may what; `silence` stops all answers, `refuse` all connections.

    `forbidden` are paths that answer 403, `broken` 500, `absent` 404, `mute` those whose watches open and then say nothing more.
    """

    def __init__(self) -> None:
        self.uid = "22222222-2222-4222-8222-222222222222"
        self.collections: dict[str, dict[str, Json]] = {}
        self.history: list[tuple[int, str, str, Json]] = []
        self.version = 100
        self.oldest = 0
        self.tokens = {"abc.def-123"}
        self.groups: list[str] = []
        self.served: list[str] = []
        """Group versions that may be looked at, such as node.k8s.io/v1."""
        self.denied: set[str] = {"* *.*"}
        self.seen: list[tuple[str, str]] = []
        self.patches: list[tuple[str, str, Any]] = []
        self.forbidden: set[str] = set()
        self.broken: set[str] = set()
        self.absent: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}
        """Paths that are answered only once this is set."""
        self.mute: set[str] = set()
        self.next_token = ""
        """What a TokenRequest is answered with; believed from then on."""
        self.port = 0
        self.listener: Listener | None = None
        self._ends: dict[str, int] = {}
        self._news = asyncio.Event()
        self._answers = asyncio.Event()
        self._answers.set()

    def put(self, path: str, item: Json) -> None:
        """Create or change an object of a collection."""
        self.version += 1
        name = item["metadata"]["name"]
        item = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
        known = self.collections.setdefault(path, {})
        self._tell(path, "MODIFIED" if name in known else "ADDED", item)
        known[name] = item

    def drop(self, path: str, name: str) -> None:
        """Delete an object."""
        self.version += 1
        item = self.collections[path].pop(name)
        self._tell(path, "DELETED", {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}})

    def restart(self) -> None:
        """End all watches and forget history: every watch must list anew."""
        self.version += 1
        self.oldest = self.version
        self.history.clear()
        self._ring()

    def silence(self, *, on: bool) -> None:
        """Answer nothing any more, or again."""
        (self._answers.clear if on else self._answers.set)()

    def end(self, path: str) -> None:
        """End the watches on one collection; they may go on where they were."""
        self._ends[path] = self._ends.get(path, 0) + 1
        self._ring()

    async def refuse(self) -> None:
        """Be gone: nothing listens, and all connections are cut."""
        assert self.listener is not None
        await self.listener.close()

    async def accept(self, *, ca: str = "") -> None:
        """Be back at the same address; with another `ca` as somebody whom nobody vouches for."""
        assert self.listener is not None
        await self.listener.open(self.port, ca=ca)

    def kubeconfig(self, token: str = "abc.def-123") -> bytes:
        """A kubeconfig that leads here."""
        return kubeconfig(server=f"https://127.0.0.1:{self.port}", user=f"    token: {token}").encode()

    def count(self, method: str, path: str) -> int:
        """How many requests came, watches as WATCH."""
        return self.seen.count((method, path))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request."""
        watching = request.query.get("watch") == "true"
        self.seen.append(("WATCH" if watching else request.method, request.path))
        body = await request.read()
        await self._answers.wait()
        if request.headers.get("Authorization") not in {f"Bearer {token}" for token in self.tokens}:
            return refusal(401, "Unauthorized")
        if request.path in self.held:
            await self.held[request.path].wait()
        if request.path in self.forbidden:
            return refusal(403, "Forbidden")
        if request.path in self.broken:
            return refusal(500, "InternalError")
        if request.path in self.absent:
            return refusal(404, "NotFound")
        if watching:
            return await self._watch(request)
        return self._answer(request, json.loads(body) if body else None)

    def _answer(self, request: web.BaseRequest, body: Any) -> web.Response:
        path = request.path
        if path == "/version":
            return web.json_response({"gitVersion": "v1.36.3"})
        if path == "/apis":
            versions = [{"name": each.partition("/")[0], "versions": [{"groupVersion": each}]} for each in self.served]
            return web.json_response({"groups": [*({"name": name} for name in self.groups), *versions]})
        if path == "/api/v1/namespaces/kube-system":
            return web.json_response({"metadata": {"name": "kube-system", "uid": self.uid}})
        if path.startswith("/api/v1/namespaces/") and path.count("/") == 4:
            return web.json_response({"metadata": {"name": path.rpartition("/")[2], "labels": {}}})
        if path.endswith("/selfsubjectrulesreviews"):
            some = any(each.endswith(f" in {body['spec']['namespace']}") for each in self.denied)
            anything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            return web.json_response({"status": {"resourceRules": [] if some else [anything], "nonResourceRules": [], "incomplete": some}})
        if path.endswith("/selfsubjectaccessreviews"):
            return web.json_response({"status": {"allowed": _shown(body["spec"]["resourceAttributes"]) not in self.denied}})
        if request.method == "POST" and path.endswith("/token"):
            self.tokens.add(self.next_token)
            return web.json_response({"status": {"token": self.next_token}}, status=201)
        if request.method == "PATCH":
            self.patches.append((path, request.headers["Content-Type"], body))
            return self._patched(path.removesuffix("/status"), body)
        parent, _, name = path.rpartition("/")
        if name in self.collections.get(parent, {}):
            return web.json_response(self.collections[parent][name])
        if path in self.collections or path in (NODES, PODS, JOBS, OWN_PODS, RUNTIMES) or path.endswith("/resourcequotas"):
            items = list(self.collections.get(path, {}).values())
            return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": items})
        return refusal(404, "NotFound")

    def _patched(self, path: str, body: Any) -> web.Response:
        """Merge a patch of metadata and status into a stored object; a JSON patch leaves it as it is."""
        parent, _, name = path.rpartition("/")
        if name not in self.collections.get(parent, {}):
            return refusal(404, "NotFound")
        item = json.loads(json.dumps(self.collections[parent][name]))
        for field in ("metadata", "status"):
            for key, value in (body.get(field, {}) if isinstance(body, dict) else {}).items():
                item.setdefault(field, {})[key] = value
        self.put(parent, item)
        return web.json_response(self.collections[parent][name])

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        at = int(request.query.get("resourceVersion", "0"))
        if at < self.oldest:
            return refusal(410, "Expired")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        ends = self._ends.get(request.path, 0)
        while at >= self.oldest and ends == self._ends.get(request.path, 0):
            news = self._news
            await self._answers.wait()
            for version, path, kind, item in tuple(self.history):
                if version > at and path == request.path and path not in self.mute:
                    at = version
                    await response.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")
            await news.wait()
        return response

    def _tell(self, path: str, kind: str, item: Json) -> None:
        self.history.append((self.version, path, kind, item))
        self._ring()

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def refusal(code: int, reason: str) -> web.Response:
    """A Status."""
    return web.json_response({"kind": "Status", "code": code, "reason": reason, "message": reason}, status=code)


def _shown(attributes: Json) -> str:
    group = f".{attributes['group']}" if attributes.get("group") else ""
    name = f" {attributes['name']}" if attributes.get("name") else ""
    where = f" in {attributes['namespace']}" if attributes.get("namespace") else ""
    return f"{attributes['verb']} {attributes['resource']}{group}{name}{where}"


class Listener:
    """Where a fake listens."""

    def __init__(self, runner: web.ServerRunner) -> None:
        self._runner = runner
        self._site: web.TCPSite | None = None

    async def open(self, port: int, *, ca: str = "") -> None:
        """Listen; 0: at any port."""
        self._site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=_context(ca), reuse_address=True)
        await self._site.start()

    async def close(self) -> None:
        """Listen no more, and cut what is open."""
        assert self._site is not None
        assert self._runner.server is not None
        await self._site.stop()
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()


def _context(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = issue(authority(ca) if ca else authority(), hosts=("127.0.0.1",))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pair.cert_pem + pair.key_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


@asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    """Run a fake on a free port of 127.0.0.1."""
    fake = FakeServer()
    runner = web.ServerRunner(web.Server(fake.handle), shutdown_timeout=0.1)
    await runner.setup()
    fake.listener = Listener(runner)
    await fake.listener.open(0)
    fake.port = runner.addresses[0][1]
    try:
        yield fake
    finally:
        fake.silence(on=False)
        fake.restart()
        await runner.cleanup()


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition; AssertionError after the deadline."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110  what is waited for has no event
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {DEADLINE} s: {what}") from None
