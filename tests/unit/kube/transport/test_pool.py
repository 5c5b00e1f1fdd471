"""Which connections serve again, and how one that is not wanted any more goes."""

import asyncio

import pytest

from sampan.kube.transport.connection import Connection
from sampan.kube.transport.pool import ConnectionPool, NotConnected
from unit.kube.fake_api import until
from unit.kube.raw_server import RawServer, writing

GET = b"GET / HTTP/1.1\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_connection_that_the_server_closed_meanwhile_serves_no_call(raw: RawServer) -> None:
    raw.answers = [writing(GOOD, then="close")]
    pool = ConnectionPool(raw.credentials(), connect_timeout=60.0)
    connection = await pool.dial()
    await connection.call(GET, 1000)
    pool.give_back(connection)
    await until(lambda: connection.closed)
    assert pool.idle() is None
    await pool.close()


async def test_an_idle_connection_goes_after_a_while(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampan.kube.transport.pool.KEEP_ALIVE", 0.1)
    raw.answers = [writing(GOOD)]
    pool = ConnectionPool(raw.credentials(), connect_timeout=60.0)
    connection = await pool.dial()
    await connection.call(GET, 1000)
    pool.give_back(connection)
    await raw.until(lambda: raw.ended == 1)
    assert pool.idle() is None
    await pool.close()


async def test_a_connection_that_nobody_waits_for_any_more_is_dropped(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled in the very moment in which the handshake is over."""
    made: list[Connection] = []
    connection_made = Connection.connection_made

    def cancelling(connection: Connection, transport: asyncio.BaseTransport) -> None:
        connection_made(connection, transport)
        made.append(connection)
        dialling.cancel()

    monkeypatch.setattr(Connection, "connection_made", cancelling)
    pool = ConnectionPool(raw.credentials(), connect_timeout=60.0)
    dialling = asyncio.create_task(pool.dial())
    await asyncio.wait([dialling])
    assert dialling.cancelled()
    assert made[0].closed
    await raw.until(lambda: raw.ended == 1)
    await pool.close()


async def test_a_server_that_says_nothing_at_the_handshake_costs_the_connect_timeout() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()
        gone.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        raw = RawServer()
        raw.port = server.sockets[0].getsockname()[1]
        pool = ConnectionPool(raw.credentials(), connect_timeout=0.5)
        with pytest.raises(NotConnected) as caught:
            await pool.dial()
        assert isinstance(caught.value.error, TimeoutError)
        await asyncio.wait_for(gone.wait(), 180)
        await pool.close()
