"""An API server of any collections, over real TLS: resourceVersions, finalizers, UID preconditions, the CRDs' own pruning and checks.

Lives here: as much of the verbs as the operator uses on hub and members, and faults queued by tests.
Must never live here: assertions; controllers (a Job here runs only if a test says so).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from unit.api.schema_check import fits
from unit.controller.fake_parts import Body, Where, job_status_schema, line, merged, pruned, resources, tls
from unit.kube.certs import authority
from unit.kube.fake_api import LOOPBACK, status

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    body: Any


class FakeCluster:
    """What one API server holds. `fault` and `lose_reply` make the next fitting request go wrong."""

    def __init__(self) -> None:
        self.port = 0
        self.objects: dict[tuple[str, str, str], Body] = {}
        self.seen: list[Seen] = []
        self.version = 100
        self.log: list[tuple[int, str, str, Body]] = []
        self.keep_deleted = False
        """Foreground deletes leave the object, being deleted, until `finish_deletes`."""
        self.active_watches: set[asyncio.Future[Body | None]] = set()
        self._faults: list[tuple[str, str, Handler]] = []
        self._lost: list[tuple[str, str]] = []
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def credentials(self) -> Credentials:
        return Credentials(host="127.0.0.1", port=self.port, ca_pem=authority().cert_pem, token=Secret("good"), policy=LOOPBACK)

    # --- what tests do --------------------------------------------------------------------------------------------

    def put(self, collection: str, body: Body) -> Body:
        """Create or replace an object as somebody else."""
        meta = body["metadata"]
        key = (collection, meta.get("namespace", ""), meta["name"])
        meta.setdefault("uid", f"uid-{meta['name']}-{self.version}")
        return self._store(key, body, "MODIFIED" if key in self.objects else "ADDED")

    def get(self, collection: str, name: str, namespace: str = "team-a") -> Body:
        return self.objects[collection, namespace, name]

    def of(self, collection: str) -> list[Body]:
        return [body for key, body in self.objects.items() if key[0] == collection]

    def drop(self, collection: str, name: str, namespace: str = "team-a") -> None:
        """Delete an object as somebody else, at once."""
        self._remove((collection, namespace, name))

    def finish_deletes(self) -> None:
        for key in [key for key, body in self.objects.items() if "deletionTimestamp" in body["metadata"]]:
            self._remove(key)

    def fault(self, method: str, fragment: str, handler: Handler, *, times: int = 1) -> None:
        """Answer the next requests of this method whose path has the fragment with the handler."""
        self._faults.extend([(method, fragment, handler)] * times)

    def lose_reply(self, method: str, fragment: str) -> None:
        """Carry the next such request out, then cut the connection."""
        self._lost.append((method, fragment))

    def calls(self, method: str, fragment: str = "") -> list[Seen]:
        return [call for call in self.seen if call.method == method and fragment in call.path]

    # --- the server -----------------------------------------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        text = await request.read()
        method = "WATCH" if request.query.get("watch") == "true" else request.method
        self.seen.append(Seen(method, request.path_qs, json.loads(text) if text else None))
        for fault in self._faults:
            if fault[0] == method and fault[1] in request.path:
                self._faults.remove(fault)
                return await fault[2](request)
        answer: web.StreamResponse = await self._watch(request) if method == "WATCH" else self._answer(request, text)
        for lost in self._lost:
            if lost[0] == method and lost[1] in request.path and request.transport is not None:
                self._lost.remove(lost)
                request.transport.abort()
        return answer

    def _answer(self, request: web.BaseRequest, text: bytes) -> web.Response:
        if found := self._discovery(request.path):
            return web.json_response(found)
        where, body = Where.of(request.path), json.loads(text) if text else {}
        key = (where.collection, where.namespace, where.name)
        if request.method == "POST":
            return self._create(where, body)
        if not where.name:
            return self._list(where, request) if request.method == "GET" else self._delete_all(where, request)
        if key not in self.objects:
            return status(404, "NotFound")
        match request.method:
            case "GET":
                return web.json_response(self.objects[key])
            case "PATCH":
                return self._patch(key, body, where.subresource)
        return self._delete(key, body)

    def _create(self, where: Where, body: Body) -> web.Response:
        name = body["metadata"]["name"]
        key = (where.collection, where.namespace, name)
        if key in self.objects:
            return status(409, "AlreadyExists")
        body["metadata"] |= {"uid": f"uid-{name}-{self.version}", "namespace": where.namespace}
        return web.json_response(self._store(key, body, "ADDED"), status=201)

    def _patch(self, key: tuple[str, str, str], patch: Body, subresource: str) -> web.Response:
        old = self.objects[key]
        meta = patch.get("metadata", {})
        for name in ("resourceVersion", "uid"):
            if name in meta and meta.pop(name) != old["metadata"][name]:
                return status(409, "Conflict")
        new = {**old, "status": merged(old.get("status") or {}, patch.get("status") or {})} if subresource else merged(old, patch)
        if key[0].endswith("/computejobs"):
            schema = job_status_schema()
            new["status"] = pruned(schema, new.get("status") or {})
            if not fits(schema, new["status"]):
                return status(422, "Invalid")
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            self.objects[key] = new
            return web.json_response(self._remove(key))
        return web.json_response(self._store(key, new, "MODIFIED"))

    def _delete(self, key: tuple[str, str, str], options: Body) -> web.Response:
        body = self.objects[key]
        if options.get("preconditions", {}).get("uid", body["metadata"]["uid"]) != body["metadata"]["uid"]:
            return status(409, "Conflict")
        if body["metadata"].get("finalizers") or self.keep_deleted:
            body["metadata"].setdefault("deletionTimestamp", "2027-01-15T08:00:00Z")
            self._store(key, body, "MODIFIED")
        else:
            self._remove(key)
        return web.json_response({"kind": "Status", "status": "Success"})

    def _delete_all(self, where: Where, request: web.BaseRequest) -> web.Response:
        for body in self._chosen(where, request):
            self._remove((where.collection, body["metadata"].get("namespace", ""), body["metadata"]["name"]))
        return web.json_response({"kind": "Status", "status": "Success"})

    def _list(self, where: Where, request: web.BaseRequest) -> web.Response:
        chosen, start = self._chosen(where, request), int(request.query.get("continue", "0"))
        end = start + int(request.query.get("limit") or 10**6)
        meta: Body = {"resourceVersion": str(self.version)}
        if end < len(chosen):
            meta |= {"continue": str(end), "remainingItemCount": len(chosen) - end}
        return web.json_response({"kind": "List", "apiVersion": "v1", "metadata": meta, "items": chosen[start:end]})

    def _chosen(self, where: Where, request: web.BaseRequest) -> list[Body]:
        wanted = dict(part.split("=") for part in request.query.get("labelSelector", "").split(",") if part)
        field, _, value = request.query.get("fieldSelector", "").partition("=")
        steps = field.split(".")  # of one step below the top, as metadata.name is
        return [
            body
            for (collection, namespace, _), body in sorted(self.objects.items())
            if collection == where.collection
            and where.namespace in ("", namespace)
            and wanted.items() <= body["metadata"].get("labels", {}).items()
            and value in ("", body.get(steps[0], {}).get(steps[-1]))
        ]

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        where, since, sent = Where.of(request.path), int(request.query.get("resourceVersion", "0")), 0
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        end: asyncio.Future[Body | None] = asyncio.get_running_loop().create_future()
        self.active_watches.add(end)
        try:
            while not end.done():
                news = self._news
                for version, collection, kind, body in self.log[sent:]:
                    if version > since and collection == where.collection:
                        await response.write(line({"type": kind, "object": body}))
                sent = len(self.log)
                waited: set[asyncio.Future[Any]] = {end, news}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if last := end.result():
                await response.write(line(last))
        finally:
            self.active_watches.discard(end)
        return response

    def end_watches(self, last: Body | None = None) -> None:
        """End every watch, after a last event if one is given."""
        for end in self.active_watches:
            end.set_result(last)
        self.active_watches.clear()

    def _discovery(self, path: str) -> Body | None:
        version = {"groupVersion": "sampan.dev/v1alpha1", "version": "v1alpha1"}
        served = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3"},
            "/api": {"versions": ["v1"]},
            "/api/v1": {
                "resources": [
                    {
                        "name": "namespaces",
                        "kind": "Namespace",
                        "singularName": "",
                        "namespaced": False,
                        "verbs": ["list", "watch", "patch"],
                    }
                ]
            },
            "/apis": {"groups": [{"name": "sampan.dev", "versions": [version], "preferredVersion": version}]},
            "/apis/sampan.dev/v1alpha1": {"resources": resources()},
        }
        return found if isinstance(found := served.get(path), dict) else None

    def _store(self, key: tuple[str, str, str], body: Body, event: str) -> Body:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self.objects[key] = body
        self._tell(event, key[0], body)
        return body

    def _remove(self, key: tuple[str, str, str]) -> Body:
        self.version += 1
        body = self.objects.pop(key)
        body["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", key[0], body)
        return body

    def _tell(self, kind: str, collection: str, body: Body) -> None:
        self.log.append((self.version, collection, kind, json.loads(json.dumps(body))))
        self._news.set_result(None)
        self._news = asyncio.get_running_loop().create_future()


@asynccontextmanager
async def cluster() -> AsyncIterator[FakeCluster]:
    """Run one on a free port of 127.0.0.1."""
    fake = FakeCluster()
    runner = web.ServerRunner(web.Server(fake.handle, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls())
    await site.start()
    fake.port = runner.addresses[0][1]
    try:
        yield fake
    finally:
        await runner.cleanup()
