"""A gateway before an API server, as Rancher's: TLS under a name of its own, and a path that it takes off before it passes requests on.

Lives here: forwarding, watches included. Must never live here: assertions.
"""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from unit.kube.certs import Pair

_HOP = {"host", "connection", "transfer-encoding", "content-length", "content-encoding"}


@dataclass(slots=True)
class Gateway:
    """Where it listens, and the paths that it passed on."""

    upstream: str
    trust: ssl.SSLContext
    prefix: str
    port: int = 0
    passed: list[str] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass one request on and its answer back as it comes."""
        if not request.rel_url.raw_path.startswith(f"{self.prefix}/"):
            return web.Response(status=404, text="no such cluster")
        path = str(request.rel_url).removeprefix(self.prefix)
        self.passed.append(path)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with (
            aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.request(
                request.method, URL(self.upstream + path, encoded=True), headers=headers, data=await request.read(), ssl=self.trust
            ) as answer,
        ):
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP - {"content-encoding"}}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response


@asynccontextmanager
async def gateway(upstream: str, ca_file: Path, *, prefix: str, pair: Pair) -> AsyncIterator[Gateway]:
    """Run a gateway on a free port of 127.0.0.1 with that certificate."""
    served = Gateway(upstream, ssl.create_default_context(cafile=str(ca_file)), prefix)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pair.cert_pem + pair.key_pem)
        file.flush()
        context.load_cert_chain(file.name)
    runner = web.ServerRunner(web.Server(served.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    served.port = runner.addresses[0][1]
    try:
        yield served
    finally:
        await asyncio.shield(runner.cleanup())
