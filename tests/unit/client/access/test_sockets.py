"""WebSockets with the official client's credentials, against a real server over TLS."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from aiohttp import WSMsgType, web

from sampan.client.access import sockets
from sampan.client.access.connection import client_of
from sampan.client.access.hub import KubernetesApi
from sampan.client.access.sockets import Pairs, Socket, StreamRequest
from sampan.client.access.variables import context
from sampan.client.errors import ClientError, NotAllowedError, RefusedError, UnavailableError, UnreachableError
from unit.kube.certs import authority
from unit.kube.fake_api import FakeApi, Handler, serving, status_text

T = TypeVar("T")
V5 = "v5.channel.k8s.io"
COMMAND = [("command", "sh"), ("command", "a b&c"), ("stdout", "true")]


@asynccontextmanager
async def connected(*handlers: Handler) -> AsyncIterator[tuple[FakeApi, KubernetesApi]]:
    """A hub, and who asks it."""
    async with serving() as api:
        api.fail("GET", *handlers)
        client, _ = client_of(context(f"https://127.0.0.1:{api.port}", "good", ca=authority().cert_pem))
        with client:
            yield api, KubernetesApi(client)


async def within(api: KubernetesApi, use: Callable[[Socket], T], params: Pairs = ()) -> T:
    """Open a stream in a thread, as a command does, and use it."""

    def opened() -> T:
        with api.stream(StreamRequest("team-a", "train", "exec", params)) as socket:
            return use(socket)

    async with asyncio.timeout(120):
        return await asyncio.to_thread(opened)


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Send everything back, one after the other: what nobody reads is not read either."""
    socket = web.WebSocketResponse(protocols=[V5], compress=False)
    await socket.prepare(request)
    async for got in socket:
        if got.type is WSMsgType.BINARY and not got.data:
            break
        await socket.send_bytes(got.data)
    return socket


async def test_messages_pass_with_the_credentials_and_the_parameters_that_were_meant() -> None:
    def use(socket: Socket) -> list[bytes | None]:
        socket.send(b"\x00\xff")
        first = socket.recv()
        socket.send(b"")
        return [first, socket.recv(60)]

    async with connected(echo) as (hub, api):
        assert await within(api, use, params=COMMAND) == [b"\x00\xff", None]
    (_, path, headers, _) = hub.requests[0]
    assert path == "/apis/query.sampan.dev/v1alpha1/namespaces/team-a/computejobs/train/exec?command=sh&command=a%20b%26c&stdout=true"
    assert (headers["Authorization"].lower(), headers["Sec-WebSocket-Protocol"]) == ("bearer good", V5)


async def test_two_sides_that_wait_for_each_other_go_on_once_one_reads() -> None:
    def use(socket: Socket) -> int:
        def send() -> None:
            for _ in range(1024):
                socket.send(b"x" * 32768)

        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        sending.join(2)
        return sum(len(socket.recv(60) or b"") for _ in range(1024))

    async with connected(echo) as (_, api):
        assert await within(api, use) == 1024 * 32768


async def test_silence_is_no_end() -> None:
    def use(socket: Socket) -> bytes | None:
        with pytest.raises(TimeoutError):
            socket.recv(0.05)
        socket.send(b"here")
        return socket.recv(60)

    async with connected(echo) as (_, api):
        assert await within(api, use) == b"here"


def saying(code: int, message: str, *, kind: str = "") -> Handler:
    """A refusal; `kind`: of an object, as the hub's own API server has it."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        text = status_text(code, "Reason", message, **({"details": {"kind": kind}} if kind else {}))
        return web.Response(status=code, text=text, content_type="application/json")

    return handler


@pytest.mark.parametrize(
    ("handler", "want", "says"),
    [
        (saying(403, 'User "bob" cannot get resource', kind="computejobs"), NotAllowedError, "ClusterRole sampan-tenant"),
        (saying(403, "bob lacks create"), NotAllowedError, "bob lacks create"),
        (saying(409, "rank 0 has ended"), RefusedError, "rank 0 has ended"),
        (saying(502, "its provider sets pods.exec=true"), UnavailableError, "its provider sets pods.exec=true"),
        (saying(503, "the member of offer o does not answer"), UnavailableError, "the member of offer o does not answer"),
    ],
)
async def test_a_refusal_is_told_in_the_words_of_whoever_refused(handler: Handler, want: type[ClientError], says: str) -> None:
    async with connected(handler) as (_, api):
        with pytest.raises(want) as told:
            await within(api, lambda _: None)
        assert says in told.value.message


async def test_an_operator_that_is_not_there_is_told_apart_from_a_member_that_is_not() -> None:
    async def unavailable(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=503, text="service unavailable\n")

    async with connected(unavailable) as (_, api):
        with pytest.raises(UnavailableError, match="the operator does not answer questions"):
            await within(api, lambda _: None)


async def test_whoever_is_asked_to_wait_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    async with connected(saying(429, "too many"), saying(429, "too many"), echo) as (hub, api):
        assert await within(api, lambda _: True)
        assert hub.count("GET") == 3
        hub.fail("GET", *[saying(429, "too many")] * sockets.MOST_TRIES)
        with pytest.raises(UnavailableError, match="too many"):
            await within(api, lambda _: None)
        assert not hub.faults["GET"]


async def test_a_check_passes_where_only_the_upgrade_was_missing() -> None:
    def check(api: KubernetesApi) -> None:
        api.check_stream(StreamRequest("team-a", "train", "portforward", [("ports", "80")]))

    async with connected(saying(400, "portforward is a WebSocket: upgrade to that"), saying(409, "it does not run")) as (_, api):
        await asyncio.to_thread(check, api)
        with pytest.raises(RefusedError, match="it does not run"):
            await asyncio.to_thread(check, api)


def test_nobody_listens_where_the_hub_should_be() -> None:
    client, _ = client_of(context("https://127.0.0.1:1", "good", ca=authority().cert_pem))
    with (
        client,
        pytest.raises(UnreachableError, match="connection refused by the hub's API server"),
        KubernetesApi(client).stream(StreamRequest("a", "b", "exec", ())),
    ):
        pass


async def test_a_server_of_another_ca_is_not_spoken_to() -> None:
    async with serving() as hub:
        client, _ = client_of(context(f"https://127.0.0.1:{hub.port}", "good", ca=authority("stranger").cert_pem))
        with client, pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            await within(KubernetesApi(client), lambda _: None)
        assert not hub.requests
