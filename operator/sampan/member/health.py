"""Where the kubelet asks whether the publisher still turns. Never here: what turning means."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Address = tuple[str, int]


def address_of(text: str) -> Address | None:
    """Return host and port of `HOST:PORT`, None for the empty text. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if not text:
        return None
    if not host or not port.isdecimal() or not 0 <= int(port) < 65536:
        raise ValueError(f"{text!r} is no HOST:PORT")
    return host.strip("[]"), int(port)


@asynccontextmanager
async def health(address: Address | None, alive: Callable[[], bool]) -> AsyncIterator[int | None]:
    """Serve `/healthz` while the context is open; gives the port, None where no address is given. Raises OSError where it is taken."""
    if address is None:
        yield None
        return

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if alive() else web.Response(status=500, text="the publisher does not turn\n")

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, *address).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
