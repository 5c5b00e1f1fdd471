"""What real nodes need of the machine: what lacks, said in words, and the programs, found, installed or built.

Never here: starting any of them.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sampan.local.binaries import NODE_PROGRAMS, Say, ensure
from sampan.local.nodes import cgroups
from sampan.local.paths import RefusedError

MACHINE: Final = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
"""What this machine is called in images."""
_CNI_FOLDERS: Final = (Path("/opt/cni/bin"), Path("/usr/lib/cni"), Path("/usr/libexec/cni"))
_CNI_PLUGINS: Final = ("bridge", "host-local", "loopback")
_TOOLS: Final = {"ip": "iproute2", "nsenter": "util-linux", "setpriv": "util-linux", "unshare": "util-linux"}
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_APT_SECONDS: Final = 600.0


class NoRealNodesError(RefusedError):
    """This machine cannot have real nodes; the message says what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Paths of all that a node is made of."""

    programs: dict[str, Path]
    """kubelet, containerd, its shim, ctr, coredns."""
    runc: Path
    cni: Path
    """The folder of the CNI plugins."""
    busybox: Path
    """A static one: images are made of it."""

    @property
    def path(self) -> str:
        """PATH for containerd, which looks there for its shim."""
        return f"{self.programs['containerd-shim-runc-v2'].parent}:{_PATH}"


def lacking() -> list[str]:
    """What this machine lacks for real nodes and nobody here can provide; empty where it can have them."""
    if sys.platform != "linux":
        return [f"Linux: this is {sys.platform}"]
    if os.geteuid() != 0:
        return ["root: network namespaces, mounts and cgroups are root's"]
    missing = [f"{tool} of Debian's package {package}" for tool, package in _TOOLS.items() if _which(tool) is None]
    missing += _cgroups_lacking()
    if not missing and (refused := _namespaces_refused()):
        missing.append(f"namespaces: {refused}")
    if (packages := _packages_missing()) and shutil.which("apt-get") is None:
        missing.append(f"runc, CNI plugins and a static busybox, on Debian the packages {', '.join(packages)}")
    return missing


def provide(say: Say) -> Parts:
    """All parts, installed or built where they are missing. Raises NoRealNodesError with what lacks, LocalError where a build fails."""
    if missing := lacking():
        raise NoRealNodesError(f"no real nodes on this machine; it lacks {'; '.join(missing)}")
    if packages := _packages_missing():
        say(f"installing {', '.join(packages)}")
        _install(packages)
    runc, cni, busybox = _which("runc"), _cni(), _busybox()
    if runc is None or cni is None or busybox is None:
        raise NoRealNodesError(f"no real nodes on this machine; after the installation it still lacks {', '.join(_packages_missing())}")
    return Parts(programs=ensure(say, NODE_PROGRAMS).paths, runc=runc, cni=cni, busybox=busybox)


def _which(program: str) -> Path | None:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_PATH}")
    return Path(found).resolve() if found else None


def _cni() -> Path | None:
    return next((folder for folder in _CNI_FOLDERS if all((folder / plugin).is_file() for plugin in _CNI_PLUGINS)), None)


def _busybox() -> Path | None:
    place = _which("busybox")
    if place is None:
        return None
    with place.open("rb") as program:  # a program that is linked dynamically names its loader at the beginning
        return place if b"/ld-" not in program.read(4096) else None


def _packages_missing() -> list[str]:
    found = {"runc": _which("runc"), "containernetworking-plugins": _cni(), "busybox-static": _busybox()}
    return [package for package, place in found.items() if place is None]


def _install(packages: Iterable[str]) -> None:
    """Install Debian's packages, with fresh lists where those at hand do not do. Raises NoRealNodesError with apt's last words."""
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=300", *packages]
    words = ""
    for command in (install, ["apt-get", "update", "-o", "DPkg::Lock::Timeout=300"], install):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_APT_SECONDS, check=False)
        if command is install and done.returncode == 0:
            return
        words = " ".join((done.stderr or done.stdout).split())[-300:]
    raise NoRealNodesError(f"no real nodes on this machine; it lacks {', '.join(packages)}, and apt-get cannot install them: {words}")


def _cgroups_lacking() -> list[str]:
    if (cgroups.ROOT / "cgroup.controllers").is_file():
        return ["cgroup version 1: there is version 2 alone, with which real nodes have not been tried"]
    away = [name for name in cgroups.NEEDED if not (cgroups.ROOT / name / "cgroup.procs").is_file()]
    if away:
        return [f"the cgroup controllers {', '.join(away)} below {cgroups.ROOT}"]
    closed = [name for name in cgroups.NEEDED if not os.access(cgroups.ROOT / name, os.W_OK)]
    return [f"the right to make cgroups of {', '.join(closed)} below {cgroups.ROOT}"] if closed else []


def _namespaces_refused() -> str:
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()[-200:]
