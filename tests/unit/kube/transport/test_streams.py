"""Streams from a server that may do anything."""

import asyncio

import pytest

from sampan.kube.transport.connection import Connection
from sampan.kube.transport.http_reply import BadHTTP, ReplyCutOff
from sampan.kube.transport.limits import MIB, Limits
from sampan.kube.transport.session import Request, Session, Streaming
from unit.kube.fake_api import BASE, until
from unit.kube.raw_server import CHUNKED, Answer, RawServer, writing

GET = Request(method="GET", path=BASE)


async def test_a_stream_that_is_cut_off_is_told_so(raw: RawServer) -> None:
    raw.answers = [writing(CHUNKED + b"5\r\nfirst\r\n", then="close")]
    one = Session(raw.credentials(), Limits(connect_timeout=60.0))
    async with one.stream(GET, Streaming(open_timeout=60, read_timeout=60, buffer=MIB)) as stream:
        chunks = stream.chunks()
        assert await anext(chunks) == b"first"
        with pytest.raises(ReplyCutOff):
            await anext(chunks)
    await one.close()


async def test_a_stream_waits_for_its_reader(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    hold = Connection.hold

    def holding(connection: Connection, *, back: bool) -> None:
        held.append(back)
        hold(connection, back=back)

    async def many(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        for _ in range(200):
            writer.write(b"%x\r\n%b\r\n" % (100_000, b"y" * 100_000))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    monkeypatch.setattr(Connection, "hold", holding)
    raw.answers = [many]
    one = Session(raw.credentials(), Limits(connect_timeout=60.0))
    async with one.stream(GET, Streaming(open_timeout=60, read_timeout=60, buffer=MIB)) as stream:
        await until(lambda: bool(held))
        assert held == [True]
        assert sum([len(chunk) async for chunk in stream.chunks()]) == 20_000_000
    assert held[:2] == [True, False]
    await one.close()


WHOLE = CHUNKED + b"5\r\nfirst\r\n0\r\n\r\n"


async def read(one: Session) -> list[bytes]:
    """Read a stream to its end."""
    async with one.stream(GET, Streaming(open_timeout=60, read_timeout=60, buffer=MIB)) as stream:
        return [chunk async for chunk in stream.chunks()]


async def test_streams_that_end_whole_share_a_connection_and_a_stream_that_is_left_drops_its_own(raw: RawServer) -> None:
    raw.answers = [writing(WHOLE), writing(WHOLE), writing(CHUNKED + b"5\r\nfirst\r\n", then="silent"), writing(WHOLE)]
    one = Session(raw.credentials(), Limits(connect_timeout=60.0))
    assert [await read(one), await read(one)] == [[b"first"], [b"first"]]
    assert raw.connections == 1
    async with one.stream(GET, Streaming(open_timeout=60, read_timeout=60, buffer=MIB)) as stream:
        assert await anext(stream.chunks()) == b"first"
    assert await read(one) == [b"first"]
    assert raw.connections == 2
    await one.close()


async def test_a_stream_on_a_connection_that_has_died_begins_on_another(raw: RawServer) -> None:
    raw.answers = [writing(WHOLE), writing(then="close"), writing(WHOLE)]
    one = Session(raw.credentials(), Limits(connect_timeout=60.0))
    assert [await read(one), await read(one)] == [[b"first"], [b"first"]]
    assert (len(raw.requests), raw.connections) == (3, 2)
    await one.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(writing(b"hello\r\n\r\n", then="silent"), id="not HTTP"),
        pytest.param(writing(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), then="silent"), id="an encoding"),
        pytest.param(writing(CHUNKED + b"xyz\r\n", then="silent"), id="a chunk without a size"),
    ],
)
async def test_a_bad_stream(raw: RawServer, answer: Answer) -> None:
    raw.answers = [answer]
    one = Session(raw.credentials(), Limits(connect_timeout=60.0))

    with pytest.raises(BadHTTP):
        await read(one)
    await one.close()
