"""One real node of a cluster: its files, its one process, its devices that are not there. Never here: the network it is plugged into."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from sampan.local.kubeconfig import write_kubeconfig
from sampan.local.nodes import addresses, settings
from sampan.local.nodes.certificates import kubelet_user, write_serving_certificate
from sampan.local.nodes.control_plane import REAL_LABEL
from sampan.local.nodes.machine import Parts
from sampan.local.nodes.power import PLAN, Plan
from sampan.local.paths import LocalError
from sampan.local.patience import PATIENCE
from sampan.local.processes.kubectl import Kubectl, KubectlError
from sampan.local.processes.logs import complaints
from sampan.local.processes.lookup import alive, stop_process
from sampan.local.scenario import NodeGroup

_LOGS = ("node.log", "containerd.log", "images.log", "kubelet.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealNode:
    """A node whose kubelet and containers run on this machine."""

    name: str
    number: int
    """Its number in the cluster, from 1."""
    group: NodeGroup
    folder: Path
    cgroup: str

    @property
    def pid(self) -> int | None:
        """Id of its one process, None when the node is off."""
        record = self.folder / "node.pid"
        text = record.read_text().strip() if record.is_file() else ""
        return int(text) if text.isdigit() and alive(int(text), mark=str(self.folder)) else None

    @property
    def volume(self) -> Path:
        """A folder for a PersistentVolume."""
        return self.folder / "volume"

    def write(self, parts: Parts, *, ca_folder: Path, ca: bytes) -> None:
        """Write its configuration and certificates; those that are there stay."""
        folder = self.folder
        (folder / "cni").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.volume.mkdir(exist_ok=True)
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (folder / "containerd.toml").write_text(settings.containerd(folder, runc=parts.runc, cni=parts.cni))
        (folder / "cni" / "10-pods.conflist").write_text(json.dumps(settings.cni(folder, self.number)))
        configuration = settings.kubelet(folder, self.number, ca=ca_folder / "ca.crt", cgroup=self.cgroup, taints=self.group.taints)
        (folder / "kubelet.yaml").write_text(yaml.safe_dump(configuration))
        if not (folder / "kubeconfig").is_file():
            write_serving_certificate(ca_folder, folder, node=self.name, address=addresses.node_address(self.number))
            server = f"https://{addresses.API_SERVER}"
            write_kubeconfig(folder / "kubeconfig", server=server, ca=ca, user=kubelet_user(ca_folder, self.name))

    def start(self, parts: Parts, *, switch: str, images: list[Path]) -> None:
        """Switch the node on unless it is; returns at once. `switch`: the file of the switch's namespace."""
        if self.pid is not None:
            return
        programs = {name: str(parts.programs[name]) for name in ("containerd", "ctr", "kubelet")}
        plan = Plan(
            name=self.name,
            number=self.number,
            cgroup=self.cgroup,
            switch=switch,
            images=[str(image) for image in images],
            labels={**self.group.labels, REAL_LABEL: "true"},
            programs=programs,
            path=parts.path,
        )
        (self.folder / PLAN).write_text(json.dumps(asdict(plan)))
        start_module("sampan.local.nodes.power", self.folder, log="node.log", record="node.pid")

    def cut_power(self) -> None:
        """End the node as a power cut would: all its processes at once, none of them warned; returns when its one process is gone."""
        if self.pid is not None:
            stop_process(self.pid, grace=0.0)

    def wait_ready(self, kubectl: Kubectl, seconds: float = PATIENCE) -> None:
        """Return once the kubelet answers its API server, the node is Ready and has its devices. Raises LocalError with the logs' ends."""
        deadline = time.monotonic() + seconds
        while not self._is_ready(kubectl):
            if self.pid is None:
                raise LocalError(f"node {self.name} has ended\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise LocalError(f"node {self.name} is not ready after {seconds:.0f} s\n{self.log_tail()}")
            time.sleep(0.3)

    def _is_ready(self, kubectl: Kubectl) -> bool:
        try:
            kubectl.run("get", "--raw", f"/api/v1/nodes/{self.name}/proxy/healthz")  # its status is old while the node comes up again
            status = kubectl.get("node", self.name)["status"]
            if _ready(status) and not self._has_devices(status, "capacity"):
                # kubelet keeps what it does not know and adds it to the allocatable amounts at its next report.
                change = json.dumps({"status": {"capacity": self.group.capacity}})
                kubectl.run("patch", "node", self.name, "--subresource=status", "--type=merge", "--patch", change)
        except KubectlError:  # not registered yet, or not listening
            return False
        return _ready(status) and self._has_devices(status, "allocatable")

    def _has_devices(self, status: dict[str, Any], amounts: str) -> bool:
        told: dict[str, str] = status.get(amounts, {})
        return self.group.capacity.items() <= told.items()

    def log_tail(self, lines: int = 4) -> str:
        """The last warnings and errors of its programs, for an error message."""
        found = []
        for name in _LOGS:
            if (self.folder / name).is_file():
                found += [f"{name}: {line}" for line in complaints(self.folder / name, lines)]
        return "\n".join([f"logs are in {self.folder}", *found])


def _ready(status: dict[str, Any]) -> bool:
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", []))


def start_module(module: str, folder: Path, *, log: str, record: str) -> None:
    """Run a module with the folder as its argument, in a process group of its own; its process id goes into the file `record`."""
    with (folder / log).open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    (folder / record).write_text(f"{process.pid}\n")
    process.returncode = 0  # it outlives us and is no child to wait for
