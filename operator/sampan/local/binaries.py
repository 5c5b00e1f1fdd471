"""Finds the programs a federation is made of, in the order SAMPAN_KUBE_ASSETS, PATH, cache; has what is missing built (build.py).

Never here: how to build them, or what to do with them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sampan.local.paths import LocalError, cache_root

KUBERNETES_VERSION = "v1.36.3"
ETCD_VERSION = "3.6.16"
KWOK_VERSION = "v0.8.0"
HELM_VERSION = "v3.22.0"
CONTAINERD_VERSION = "v2.3.7"
COREDNS_VERSION = "v1.15.0"
PROMETHEUS_VERSION = "v3.16.0"
"""What promtool says; as a Go module the same release is v0.316.0."""

_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROGRAMS = ("etcd", "kwok", "kwokctl", *_SERVERS, "kubectl", "helm")
"""Everything a federation needs."""
_CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
NODE_PROGRAMS = ("kubelet", *_CONTAINERD, "coredns")
"""What real nodes need besides."""
ALERT_PROGRAMS = ("promtool",)
"""What tries the alert rules of the chart; nothing else needs it."""

_ASK = {
    "etcd": ("--version",),
    "kwok": ("--version",),
    "kwokctl": ("--version",),
    "kubectl": ("version", "--client"),
    "helm": ("version", "--short"),
    "containerd-shim-runc-v2": ("-v",),
    "coredns": ("-version",),
}
_NUMBER = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(-[\w.]+)?")

Say = Callable[[str], None]
"""Takes one line of progress."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Absolute paths by program name."""

    paths: dict[str, Path]

    def __getitem__(self, program: str) -> str:
        return str(self.paths[program])


def ensure(say: Say, programs: Sequence[str] = PROGRAMS) -> Binaries:
    """These programs, built where none of the right version is found. Raises LocalError when that is impossible."""
    from sampan.local.build import build

    found = find(programs)
    missing = [program for program in programs if program not in found]
    if missing:
        build(missing, say)
        found |= {program: cache_root() / "bin" / program for program in missing}
    return Binaries(paths=found)


def find(programs: Sequence[str] = PROGRAMS) -> dict[str, Path]:
    """Those of the programs that need no build, by name. A folder named in SAMPAN_KUBE_ASSETS is believed and must exist."""
    found: dict[str, Path] = {}
    for program in programs:
        place = _in_assets(program) or _on_path(program) or _in_cache(program)
        if place is not None:
            found[program] = place
    return found


def _in_assets(program: str) -> Path | None:
    folder = os.environ.get("SAMPAN_KUBE_ASSETS")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise LocalError(f"SAMPAN_KUBE_ASSETS={folder}: no such folder; unset it or point it at a folder with {', '.join(PROGRAMS)}")
    place = Path(folder) / program
    return place.resolve() if place.is_file() and os.access(place, os.X_OK) else None


def _on_path(program: str) -> Path | None:
    place = shutil.which(program)
    return Path(place).resolve() if place is not None and suits(program, reported_version(program, place)) else None


def _in_cache(program: str) -> Path | None:
    place = cache_root() / "bin" / program
    if not place.is_file():
        return None
    mark = stamp(place)
    version = mark.read_text().strip() if mark.is_file() else reported_version(program, str(place))
    return place if suits(program, version) else None


def stamp(place: Path) -> Path:
    """The file beside a built program that says its version, so that a new version is built anew and nobody has to ask."""
    return place.with_name(f".{place.name}.version")


def wanted_version(program: str) -> str:
    """The version this release is made for, as `1.2.3`."""
    if program == "etcd":
        return ETCD_VERSION
    if program in {"kwok", "kwokctl"}:
        return KWOK_VERSION.removeprefix("v")
    if program in _CONTAINERD:
        return CONTAINERD_VERSION.removeprefix("v")
    if program == "coredns":
        return COREDNS_VERSION.removeprefix("v")
    if program == "promtool":
        return PROMETHEUS_VERSION.removeprefix("v")
    return (HELM_VERSION if program == "helm" else KUBERNETES_VERSION).removeprefix("v")


def reported_version(program: str, place: str) -> str | None:
    """What the program itself says; None when it cannot be asked."""
    try:
        answer = subprocess.run([place, *_ASK.get(program, ("--version",))], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    seen = _NUMBER.search(answer.stdout + answer.stderr)
    return seen.group(0).removeprefix("v") if seen else None


def suits(program: str, version: str | None) -> bool:
    """Servers must match exactly; kubectl by one minor release up or down; etcd by minor; helm by major; all others exactly."""
    seen = _NUMBER.fullmatch(version or "")
    if seen is None:
        return False
    want = _NUMBER.fullmatch(wanted_version(program))
    assert want is not None
    have_numbers, want_numbers = [tuple(int(part or 0) for part in match.groups()[:3]) for match in (seen, want)]
    if program == "kubectl":
        return seen.group(4) is None and have_numbers[0] == want_numbers[0] and abs(have_numbers[1] - want_numbers[1]) <= 1
    if program == "helm":
        return have_numbers[0] == want_numbers[0] and have_numbers[1] >= want_numbers[1]
    if program == "etcd":
        return have_numbers[:2] == want_numbers[:2]
    return have_numbers == want_numbers
