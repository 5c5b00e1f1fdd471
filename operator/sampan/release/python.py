"""Python packages in the image: the locked wheels, unpacked for the image's platform, and Sampan's own.

Never here: building a wheel of somebody else's. There is no compiler in the image, and none is needed for it.
"""

import compileall
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

from sampan.release.debian import PYTHON
from sampan.release.errors import ReleaseError

WHEEL_ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}
_MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
_UNUSED = ("bin", "kubernetes/aio", "numpy/f2py", "sqlalchemy/testing")
"""Below the folder of dependencies: scripts of tools, the second, asynchronous half of the Kubernetes client (68 MB), a Fortran wrapper,
and what tests of dialects need."""
_SOURCES = ("*.pyi", "*.pyx", "*.pxd", "*.c", "*.h")


def check_version() -> None:
    """Raise ReleaseError where this Python writes other bytecode than the image's reads."""
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    if ours != PYTHON:
        raise ReleaseError(
            f"this is Python {ours}, the image's is {PYTHON}: make the environment with it (make clean venv PYTHON=python{PYTHON})"
        )


def install_locked(lock: Path, target: Path, *, architecture: str) -> None:
    """Unpack every wheel of a lock file with hashes. Raises ReleaseError where one is not to be had for the architecture."""
    wheel = WHEEL_ARCHITECTURE[architecture]
    platforms = [word for kind in _MANYLINUX for word in ("--platform", f"{kind}_{wheel}")]
    _pip(
        *("install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile", "--target", str(target)),
        *("--python-version", PYTHON, "--implementation", "cp", *platforms, "-r", str(lock)),
    )
    for name in _UNUSED:
        shutil.rmtree(target / name, ignore_errors=True)
    for folder in sorted(target.rglob("tests")):
        shutil.rmtree(folder, ignore_errors=True)
    for pattern in _SOURCES:
        for path in target.rglob(pattern):
            path.unlink()


def build_wheel(source: Path, wheels: Path) -> Path:
    """Build Sampan's wheel into the folder `wheels` and return it. Raises ReleaseError."""
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source))
    return next(wheels.glob("sampan-*.whl"))


def install_own(source: Path, target: Path, *, wheels: Path) -> None:
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


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"pip {words[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
