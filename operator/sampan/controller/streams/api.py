"""`computejobs/NAME/exec`, `attach` and `portforward` over HTTP: a WebSocket to whoever asks, another one to the member of the job's pod.

The member is asked first, so that what it refuses has a code of HTTP. Never here: which pod, who may, how messages are passed.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from sampan.controller.logs.pace import Pace
from sampan.controller.logs.pods import LogWorld
from sampan.controller.state.record import JobRecord
from sampan.controller.streams.authorization import Authorizer, Person, person
from sampan.controller.streams.limits import OpenStreams
from sampan.controller.streams.options import V4, StreamKind, StreamOptions, stream_options
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.controller.streams.relay import CLIENT, MEMBER, PATIENCE, End, Peer, relay
from sampan.controller.streams.target import Target, target_of
from sampan.kube.buffers import bound_buffers
from sampan.kube.errors import Invalid, KubeError, NotFound
from sampan.kube.text import clean_text
from sampan.kube.transport.client import LOG_BUFFER
from sampan.kube.websocket import MAX_MESSAGE, Signal, WebSocket

log = logging.getLogger(__name__)

STDIN, STDOUT, STDERR, STATUS, RESIZE = range(5)
"""Channels of a remote command."""
DATA, TROUBLE = range(2)
"""Channels of a forwarded port."""
LAST_WORDS: Final = 0.5
"""Seconds for which the last message may wait for its reader at the operator's end: shorter than what the server leaves its handlers."""
FAREWELL: Final = 10.0
"""Seconds in which a member must have taken what was sent to it before whoever asked left."""
_WORDS: Final = {
    End.MEMBER_ENDED: "the member of offer {offer} ended the stream before the command did",
    End.MEMBER_SILENT: "the member of offer {offer} is silent: the stream was given up",
    End.MEMBER_INVALID: "the member of offer {offer} sent what is no message of this stream",
    End.CLIENT_INVALID: "a message was on a channel that only the other side may use, or on none",
    End.CLIENT_SILENT: "nothing was read, or no ping answered, for too long",
    End.STOPPED: "the hub's operator restarts: open the stream again",
}


