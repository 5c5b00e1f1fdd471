"""One command, or the process itself, in a job's container: its input, its output, its exit code. Never here: options, terminals' modes."""

import json
import os
import threading
from collections.abc import Callable
from typing import BinaryIO, Final

from sampan.cli.lib.errors import CliError
from sampan.client.access.sockets import Socket

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
"""Channels of v5.channel.k8s.io; CLOSE and the number of another end that one."""
PIECE: Final = 32 * 1024
"""Bytes of input that are sent at once."""
Size = tuple[int, int]
"""Columns and lines."""


class RemoteCommand:
    """Carries one through."""

    def __init__(self, socket: Socket, out: BinaryIO, err: BinaryIO) -> None:
        """Nothing is sent before somebody says what."""
        self._socket, self._out, self._err = socket, out, err
        self._resized = threading.Event()

    def run(self) -> int:
        """Write what comes until the end; return the exit code. Raises `CliError` where there is none to be had."""
        status = b""
        while (message := self._socket.recv()) is not None:
            channel, data = message[0] if message else STDOUT, message[1:]
            if channel in (STDOUT, STDERR) and data:
                stream = self._out if channel == STDOUT else self._err
                stream.write(data)
                stream.flush()
            elif channel == STATUS:
                status += data
        return exit_code(status)

    def feed(self, descriptor: int, *, ends: bool) -> None:
        """Send what is read from a file descriptor, in a thread of its own. `ends`: tell of its end too; a terminal's input has none."""
        threading.Thread(target=self._feed, args=(descriptor, ends), name="stdin", daemon=True).start()

    def follow_size(self, size: Callable[[], Size]) -> Callable[[], None]:
        """Send the size of the terminal now, and whenever what is returned was called, be it by a signal's handler."""
        self._resized.set()
        threading.Thread(target=self._resize, args=(size,), name="resize", daemon=True).start()
        return self._resized.set

    def _feed(self, descriptor: int, ends: bool) -> None:
        try:
            while data := os.read(descriptor, PIECE):
                self._socket.send(bytes([STDIN]) + data)
            if ends:
                self._socket.send(bytes([CLOSE, STDIN]))
        except OSError:
            return  # the command has ended, which whoever reads its output is told

    def _resize(self, size: Callable[[], Size]) -> None:
        try:
            while self._resized.wait():
                self._resized.clear()
                width, height = size()
                self._socket.send(bytes([RESIZE]) + json.dumps({"Width": width, "Height": height}).encode())
        except OSError:
            return  # the command has ended


def exit_code(status: bytes) -> int:
    """The exit code that a Status tells of. Raises `CliError` where the command had none."""
    try:
        told = json.loads(status)
    except ValueError as error:
        raise CliError("the stream ended before the command did", "it may still run in the container; look with another exec") from error
    if told.get("status") == "Success":
        return 0
    causes = (told.get("details") or {}).get("causes") or []
    codes = [cause.get("message", "") for cause in causes if cause.get("reason") == "ExitCode"]
    if codes and codes[0].isascii() and codes[0].isdigit():
        return int(codes[0]) & 0xFF
    raise CliError(str(told.get("message", "the command did not run")), "")
