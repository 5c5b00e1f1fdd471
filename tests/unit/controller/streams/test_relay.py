"""Messages between two sides, in time that only passes when nobody has anything to do."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sampan.controller.logs.pace import Pace
from sampan.controller.streams import relay as relaying
from sampan.controller.streams.relay import CLIENT, MEMBER, End, Ends, Peer, relay
from sampan.kube.websocket import Signal

pytestmark = pytest.mark.looptime
HOUR = 3600.0


class Side:
    """A side that says what a test queues. `alive`: it answers pings; `takes`: it reads."""

    def __init__(self, *, alive: bool = True) -> None:
        self.says: asyncio.Queue[bytes | Signal | OSError] = asyncio.Queue()
        self.got: list[bytes] = []
        self.alive = alive
        self.takes = asyncio.Event()
        self.takes.set()

    async def receive(self) -> bytes | Signal:
        """See `relay.Connection`."""
        said = await self.says.get()
        if isinstance(said, OSError):
            raise said
        return said

    async def send(self, message: bytes) -> None:
        """See `relay.Connection`."""
        self.got.append(message)
        await self.takes.wait()

    async def ping(self) -> None:
        """See `relay.Connection`."""
        if self.alive and self.takes.is_set():
            self.says.put_nowait(Signal.PONG)

    def peer(self, ends: Ends, *channels: int) -> Peer:
        """The side as the relay has it."""
        return Peer(self, ends, channels=frozenset(channels))


async def carried(client: Side, member: Side, act: Callable[[], Awaitable[None]] | None = None) -> tuple[End, float]:
    """Relay until it ends, while something is done; how it ended, and after how many seconds."""
    began = asyncio.get_running_loop().time()
    relayed = asyncio.create_task(relay(client.peer(CLIENT, 0, 4), member.peer(MEMBER, 1, 2, 3), pace=Pace(), stopping=asyncio.Event()))
    if act is not None:
        await act()
    return await relayed, asyncio.get_running_loop().time() - began


async def test_messages_pass_both_ways_until_the_member_ends() -> None:
    client, member = Side(), Side()
    for message in (b"\x00in", b"\xff\x00", b"\x04{}"):
        client.says.put_nowait(message)

    async def act() -> None:
        await asyncio.sleep(1)
        for message in (b"\x01out", b"\x02err", b"\x03{}"):
            member.says.put_nowait(message)
        member.says.put_nowait(Signal.END)

    assert (await carried(client, member, act))[0] is End.MEMBER_ENDED
    assert (member.got, client.got) == ([b"\x00in", b"\xff\x00", b"\x04{}"], [b"\x01out", b"\x02err", b"\x03{}"])


@pytest.mark.parametrize(
    ("of", "says", "want"),
    [
        ("client", Signal.END, End.CLIENT_LEFT),
        ("client", ConnectionResetError(), End.CLIENT_LEFT),
        ("member", ConnectionResetError(), End.MEMBER_ENDED),
        ("client", b"\x01forged output", End.CLIENT_INVALID),
        ("client", b"", End.CLIENT_INVALID),
        ("client", b"\xff\x01", End.CLIENT_INVALID),
        ("client", b"\xff", End.CLIENT_INVALID),
        ("member", b"\x00input?", End.MEMBER_INVALID),
        ("member", b"\x07", End.MEMBER_INVALID),
    ],
)
async def test_a_side_that_goes_or_says_what_it_may_not_ends_it(of: str, says: bytes | Signal | OSError, want: End) -> None:
    sides = {"client": Side(), "member": Side()}
    sides[of].says.put_nowait(says)
    assert (await carried(sides["client"], sides["member"]))[0] is want
    assert not sides["client"].got
    assert not sides["member"].got


async def test_two_quiet_sides_that_answer_pings_stay_connected() -> None:
    client, member = Side(), Side()

    async def act() -> None:
        await asyncio.sleep(HOUR)
        member.says.put_nowait(Signal.END)

    assert await carried(client, member, act) == (End.MEMBER_ENDED, HOUR)


@pytest.mark.parametrize(("dead", "want"), [("client", End.CLIENT_SILENT), ("member", End.MEMBER_SILENT)])
async def test_a_side_that_answers_no_ping_is_given_up(dead: str, want: End) -> None:
    end, seconds = await carried(Side(alive=dead != "client"), Side(alive=dead != "member"))
    assert end is want
    assert relaying.SILENCE < seconds <= relaying.SILENCE + relaying.PING_EVERY


async def test_a_reader_that_pauses_is_not_taken_for_one_that_is_gone() -> None:
    client, member = Side(), Side()

    async def act() -> None:
        client.takes.clear()
        for _ in range(100):
            member.says.put_nowait(b"\x01x")
        await asyncio.sleep(relaying.PATIENCE - 60)
        assert len(client.got) == 1  # the member is not asked for more than its reader takes
        client.takes.set()
        await asyncio.sleep(1)
        assert len(client.got) == 100
        await client.ping()
        member.says.put_nowait(Signal.END)

    assert (await carried(client, member, act))[0] is End.MEMBER_ENDED


async def test_a_reader_that_takes_nothing_for_long_is_given_up() -> None:
    client, member = Side(), Side()
    client.takes.clear()
    member.says.put_nowait(b"\x01x")
    end, seconds = await carried(client, member)
    assert end is End.CLIENT_SILENT
    assert relaying.PATIENCE <= seconds <= relaying.PATIENCE + relaying.PING_EVERY


async def test_a_command_that_takes_no_input_for_now_ends_neither_side() -> None:
    client, member = Side(), Side()

    async def act() -> None:
        member.takes.clear()
        for _ in range(3):
            client.says.put_nowait(b"\x00x")
        await asyncio.sleep(relaying.PATIENCE - 60)
        member.takes.set()
        await asyncio.sleep(1)
        assert len(member.got) == 3
        member.says.put_nowait(Signal.END)

    assert (await carried(client, member, act))[0] is End.MEMBER_ENDED


async def test_the_operator_s_end_ends_it() -> None:
    client, member, stopping = Side(), Side(), asyncio.Event()
    relayed = asyncio.create_task(relay(client.peer(CLIENT, 0), member.peer(MEMBER, 1), pace=Pace(), stopping=stopping))
    await asyncio.sleep(100)
    stopping.set()
    assert await relayed is End.STOPPED


async def test_endless_output_keeps_to_the_pace() -> None:
    client, member, stopping, pace = Side(), Side(), asyncio.Event(), Pace(rate=1000)
    await asyncio.sleep(10)
    for _ in range(100):
        member.says.put_nowait(b"\x01" + b"x" * 99)
    relayed = asyncio.create_task(relay(client.peer(CLIENT, 0), member.peer(MEMBER, 1), pace=pace, stopping=stopping))
    await asyncio.sleep(5.05)
    assert len(client.got) == 60  # a second's worth at once, then a thousand bytes a second
    stopping.set()
    await relayed
