"""A WebSocket (RFC 6455) as the client of an API server: messages in and out, with the server waiting while we do not read.

Lives here: the handshake's headers, messages from frames, what to do about pings and closes.
Must never live here: connections, credentials, what a message means. Frames are coded and checked by the library `websockets`.
"""

import base64
import contextlib
import hashlib
import logging
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from sampan.kube.transport.http_reply import BadHTTP
from sampan.kube.transport.session import Request, Upgrade

MAX_MESSAGE: Final = 256 * 1024
"""Bytes of a message; API servers and kubelets send at most 32 KiB at once."""
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SILENT: Final = logging.getLogger("sampan.websocket")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class Signal(Enum):
    """What may come in the place of a message."""

    PONG = auto()
    """The other side answered a ping: it read all that was sent before."""
    END = auto()
    """Nothing more will come."""


def handshake(request: Request, protocols: Sequence[str]) -> tuple[Request, str]:
    """Return the request as one for a WebSocket with one of these subprotocols, best first; and the key that its answer must prove."""
    key = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
    headers = {
        "Accept": "*/*",  # of JSON alone an API server would say 406
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": ", ".join(protocols),
    }
    return replace(request, headers={**request.headers, **headers}), key


class WebSocket:
    """An open one. One task may read; each message is sent whole, whoever sends."""

    def __init__(self, upgrade: Upgrade, key: str, protocols: Sequence[str]) -> None:
        """Take over what was upgraded. Raises BadHTTP where the answer is not one to our question."""
        headers = upgrade.reply.headers
        proof = base64.b64encode(hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()).decode("ascii")
        self.subprotocol = headers.get("Sec-Websocket-Protocol", "")
        if headers.get("Sec-Websocket-Accept") != proof or headers.get("Upgrade", "").lower() != "websocket":
            raise BadHTTP("the server switched to something that is no WebSocket")
        if self.subprotocol not in protocols or "Sec-Websocket-Extensions" in headers:
            raise BadHTTP("the server chose a subprotocol, or an extension, that nobody offered")
        self._connection, self._receiver = upgrade.connection, upgrade.receiver
        self._protocol = Protocol(Side.CLIENT, state=OPEN, max_size=MAX_MESSAGE, logger=_SILENT)
        self._frames: deque[Frame] = deque()
        self._parts: list[bytes] = []
        """Of a message that is not whole yet."""

    async def receive(self) -> bytes | Signal:
        """Return the next message, or what came in its place. Raises OSError."""
        while True:
            while self._frames:
                got = self._take(self._frames.popleft())
                if got is not None:
                    return got
            data = await self._receiver.read()
            if not data:
                return Signal.END
            self._protocol.receive_data(data)
            self._frames.extend(event for event in self._protocol.events_received() if isinstance(event, Frame))
            with contextlib.suppress(OSError):  # what came before the end is still to be read
                await self._flush()  # answers to pings
            if self._protocol.parser_exc is not None and not self._frames:
                raise BadHTTP("what came is no WebSocket frame, or too long a message")

    async def send(self, message: bytes) -> None:
        """Send a message; wait while the server takes nothing. Raises OSError."""
        try:
            self._protocol.send_binary(message)
        except InvalidState:
            raise ConnectionResetError("the WebSocket is closed") from None
        await self._flush()

    async def ping(self) -> None:
        """Ask for a sign of life. Raises OSError."""
        try:
            self._protocol.send_ping(b"")
        except InvalidState:
            raise ConnectionResetError("the WebSocket is closed") from None
        await self._flush()

    async def close(self) -> None:
        """Say that nothing more comes. Raises OSError."""
        try:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
        except InvalidState:
            return
        await self._flush()

    def _take(self, frame: Frame) -> bytes | Signal | None:
        if frame.opcode is Opcode.CLOSE:
            return Signal.END
        if frame.opcode is Opcode.PONG:
            return Signal.PONG
        if frame.opcode is Opcode.PING:
            return None
        if frame.data:  # empty ones without end would be a list without end
            self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        message = b"".join(self._parts)
        self._parts.clear()
        return message

    async def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data:
            await self._connection.send_on(data)
