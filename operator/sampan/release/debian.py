"""The base of the image from Debian's packages, for machines without a container engine or a registry: Python, its libraries, certificates.

Packages are unpacked and nothing in them is run: it needs no emulation for another architecture. What their scripts would have done for
us is done here. Never here: anything of Sampan's own.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from sampan.release.errors import ReleaseError

SUITE = "bookworm"
PYTHON = "3.11"
"""What that suite's python3 is."""
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6", "ca-certificates", "media-types", "tzdata")
USER = 65532
"""User and group id of what runs in the image; "nonroot" elsewhere."""

_EXCLUDED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/lintian/*")
_LEFT_OUT = (
    *("var/cache", "var/log", "var/lib/apt", "var/lib/dpkg", "etc/apt", "usr/share/bash-completion", "usr/share/perl5"),
    *("usr/share/pixmaps", "usr/share/applications", "usr/share/zoneinfo/right", "usr/share/zoneinfo/posix"),
    *(f"usr/lib/python{PYTHON}/{name}" for name in ("test", "pydoc_data", "lib2to3", "idlelib")),
)
_LEFT_OUT_PATTERNS = ("usr/lib/*/gconv", "usr/bin/openssl", "usr/lib/*/libdb-5*")
"""Converters of glibc's iconv, which Python does not use; a command; the library of a database that only Python's dbm knows."""


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package that went into the image."""

    name: str
    version: str
    architecture: str


def unpack(root: Path, *, architecture: str, scratch: Path) -> list[Package]:
    """Fill `root` and return the packages, by name. Raises ReleaseError where the tools are missing or a package cannot be had."""
    program = shutil.which("mmdebstrap")
    if program is None:
        raise ReleaseError(
            "mmdebstrap is missing: install it (Debian, Ubuntu: apt install mmdebstrap), or have Docker or podman build the image"
        )
    listing = scratch / "packages.txt"
    listed = f'for d in "$1"/var/cache/apt/archives/*.deb; do dpkg-deb -f "$d" Package Version Architecture; echo; done > "{listing}"'
    excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED]
    command = [
        *(program, "--quiet", "--variant=extract", f"--architectures={architecture}", f"--include={','.join(PACKAGES)}"),
        *(*excluded, "--dpkgopt=path-include=/usr/share/doc/*/copyright", f"--extract-hook={listed}", "--skip=cleanup/apt"),
        *(SUITE, str(root)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        raise ReleaseError(f"mmdebstrap ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    _settle(root)
    return sorted(packages(listing.read_text()), key=lambda package: package.name)


def packages(listing: str) -> list[Package]:
    """Read blocks of control fields, separated by empty lines."""
    blocks = (HeaderParser().parsestr(block) for block in listing.split("\n\n") if block.strip())
    return [Package(block["Package"], block["Version"], block["Architecture"]) for block in blocks]


def _settle(root: Path) -> None:
    """Do what the packages' scripts would have done, and leave out what no container needs."""
    trusted = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    (root / "etc/ssl/certs/ca-certificates.crt").write_bytes(b"".join(certificate.read_bytes() for certificate in trusted))
    (root / "etc/passwd").write_text(f"root:x:0:0:root:/:/usr/sbin/nologin\nsampan:x:{USER}:{USER}:sampan:/tmp:/usr/sbin/nologin\n")
    (root / "etc/group").write_text(f"root:x:0:\nsampan:x:{USER}:\n")
    for name in _LEFT_OUT:
        shutil.rmtree(root / name, ignore_errors=True)
    for pattern in _LEFT_OUT_PATTERNS:
        for path in root.glob(pattern):
            remove(path)
    for path in (root / "dev").iterdir():
        remove(path)
    for name in ("tmp", "proc", "sys", "run", "var/lib/sampan"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    os.chown(root / "var/lib/sampan", USER, USER)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
