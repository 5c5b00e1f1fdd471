"""Connections to one API server under one set of credentials.

Lives here: how a connection comes about (addresses, proxy, TLS), which idle one serves the next call, and when idle ones go.
Must never live here: HTTP, turns, retries.
"""

import asyncio
import socket

import aiohappyeyeballs

from sampan.kube.credentials.addresses import TRUSTED, AddrInfo, CheckedResolver, host_port, literal_address
from sampan.kube.credentials.credential import Credentials
from sampan.kube.transport.connection import Connection
from sampan.kube.transport.tls import tls_context
from sampan.kube.transport.tunnel import open_tunnel

KEEP_ALIVE = 30.0  # seconds; API servers close idle connections after 90
_NEXT_ADDRESS = 0.25  # seconds until another address is tried beside one that does not answer (RFC 8305)


class NotConnected(ConnectionError):  # noqa: N818  (an OSError: a connection that fails)
    """No connection came about: nothing was sent.

    ``error`` says why, ``resolving`` whether the name has no address, ``no_ca`` whether the public CAs counted, as no other was given.
    """

    def __init__(self, error: OSError, *, resolving: bool = False, no_ca: bool = False) -> None:
        """Keep why."""
        super().__init__(type(error).__name__)
        self.error = error
        self.resolving = resolving
        self.no_ca = no_ca


class ConnectionPool:
    """Idle connections, those used last first. Make it inside a running loop; raises ssl.SSLError or AddressNotAllowed."""

    def __init__(self, credentials: Credentials, *, connect_timeout: float) -> None:
        """Open none yet; ``connect_timeout`` in seconds, of all it takes to have a connection."""
        credentials.policy.check_host(credentials.host)
        self._to = credentials
        # A proxy was named by the platform team: it may be anywhere, and it resolves the server's name, whose addresses we never see.
        self._resolver = CheckedResolver(TRUSTED if credentials.proxy else credentials.policy)
        self._tls = tls_context(credentials)
        self._timeout = connect_timeout
        self._loop = asyncio.get_running_loop()
        self._all: set[Connection] = set()
        self._idle: dict[Connection, float] = {}  # since when, the latest last
        self._sweeping: asyncio.TimerHandle | None = None
        self.closed = False
        self._gone: asyncio.Future[None] | None = None

    def idle(self) -> Connection | None:
        """Take the connection that was used last and still stands, if there is one."""
        self._check_open()
        while self._idle:
            connection, since = self._idle.popitem()
            if not connection.closed and self._loop.time() - since < KEEP_ALIVE:
                return connection
            connection.abort()
        return None

    async def dial(self) -> Connection:
        """Make a new connection. Raises NotConnected."""
        self._check_open()
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connect(await self._addresses())
        except NotConnected:
            raise
        except OSError as exc:
            failure = NotConnected(exc, no_ca=self._to.ca_pem is None)
        else:
            if not self.closed:
                self._all.add(connection)
                return connection
            connection.abort()
            failure = NotConnected(ConnectionAbortedError("the pool was closed"))
        raise failure

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next call, if it still stands."""
        if connection.closed or self.closed:
            connection.abort()
            return
        self._idle[connection] = self._loop.time()
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(KEEP_ALIVE, self._sweep)

    async def close(self) -> None:
        """Drop all connections, and wait until the event loop has let go of them."""
        self.drop()
        if self._all:
            self._gone = self._loop.create_future()
            await self._gone

    def drop(self) -> None:
        """Drop all connections at once, those in use included."""
        self.closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._idle.clear()
        for connection in tuple(self._all):
            connection.abort()

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError("the session is closed")

    async def _addresses(self) -> list[AddrInfo]:
        first = self._to.proxy or self._to
        host, port = first.host, first.port
        if literal_address(host) is not None:  # it was checked when the pool was made
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [(int(family), int(socket.SOCK_STREAM), socket.IPPROTO_TCP, "", (host, port))]
        try:
            return await self._resolver.resolve(host, port)
        except OSError as exc:
            failure = NotConnected(exc, resolving=not isinstance(exc, TimeoutError))
        raise failure

    async def _connect(self, addresses: list[AddrInfo]) -> Connection:
        delay = _NEXT_ADDRESS if len(addresses) > 1 else None
        sock = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=delay, interleave=1)
        connection = Connection(self._lost)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._to.proxy is not None:
                await open_tunnel(sock, host_port(self._to.host, self._to.port), self._to.proxy)
            await self._loop.create_connection(
                lambda: connection, sock=sock, ssl=self._tls, server_hostname=self._to.server_name or self._to.host
            )
        except BaseException:
            connection.abort()  # cancelled just after the handshake, the event loop would wait for the server's farewell first
            sock.close()
            raise
        return connection

    def _lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        self._idle.pop(connection, None)
        if not self._all and self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _sweep(self) -> None:
        """Drop what has been idle for too long, the longest first."""
        self._sweeping = None
        oldest = self._loop.time() - KEEP_ALIVE
        for connection, since in tuple(self._idle.items()):
            if since > oldest:
                self._sweeping = self._loop.call_at(since + KEEP_ALIVE, self._sweep)
                break
            del self._idle[connection]
            connection.abort()
