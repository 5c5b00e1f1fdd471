"""The HTTPS server of `query.sampan.dev`. Answers are computed from a frozen picture in a thread, so that no cycle waits for one.

Authorisation is the hub API server's, by RBAC before it proxies; here only its own connection is believed. Never here: what is answered.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from sampan.controller.query import documents
from sampan.controller.query.bounds import Budget, TooMany
from sampan.controller.query.front_proxy import FrontProxy, NotAuthenticated
from sampan.controller.query.pools import Labels, pool_list
from sampan.model.snapshot import Snapshot

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AT_ONCE: Final = 2
"""Answers that are computed at the same time."""
OPEN_PATH: Final = "/healthz"
"""The only path that anybody may ask for."""
_DOCUMENTS: Final = {
    "/apis": documents.group_list,
    f"/apis/{documents.GROUP}": documents.group,
    f"/apis/{documents.API}": documents.resource_list,
    "/openapi/v2": documents.openapi_v2,
    "/openapi/v3": documents.openapi_v3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What answers are made from. Both are called on the operator's loop."""

    snapshot: Callable[[], Snapshot]
    tenant: Callable[[str], Labels]
    """Labels of a namespace of the hub, as far as the offers of the last snapshot read them."""


@dataclass(slots=True)
class QueryApi:
    """The application."""

    world: World
    proxy: FrontProxy
    budget: Budget = field(default_factory=lambda: Budget(milliseconds=200, burst=20))
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def application(self) -> web.Application:
        """Return the routes behind authentication."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get(OPEN_PATH, _healthz)
        for path, document in _DOCUMENTS.items():
            app.router.add_get(path, _serving(document))
        app.router.add_get(f"/apis/{documents.API}/namespaces/{{namespace}}/pools", self._pools)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path != OPEN_PATH:
                self._admit(request)
            return await handler(request)
        except NotAuthenticated as error:
            return _failed(401, str(error))
        except TooMany as error:
            return _failed(429, str(error), {"Retry-After": str(error.seconds)})
        except web.HTTPException as error:
            return _failed(error.status, f"{request.method} {request.path}: {error.reason}")
        except Exception as error:
            log.exception("query.failed", extra={"path": request.path, "error": type(error).__name__})
            return _failed(500, "the question could not be answered; the operator's log says why")

    def _admit(self, request: web.Request) -> None:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        caller = self.proxy.caller(request.headers, certificate)
        if "namespace" in request.match_info:
            self.budget.spend(caller.user, int(asyncio.get_running_loop().time() * 1000))

    async def _pools(self, request: web.Request) -> web.Response:
        namespace = request.match_info["namespace"]
        async with self._turns:
            snapshot = self.world.snapshot()
            answer = await asyncio.to_thread(pool_list, snapshot, namespace, self.world.tenant(namespace))
        return web.json_response(answer)


@asynccontextmanager
async def serving(api: QueryApi, address: tuple[str, int], tls: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve while the context is open; gives the port. Raises OSError where the address is taken."""
    runner = web.AppRunner(api.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, *address, ssl_context=tls).start()
        yield runner.addresses[0][1]
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
