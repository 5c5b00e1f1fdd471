"""A running server of the query API behind the front proxy's certificate, with one bound job. No assertion here."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

import builders as b
import jobs
from sampan.controller.query.front_proxy import FrontProxy, server_context
from sampan.controller.query.server import QueryApi, serving
from sampan.controller.streams.authorization import Person
from sampan.controller.streams.limits import OpenStreams
from sampan.controller.streams.options import StreamKind
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from unit.controller.query.worlds import StillWorld
from unit.kube.certs import authority, issue
from unit.kube.fake_api import FakeApi, credentials
from unit.kube.fake_api import serving as member

JOB = "/apis/query.sampan.dev/v1alpha1/namespaces/team-a/computejobs/job-u1/"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


@dataclass(slots=True)
class Rights:
    """An `Authorizer` that lets everybody in but whom `refused` names."""

    refused: Sequence[str] = ()
    asked: list[tuple[Person, StreamKind, str, str]] = field(default_factory=list)

    async def check(self, who: Person, kind: StreamKind, *, namespace: str, job: str) -> None:
        """See `Authorizer`."""
        self.asked.append((who, kind, namespace, job))
        if who.user in self.refused:
            raise StreamRefusedError(403, "get alone lets nobody in")


class Hub:
    """The server, who asks, and the member that it reads from."""

    def __init__(
        self, api: FakeApi, session: aiohttp.ClientSession, *, port: int, rights: Rights, stop: Callable[[], Awaitable[None]]
    ) -> None:
        self.api, self.rights, self.stop, self._session, self._port = api, rights, stop, session, port

    def get(self, query: str = "", path: str = JOB + "log", **more: Any) -> "aiohttp.client._RequestContextManager":
        """Ask for output, or for something else."""
        return self._session.get(f"https://127.0.0.1:{self._port}{path}{query}", **more)

    def open(self, what: str, *, protocol: str = V5, **more: Any) -> "aiohttp.client._WSRequestContextManager":
        """Open a stream."""
        return self._session.ws_connect(f"https://127.0.0.1:{self._port}{JOB}{what}", protocols=[protocol], **more)


def front_proxy(folder: Path) -> ssl.SSLContext:
    """TLS of the hub's API server; its files are kept in a folder."""
    proxy = issue(authority("front-proxy-ca"), name="front-proxy-client")
    file = folder / "client.pem"
    file.write_text(proxy.cert_pem + proxy.key_pem)
    context = ssl.create_default_context(cadata=authority().cert_pem)
    context.load_cert_chain(file)
    return context


@asynccontextmanager
async def running(folder: Path, *pods: Pod, limits: OpenStreams | None = None) -> AsyncIterator[Hub]:
    """A hub with one bound job whose pods these are."""
    own = issue(authority(), name="sampan-query", hosts=["127.0.0.1"])
    tls = server_context(certificate=own.cert_pem, key=own.key_pem, client_ca=authority("front-proxy-ca").cert_pem)
    async with member() as api, Client(credentials(api), limits=Limits(timeout=60, connect_timeout=60, qps=1000, burst=1000)) as client:
        world = StillWorld(b.snapshot(), [jobs.record("u1", status=jobs.bound_status(running=True))], pods, client=client)
        rights = Rights()
        query = QueryApi(world, FrontProxy(frozenset({"front-proxy-client"})), rights, open_streams=limits or OpenStreams())
        query.budget.burst = query.budget_of_namespaces.burst = 10_000
        async with (
            AsyncExitStack() as stack,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=front_proxy(folder), limit=0), headers={"X-Remote-User": "alice"}
            ) as session,
        ):
            served = await stack.enter_async_context(serving(query, ("127.0.0.1", 0), tls))
            yield Hub(api, session, port=served.port, rights=rights, stop=stack.aclose)
