"""Calls and streams against a server that may do anything: which connection serves, what is sent again, and what is dropped."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from sampan.kube.errors import BadReply, Invalid, KubeError, TooLarge, Unreachable
from sampan.kube.objects.meta import PartialObject
from sampan.kube.transport.client import Client
from sampan.kube.transport.http_reply import ReplyCutOff
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.session import Request, Session
from unit.kube.raw_server import CHUNKED, Answer, RawServer, endless, writing

PATH = resource_path("v1", "configmaps", namespace="ns", name="x")
GET = Request(method="GET", path=PATH.url)
OBJECT = b'{"metadata": {"name": "x", "namespace": "ns", "uid": "u", "resourceVersion": "1"}}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OBJECT), OBJECT)


@pytest.fixture
async def client(raw: RawServer) -> AsyncIterator[Client]:
    limits = Limits(timeout=60.0, connect_timeout=60.0, max_body=100_000)
    async with Client(raw.credentials(), limits=limits) as one:
        yield one


async def patch(client: Client) -> PartialObject:
    """A write."""
    return await client.patch(PATH, {"data": {"a": "b"}}, into=PartialObject)


async def get(client: Client) -> PartialObject:
    """A read."""
    return await client.get(PATH, into=PartialObject)


async def test_a_request_says_all_that_it_must_and_no_more(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(WHOLE)] * 3
    await get(client)
    await patch(client)
    await client.delete(PATH)
    read, write, delete = (request.decode().split("\r\n") for request in raw.requests)
    assert read[0] == "GET /api/v1/namespaces/ns/configmaps/x HTTP/1.1"
    assert f"Host: 127.0.0.1:{raw.port}" in read
    assert "Authorization: Bearer good" in read
    assert not [line for line in read if line.startswith(("Content-", "Transfer-", "Cookie", "Connection"))]
    assert write[0].startswith("PATCH ")
    assert "Content-Type: application/merge-patch+json" in write
    assert f"Content-Length: {len(write[-1])}" in write
    assert write[-1] == '{"data":{"a":"b"}}'
    assert delete[0].startswith("DELETE ")
    assert "Content-Type: application/json" in delete


async def test_calls_one_after_the_other_share_a_connection(raw: RawServer, client: Client) -> None:
    chunks = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(OBJECT), OBJECT)
    raw.answers = [writing(WHOLE), writing(chunks), writing(b"HTTP/1.1 100 Continue\r\n\r\n", WHOLE), writing(chunks[:60], chunks[60:])]
    for _ in range(4):
        assert (await patch(client)).metadata.name == "x"
    assert raw.connections == 1


async def test_calls_at_once_have_one_each_and_leave_them_to_the_next(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(WHOLE)] * 9
    await asyncio.gather(*(get(client) for _ in range(3)))
    opened = raw.connections
    assert opened <= 3
    await asyncio.gather(*(get(client) for _ in range(opened)))
    assert raw.connections == opened


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), id="announced"),
        pytest.param(WHOLE + b"x", id="more than the reply"),
        pytest.param(WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"), id="an old server"),
    ],
)
async def test_a_connection_that_cannot_go_on_serves_no_other_call(raw: RawServer, client: Client, last: bytes) -> None:
    raw.answers = [writing(last), writing(WHOLE)]
    await patch(client)
    await patch(client)
    assert raw.connections == 2


async def test_what_comes_unasked_is_no_reply_to_the_next_call(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(WHOLE, WHOLE.replace(b'"u"', b'"forged"')), writing(WHOLE)]
    await get(client)
    await raw.until(lambda: raw.ended == 1)
    assert (await get(client)).metadata.uid == "u"
    assert raw.connections == 2


async def test_a_read_is_sent_again_where_a_used_connection_ended_without_a_byte(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(WHOLE), writing(then="close"), writing(WHOLE), writing(then="close"), writing(WHOLE)]
    await get(client)
    await get(client)
    await client.delete(PATH)
    assert [request[:3] for request in raw.requests] == [b"GET", b"GET", b"GET", b"DEL", b"DEL"]


async def test_a_write_is_never_sent_again(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(WHOLE), writing(then="close")]
    await patch(client)
    with pytest.raises(Unreachable) as caught:
        await patch(client)
    assert caught.value.outcome_unknown
    assert len(raw.requests) == 2


async def test_a_read_is_not_sent_again_on_a_connection_that_never_served(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(then="close")]
    with pytest.raises(Unreachable):
        await get(client)
    assert len(raw.requests) == 1


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(writing(WHOLE[:-5], then="close"), Unreachable, id="a body shorter than was said"),
        pytest.param(writing(WHOLE[:20], then="close"), Unreachable, id="half the headers"),
        pytest.param(writing(CHUNKED + b"5\r\nhel", then="close"), Unreachable, id="half a chunk"),
        pytest.param(writing(CHUNKED + b"xyz\r\nhello\r\n", then="silent"), BadReply, id="a chunk without a size"),
        pytest.param(writing(b"hello\r\n\r\n", then="silent"), BadReply, id="not HTTP"),
        pytest.param(writing(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", then="silent"), BadReply, id="another protocol"),
        pytest.param(writing(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: br\r\n\r\nabc"), BadReply, id="an encoding"),
        pytest.param(writing(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc"), BadReply, id="no gzip"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n", b"X: %b\r\n" % (b"y" * 500)), BadReply, id="endless headers"),
        pytest.param(endless(CHUNKED, b"5\r\nhello\r\n" * 100), TooLarge, id="endless chunks"),
        pytest.param(endless(CHUNKED + b"0\r\n", b"X: %b\r\n" % (b"y" * 500)), BadReply, id="endless trailers"),
        pytest.param(endless(CHUNKED + b"1;", b"x" * 500), BadReply, id="an endless extension"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000), TooLarge, id="a body without an end"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", b"x" * 1000), TooLarge, id="a large body"),
    ],
)
async def test_a_bad_reply_leaves_a_write_unknown_and_its_connection_goes(
    raw: RawServer, client: Client, answer: Answer, want: type[KubeError]
) -> None:
    raw.answers = [answer, writing(WHOLE)]
    with pytest.raises(want) as caught:
        await patch(client)
    assert caught.value.outcome_unknown
    await patch(client)
    assert raw.connections == 2


async def test_a_body_without_a_length_ends_with_the_connection(raw: RawServer, client: Client) -> None:
    raw.answers = [writing(b"HTTP/1.1 200 OK\r\n\r\n", OBJECT, then="close")]
    assert (await get(client)).metadata.uid == "u"


async def test_gzip_that_came_though_nobody_asked(raw: RawServer, client: Client) -> None:
    packed = gzip.compress(OBJECT)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    raw.answers = [writing(head % len(packed) + packed), writing(head % (len(packed) - 9) + packed[:-9])]
    assert (await get(client)).metadata.uid == "u"
    with pytest.raises(Unreachable):
        await get(client)


async def test_slow_headers_cost_one_timeout_and_the_connection(raw: RawServer) -> None:
    raw.answers = [writing(b"HTTP/1.1 200 OK\r\nX-", b"A: b\r\n", then="silent"), writing(WHOLE)]
    async with Client(raw.credentials(), limits=Limits(timeout=1.0)) as client:
        with pytest.raises(Unreachable, match="Timeout") as caught:
            await patch(client)
    assert caught.value.outcome_unknown
    async with Client(raw.credentials(), limits=Limits(timeout=60.0)) as client:
        await patch(client)


async def test_a_cancelled_call_closes_its_connection(raw: RawServer, client: Client) -> None:
    answering = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        writer.write(WHOLE.replace(b'"u"', b'"late"'))
        await writer.drain()

    raw.answers = [late, writing(WHOLE)]
    call = asyncio.create_task(patch(client))
    await raw.until(lambda: len(raw.requests) == 1)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    answering.set()
    assert (await patch(client)).metadata.uid == "u"
    assert raw.connections == 2


async def test_a_server_that_answers_before_it_read_the_request(raw: RawServer, client: Client) -> None:
    """A proxy that refuses a large body; what it did not read must not become its next request."""
    raw.answers = [writing(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", then="silent"), writing(WHOLE)]
    raw.reads_bodies = False
    with pytest.raises(Invalid):
        await client.patch(PATH, {"data": {"a": "b" * 20_000_000}}, into=PartialObject)
    raw.reads_bodies = True
    await patch(client)
    assert raw.connections == 2


async def test_closing_ends_calls_in_flight_and_every_connection(raw: RawServer) -> None:
    raw.answers = [writing(WHOLE), writing(then="silent")]
    one = Session(raw.credentials(), Limits(connect_timeout=60.0))
    await one.send(GET)
    call = asyncio.create_task(one.send(GET))
    await raw.until(lambda: len(raw.requests) == 2)
    await one.close()
    with pytest.raises(ReplyCutOff):
        await call
    with pytest.raises(RuntimeError):
        await one.send(GET)


async def test_a_header_cannot_begin_another_line(raw: RawServer) -> None:
    one = Session(raw.credentials(), Limits())
    with pytest.raises(ValueError, match="Content-Type"):
        await one.send(Request(method="GET", path=PATH.url, headers={"Content-Type": "a\r\nX-Forged: b"}))
    await one.close()
    assert raw.requests == []
