"""`python -m sampan.local.nodes.power FOLDER`: one real node, for as long as this one process lives. SIGKILL is a power cut.

The process leaves for namespaces of its own, plugs itself into the cluster's switch, and starts process 1 of the node, which starts
containerd, loads images and starts kubelet. The kernel ends process 1 with us, and with it everything that has been started below it;
the namespaces go with their last process, and mounts and network devices with the namespaces.
Never here: anything that takes long to import, or anything about the cluster.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from sampan.local.nodes import addresses, cgroups, namespaces
from sampan.local.nodes.settings import RUNTIME_FOLDER, SOCKET

PLAN: Final = "power.json"
_FIXED: Final = {"kubelet": Path("/var/lib/kubelet"), "run": RUNTIME_FOLDER, "log": Path("/var/log")}
"""Folders of the node, and where its programs look for them whatever they are told."""
# kubelet sets these for the whole machine; it gets copies.
_SYSCTLS: Final = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
_CONTAINERD_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the process is to run; as JSON in FOLDER/power.json."""

    name: str
    number: int
    """Its number in the cluster, from 1: addresses follow from it."""
    cgroup: str
    switch: str
    """The file of the switch's network namespace."""
    images: list[str]
    labels: dict[str, str]
    programs: dict[str, str]
    """Paths of containerd, ctr and kubelet."""
    path: str
    """PATH of containerd, where it looks for its shim."""


def run(folder: Path) -> int:
    """Run the node; returns when kubelet or containerd has ended."""
    plan = Plan(**json.loads((folder / PLAN).read_text()))
    cgroups.enter(plan.cgroup)
    namespaces.leave(namespaces.NETWORK | namespaces.MOUNTS)
    namespaces.make_mounts_private()
    plug_in(plan)
    namespaces.leave(namespaces.PROCESSES)
    child = os.fork()
    if child == 0:
        namespaces.die_with_parent(signal.SIGKILL)
        _process_one(folder, plan)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def plug_in(plan: Plan) -> None:
    """Lay a cable from our network namespace to the switch; a node that was cut off has left none."""
    address, port = addresses.node_address(plan.number), f"node{plan.number}"
    there = ["nsenter", f"--net={plan.switch}", "ip"]
    _call(*there, "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", str(os.getpid()))
    _call(*there, "link", "set", port, "master", "nodes", "up")
    _call("ip", "link", "set", "lo", "up")
    _call("ip", "address", "add", f"{address}/{addresses.PREFIX_LENGTH}", "dev", "uplink")
    _call("ip", "link", "set", "uplink", "up")
    _call("ip", "route", "add", "default", "via", addresses.SWITCH)
    _call(*there, "route", "replace", addresses.pod_range(plan.number), "via", address)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _process_one(folder: Path, plan: Plan) -> None:
    """Do as process 1 of the node; returns when the node has ended."""
    _mounts(folder)
    environment = {"PATH": plan.path, "HOME": "/root", "LANG": "C.UTF-8"}
    containerd = plan.programs["containerd"]
    with (folder / "containerd.log").open("ab") as log:
        started = [_start([containerd, "--config", f"{folder}/containerd.toml"], environment, log)]
    _load(folder, plan)
    with (folder / "kubelet.log").open("ab") as log:
        started.append(_start(_kubelet(folder, plan), environment, log))
    while os.wait()[0] not in started:  # what a container's shim leaves behind comes to process 1
        pass


def _start(command: list[str], environment: dict[str, str], log: IO[bytes]) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
    return os.posix_spawn(command[0], command, environment, file_actions=actions)


def _mounts(folder: Path) -> None:
    namespaces.mount_proc()
    # A name server that is not there would keep every missing image waiting for its time-out.
    namespaces.bind(folder / "resolv.conf", Path("/etc/resolv.conf").resolve())
    for name, place in _FIXED.items():
        (folder / name).mkdir(exist_ok=True)
        place.mkdir(parents=True, exist_ok=True)
        namespaces.bind(folder / name, place)
    for name in _SYSCTLS:
        copy, setting = folder / f"sysctl-{name.replace('/', '-')}", Path("/proc/sys") / name
        if setting.is_file():
            copy.write_text(setting.read_text())
            namespaces.bind(copy, setting)


def _load(folder: Path, plan: Plan) -> None:
    """Load the images once containerd answers. Raises TimeoutError, CalledProcessError."""
    ctr, deadline = [plan.programs["ctr"], "--address", str(SOCKET)], time.monotonic() + _CONTAINERD_SECONDS
    with (folder / "images.log").open("ab") as log:
        while subprocess.run([*ctr, "version"], stdout=log, stderr=log, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"containerd does not answer: see {folder}/containerd.log")
            time.sleep(0.1)
        for image in plan.images:
            subprocess.run([*ctr, "--namespace", "k8s.io", "images", "import", image], stdout=log, stderr=log, check=True)


def _kubelet(folder: Path, plan: Plan) -> list[str]:
    return [
        plan.programs["kubelet"],
        f"--config={folder}/kubelet.yaml",
        f"--kubeconfig={folder}/kubeconfig",
        f"--cert-dir={folder}",
        f"--hostname-override={plan.name}",
        f"--node-ip={addresses.node_address(plan.number)}",
        f"--node-labels={','.join(f'{key}={value}' for key, value in plan.labels.items())}",
        "--v=1",
    ]


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
