"""Signals by which a person or a CI system ends a command: told as KeyboardInterrupt, and held back where half a call would be worse.

What must never live here: what an interruption does to jobs.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C and GitHub; Jenkins, GitLab, Argo, Tekton and systemd; a terminal that goes away."""


class _State:
    """Whether signals are held back just now, and whether one came meanwhile."""

    held = False
    came = False


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have these signals raise KeyboardInterrupt. One that is ignored, as under nohup, stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python takes handlers from the main thread only
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold them back: a job that is being created is known afterwards, and one more signal does not break off its deletion."""
    _State.held = True
    try:
        yield
    finally:
        _State.held = False
        came, _State.came = _State.came, False
    if came:
        raise KeyboardInterrupt


def _interrupt(*_: object) -> None:
    if not _State.held:
        raise KeyboardInterrupt
    _State.came = True
