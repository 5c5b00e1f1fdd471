"""The real nodes of one cluster and the switch between them: made, started again, ended. Never here: the control plane.

All files are below FOLDER/nodes/CLUSTER; no other name on the machine is taken but that of the federation's cgroup.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from sampan.local.kubeconfig import CertificateUser, write_kubeconfig
from sampan.local.nodes import addresses, cgroups, settings
from sampan.local.nodes.control_plane import api_server_flags, egress_selection
from sampan.local.nodes.image import write_images
from sampan.local.nodes.machine import MACHINE, Parts
from sampan.local.nodes.node import RealNode, start_module
from sampan.local.nodes.switch import PLAN, READY, Plan
from sampan.local.paths import LocalError
from sampan.local.patience import PATIENCE
from sampan.local.processes.kubectl import Kubectl
from sampan.local.processes.logs import complaints
from sampan.local.processes.lookup import alive, gone, programs_with, stop_process
from sampan.local.scenario import NodeGroup

_LONGEST_SOCKET = 107
"""Bytes of the path of a Unix socket (unix(7))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNodes:
    """The real nodes of the cluster `cluster` of the federation in `federation` (its folder)."""

    cluster: str
    federation: Path
    home: Path
    """kwokctl's folder of the cluster."""
    api_port: int
    groups: tuple[NodeGroup, ...]
    images: tuple[Path, ...] = ()
    """OCI archives that each node loads beside its own."""
    beyond: tuple[int, ...] = ()
    """Ports on 127.0.0.1 that pods reach at the switch's address: API servers of other clusters."""

    @property
    def folder(self) -> Path:
        """All its files."""
        return self.federation / "nodes" / self.cluster

    @property
    def nodes(self) -> list[RealNode]:
        """The nodes in the scenario's order."""
        named = [(group.name.format(number), group) for group in self.groups for number in range(1, group.count + 1)]
        top = cgroups.of_federation(self.federation)
        return [
            RealNode(name=name, number=number, group=group, folder=self.folder / name, cgroup=f"{top}/{self.cluster}-{name}")
            for number, (name, group) in enumerate(named, 1)
        ]

    @property
    def api_flags(self) -> tuple[tuple[str, str], ...]:
        """Flags of the cluster's API server."""
        return api_server_flags(self.home, self.folder / "egress.yaml")

    def prepare(self) -> None:
        """Write what the API server reads when it starts. Raises LocalError where the state folder's path is too long."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if len(str(self._socket).encode()) > _LONGEST_SOCKET:
            raise LocalError(f"{self._socket}: longer than {_LONGEST_SOCKET} bytes; use a shorter name, or a shorter XDG_STATE_HOME")
        (self.folder / "egress.yaml").write_text(yaml.safe_dump(egress_selection(self._socket)))

    @property
    def _socket(self) -> Path:
        return self.federation / f"egress-{self.api_port}.sock"

    def start(self, parts: Parts, kubectl: Kubectl, say: Callable[[str], None]) -> None:
        """Start what does not run, and return when every node is Ready. Raises LocalError with the logs' ends."""
        started = time.monotonic()
        names = self.switch_on(parts)
        for node in self.nodes:
            node.wait_ready(kubectl)
        if names:
            say(f"real nodes of {self.cluster}: {', '.join(names)} ({time.monotonic() - started:.1f} s)")

    def switch_on(self, parts: Parts) -> list[str]:
        """Start what does not run, the switch first, and return at once; names of the nodes that were off."""
        off = [node for node in self.nodes if node.pid is None]
        if self._switch_pid() is None:
            for node in self.nodes:  # what they were plugged into is gone
                node.cut_power()
            off = self.nodes
            self._start_switch(parts)
        images = [self._images(parts), *self.images]
        for node in off:
            node.write(parts, ca_folder=self.home / "pki", ca=self._ca())
            node.start(parts, switch=self._namespace(), images=images)
        return [node.name for node in off]

    def _ca(self) -> bytes:
        return (self.home / "pki" / "ca.crt").read_bytes()

    def _images(self, parts: Parts) -> Path:
        archive = self.folder / "images.tar"
        if not archive.is_file():
            write_images(archive, parts.busybox, architecture=MACHINE)
        return archive

    def _switch_pid(self) -> int | None:
        record = self.folder / "switch.pid"
        text = record.read_text().strip() if record.is_file() else ""
        return int(text) if text.isdigit() and alive(int(text), mark=str(self.folder)) else None

    def _namespace(self) -> str:
        return (self.folder / READY).read_text()

    def _start_switch(self, parts: Parts) -> None:
        (self.folder / READY).unlink(missing_ok=True)
        kubeconfig, pki = self.folder / "coredns.kubeconfig", self.home / "pki"
        user = CertificateUser(certificate=(pki / "admin.crt").read_bytes(), key=(pki / "admin.key").read_bytes())
        write_kubeconfig(kubeconfig, server=f"https://{addresses.API_SERVER}", ca=self._ca(), user=user)
        (self.folder / "Corefile").write_text(settings.corefile(kubeconfig))
        coredns = str(parts.programs["coredns"])
        plan = Plan(api_port=self.api_port, beyond=list(self.beyond), socket=str(self._socket), coredns=coredns)
        (self.folder / PLAN).write_text(json.dumps(asdict(plan)))
        start_module("sampan.local.nodes.switch", self.folder, log="switch.log", record="switch.pid")
        deadline = time.monotonic() + PATIENCE
        while not (self.folder / READY).is_file():
            if self._switch_pid() is None or time.monotonic() > deadline:
                log = self.folder / "switch.log"
                words = "\n".join(complaints(log, 6))
                raise LocalError(f"the network of {self.cluster}'s real nodes does not come up; the end of {log}:\n{words}")
            time.sleep(0.05)


def end_all(folder: Path) -> list[str]:
    """End all real nodes of the federation in that folder and remove their cgroups; what is left: process ids, cgroups.

    What runs in a node ends with its one process, and the cgroups can be removed when all of it is gone.
    """
    if not (folder / "nodes").is_dir():
        return []
    while running := programs_with("sampan.local.nodes.", f"{folder}/nodes/"):
        for pid in running:
            stop_process(pid, grace=0.0)
        if left := [str(pid) for pid in running if not gone(pid)]:
            return left
    return cgroups.remove(cgroups.of_federation(folder))
