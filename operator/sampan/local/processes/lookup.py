"""Looks at and ends processes of this machine that we have started. Never here: starting them, or deciding which are ours."""

import os
import signal
import time
from pathlib import Path

from sampan.local.patience import PATIENCE


def alive(pid: int, *, mark: str) -> bool:
    """Whether the process runs and its command line holds `mark`: a pid alone may by now be anybody's."""
    for _ in range(50):
        command = _command(pid)
        if command or gone(pid):
            return not gone(pid) and mark in command.replace(b"\0", b" ").decode(errors="replace")
        # Just started: the kernel shows the command line a moment after it lets the starter go on.
        time.sleep(0.01)
    return False


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def programs_below(folder: Path) -> dict[str, int]:
    """Process ids of what was started from a path directly in `folder`, by the path's last part."""
    prefix = f"{folder}/".encode()
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        command = _command(int(entry.name)).split(b"\0")[0] if entry.name.isdigit() else b""
        name = command.removeprefix(prefix).decode(errors="replace")
        if command.startswith(prefix) and "/" not in name and not gone(int(entry.name)):
            found[name] = int(entry.name)
    return found


def programs_with(*beginnings: str) -> list[int]:
    """Process ids of the programs that were started with an argument for each of these, which begins so."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            arguments = _command(int(entry.name)).split(b"\0")
            if all(any(each.startswith(text.encode()) for each in arguments) for text in beginnings) and not gone(int(entry.name)):
                found.append(int(entry.name))
    return found


def programs_called(name: str, *, setting: str) -> list[int]:
    """Process ids of the programs of that name that were started with that setting, NAME=VALUE, in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and Path(os.fsdecode(_command(int(entry.name)).split(b"\0")[0])).name == name:
            pid = int(entry.name)
            if not gone(pid) and setting.encode() in _environment(pid).split(b"\0"):
                found.append(pid)
    return found


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # it ended, or it is another user's
        return b""


def gone(pid: int) -> bool:
    """Whether no such process is left (a zombie counts as gone)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def stop_process(pid: int, *, grace: float) -> None:
    """SIGTERM, after `grace` seconds SIGKILL (at once when 0); returns when the process is gone."""
    if grace > 0 and _signal(pid, signal.SIGTERM):
        _wait_gone(pid, grace)
    if not gone(pid) and _signal(pid, signal.SIGKILL):
        _wait_gone(pid, PATIENCE)


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _wait_gone(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not gone(pid) and time.monotonic() < deadline:
        _reap(pid)
        time.sleep(0.02)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def memory(pid: int) -> int:
    """Proportional set size of the process in bytes; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
