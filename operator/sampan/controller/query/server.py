"""The HTTPS server of `query.sampan.dev`. Answers are computed from a frozen snapshot in a thread, so that no cycle waits for one.

Authorisation is the hub API server's, by RBAC before it proxies; here only its own connection is believed. Never here: what is answered.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from sampan.controller.logs.pace import Pace
from sampan.controller.query import documents
from sampan.controller.query.backend import Backend
from sampan.controller.query.front_proxy import FrontProxy, NotAuthenticated
from sampan.controller.query.log import LogApi
from sampan.controller.query.pools import pool_list
from sampan.controller.query.rate_limit import Budget, RateLimited
from sampan.controller.query.service import BadQuery, QueryContext, QueryService, quote_input
from sampan.controller.query.throttle import Throttle
from sampan.controller.state.record import JobRecord
from sampan.controller.streams.api import StreamApi
from sampan.controller.streams.authorization import Authorizer
from sampan.controller.streams.limits import OpenStreams
from sampan.controller.streams.options import StreamKind
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.faults import log_fault

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BYTES: Final = 1024 * 1024
"""Of a question."""
MAX_LINE: Final = 64 * 1024
"""Of its first line: a command in a container may be a script."""
PREPARE_EVERY: Final = 15.0
"""Seconds."""
LAST_WORDS: Final = 1.0
"""Seconds for which an answer may go on once the operator ends; logs that are followed would go on for ever."""
OPEN_PATH: Final = "/healthz"
"""The only path that anybody may ask for."""
_DOCUMENTS: Final = {
    "/apis": documents.group_list,
    f"/apis/{documents.GROUP}": documents.group,
    f"/apis/{documents.API}": documents.resource_list,
    "/openapi/v2": documents.openapi_v2,
    "/openapi/v3": documents.openapi_v3,
}


@dataclass(slots=True)
class QueryApi:
    """The application."""

    backend: Backend
    proxy: FrontProxy
    authorizer: Authorizer
    budget: Budget = field(default_factory=lambda: Budget(milliseconds=200, burst=20))
    """Of users."""
    budget_of_namespaces: Budget = field(default_factory=lambda: Budget(milliseconds=100, burst=40))
    """Whoever may edit a namespace may make as many users as there are names."""
    service: QueryService = field(default_factory=QueryService)
    open_streams: OpenStreams = field(default_factory=OpenStreams)
    _throttle: Throttle = field(default_factory=Throttle)
    _logs: LogApi = field(init=False)
    _streams: StreamApi = field(init=False)

    def __post_init__(self) -> None:
        """Logs and streams are of the same world, and have one pace."""
        pace = Pace()
        self._logs = LogApi(self.backend, pace)
        self._streams = StreamApi(self.backend, self.authorizer, pace, self.open_streams)

    def application(self) -> web.Application:
        """Return the routes behind authentication."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BYTES)
        app.router.add_get(OPEN_PATH, _healthz)
        for path, document in _DOCUMENTS.items():
            app.router.add_get(path, _serving(document))
        inside = f"/apis/{documents.API}/namespaces/{{namespace}}"
        app.router.add_get(f"{inside}/pools", self._pools)
        app.router.add_get(f"{inside}/explanations/{{name}}", self._explanation)
        app.router.add_post(f"{inside}/quotes", self._quote)
        app.router.add_get(f"{inside}/computejobs/{{name}}/log", self._log)
        for kind in StreamKind:
            app.router.add_get(f"{inside}/computejobs/{{name}}/{kind}", self._stream(kind))
        app.on_shutdown.append(self._end_streams)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path != OPEN_PATH:
                self._admit(request)
            return await handler(request)
        except NotAuthenticated as error:
            return _failed(401, str(error))
        except RateLimited as error:
            return _failed(429, str(error), {"Retry-After": str(error.seconds)})
        except (BadQuery, StreamRefusedError) as error:
            return _failed(error.code, str(error))
        except web.HTTPException as error:
            return _failed(error.status, f"{request.method} {request.path}: {error.reason}")
        except Exception as error:  # noqa: BLE001  one question must not end the others
            log_fault(log, "query.failed", error, path=request.path)
            return _failed(500, "the question could not be answered; the operator's log says why")

    def _admit(self, request: web.Request) -> None:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        caller = self.proxy.caller(request.headers, certificate)
        if "namespace" in request.match_info:
            now = int(asyncio.get_running_loop().time() * 1000)
            self.budget.spend(caller.user, now)
            self.budget_of_namespaces.spend(request.match_info["namespace"], now)

    async def keep_prepared(self) -> None:
        """Work out beforehand what questions need, for ever: after a start, or an hour without questions, that takes seconds."""
        while True:
            async with self._throttle.slot(""):
                try:
                    await asyncio.to_thread(self.service.prepare, self.backend.snapshot())
                except Exception as error:  # noqa: BLE001  questions must be answered all the same, later and slower
                    log_fault(log, "query.prepare_failed", error)
            await asyncio.sleep(PREPARE_EVERY)

    async def _pools(self, request: web.Request) -> web.Response:
        async with self._slot(request):
            context = self._context(request)
            answer = await asyncio.to_thread(pool_list, context.snapshot, context.namespace, context.tenant)
        return web.json_response(answer)

    async def _explanation(self, request: web.Request) -> web.Response:
        async with self._slot(request):
            record = self._found(request)
            pending, pods = self.backend.pending(record), self.backend.pods(record)
            answer = await asyncio.to_thread(self.service.explained, self._context(request), record, pending=pending, pods=pods)
        return web.json_response(answer)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        return await self._logs.serve(request, self._found(request))

    def _stream(self, kind: StreamKind) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await self._streams.serve(request, self._found(request), kind)

        return handler

    async def _end_streams(self, _: web.Application) -> None:
        self._streams.stop()

    def _found(self, request: web.Request) -> JobRecord:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        record = self.backend.find(namespace, name)
        if record is None:
            raise BadQuery(404, f'computejobs.sampan.dev "{name}" not found in namespace {namespace}')
        return record

    async def _quote(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._slot(request):
            context = self._context(request)
            job = await asyncio.to_thread(quote_input, body, context.namespace)
            placement, cooling = (
                self.backend.queue_placement(context.namespace, job.spec, job.shape),
                self.backend.cooling_cells(context.namespace, job.shape),
            )
            answer = await asyncio.to_thread(self.service.quoted, context, job, placement, cooling=cooling)
        return web.json_response(answer, status=201)

    def _context(self, request: web.Request) -> QueryContext:
        namespace, snapshot = request.match_info["namespace"], self.backend.snapshot()
        return QueryContext(snapshot=snapshot, namespace=namespace, tenant=self.backend.tenant_labels(namespace))

    def _slot(self, request: web.Request) -> AbstractAsyncContextManager[None]:
        return self._throttle.slot(request.match_info["namespace"])


class RunningServer:
    """A server that listens."""

    def __init__(self, runner: web.AppRunner, host: str) -> None:
        """Take a runner that was set up; `listen` comes next."""
        self._runner, self._host = runner, host
        self._site: web.TCPSite | None = None
        self.port = 0

    async def listen(self, port: int, tls: ssl.SSLContext) -> None:
        """Listen on a port; 0: on any. Raises OSError where the address is taken."""
        self._site = web.TCPSite(self._runner, self._host, port, ssl_context=tls)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def use_certificates(self, tls: ssl.SSLContext) -> None:
        """Take connections under other certificates from now on; those that are open end as they began.

        Raises OSError where the address was taken meanwhile: nobody listens until it is tried again.
        """
        site, self._site = self._site, None
        if site is not None:
            await site.stop()
        await self.listen(self.port, tls)


@asynccontextmanager
async def serving(api: QueryApi, address: tuple[str, int], tls: ssl.SSLContext) -> AsyncIterator[RunningServer]:
    """Serve while the context is open. Raises OSError where the address is taken."""
    runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=LAST_WORDS, max_line_size=MAX_LINE)
    await runner.setup()
    try:
        served = RunningServer(runner, address[0])
        await served.listen(address[1], tls)
        preparing = asyncio.create_task(api.keep_prepared())
        try:
            yield served
        finally:
            preparing.cancel()
            await asyncio.wait([preparing])
    finally:
        await runner.cleanup()


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _serving(document: Callable[[], documents.Document]) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(document())

    return handler


def _failed(code: int, message: str, headers: dict[str, Any] | None = None) -> web.Response:
    return web.json_response(documents.failure(code, message), status=code, headers=headers)
