"""Virtual members: one API server seen as many clusters, each behind a path of its own. A program: `python -m bench.virtual`.

`/v7/…` is the cluster 7: it has an identity of its own (the UID of kube-system), the nodes that carry its label, and the pods of its
namespace; `/v0/…` has all nodes. All else goes through as it is, with the caller's own credential. What must never live here: jobs.
"""

import argparse
import asyncio
import json
import ssl
import sys
import uuid
from contextlib import suppress
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

LABEL = "bench.sampan.dev/member"
"""Label of a node: the number of the virtual member that has it."""
_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding", "keep-alive", "accept-encoding", "content-encoding"})


def namespace_of(number: int) -> str:
    """Return the namespace of a virtual member on the real one."""
    return f"member-{number}"


def identity(server: str, number: int) -> str:
    """Return the UID that tells a virtual member from the others."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{server}/v{number}"))


class Virtual:
    """The proxy."""

    def __init__(self, server: str, session: aiohttp.ClientSession) -> None:
        """`server` is the real API server."""
        self._server, self._session = server, session
        self._open: dict[int, dict[int, web.Request]] = {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Pass one call on."""
        number, path = int(request.match_info["number"]), "/" + request.match_info["path"]
        params = dict(request.query)
        if path == "/api/v1/nodes" and number > 0:
            params["labelSelector"] = f"{LABEL}={number}"
        elif path == "/api/v1/pods":
            path = f"/api/v1/namespaces/{namespace_of(number)}/pods"
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        body = await request.read()
        mine = self._open.setdefault(number, {})
        mine[id(request)] = request
        try:
            async with self._session.request(
                request.method, self._server + path, params=params, headers=headers, data=body or None
            ) as answer:
                told = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP}
                if path == "/api/v1/namespaces/kube-system":
                    known = json.loads(await answer.read())
                    known["metadata"]["uid"] = identity(self._server, number)
                    return web.json_response(known, status=answer.status)
                if "watch" not in params:
                    return web.Response(body=await answer.read(), status=answer.status, headers=told)
                stream = web.StreamResponse(status=answer.status, headers=told)
                with suppress(ConnectionResetError):  # the caller closed its watch: nobody is left to tell
                    await stream.prepare(request)
                    async for chunk in answer.content.iter_any():
                        await stream.write(chunk)
                return stream
        finally:
            del mine[id(request)]

    async def cut(self, request: web.Request) -> web.Response:
        """Cut every connection of one virtual member."""
        mine = self._open.get(int(request.match_info["number"]), {})
        cut = [each.transport for each in mine.values() if each.transport is not None]
        for transport in cut:
            transport.abort()
        return web.json_response({"cut": len(cut)})


async def run(server: str, *, pki: Path) -> None:
    """Serve until the process ends, on a port that it prints, with the certificate that the API server itself serves with."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    trusted = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    connector = aiohttp.TCPConnector(ssl=trusted, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, skip_auto_headers=["Accept-Encoding"], timeout=aiohttp.ClientTimeout(total=None)
    ) as session:
        virtual = Virtual(server, session)
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/cut/{number}", virtual.cut)
        app.router.add_route("*", "/v{number:[0-9]+}/{path:.*}", virtual.serve)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--pki", type=Path, required=True, help="has ca.crt, admin.crt and admin.key of the cluster")
    given = parser.parse_args()
    uvloop.run(run(given.server, pki=given.pki))


if __name__ == "__main__":
    main()
