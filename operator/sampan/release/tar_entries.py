"""Entries of the tar files that a release consists of: nothing in them tells when, where or by whom they were written."""

import io
import tarfile
from pathlib import Path


def add_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, body: bytes | Path | None, *, epoch: int) -> None:
    """Append an entry with its content, a file's or these bytes; None: it has none. `epoch`: its time stamp, in seconds. Raises OSError."""
    entry.mtime, entry.uname, entry.gname = epoch, "", ""
    if isinstance(body, Path):
        entry.size = body.stat().st_size
        with body.open("rb") as content:
            archive.addfile(entry, content)
    elif body is not None:
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
    else:
        archive.addfile(entry)
