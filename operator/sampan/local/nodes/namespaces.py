"""Linux namespaces and mounts by their system calls. Never here: what is done inside, or anything but the standard library.

See unshare(2), setns(2), mount(2), prctl(2).
"""

import ctypes
import os
from pathlib import Path
from typing import Final

NETWORK: Final = 0x40000000
MOUNTS: Final = 0x00020000
PROCESSES: Final = 0x20000000

_RECURSIVE, _BIND, _PRIVATE, _SHARED = 0x4000, 0x1000, 1 << 18, 1 << 20
_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None, use_errno=True)


def leave(kinds: int) -> None:
    """Give the calling thread fresh namespaces of these kinds; of processes it is its children that get it. Raises OSError."""
    _checked(_libc.unshare(kinds), "unshare")


def make_mounts_private() -> None:
    """Let no mount from here reach the machine, while those who mount for containers here see each other's."""
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    _mount("none", "/", flags=_RECURSIVE | _SHARED)


def bind(source: Path, target: Path) -> None:
    """Show `source` at `target`, which must exist. Raises OSError."""
    _mount(str(source), str(target), flags=_BIND)


def mount_proc() -> None:
    """Show the processes of this namespace in /proc. Raises OSError."""
    _mount("proc", "/proc", kind="proc")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send the signal to this process when the thread ends that started it."""
    _checked(_libc.prctl(_PARENT_DEATH_SIGNAL, signal_number, 0, 0, 0), "prctl")


def _mount(source: str, target: str, *, kind: str | None = None, flags: int = 0) -> None:
    encoded = kind.encode() if kind is not None else None
    _checked(_libc.mount(os.fsencode(source), os.fsencode(target), encoded, flags, None), f"mount on {target}")


def _checked(code: int, what: str) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
