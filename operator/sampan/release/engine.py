"""The image by a container engine: Docker or podman builds the Dockerfile. Never here: what is in the image."""

import shutil
import subprocess

from sampan.release import python
from sampan.release.errors import ReleaseError
from sampan.release.source import Source

ENGINES = ("docker", "podman")


def running_engine() -> str:
    """Return the first engine that answers. Raises ReleaseError where none does."""
    found = next((name for name in ENGINES if shutil.which(name) and _answers(name)), None)
    if found is None:
        raise ReleaseError("neither docker nor podman answers: start one, or build without (make image)")
    return found


def _answers(name: str) -> bool:
    return subprocess.run([name, "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def build_with(engine: str, source: Source, *, reference: str, base: str | None = None) -> None:
    """Have the engine keep the image under `reference`; `base` overrules the Dockerfile's. Raises ReleaseError."""
    wheels = source.root / "dist"
    shutil.rmtree(wheels, ignore_errors=True)
    python.build_wheel(source, wheels)
    told = {"VERSION": source.version, "REVISION": source.revision, "CREATED": source.created} | ({"BASE": base} if base else {})
    arguments = [word for name, value in told.items() for word in ("--build-arg", f"{name}={value}")]
    done = subprocess.run([engine, "build", *arguments, "--tag", reference, str(source.root)], check=False)
    if done.returncode != 0:
        raise ReleaseError(f"{engine} build ended with {done.returncode}; what it said is above")
