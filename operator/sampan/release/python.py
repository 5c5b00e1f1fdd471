"""Python packages in the image: the locked wheels, unpacked for the image's platform, and Sampan's own.

Never here: building a wheel of somebody else's. There is no compiler in the image, and none is needed for it.
"""

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sampan.release.debian import PYTHON, remove
from sampan.release.errors import ReleaseError
from sampan.release.source import Source

_WHEEL_ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}
_MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
_UNUSED = (
    *("bin", "kubernetes/aio", "numpy/f2py", "numpy/_core/*_tests.*.so", "pycparser"),
    *("sqlalchemy/testing", "sqlalchemy/dialects/mssql", "sqlalchemy/dialects/mysql", "sqlalchemy/dialects/oracle"),
    "pygments/lexers/[!_]*",
)
"""Patterns below the folder of dependencies: scripts of tools, the second, asynchronous half of the Kubernetes client (68 MB), a Fortran
wrapper, what only tests need, a parser for building extensions, databases that nobody can name, colours for other languages' sources."""
_SOURCES = ("*.pyi", "*.pyx", "*.pxd", "*.c", "*.h")


def check_version() -> None:
    """Raise ReleaseError where this Python writes other bytecode than the image's reads."""
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    if ours != PYTHON:
        raise ReleaseError(
            f"this is Python {ours}, the image's is {PYTHON}: make the environment with it (make clean venv PYTHON=python{PYTHON})"
        )


def linux(architecture: str) -> tuple[str, ...]:
    """Return the platforms of wheels for Linux with glibc 2.28 or newer, as pip calls them."""
    return tuple(f"{kind}_{_WHEEL_ARCHITECTURE[architecture]}" for kind in _MANYLINUX)


def install_locked(lock: Path, target: Path, *, platforms: Sequence[str], version: str = PYTHON) -> None:
    """Unpack every wheel of a lock file with hashes. Raises ReleaseError where one is not to be had for platforms and Python."""
    words = [word for platform in platforms for word in ("--platform", platform)]
    _pip(
        *("install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile", "--target", str(target)),
        *("--python-version", version, "--implementation", "cp", *words, "-r", str(lock)),
    )
    leave_out(target)


def leave_out(target: Path) -> None:
    """Remove from a folder of packages what nothing of ours reads."""
    for pattern in _UNUSED:
        for path in sorted(target.glob(pattern)):
            remove(path)
    for folder in sorted(target.rglob("tests")):
        shutil.rmtree(folder, ignore_errors=True)
    for pattern in _SOURCES:
        for path in target.rglob(pattern):
            path.unlink()


def build_wheel(source: Source, wheels: Path) -> Path:
    """Build Sampan's wheel into the folder `wheels` and return it. Raises ReleaseError."""
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source.root), epoch=source.epoch)
    return next(wheels.glob("sampan-*.whl"))


def install_own(source: Source, target: Path, *, wheels: Path) -> None:
    """Unpack Sampan's own wheel. Raises ReleaseError."""
    _pip("install", "--no-deps", "--no-compile", "--no-index", "--target", str(target), str(build_wheel(source, wheels)))
    shutil.rmtree(target / "bin", ignore_errors=True)


def compile_below(root: Path, folder: Path) -> None:
    """Write bytecode now, for the image's root cannot be written later; found by its hash alone, so that each build writes the same."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, stripdir=str(root), prependdir="/", invalidation_mode=mode)


def forget_the_build(target: Path) -> None:
    """Remove the records that name the folders of this machine."""
    for name in ("direct_url.json", "RECORD"):
        for path in target.glob(f"*.dist-info/{name}"):
            path.unlink()


def _pip(*words: str, epoch: int | None = None) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    env = os.environ if epoch is None else {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        raise ReleaseError(f"pip {words[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
