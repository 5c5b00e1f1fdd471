"""Chunks → lines.

Lives here: the splitter that watches are read with.
Must never live here: JSON, network.
"""

from sampan.kube.errors import TooLarge


class LineSplitter:
    """Cuts a byte stream at newlines, copying as little as it can; holds at most ``cap`` bytes of an unfinished line."""

    def __init__(self, cap: int) -> None:
        """``cap`` in bytes, newline not counted."""
        self._cap = cap
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` completes, without newline, empty ones left out. Raises TooLarge for a line above the cap."""
        *whole, rest = chunk.split(b"\n")
        lines: list[bytes] = []
        for piece in whole:
            self._hold(piece)
            line = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts, self._held = [], 0
            if line:
                lines.append(line)
        self._hold(rest)
        return lines

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._cap:
            raise TooLarge(200, "LineTooLong", f"a line of the watch is longer than {self._cap} bytes")
        if piece or not self._parts:
            self._parts.append(piece)
