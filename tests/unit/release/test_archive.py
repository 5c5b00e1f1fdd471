"""OCI archives: what the image layout asks for, and the same to the bit."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from sampan.release.archive import IMAGE_CONFIG, Blobs, manifest, write_archive

EPOCH = 1_700_000_000


def written(path: Path, *, layer: Path) -> Path:
    """An archive of one image of one layer."""
    blobs = Blobs()
    digest = f"sha256:{hashlib.sha256(layer.read_bytes()).hexdigest()}"
    blobs.content[digest] = layer
    config = blobs.put_json({"os": "linux", "architecture": "arm64"}, IMAGE_CONFIG)
    described = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": layer.stat().st_size}
    image = blobs.put_json(manifest(config, [described], {"b": "2", "a": "1"}), "application/vnd.oci.image.manifest.v1+json")
    write_archive(path, blobs, [{**image, "annotations": {"org.opencontainers.image.ref.name": "1"}}], epoch=EPOCH)
    return path


def read(path: Path) -> dict[str, bytes]:
    """Every file of an archive."""
    with tarfile.open(path) as archive:
        return {entry.name: body.read() for entry in archive if (body := archive.extractfile(entry)) is not None}


def test_every_blob_is_named_by_its_digest_and_reached_from_the_index(tmp_path: Path) -> None:
    (tmp_path / "layer").write_bytes(b"layer")
    files = read(written(tmp_path / "image.tar", layer=tmp_path / "layer"))
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    for name, body in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(body).hexdigest()}"

    def follow(descriptor: dict[str, Any]) -> bytes:
        body = files["blobs/" + descriptor["digest"].replace(":", "/")]
        assert len(body) == descriptor["size"]
        return body

    (image,) = json.loads(files["index.json"])["manifests"]
    content = json.loads(follow(image))
    assert json.loads(follow(content["config"])) == {"architecture": "arm64", "os": "linux"}
    assert [follow(layer) for layer in content["layers"]] == [b"layer"]


def test_an_archive_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "layer").write_bytes(b"layer")
    first, second = written(tmp_path / "1.tar", layer=tmp_path / "layer"), written(tmp_path / "2.tar", layer=tmp_path / "layer")
    assert first.read_bytes() == second.read_bytes()
