"""Members behind an HTTP proxy: through a real one, and what is said of those that make no tunnel."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from sampan.kube.credentials.addresses import DEFAULT_POLICY
from sampan.kube.credentials.credential import Credentials, Proxy
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import TLSFailure, Unreachable
from sampan.kube.objects.meta import Version
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import VERSION
from unit.cli.connect_proxy import connect_proxy
from unit.kube.raw_server import RawServer, writing

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{"gitVersion":"v1.36.3" }'


def through(raw: RawServer, url: str, *, host: str = "member.example.com", login: str = "") -> Credentials:
    """Credentials for a member whose name only the proxy knows: no hub could resolve it, and its certificate has another."""
    port = int(url.rpartition(":")[2])
    proxy = Proxy(host="127.0.0.1", port=port, login=Secret(login) if login else None)
    return replace(raw.credentials(), host=host, server_name="127.0.0.1", proxy=proxy, policy=DEFAULT_POLICY)


async def test_calls_and_their_connections_go_through_the_proxy(raw: RawServer) -> None:
    raw.answers = [writing(ANSWER), writing(ANSWER)]
    async with connect_proxy(raw.port) as proxy, Client(through(raw, proxy.url)) as client:
        for _ in range(2):
            assert (await client.get(VERSION, into=Version)).git_version == "v1.36.3"
    assert proxy.asked == [f"member.example.com:{raw.port}"], "one tunnel serves both calls"
    assert b"\r\nHost: member.example.com" in raw.requests[0]


async def test_an_ipv6_server_is_asked_for_in_brackets(raw: RawServer) -> None:
    raw.answers = [writing(ANSWER)]
    async with connect_proxy(raw.port) as proxy, Client(through(raw, proxy.url, host="2001:db8::7")) as client:
        await client.get(VERSION, into=Version)
    assert proxy.asked == [f"[2001:db8::7]:{raw.port}"]


async def test_what_is_behind_the_tunnel_is_verified(raw: RawServer) -> None:
    async with connect_proxy(raw.port) as proxy:
        wrong = replace(through(raw, proxy.url), server_name="other.example.com")
        async with Client(wrong) as client:
            with pytest.raises(TLSFailure):
                await client.get(VERSION, into=Version)
    assert raw.requests == []


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that gives one answer to everybody; its URL and what it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 canary\r\n\r\n", "makes no tunnel to the server (403)"),
        (b"HTTP/1.0 502 Bad Gateway\r\nX: canary\r\n\r\ncanary", "makes no tunnel to the server (502)"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "another user and password in proxy-url (407)"),
        (b"SSH-2.0-canary\r\n\r\n", "does not answer as an HTTP proxy does"),
        (b"", "does not answer as an HTTP proxy does"),
        (b"HTTP/1.1 200 " + b"canary" * 4000, "does not answer as an HTTP proxy does"),
        (b"HTTP/1.1 200 OK\r\n\r\ncanary", "says more than a tunnel may"),
    ],
    ids=["forbidden", "bad gateway", "login", "ssh", "nothing", "endless", "too much"],
)
async def test_a_proxy_that_makes_no_tunnel_is_told(raw: RawServer, answer: bytes, words: str) -> None:
    async with saying(answer) as (url, heard), Client(through(raw, url, login="hub:secret")) as client:
        with pytest.raises(Unreachable) as caught:
            await client.get(VERSION, into=Version)
    assert caught.value.reason == "ProxyRefused"
    assert words in caught.value.message
    assert "canary" not in str(caught.value)
    assert not caught.value.outcome_unknown
    assert b"Proxy-Authorization: Basic aHViOnNlY3JldA==\r\n" in heard[0]
    assert b"Bearer" not in heard[0], "the member's token is not for the proxy"


async def test_a_proxy_that_is_not_there_is_a_refused_connection(raw: RawServer) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with Client(through(raw, f"http://127.0.0.1:{bound.getsockname()[1]}")) as client:
            with pytest.raises(Unreachable) as caught:
                await client.get(VERSION, into=Version)
    assert caught.value.reason == "ConnectionRefused"
