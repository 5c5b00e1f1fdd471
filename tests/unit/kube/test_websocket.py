"""A WebSocket to a real server over TLS, and to one that may do anything."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web

from sampan.kube.errors import BadReply, Forbidden, Unauthorized
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from sampan.kube.websocket import MAX_MESSAGE, Signal
from unit.kube.fake_api import FakeApi, Handler, credentials, replying, serving
from unit.kube.raw_server import RawServer

EXEC = resource_path("v1", "pods", namespace="ns", name="p", subresource="exec")
V5 = "v5.channel.k8s.io"
PATIENT = Limits(timeout=60, connect_timeout=60)


def talking(talk: Callable[[web.WebSocketResponse], Awaitable[None]], *, protocol: str = V5) -> Handler:
    """A handler that upgrades and talks."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=[protocol], compress=False, autoping=False)
        await socket.prepare(request)
        await talk(socket)
        return socket

    return handler


async def echo(socket: web.WebSocketResponse) -> None:
    """Send everything back."""
    async for got in socket:
        if got.type is WSMsgType.BINARY:
            await socket.send_bytes(got.data)
        elif got.type is WSMsgType.PING:
            await socket.pong(got.data)


@asynccontextmanager
async def opened(*handlers: Handler, token: str = "good") -> AsyncIterator[tuple[FakeApi, Client]]:
    """A server and a client of it."""
    async with serving() as api, Client(credentials(api, token=token), limits=PATIENT) as client:
        api.fail("GET", *handlers)
        yield api, client


async def test_messages_go_out_and_come_back_whole() -> None:
    async with (
        opened(talking(echo)) as (api, client),
        client.websocket(EXEC, [("command", "a b"), ("command", "ü&")], [V5, "v4"]) as socket,
    ):
        assert socket.subprotocol == V5
        for message in (b"\x00", bytes(range(256)) * 400, b"x" * MAX_MESSAGE):
            await socket.send(message)
            assert await socket.receive() == message
        await socket.ping()
        assert await socket.receive() is Signal.PONG
        await socket.close()
        assert await socket.receive() is Signal.END
        with pytest.raises(ConnectionError):
            await socket.send(b"more")
    assert api.requests[0][1] == "/api/v1/namespaces/ns/pods/p/exec?command=a+b&command=%C3%BC%26"


async def test_a_refusal_is_the_server_s_own() -> None:
    async with opened(replying(403, "Forbidden", "no exec")) as (_, client):
        with pytest.raises(Forbidden, match="no exec"):
            async with client.websocket(EXEC, [], [V5]):
                pass
    async with opened(token="bad") as (_, client):
        with pytest.raises(Unauthorized):
            async with client.websocket(EXEC, [], [V5]):
                pass


async def test_new_credentials_do_not_end_it() -> None:
    async with opened(talking(echo)) as (api, client), client.websocket(EXEC, [], [V5]) as socket:
        api.tokens.add("new")
        assert await client.replace_credentials(credentials(api, token="new"))
        await socket.send(b"still here")
        assert await socket.receive() == b"still here"


async def test_the_client_s_end_ends_it() -> None:
    async with opened(talking(echo)) as (_, client), client.websocket(EXEC, [], [V5]) as socket:
        await client.__aexit__()
        assert await socket.receive() is Signal.END
        with pytest.raises(ConnectionError):
            await socket.send(b"more")


async def test_a_message_in_pieces_is_one() -> None:
    async def pieces(socket: web.WebSocketResponse) -> None:
        for piece, code, last in (
            (b"a", WSMsgType.BINARY, False),
            (b"b", WSMsgType.CONTINUATION, False),
            (b"c", WSMsgType.CONTINUATION, True),
        ):
            assert socket._writer is not None
            socket._writer.transport.write(bytes([code.value | (0x80 if last else 0), len(piece)]) + piece)
        await socket.send_bytes(b"next")

    async with opened(talking(pieces)) as (_, client), client.websocket(EXEC, [], [V5]) as socket:
        assert [await socket.receive(), await socket.receive(), await socket.receive()] == [b"abc", b"next", Signal.END]


