"""From settings to the running query server, and its certificates kept up to date. Never here: what it answers, or who is let in."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from sampan.controller.query.backend import Backend
from sampan.controller.query.front_proxy import FrontProxy
from sampan.controller.query.material import Material
from sampan.controller.query.registration import register
from sampan.controller.query.server import QueryApi, RunningServer, serving
from sampan.controller.runtime.settings import Settings
from sampan.controller.streams.authorization import HubAuthorizer
from sampan.controller.streams.limits import OpenStreams
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 30.0
"""Seconds between two looks whether certificates changed: by then kubelet has renewed what it mounts, or will have the next time."""


@asynccontextmanager
async def query_server(settings: Settings, backend: Backend, client: Client, *, clock: Callable[[], int]) -> AsyncIterator[int | None]:
    """Serve while the context is open; gives the port, None where no address is set. Raises OSError for files or an address."""
    if not settings.query_address:
        yield None
        return
    material = Material(settings.query_tls, settings.query_host, clock)
    tls = material.changed()
    assert tls is not None
    host, _, port = settings.query_address.rpartition(":")
    api = QueryApi(backend, FrontProxy(settings.query_proxy_names), HubAuthorizer(client), open_streams=_limits(settings))
    async with serving(api, (host.strip("[]"), int(port)), tls) as served:
        keeping = asyncio.create_task(_keep(served, material, client))
        try:
            yield served.port
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])


def _limits(settings: Settings) -> OpenStreams:
    return OpenStreams(in_all=settings.streams, of_namespace=settings.streams_of_namespace, of_user=settings.streams_of_user)


async def _keep(served: RunningServer, material: Material, client: Client) -> None:
    """Have the API server believe our certificate, and show what replaces it, for ever. What fails is tried again."""
    waiting: ssl.SSLContext | None = None
    while True:
        try:
            if material.believed and await register(client, material.believed):
                log.info("query.registered")
            if waiting is not None:  # only now that it is believed
                await served.use_certificates(waiting)
                waiting = None
                log.info("query.reloaded")
        except KubeError as error:
            log.warning("query.register_failed", extra={"reason": error.reason})
        except OSError as error:
            log.warning("query.listen_failed", extra={"error": type(error).__name__})
        await asyncio.sleep(LOOK_EVERY)
        try:
            waiting = material.changed() or waiting
        except OSError as error:
            log.warning("query.certificate_failed", extra={"error": type(error).__name__})
