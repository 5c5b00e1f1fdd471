"""Starts, finds and stops the operator of a federation as a host process. Never here: clusters, or what the operator does."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sampan.local.paths import LocalError
from sampan.local.patience import PATIENCE
from sampan.local.processes.logs import complaints
from sampan.local.processes.lookup import alive, stop_process
from sampan.local.query_certificates import PROXY_NAME


@dataclass(frozen=True, slots=True)
class OperatorProcess:
    """The operator that runs with `kubeconfig`; log, pid and settings are files of `folder`."""

    folder: Path
    kubeconfig: Path
    metrics_port: int
    provider_namespaces: tuple[str, ...]
    query_port: int | None = None
    """Where it serves the query API, with the certificates in the folder `query`; None: not at all."""

    @property
    def log(self) -> Path:
        """Everything the operator has written since the federation was made."""
        return self.folder / "operator.log"

    @property
    def metrics_address(self) -> str:
        """Host and port of /metrics, /healthz and /readyz."""
        return f"127.0.0.1:{self.metrics_port}"

    @property
    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        return _recorded_pid(self.folder)

    def start(self, env: Mapping[str, str] | None = None) -> int:
        """Starts it in a process group of its own unless it runs, `env` on top of its settings; returns the process id at once."""
        running = self.pid
        if running is not None:
            return running
        command = [sys.executable, "-m", "sampan", "operator", "run", "--kubeconfig", str(self.kubeconfig)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._environment(), **(env or {})},
                cwd=self.folder,
                start_new_session=True,
            )
        (self.folder / "operator.pid").write_text(f"{process.pid}\n")
        # The operator outlives us: it is no child to wait for, whatever Popen's finalizer thinks.
        process.returncode = 0
        return process.pid

    def stop(self, grace: float = 15.0) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds; returns when it is gone."""
        stop_operator(self.folder, grace)

    def kill(self) -> None:
        """SIGKILL, as a crash would; returns when it is gone."""
        self.stop(grace=0.0)

    def pause(self, paused: bool) -> None:
        """Stops the process in its tracks (SIGSTOP), or lets it go on (SIGCONT)."""
        pid = self.pid
        if pid is None:
            raise LocalError(f"the operator does not run: see {self.log}")
        os.kill(pid, signal.SIGSTOP if paused else signal.SIGCONT)

    def wait_ready(self, seconds: float = PATIENCE) -> None:
        """Returns once /readyz answers 200. Raises LocalError with the log's end when the operator ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not self._ready():
            if self.pid is None:
                raise LocalError(f"the operator has ended; the end of {self.log}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise LocalError(f"the operator is not ready after {seconds:.0f} s; the end of {self.log}:\n{self.log_tail()}")
            time.sleep(0.2)

    def log_tail(self, lines: int = 12) -> str:
        """The last warnings and errors of its log, else its last lines."""
        return "\n".join(complaints(self.log, lines))

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SAMPAN_", "PYTEST_"))}
        return {
            **kept,
            "PYTHONUNBUFFERED": "1",
            "SAMPAN_NAMESPACE": "sampan-system",
            "SAMPAN_STORE": f"sqlite:///{self.folder / 'use.db'}",
            "SAMPAN_ALLOW_LOOPBACK_MEMBERS": "true",
            "SAMPAN_METRICS_ADDRESS": self.metrics_address,
            **(self._query() if self.query_port is not None else {}),
            "SAMPAN_PROVIDER_NAMESPACES": ",".join(self.provider_namespaces),
        }

    def _query(self) -> dict[str, str]:
        return {
            "SAMPAN_QUERY_ADDRESS": f"127.0.0.1:{self.query_port}",
            "SAMPAN_QUERY_TLS": str(self.folder / "query"),
            "SAMPAN_QUERY_PROXY_NAMES": PROXY_NAME,
        }


def _recorded_pid(folder: Path) -> int | None:
    record = folder / "operator.pid"
    text = record.read_text().strip() if record.is_file() else ""
    return int(text) if text.isdigit() and alive(int(text), mark=str(folder)) else None


def stop_operator(folder: Path, grace: float = 15.0) -> None:
    """Ends the operator whose files are in that folder: SIGTERM, then SIGKILL after `grace` seconds; returns when it is gone."""
    pid = _recorded_pid(folder)
    if pid is not None:
        stop_process(pid, grace=grace)
    (folder / "operator.pid").unlink(missing_ok=True)
