"""`sampan local down`: ends a federation's processes and removes its folder. Never here: anything outside that folder."""

import shutil
from pathlib import Path

from sampan.local.binaries import Say
from sampan.local.federation import exclusive
from sampan.local.paths import LocalError, federation_folder
from sampan.local.processes.lookup import programs_below, stop_process
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
        left = [pid for home in _homes(folder) for pid in _end(home)]
        if left:
            raise LocalError(f"processes of federation {name} do not end: {left}; end them and try again")
        shutil.rmtree(folder)
    say(f"federation {name} is gone")
    return True


def _homes(folder: Path) -> list[Path]:
    clusters = folder / "kwok" / "clusters"
    return sorted(clusters.iterdir()) if clusters.is_dir() else []


def _end(home: Path) -> list[int]:
    """Ends what runs from the cluster's own folder; process ids of what is left."""
    for pid in programs_below(home / "bin").values():
        stop_process(pid, grace=0.0)
    return list(programs_below(home / "bin").values())
