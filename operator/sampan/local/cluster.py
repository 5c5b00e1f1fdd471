"""One Kubernetes control plane as host processes on 127.0.0.1, run by kwokctl.

Never here: what is in the cluster, or which clusters there are.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from sampan.local.binaries import Binaries
from sampan.local.kubeconfig import CertificateUser, write_kubeconfig
from sampan.local.nodes.control_plane import leave_room
from sampan.local.paths import LocalError
from sampan.local.patience import PATIENCE
from sampan.local.processes import node_leases
from sampan.local.processes.control_plane import configuration
from sampan.local.processes.kubectl import Kubectl, tool_settings
from sampan.local.processes.logs import complaints
from sampan.local.processes.lookup import alive, programs_below, stop_process

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
"""The processes of a control plane, by the names status gives them."""
PORTS_PER_CLUSTER = 6


@dataclass(frozen=True, slots=True)
class Cluster:
    """A control plane called `name` whose files are all below `folder`.

    `ports` are its six TCP ports, kept for life; `components` may be fewer than all.
    """

    name: str
    folder: Path
    ports: tuple[int, ...]
    components: tuple[str, ...] = COMPONENTS
    api_flags: tuple[tuple[str, str], ...] = ()
    """More flags of the API server, (name, value)."""
    real_nodes: bool = False
    """Whether it has real nodes beside the simulated ones."""

    @property
    def address(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.ports[2]}"

    @property
    def home(self) -> Path:
        """kwokctl's folder of this cluster: pki, logs, pids, etcd."""
        return self.folder / "kwok" / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, certificates inlined, mode 0600."""
        return self.folder / "kubeconfig" / f"{self.name}.yaml"

    def create(self, binaries: Binaries) -> None:
        """Starts the control plane for the first time and waits until it answers. Raises LocalError with the logs' ends."""
        plan = self.folder / "kwok" / f"{self.name}.yaml"
        plan.parent.mkdir(parents=True, exist_ok=True)
        documents = configuration(binaries, ports=self.ports, components=self.components, api_flags=self.api_flags)
        plan.write_text(yaml.safe_dump_all(leave_room(documents) if self.real_nodes else documents))
        self._kwokctl(binaries, "create", "cluster", "--config", str(plan), "--wait", f"{PATIENCE:.0f}s", "--timeout", f"{PATIENCE:.0f}s")
        self.write_admin_kubeconfig()
        self.wait_ready(binaries)

    def start(self, binaries: Binaries) -> None:
        """Starts what does not run of a control plane, with the state it had."""
        nodes_stood_still = "kwok-controller" not in self.pids()
        self.start_ended(binaries)
        self.wait_ready(binaries)
        kubectl = Kubectl(binary=binaries["kubectl"], kubeconfig=self.kubeconfig, cache=self.folder / "cache")
        if nodes_stood_still and not node_leases.release(kubectl):
            within = f"{PATIENCE:.0f} s"
            raise LocalError(f"cluster {self.name}: kwok took not all Leases of nodes within {within}\n{self.log_tail()}")

    def stop(self, binaries: Binaries) -> None:
        """Ends all processes of the control plane, as a power cut would, and keeps its state; returns when they are gone."""
        running = self.pids()
        self._drop_stale_pids()
        self._kwokctl(binaries, "stop", "cluster")
        for pid in running.values():  # kwokctl waits for none of them; one that is not gone holds its port against its successor
            stop_process(pid, grace=0.0)

    def delete(self) -> None:
        """Ends all processes and removes all files. Works on half-made clusters, needs no programs and may be repeated."""
        for pid in reversed(list(self.pids().values())):
            stop_process(pid, grace=0.0)
        shutil.rmtree(self.home, ignore_errors=True)
        for left in (self.folder / "kwok" / f"{self.name}.yaml", self.kubeconfig):
            left.unlink(missing_ok=True)

    def pids(self) -> dict[str, int]:
        """Process ids of the components that are running, by component: what runs from the cluster's own folder, whatever pid files say."""
        running = programs_below(self.home / "bin")
        return {component: running[component] for component in self.components if component in running}

    def ended(self) -> list[str]:
        """The components that should run and do not, whether they were stopped or gave up."""
        running = self.pids()
        return [component for component in self.components if component not in running and not self._just_started(component)]

    def _just_started(self, component: str) -> bool:
        record = self.home / "pids" / f"{component}.pid"
        text = record.read_text().strip() if record.is_file() else ""
        return text.isdigit() and alive(int(text), mark=f"{self.home}/bin/")

    def write_admin_kubeconfig(self) -> None:
        """(Re)writes the administrator's kubeconfig from kwokctl's certificates."""
        pki = self.home / "pki"
        user = CertificateUser(certificate=(pki / "admin.crt").read_bytes(), key=(pki / "admin.key").read_bytes())
        write_kubeconfig(self.kubeconfig, server=self.address, ca=self.ca(), user=user)

    def ca(self) -> bytes:
        """The certificate of the cluster's CA, PEM."""
        return (self.home / "pki" / "ca.crt").read_bytes()

    def last_words(self, component: str) -> str:
        """The last warning or error in the component's log, else its last line."""
        return (complaints(self.home / "logs" / f"{component}.log", 1) or ["nothing in its log"])[-1]

    def log_tail(self, lines: int = 3) -> str:
        """The last warnings and errors in each component's log, for an error message."""
        parts = []
        for log in sorted((self.home / "logs").glob("*.log")):
            parts += [f"--- {log}", *complaints(log, lines)]
        return "\n".join(parts)

    def _drop_stale_pids(self) -> None:
        """kwokctl kills what its pid files name; after a reboot that may be anybody's process."""
        for record in (self.home / "pids").glob("*.pid"):
            text = record.read_text().strip()
            if not text.isdigit() or not alive(int(text), mark=f"{self.home}/bin/"):
                record.unlink()

    def _kwokctl(self, binaries: Binaries, *arguments: str) -> None:
        scratch = self.folder / "kwok" / f"{self.name}.kubeconfig"
        command = [binaries["kwokctl"], *arguments, "--name", self.name]
        if arguments[0] == "create":
            command += ["--kubeconfig", str(scratch)]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
        scratch.unlink(missing_ok=True)
        if done.returncode != 0:
            message = (done.stderr or done.stdout).strip().splitlines()[-8:]
            raise LocalError(f"kwokctl {arguments[0]} of cluster {self.name} failed:\n" + "\n".join([*message, self.log_tail()]))

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KWOK_")}
        return {**kept, **tool_settings(self.folder / "cache"), "KWOK_WORKDIR": str(self.folder / "kwok")}

    def start_ended(self, binaries: Binaries) -> bool:
        """Starts what has ended of a running control plane; whether anything had.

        The controller manager and kwok give up where their API server needs some ten seconds to answer, as it does on a busy machine.
        """
        if not self.ended():
            return False
        self._drop_stale_pids()
        self._kwokctl(binaries, "start", "cluster")
        return True

    def wait_ready(self, binaries: Binaries, seconds: float = PATIENCE) -> None:
        """Returns once the API server answers and all components run; starts what gives up meanwhile. Raises LocalError with the logs."""
        command = [binaries["kubectl"], f"--kubeconfig={self.kubeconfig}", "get", "--raw", "/readyz"]
        deadline = time.monotonic() + seconds
        while True:
            asked = subprocess.run(command, env=self._environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
            if asked.returncode == 0 and not self.start_ended(binaries):
                return
            if time.monotonic() > deadline:
                words = asked.stderr.strip() or "; ".join(f"{each} ended: {self.last_words(each)}" for each in self.ended())
                raise LocalError(f"cluster {self.name} is not ready after {seconds:.0f} s: {words}\n{self.log_tail()}")
            time.sleep(0.3)
