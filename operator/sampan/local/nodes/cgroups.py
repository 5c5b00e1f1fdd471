"""The cgroups (version 1) of real nodes: one folder for a federation in each hierarchy, one in it for each node.

A node's own processes are in a leaf called `system`, its pods beside it. Never here: limits; kubelet sets those of pods.
"""

import os
import time
import zlib
from pathlib import Path
from typing import Final

ROOT: Final = Path("/sys/fs/cgroup")
NEEDED: Final = ("blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids")
"""Controllers that kubelet and runc ask for."""


def of_federation(folder: Path) -> str:
    """The name of the federation's cgroup: other users and other state folders have federations of the same name."""
    return f"sampan-{zlib.crc32(str(folder).encode()):08x}"


def hierarchies() -> list[Path]:
    """Every hierarchy that is mounted."""
    return sorted(place for place in ROOT.iterdir() if (place / "cgroup.procs").is_file())


def enter(name: str) -> None:
    """Make the cgroup `name` (a path) in every hierarchy and put this process into its leaf `system`. Raises OSError."""
    for hierarchy in hierarchies():
        place = hierarchy
        for part in (*name.split("/"), "system"):
            place /= part
            place.mkdir(exist_ok=True)
            _inherit_cpuset(place)
        (place / "cgroup.procs").write_text(str(os.getpid()))


def _inherit_cpuset(place: Path) -> None:
    """A new cpuset has no processor and no memory, and takes no process before it has (kernel, admin-guide/cgroup-v1/cpusets)."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (place / name).is_file() and not (place / name).read_text().strip():
            (place / name).write_text((place.parent / name).read_text())


def remove(name: str, seconds: float = 10.0) -> list[str]:
    """Remove the cgroup and all below it in every hierarchy; what is still there after `seconds`, because a process is in it."""
    deadline = time.monotonic() + seconds
    while left := [str(path) for hierarchy in hierarchies() for path in _remove_below(hierarchy / name)]:
        if time.monotonic() > deadline:
            return left
        time.sleep(0.1)
    return []


def _remove_below(top: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(top, topdown=False) if not _removed(Path(folder))]


def _removed(place: Path) -> bool:
    try:
        place.rmdir()
    except FileNotFoundError:
        return True
    except OSError:  # EBUSY: its last process is not quite gone
        return False
    return True
