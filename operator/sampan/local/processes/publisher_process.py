"""Starts, finds and stops the publishers of members with published capacity as host processes. Never here: what they publish."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sampan.local.processes.lookup import alive, stop_process


@dataclass(frozen=True, slots=True)
class PublisherProcess:
    """`sampan publish` for one member; log and pid are files of `folder`."""

    folder: Path
    member: str
    kubeconfig: Path
    interval: int = 10

    @property
    def log(self) -> Path:
        """Everything it has written since the federation was made."""
        return self.folder / f"publisher-{self.member}.log"

    @property
    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        return _recorded_pid(self._record)

    @property
    def _record(self) -> Path:
        return self.folder / f"publisher-{self.member}.pid"

    def start(self) -> int:
        """Starts it in a process group of its own unless it runs; returns the process id at once."""
        running = self.pid
        if running is not None:
            return running
        command = [sys.executable, "-m", "sampan", "publish", "--kubeconfig", str(self.kubeconfig), "--interval", str(self.interval)]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SAMPAN_", "PYTEST_"))}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=kept, cwd=self.folder, start_new_session=True
            )
        self._record.write_text(f"{process.pid}\n")
        process.returncode = 0  # it outlives us and is no child to wait for
        return process.pid

    def stop(self, grace: float = 5.0) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds; returns when it is gone."""
        _stop(self._record, grace)


def stop_publishers(folder: Path) -> None:
    """Ends every publisher whose files are in that folder."""
    for record in sorted(folder.glob("publisher-*.pid")):
        _stop(record, 5.0)


def _stop(record: Path, grace: float) -> None:
    pid = _recorded_pid(record)
    if pid is not None:
        stop_process(pid, grace=grace)
    record.unlink(missing_ok=True)


def _recorded_pid(record: Path) -> int | None:
    text = record.read_text().strip() if record.is_file() else ""
    return int(text) if text.isdigit() and alive(int(text), mark=str(record.parent)) else None
