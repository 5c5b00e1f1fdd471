"""The terminal in front of somebody: each key goes to the other side as it is, and its size too. Never here: what is at the other side."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Size = tuple[int, int]


def is_terminal(descriptor: int) -> bool:
    """Tell whether a file descriptor is one."""
    return os.isatty(descriptor)


def size(descriptor: int) -> Size:
    """Columns and lines."""
    columns, lines = os.get_terminal_size(descriptor)
    return columns, lines


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Take no key as meant for us, Ctrl-C neither, while the context is open; afterwards all is as before."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def resized(tell: Callable[[], None]) -> Iterator[None]:
    """Have `tell` called whenever the terminal's size changes; it must not wait for anything."""
    before = signal.signal(signal.SIGWINCH, lambda *_: tell())
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
