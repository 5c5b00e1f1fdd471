"""`sampan local down`: ends a federation's processes and removes its folder. Never here: anything outside that folder."""

import errno
import shutil
import time
from pathlib import Path

from sampan.local.binaries import Say
from sampan.local.federation import exclusive
from sampan.local.nodes.cluster_nodes import end_all
from sampan.local.paths import LocalError, federation_folder
from sampan.local.patience import PATIENCE
from sampan.local.processes.lookup import gone, programs_below, programs_called, stop_process
from sampan.local.processes.operator_process import stop_operator
from sampan.local.processes.publisher_process import stop_publishers


def down(name: str, say: Say) -> bool:
    """Ends everything of the federation, half-made ones too; whether there was anything. Raises LocalError when a process survives."""
    folder = federation_folder(name)
    if not folder.is_dir():
        return False
    with exclusive(name):
        stop_operator(folder)
        stop_publishers(folder)
        left = [*_end(folder), *end_all(folder)]
        if left:
            raise LocalError(f"processes of federation {name} do not end: {left}; end them and try again")
        _remove(folder)
    say(f"federation {name} is gone")
    return True


def _remove(folder: Path) -> None:
    """Removes it, also where a kubectl or helm whose caller was killed still writes into its cache there."""
    deadline = time.monotonic() + PATIENCE
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _homes(folder: Path) -> list[Path]:
    clusters = folder / "kwok" / "clusters"
    return sorted(clusters.iterdir()) if clusters.is_dir() else []


def _running(folder: Path) -> list[int]:
    """Process ids of kwokctl itself, which lives on where its caller was killed and would start more, then of what it has started."""
    starters = programs_called("kwokctl", setting=f"KWOK_WORKDIR={folder / 'kwok'}")
    return starters + [pid for home in _homes(folder) for pid in programs_below(home / "bin").values()]


def _end(folder: Path) -> list[int]:
    """Ends all of them, those too that started meanwhile; process ids of what does not end."""
    while running := _running(folder):
        for pid in running:
            stop_process(pid, grace=0.0)
        if left := [pid for pid in running if not gone(pid)]:
            return left
    return []
