"""Layers of an image: the same to the bit, and what they hold."""

import gzip
import hashlib
import os
import tarfile
from pathlib import Path

from sampan.release.layers import write_layer

EPOCH = 1_700_000_000


def tree(root: Path) -> Path:
    """A few files, a link, a folder anybody may write to."""
    (root / "b" / "c").mkdir(parents=True)
    (root / "b" / "c" / "file").write_text("text")
    (root / "a").write_bytes(b"\0" * 10)
    (root / "a").chmod(0o750)
    (root / "link").symlink_to("b/c/file")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    return root


def test_a_layer_is_the_same_whenever_and_wherever_it_is_made(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "first"), tree(tmp_path / "elsewhere" / "second")
    os.utime(second / "a", (1, 1))
    one = write_layer(first, tmp_path / "1.tar.gz", epoch=EPOCH)
    other = write_layer(second, tmp_path / "2.tar.gz", epoch=EPOCH)
    assert (one.digest, one.diff_id, one.size) == (other.digest, other.diff_id, other.size)
    assert write_layer(first, tmp_path / "3.tar.gz", epoch=EPOCH + 1).digest != one.digest


def test_digests_and_size_are_those_of_the_file(tmp_path: Path) -> None:
    layer = write_layer(tree(tmp_path / "root"), tmp_path / "layer.tar.gz", epoch=EPOCH)
    body = layer.file.read_bytes()
    assert layer.size == len(body)
    assert layer.digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert layer.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(body)).hexdigest()}"
    assert layer.descriptor() == {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": layer.digest,
        "size": layer.size,
    }


def test_what_is_in_it_is_what_was_there(tmp_path: Path) -> None:
    layer = write_layer(tree(tmp_path / "root"), tmp_path / "layer.tar.gz", epoch=EPOCH)
    with tarfile.open(layer.file) as archive:
        entries = {entry.name: entry for entry in archive}
        assert list(entries) == ["a", "b", "b/c", "b/c/file", "link", "tmp"]
        assert (entries["a"].mode, entries["tmp"].mode) == (0o750, 0o1777)
        assert entries["link"].linkname == "b/c/file"
        assert {entry.mtime for entry in entries.values()} == {EPOCH}
        body = archive.extractfile("b/c/file")
        assert body is not None
        assert body.read() == b"text"
