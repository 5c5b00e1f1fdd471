"""WebSockets to the hub's API server, as the official client would connect: its server, credentials, CA and proxy.

What must never live here: an import of the client or of `websockets` at the top (they cost half a second), and what the messages mean.
"""

import contextlib
import functools
import ssl
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from sampan.client.access.events import MOST_OF_AN_ERROR, REQUEST_TIMEOUT
from sampan.client.errors import (
    ClientError,
    RefusedError,
    UnavailableError,
    UnreachableError,
    explain_api,
    explain_query,
    refused_connection,
    status_words,
)

if TYPE_CHECKING:
    import asyncio

    from kubernetes.client import ApiClient, Configuration
    from websockets.asyncio.client import ClientConnection

Pairs = Sequence[tuple[str, str]]
T = TypeVar("T")
OPEN_TIMEOUT: Final = 60.0
"""Seconds in which the hub and the member behind it must have answered."""
SILENCE: Final = 600.0
"""Seconds for which a ping may stay without an answer: while nothing is read at the other end, pings are not either."""
MOST_TRIES: Final = 6
"""Openings while the hub says that it is asked too much, a second apart."""
MAX_MESSAGE: Final = 1024 * 1024
UPGRADE: Final = b"upgrade to that"
"""What the operator says where a stream was asked for that is no WebSocket."""


class StreamRequest(NamedTuple):
    """Which stream of a job is wanted: `exec`, `attach` or `portforward`, with the parameters of its API."""

    namespace: str
    name: str
    kind: str
    params: Pairs


class Socket(Protocol):
    """An open WebSocket. One thread reads; any may send."""

    def recv(self, timeout: float | None = None) -> bytes | None:
        """The next message; None at the end. Raises TimeoutError where none came in so many seconds."""

    def send(self, message: bytes) -> None:
        """Send a message; wait while the other side takes nothing. Raises OSError once it is closed."""

    def close(self) -> None:
        """End it."""


class WebSocket:
    """`Socket` on a connection of an event loop in a thread of its own.

    Not the library's own one for threads: while that sends it takes nothing in, so that two sides that wait for each other wait for ever.
    """

    def __init__(self, connection: "ClientConnection", loop: "asyncio.AbstractEventLoop") -> None:
        """Take an open one."""
        self._connection, self._loop = connection, loop

    def recv(self, timeout: float | None = None) -> bytes | None:
        """See `Socket`."""
        import asyncio

        from websockets.exceptions import ConnectionClosed

        try:
            got = in_loop(self._loop, asyncio.wait_for(self._connection.recv(), timeout))
        except ConnectionClosed:
            return None
        return got.encode() if isinstance(got, str) else bytes(got)

    def send(self, message: bytes) -> None:
        """See `Socket`."""
        from websockets.exceptions import ConnectionClosed

        try:
            in_loop(self._loop, self._connection.send(message))
        except ConnectionClosed as error:
            raise ConnectionResetError("the stream has ended") from error

    def close(self) -> None:
        """See `Socket`."""
        in_loop(self._loop, self._connection.close())


def in_loop(loop: "asyncio.AbstractEventLoop", call: "Coroutine[Any, Any, T]") -> T:
    """What a coroutine returns that runs in another thread's loop."""
    import asyncio

    return asyncio.run_coroutine_threadsafe(call, loop).result()


@functools.cache
def event_loop() -> "asyncio.AbstractEventLoop":
    """The loop of all WebSockets of this process, in a thread that ends with it."""
    import asyncio

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="websockets", daemon=True).start()
    return loop


@contextlib.contextmanager
def websocket(client: "ApiClient", path: str, params: Pairs, *, protocol: str) -> Iterator[Socket]:
    """Open one while the context is. Raises `ClientError` where the hub opens none."""
    for left in reversed(range(MOST_TRIES)):
        with contextlib.ExitStack() as stack:
            try:
                opened = stack.enter_context(_opened(client, path, params, protocol=protocol))
            except BusyError:
                if not left:
                    raise
                time.sleep(1.0)
                continue
            yield opened
            return


def check(client: "ApiClient", path: str, params: Pairs) -> None:
    """Ask for the same without an upgrade, which the operator refuses last of all. Raises `ClientError` for what it refuses before."""
    asked = client.param_serialize("GET", path, query_params=list(params), auth_settings=["BearerToken"])
    answer = client.call_api(*asked, _request_timeout=REQUEST_TIMEOUT).response
    with contextlib.closing(answer):
        body = answer.read(MOST_OF_AN_ERROR)
    if answer.status != 400 or UPGRADE not in body:
        raise _refused(answer.status, body)


class BusyError(UnavailableError):
    """The hub is asked too much, or has too many streams open (429)."""


@contextlib.contextmanager
def _opened(client: "ApiClient", path: str, params: Pairs, *, protocol: str) -> Iterator[Socket]:
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidHandshake, InvalidStatus
    from websockets.typing import Subprotocol

    configuration, loop = client.configuration, event_loop()
    _, url, headers, *_ = client.param_serialize("GET", path, query_params=list(params), auth_settings=["BearerToken"])
    secure = urlsplit(url).scheme == "https"
    tls: dict[str, Any] = {"ssl": _tls(configuration), "server_hostname": configuration.tls_server_name or None} if secure else {}

    async def opening() -> "ClientConnection":
        return await connect(
            ("wss" if secure else "ws") + url[url.index(":") :],
            **tls,
            additional_headers={name: value for name, value in headers.items() if name.lower() not in ("accept", "content-type")},
            user_agent_header=None,
            subprotocols=[Subprotocol(protocol)],
            compression=None,
            proxy=_proxy(configuration, url),
            open_timeout=OPEN_TIMEOUT,
            ping_timeout=SILENCE,
            max_size=MAX_MESSAGE,
            close_timeout=1.0,
        )

    with contextlib.ExitStack() as stack:
        try:
            socket = WebSocket(in_loop(loop, opening()), loop)
            stack.callback(socket.close)
        except InvalidStatus as error:
            raise _refused(error.response.status_code, bytes(error.response.body or b"")[:MOST_OF_AN_ERROR]) from error
        except ConnectionRefusedError as error:
            raise refused_connection() from error
        except (InvalidHandshake, OSError, EOFError) as error:
            words = f"the hub opens no stream: {type(error).__name__}: {error}"
            raise UnreachableError(words, "check the network, the proxy and the server address in the kubeconfig (--context)") from error
        yield socket


def _tls(configuration: "Configuration") -> ssl.SSLContext:
    """As `connection` has it for all other calls, with the certificate that the official client would show."""
    from sampan.client.access.connection import tls_context

    context = tls_context(configuration)
    if configuration.verify_ssl:
        context.check_hostname = True
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _proxy(configuration: "Configuration", url: str) -> str | None:
    """The proxy for this server, as the official client decides it."""
    from requests.utils import should_bypass_proxies

    if not configuration.proxy or should_bypass_proxies(url, no_proxy=configuration.no_proxy or ""):
        return None
    return str(configuration.proxy)


def _refused(status: int, body: bytes) -> ClientError:
    """What the hub, or the operator behind it, said in the place of a stream."""
    said, resource = status_words(body)
    if body.lstrip()[:1] == b"{" and said and not resource:  # the operator's own word
        if status == 429:
            return BusyError(said, "close a stream, or try again in a while")
        if status in (501, 502, 503):
            return UnavailableError(said)
        if status in (400, 409):
            return RefusedError(said)
    return explain_query(status, body) or explain_api(status, body)
