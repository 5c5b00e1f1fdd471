"""The command line as a plugin of kubectl: an archive a platform that runs by whatever Python the machine has, and krew's manifest.

In it are the verbs that talk to a hub. Compiled packages are there once for each Python, all others once.
Never here: what only the operator needs.
"""

import csv
import gzip
import re
import shutil
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sampan.release import python
from sampan.release.errors import ReleaseError
from sampan.release.source import DESCRIPTION, Source
from sampan.release.tar_entries import add_entry

VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
LEFT_OUT: Final = frozenset(
    ("alembic", "kopf", "mako", "markupsafe", "numpy", "prometheus-client", "psycopg", "psycopg-binary", "sqlalchemy", "uvloop")
)
"""Packages of the runtime lock that only the operator, the publisher, simulations and `inspect` import: three quarters of the whole."""
PROGRAM: Final = "kubectl-sampan"

_LAUNCHER = """\
#!/bin/sh
# Starts the command line by the first Python that it has compiled packages for.
set -eu
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=$(dirname "$self")/$target ;; esac
done
here=$(cd "$(dirname "$self")" && pwd)
for python in ${SAMPAN_PYTHON:-} python3 %(names)s; do
  kind=$("$python" -c 'import sys; print("cp%%d%%d" %% sys.version_info[:2])' 2>/dev/null) || continue
  if [ -d "$here/lib/$kind" ]; then exec "$python" -I "$here/start.py" "$@"; fi
done
echo "kubectl sampan: no Python of %(versions)s was found; install one, or name it in SAMPAN_PYTHON" >&2
exit 1
"""
_START = """\
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path[:0] = [str(here / "lib" / "cp{}{}".format(*sys.version_info)), str(here / "lib" / "any")]
sys.argv[0] = "kubectl-sampan"

from sampan.cli.main import run

run()
"""
_CAVEATS = f"""\
Needs one of Python {", ".join(VERSIONS)}; on Linux with glibc 2.28 or newer. SAMPAN_PYTHON names another than the first in PATH.
The verbs that need no hub (inspect, simulate, local, demo) and the operator itself are in the Python package and in the image.
"""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform as Go, and so krew, calls it, and as wheels do."""

    os: str
    arch: str
    wheels: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return OS-ARCHITECTURE."""
        return f"{self.os}-{self.arch}"


PLATFORMS: Final = (
    Platform("linux", "amd64", python.linux("amd64")),
    Platform("linux", "arm64", python.linux("arm64")),
    Platform("darwin", "arm64", ("macosx_14_0_arm64",)),
)
"""Intel Macs are not among them: `cryptography` has no wheels for them any more."""


def build_plugin(source: Source, platform: Platform, out: Path, *, scratch: Path, versions: Sequence[str] = VERSIONS) -> Path:
    """Write kubectl-sampan-VERSION-OS-ARCHITECTURE.tar.gz into `out`, for Pythons from the oldest on. Raises ReleaseError, OSError."""
    root = scratch / platform.name
    (root / "lib").mkdir(parents=True)
    lock = scratch / f"{platform.name}.lock"
    lock.write_text(chosen(source.runtime_lock.read_text(), left_out=LEFT_OUT))
    shared, first, *others = (root / "lib" / name for name in ("any", *map(_kind, versions)))
    python.install_locked(lock, shared, platforms=platform.wheels, version=versions[0])
    compiled = _move_compiled(shared, first, _kind(versions[0]))
    lock.write_text(chosen(lock.read_text(), only=compiled))
    for version, folder in zip(versions[1:], others, strict=True):
        python.install_locked(lock, folder, platforms=platform.wheels, version=version)
    python.install_own(source, shared, wheels=scratch / f"{platform.name}-wheels")
    for folder in (shared, first, *others):
        python.forget_the_build(folder)
    words = {"names": " ".join(f"python{version}" for version in reversed(versions)), "versions": ", ".join(versions)}
    (root / PROGRAM).write_text(_LAUNCHER % words)
    (root / PROGRAM).chmod(0o755)
    (root / "start.py").write_text(_START)
    shutil.copy(source.root / "LICENSE", root / "LICENSE")
    return _pack(root, out / f"{PROGRAM}-{source.version}-{platform.name}.tar.gz", epoch=source.epoch)


def _kind(version: str) -> str:
    return "cp" + version.replace(".", "")


def chosen(lock: str, *, left_out: Collection[str] = (), only: Collection[str] | None = None) -> str:
    """Return the entries of a lock file, those of some packages left out or alone."""
    entries = {found[1]: entry for entry in re.split(r"\n(?=\S)", lock) if (found := re.match(r"([A-Za-z0-9._-]+)==", entry))}
    unknown = sorted(set(left_out or only or ()) - set(entries))
    if only is not None and unknown:
        raise ReleaseError(f"the lock file has no {', '.join(unknown)}: run make lock")
    return "".join(f"{entry.rstrip()}\n" for name, entry in entries.items() if name not in left_out and (only is None or name in only))


def _move_compiled(folder: Path, target: Path, kind: str) -> set[str]:
    """Move the packages that only one Python can read, and return their names as a lock file writes them."""
    target.mkdir()
    found = set()
    for about in sorted(folder.glob("*.dist-info")):
        if f"Tag: {kind}-{kind}-" in (about / "WHEEL").read_text():
            found.add(about.name.removesuffix(".dist-info").rpartition("-")[0].lower().replace("_", "-"))
            with (about / "RECORD").open(newline="") as record:
                for name in sorted({Path(row[0]).parts[0] for row in csv.reader(record)} - {".."}):
                    if (folder / name).exists():
                        (folder / name).rename(target / name)
    return found


def _pack(root: Path, out: Path, *, epoch: int) -> Path:
    with (
        out.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0, compresslevel=9) as packer,
        tarfile.open(fileobj=packer, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(root.rglob("*")):
            entry = archive.gettarinfo(path, arcname=path.relative_to(root).as_posix())
            entry.uid = entry.gid = 0
            add_entry(archive, entry, path if entry.isreg() else None, epoch=epoch)
    return out


def krew_manifest(source: Source, checksums: Mapping[Platform, tuple[str, str]]) -> str:
    """Return the manifest (krew's v1alpha2); `checksums`: of each platform where its archive is to be had, and its SHA-256."""
    document: dict[str, Any] = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "sampan"},
        "spec": {
            "version": f"v{source.version}",
            "shortDescription": "Submit, follow and explain AI jobs over clusters",
            "description": f"{DESCRIPTION}:\nwhat is on offer, what a job would get and cost, why it waits, what it prints.\n",
            "caveats": _CAVEATS,
            "platforms": [
                {
                    "selector": {"matchLabels": {"os": platform.os, "arch": platform.arch}},
                    "uri": uri,
                    "sha256": checksum,
                    "bin": PROGRAM,
                }
                for platform, (uri, checksum) in checksums.items()
            ],
        },
    }
    return yaml.safe_dump(document, sort_keys=False)