async def test_too_long_a_message_is_none() -> None:
    async def long(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"x" * (MAX_MESSAGE + 1))

    async with opened(talking(long)) as (_, client):
        with pytest.raises(BadReply):
            async with client.websocket(EXEC, [], [V5]) as socket:
                await socket.receive()


async def test_a_server_that_sends_without_end_waits_for_its_reader() -> None:
    sent = 0

    async def endless(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        while True:
            await socket.send_bytes(b"x" * 32768)
            sent += 32768

    async with opened(talking(endless)) as (_, client), client.websocket(EXEC, [], [V5]) as socket:
        assert await socket.receive() == b"x" * 32768
        last = -1
        while sent != last:  # until nobody takes any more
            last = sent
            await asyncio.sleep(3)
        assert sent < 64 * 1024 * 1024


async def test_whoever_sends_to_a_server_that_takes_nothing_waits() -> None:
    async def deaf(_: web.WebSocketResponse) -> None:
        await asyncio.sleep(3600)

    async with opened(talking(deaf)) as (_, client), client.websocket(EXEC, [], [V5]) as socket:
        sent = 0

        async def send() -> None:
            nonlocal sent
            while True:
                await socket.send(b"x" * 32768)
                sent += 32768

        sending, last = asyncio.create_task(send()), -1
        while sent != last:
            last = sent
            await asyncio.sleep(3)
        assert not sending.done()
        assert sent < 64 * 1024 * 1024
        sending.cancel()


def switched(request: bytes, *more: bytes, protocol: bytes = V5.encode(), proof: bytes | None = None) -> bytes:
    """The answer to a handshake, and what follows it."""
    key = next(line.partition(b": ")[2] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    good = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    head = [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade"]
    head += [b"Sec-WebSocket-Accept: " + (proof or good), b"Sec-WebSocket-Protocol: " + protocol]
    return b"\r\n".join(head) + b"\r\n\r\n" + b"".join(more)


@pytest.mark.parametrize(
    ("protocol", "proof", "frames", "fits"),
    [
        (V5.encode(), None, b"\x82\x01a", True),
        (V5.encode(), b"forged", b"", False),
        (b"v1.channel.k8s.io", None, b"", False),
        (V5.encode(), None, b"\x82\x81abcde", False),
        (V5.encode(), None, b"\x83\x01a", False),
        (V5.encode(), None, b"\x80\x01a", False),
    ],
    ids=["as it should be", "no proof", "another protocol", "masked", "unknown frame", "a piece of nothing"],
)
async def test_a_server_that_speaks_no_websocket(raw: RawServer, protocol: bytes, proof: bytes | None, frames: bytes, fits: bool) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(switched(raw.requests[-1], frames, protocol=protocol, proof=proof))
        await writer.drain()
        await asyncio.sleep(3600)

    raw.answers = [answer]
    async with Client(raw.credentials(), limits=PATIENT) as client:
        if fits:
            async with client.websocket(EXEC, [], [V5]) as socket:
                assert await socket.receive() == b"a"
            return
        with pytest.raises(BadReply):
            async with client.websocket(EXEC, [], [V5]) as socket:
                await socket.receive()


async def test_a_server_that_goes_without_a_word_ended_it(raw: RawServer) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(switched(raw.requests[-1], b"\x82\x05ab"))
        await writer.drain()
        writer.close()

    raw.answers = [answer]
    async with Client(raw.credentials(), limits=PATIENT) as client, client.websocket(EXEC, [], [V5]) as socket:
        assert await socket.receive() is Signal.END


async def test_what_came_with_the_end_is_read(raw: RawServer) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(switched(raw.requests[-1], b"\x82\x03out", b"\x82\x06status", b"\x88\x02\x03\xe8"))
        await writer.drain()
        writer.close()

    raw.answers = [answer]
    async with Client(raw.credentials(), limits=PATIENT) as client, client.websocket(EXEC, [], [V5]) as socket:
        assert [await socket.receive(), await socket.receive(), await socket.receive()] == [b"out", b"status", Signal.END]
