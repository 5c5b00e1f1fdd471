"""From settings to the running query server, and its certificates kept up to date. Never here: what it answers, or who is let in."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from sampan.controller.query.front_proxy import FrontProxy
from sampan.controller.query.material import Material
from sampan.controller.query.registration import believe
from sampan.controller.query.server import QueryApi, Served, serving
from sampan.controller.query.world import World
from sampan.controller.settings import Settings
from sampan.kube.client import Client
from sampan.kube.errors import KubeError

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 30.0
"""Seconds between two looks whether certificates changed: by then kubelet has renewed what it mounts, or will have the next time."""


@asynccontextmanager
async def query_server(settings: Settings, world: World, client: Client, *, clock: Callable[[], int]) -> AsyncIterator[int | None]:
    """Serve while the context is open; gives the port, None where no address is set. Raises OSError for files or an address."""
    if not settings.query_address:
        yield None
        return
    material = Material(settings.query_tls, settings.query_host, clock)
    tls = material.changed()
    assert tls is not None
    host, _, port = settings.query_address.rpartition(":")
    async with serving(QueryApi(world, FrontProxy(settings.query_proxy_names)), (host.strip("[]"), int(port)), tls) as served:
        keeping = asyncio.create_task(_keep(served, material, client))
        try:
            yield served.port
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])


async def _keep(served: Served, material: Material, client: Client) -> None:
    """Have the API server believe our certificate, and show what replaces it, for ever. What fails is tried again."""
    while True:
        try:
            if material.believed and await believe(client, material.believed):
                log.info("query.registered")
        except KubeError as error:
            log.warning("query.unregistered", extra={"reason": error.reason})
        await asyncio.sleep(LOOK_EVERY)
        try:
            tls = material.changed()
            if tls is not None:
                await _tell_first(material, client)
                await served.use(tls)
                log.info("query.reloaded")
        except (OSError, KubeError) as error:
            log.warning("query.unreadable", extra={"error": type(error).__name__})


async def _tell_first(material: Material, client: Client) -> None:
    """Before a new certificate is shown, it is believed."""
    if material.believed:
        await believe(client, material.believed)
