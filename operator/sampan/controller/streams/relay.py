"""Messages from one side to the other and back, until one of them ends. Never here: what connects them, what a message says.

Neither side can make the hub keep much: what one does not take, the other is not asked for. A side that is gone without a word is told
from one that is slow by pings: a pong proves that all that was sent before was read.
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from sampan.controller.logs.pace import Pace
from sampan.kube.websocket import Signal

PING_EVERY: Final = 20.0
"""Seconds; also what keeps a connection that is quiet open at load balancers and the like."""
SILENCE: Final = 60.0
"""Seconds after which a side that has read all, and answers no ping, counts as gone."""
PATIENCE: Final = 600.0
"""The same of a side that has not read all yet: somebody who scrolls back, a command that takes no input for now."""
END_OF_CHANNEL: Final = 255


class End(StrEnum):
    """How a stream ended."""

    CLIENT_LEFT = "ClientLeft"
    CLIENT_SILENT = "ClientSilent"
    CLIENT_INVALID = "ClientInvalid"
    MEMBER_ENDED = "MemberEnded"
    MEMBER_SILENT = "MemberSilent"
    MEMBER_INVALID = "MemberInvalid"
    STOPPED = "Stopped"


class Connection(Protocol):
    """One side. All methods raise OSError once it is gone."""

    async def receive(self) -> bytes | Signal:
        """Return the next message, or what came in its place."""

    async def send(self, message: bytes) -> None:
        """Send a message; wait while the other side takes nothing."""

    async def ping(self) -> None:
        """Ask for a sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Of one side: how a stream ended by it."""

    left: End
    silent: End
    invalid: End


CLIENT: Final = Ends(left=End.CLIENT_LEFT, silent=End.CLIENT_SILENT, invalid=End.CLIENT_INVALID)
MEMBER: Final = Ends(left=End.MEMBER_ENDED, silent=End.MEMBER_SILENT, invalid=End.MEMBER_INVALID)


@dataclass(slots=True)
class Peer:
    """A side, and what is known of whether it is still there."""

    connection: Connection
    ends: Ends
    channels: frozenset[int]
    """It may send on these."""
    sent: int = 0
    received: int = 0
    """Bytes, with the channels' numbers."""
    spoken: set[int] = field(default_factory=set)
    """The channels that it sent on."""
    _heard: float = 0.0
    """When, in the event loop's time; while it is not read it is not expected to say anything."""
    _read: bool = True
    _asked: int | None = None
    """Bytes sent before the ping that was not answered yet."""
    _answered: int = 0
    """Bytes sent before the last ping that was."""

    async def next(self) -> bytes | Signal:
        """Return what comes next."""
        self._read, self._heard = True, _now()
        got = await self.connection.receive()
        self._read, self._heard = False, _now()
        if got is Signal.PONG:
            self._answered, self._asked = self._asked or 0, None
        elif isinstance(got, bytes):
            self.received += len(got)
        return got

    async def put(self, message: bytes) -> None:
        """Pass a message on."""
        self.sent += len(message)
        await self.connection.send(message)

    async def look(self) -> bool:
        """Ping where no answer is waited for; tell whether the side counts as gone."""
        if self._read and _now() - self._heard > (PATIENCE if self.sent > self._answered else SILENCE):
            return True
        if self._asked is None:
            self._asked = self.sent
            await self.connection.ping()
        return False


def _now() -> float:
    return asyncio.get_running_loop().time()


async def relay(client: Peer, member: Peer, *, pace: Pace, stopping: asyncio.Event) -> End:
    """Pass messages both ways until a side ends, is gone, says what it may not, or the operator stops."""
    parts = (_pass(member, client, pace), _pass(client, member, pace), _watch(client), _watch(member), _stop(stopping))
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task.result() for task in tasks if task.done())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(source: Peer, sink: Peer, pace: Pace) -> End:
    """Pass on what one side says."""
    while True:
        try:
            got = await source.next()
        except OSError:
            return source.ends.left
        if got is Signal.END:
            return source.ends.left
        if not isinstance(got, bytes):
            continue
        channel = _channel(got)
        if channel not in source.channels:
            return source.ends.invalid
        source.spoken.add(channel)
        await pace.spend(len(got))
        try:
            async with asyncio.timeout(PATIENCE):
                await sink.put(got)
        except TimeoutError:
            return sink.ends.silent
        except OSError:
            return sink.ends.left


def _channel(message: bytes) -> int:
    """The channel of a message, or the one that it ends; -1 where it is none."""
    if message[:1] == bytes([END_OF_CHANNEL]):
        return message[1] if len(message) == 2 else -1
    return message[0] if message else -1


async def _watch(peer: Peer) -> End:
    """Return once a side counts as gone."""
    while True:
        await asyncio.sleep(PING_EVERY)
        try:
            async with asyncio.timeout(PING_EVERY):  # where it takes nothing the ping waits behind what was sent before
                if await peer.look():
                    return peer.ends.silent
        except TimeoutError:
            continue  # asked again the next time
        except OSError:
            return peer.ends.left


async def _stop(stopping: asyncio.Event) -> End:
    await stopping.wait()
    return End.STOPPED