class ClientConnection:
    """Whoever asks, through the hub's API server."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """Take a socket that was prepared."""
        self._socket = socket

    async def receive(self) -> bytes | Signal:
        """See `relay.Connection`. Text is a message on no channel."""
        while True:
            got = await self._socket.receive()
            if got.type is WSMsgType.BINARY:
                return bytes(got.data)
            if got.type is WSMsgType.TEXT:
                return b""
            if got.type is WSMsgType.PONG:
                return Signal.PONG
            if got.type is not WSMsgType.PING:
                return Signal.END
            await self._socket.pong(got.data)

    async def send(self, message: bytes) -> None:
        """See `relay.Connection`."""
        await self._socket.send_bytes(message)

    async def ping(self) -> None:
        """See `relay.Connection`."""
        await self._socket.ping()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """What is asked for, by whom, and where it leads."""

    options: StreamOptions
    who: Person
    record: JobRecord
    target: Target

    def told(self) -> dict[str, Any]:
        """What is logged of it: who went where, never what was said."""
        told = {
            "kind": str(self.options.kind),
            "user": clean_text(self.who.user),
            "namespace": self.record.namespace,
            "job": self.record.name,
            "rank": self.options.rank,
            "offer": self.target.offer,
        }
        return {**told, "command": self.options.command} if self.options.command else told


@dataclass(slots=True)
class StreamApi:
    """Answers requests for streams. All share one pace with the logs."""

    world: LogWorld
    authorizer: Authorizer
    pace: Pace
    limits: OpenStreams = field(default_factory=OpenStreams)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """End all streams with a word why."""
        self._stopping.set()

    async def serve(self, request: web.Request, record: JobRecord, kind: StreamKind) -> web.StreamResponse:
        """Carry one stream to its end. Raises StreamRefusedError where there is none to be had."""
        who = person(request.headers)
        try:
            await self.authorizer.check(who, kind, namespace=record.namespace, job=record.name)
        except StreamRefusedError as error:
            said = {"kind": str(kind), "user": clean_text(who.user), "namespace": record.namespace, "job": record.name}
            log.warning("stream.refused", extra={**said, "code": error.code})
            raise
        options = stream_options(kind, request.query)
        opening = _Opening(options=options, who=who, record=record, target=target_of(self.world, record, options.rank))
        socket = web.WebSocketResponse(protocols=[kind.offered], autoping=False, compress=False, max_msg_size=MAX_MESSAGE, timeout=PATIENCE)
        offered = socket.can_prepare(request)
        if not offered.ok or offered.protocol != kind.offered:
            raise StreamRefusedError(400, f"{kind} is a WebSocket with subprotocol {kind.offered}: upgrade to that")
        with self.limits.slot(namespace=record.namespace, user=who.user):
            return await self._open(request, socket, opening)

    async def _open(self, request: web.Request, socket: web.WebSocketResponse, opening: _Opening) -> web.StreamResponse:
        kind, target = opening.options.kind, opening.target
        try:
            async with target.client.websocket(target.path(kind), opening.options.params, kind.wanted) as member:
                if member.subprotocol == V4 and opening.options.ends_input:
                    old = f"the member of offer {target.offer} is older than Kubernetes 1.30 and learns of no end of input"
                    raise StreamRefusedError(501, f"{old}: use a terminal, or no input")
                await socket.prepare(request)
                if request.transport is not None:
                    bound_buffers(request.transport, LOG_BUFFER)
                await self._carry(request, socket, member, opening=opening)
        except KubeError as error:
            raise _refused(error, opening) from error
        return socket

    async def _carry(self, request: web.Request, socket: web.WebSocketResponse, member: WebSocket, *, opening: _Opening) -> None:
        kind = opening.options.kind
        is_port = kind is StreamKind.PORTFORWARD
        client = Peer(ClientConnection(socket), CLIENT, channels=frozenset({DATA} if is_port else {STDIN, RESIZE}))
        other = Peer(member, MEMBER, channels=frozenset({DATA, TROUBLE} if is_port else {STDOUT, STDERR, STATUS}))
        began = asyncio.get_running_loop().time()
        log.info("stream.opened", extra=opening.told())
        end = None
        try:
            end = await relay(client, other, pace=self.pace, stopping=self._stopping)
            whole = end is End.MEMBER_ENDED and (is_port or STATUS in other.spoken)
            if end is not End.CLIENT_LEFT:
                words = () if whole else (_last_message(kind, _WORDS[end].format(offer=opening.target.offer)),)
                await _say(socket, words, request, within=LAST_WORDS if end is End.STOPPED else PATIENCE)
            if end is not End.STOPPED:
                await _close(member)
        finally:
            counted = {"seconds": round(asyncio.get_running_loop().time() - began, 1), "sent": client.received, "received": client.sent}
            log.info("stream.ended", extra={**opening.told(), "end": str(end) if end else "Cancelled", **counted})


def _last_message(kind: StreamKind, words: str) -> bytes:
    """Why a stream ends, on the channel that tells of trouble."""
    if kind is StreamKind.PORTFORWARD:
        return bytes([TROUBLE]) + words.encode()
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500}
    return bytes([STATUS]) + json.dumps({**status, "message": words}).encode()


async def _say(socket: web.WebSocketResponse, messages: Sequence[bytes], request: web.Request, *, within: float) -> None:
    """Send the last messages, and close once all that was sent is read; whoever takes too long is cut off."""
    try:
        async with asyncio.timeout(within):
            for message in messages:
                await socket.send_bytes(message)
            await socket.close(drain=True)
    except (TimeoutError, OSError):
        if request.transport is not None:
            request.transport.abort()


async def _close(member: WebSocket) -> None:
    """Tell the member, and wait until it has read all before that; whether it does makes no difference here."""
    try:
        async with asyncio.timeout(FAREWELL):
            await member.close()
            while await member.receive() is not Signal.END:
                pass
    except (TimeoutError, OSError):
        return


def _refused(error: KubeError, opening: _Opening) -> StreamRefusedError:
    """Why a member opens no stream, in words for whoever asked."""
    kind, offer = opening.options.kind, opening.target.offer
    if error.status == 403:
        missing = f"its provider sets {kind.value_of_chart}=true of the chart sampan-member to allow it"
        return StreamRefusedError(502, f"the member of offer {offer} does not let the hub use pods/{kind}: {missing}")
    if isinstance(error, NotFound):
        return StreamRefusedError(404, f"the pod of rank {opening.options.rank} has gone from the member of offer {offer}: try again")
    code = 400 if isinstance(error, Invalid) else 502
    return StreamRefusedError(code, f"the member of offer {offer} opens no {kind}: {error.reason}: {error.message}")
