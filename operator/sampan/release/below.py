"""The layers below Sampan's own: Debian's packages and the locked wheels, built, or taken from a folder that keeps them.

A release builds them each time, with the packages of the day. Never here: Sampan's own layer, or the image.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from sampan.release import debian, python
from sampan.release.bill import debian_parts, python_parts
from sampan.release.layers import Layer, size_of, write_layer
from sampan.release.source import Source

DEPENDENCIES = "opt/sampan/deps"
_RECIPES = ("below.py", "debian.py", "layers.py", "python.py", "tar_entries.py")
"""Files of this package by which these layers are made."""


@dataclass(frozen=True, slots=True)
class Below:
    """The two layers, what the bill of materials says of them, and the size of all their files in bytes."""

    layers: tuple[Layer, Layer]
    parts: list[dict[str, Any]]
    unpacked: int


def build_below(source: Source, folder: Path, *, architecture: str) -> Below:
    """Build the layers into the folder. Raises ReleaseError, OSError."""
    with tempfile.TemporaryDirectory(prefix="below-", dir=folder) as scratch:
        base, dependencies = Path(scratch) / "base", Path(scratch) / "deps"
        packages = debian.unpack(base, architecture=architecture, scratch=Path(scratch))
        python.install_locked(source.runtime_lock, dependencies / DEPENDENCIES, platforms=python.linux(architecture))
        parts = [*debian_parts(packages), *python_parts(dependencies / DEPENDENCIES)]
        for root, compiled in ((base, "usr/lib/python3"), (base, f"usr/lib/python{debian.PYTHON}"), (dependencies, DEPENDENCIES)):
            python.compile_below(root, root / compiled)
        python.forget_the_build(dependencies / DEPENDENCIES)
        first, second = (write_layer(root, folder / f"{root.name}.tar.gz", epoch=source.epoch) for root in (base, dependencies))
        return Below((first, second), parts, size_of(base) + size_of(dependencies))


def kept_below(source: Source, folder: Path, *, architecture: str) -> Below:
    """Return the layers that the folder keeps for this lock file and these recipes, built now where it has none. Raises as `build_below`.

    They are as old as they are: for trying out, not for a release.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / _key(source, architecture)
    with _alone(folder):
        if not place.is_dir():
            with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
                made = Path(scratch) / "made"
                made.mkdir()
                (made / "below.json").write_text(json.dumps(asdict(build_below(source, made, architecture=architecture)), default=str))
                made.rename(place)
    told = json.loads((place / "below.json").read_text())
    first, second = (Layer(**{**layer, "file": place / Path(layer["file"]).name}) for layer in told["layers"])
    return Below((first, second), told["parts"], told["unpacked"])


def _key(source: Source, architecture: str) -> str:
    read = [source.runtime_lock, *(Path(__file__).parent / name for name in _RECIPES)]
    return hashlib.sha256(b"\0".join([architecture.encode(), *(path.read_bytes() for path in read)])).hexdigest()[:16]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
