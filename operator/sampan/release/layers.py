"""Layers of an image: folders as tar archives that are the same, to the bit, wherever and whenever they are built.

Never here: what is in the folders, or the image around the layers.
"""

import gzip
import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sampan.release.tar_entries import add_entry

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Layer:
    """A compressed archive: the file, its digest and size in bytes, and the digest of what it decompresses to."""

    file: Path
    digest: str
    diff_id: str
    size: int

    def descriptor(self) -> dict[str, Any]:
        """Return what a manifest says of it (OCI image specification, descriptor.md)."""
        return {"mediaType": MEDIA_TYPE, "digest": self.digest, "size": self.size}


class _Hashed:
    """Writes on, and counts and hashes what it writes."""

    def __init__(self, out: IO[bytes] | gzip.GzipFile) -> None:
        self._out, self._hash, self.size = out, hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def size_of(root: Path) -> int:
    """Return the size in bytes of all files below `root`."""
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() or path.is_symlink())


def write_layer(root: Path, file: Path, *, epoch: int) -> Layer:
    """Write what is below `root` as a gzipped tar, sorted by name, every time stamp `epoch` (seconds), owners as they are on disk.

    Raises OSError.
    """
    with file.open("wb") as out:
        compressed: Any = _Hashed(out)
        with gzip.GzipFile(filename="", fileobj=compressed, mode="wb", mtime=0, compresslevel=9) as packer:
            plain: Any = _Hashed(packer)
            with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as archive:
                for path in sorted(root.rglob("*")):
                    entry = archive.gettarinfo(path, arcname=path.relative_to(root).as_posix())
                    if entry is not None:  # a socket has none
                        add_entry(archive, entry, path if entry.isreg() else None, epoch=epoch)
    return Layer(file=file, digest=compressed.digest, diff_id=plain.digest, size=compressed.size)
