"""From settings to the running query server. Never here: what it answers, or how it is authenticated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sampan.controller.query.front_proxy import FrontProxy, server_context
from sampan.controller.query.server import QueryApi, serving
from sampan.controller.query.world import World
from sampan.controller.settings import Settings


@asynccontextmanager
async def query_server(settings: Settings, world: World) -> AsyncIterator[int | None]:
    """Serve while the context is open; gives the port, None where no address is set. Raises OSError for files or an address."""
    if not settings.query_address:
        yield None
        return
    folder = settings.query_tls
    tls = server_context(certificate=folder / "tls.crt", key=folder / "tls.key", client_ca=folder / "ca.crt")
    host, _, port = settings.query_address.rpartition(":")
    async with serving(QueryApi(world, FrontProxy(settings.query_proxy_names)), (host.strip("[]"), int(port)), tls) as served:
        yield served
