"""OCI archives: images and other artefacts as one tar file that containerd, podman, skopeo, oras and helm read without a registry.

What is written follows the OCI image layout (image-layout.md, manifest.md and config.md of the OCI image specification, 1.1).
Never here: what goes into an artefact.
"""

import hashlib
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sampan.release.tar_entries import add_entry

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True, slots=True)
class Blobs:
    """What an archive holds beside its index, by digest."""

    content: dict[str, bytes | Path] = field(default_factory=dict)

    def put(self, body: bytes, media_type: str) -> dict[str, Any]:
        """Take the bytes in and return their descriptor."""
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.content[digest] = body
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    def put_json(self, value: Mapping[str, Any], media_type: str) -> dict[str, Any]:
        """Take a value in as canonical JSON and return its descriptor."""
        return self.put(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type)


def manifest(config: Mapping[str, Any], layers: Sequence[Mapping[str, Any]], annotations: Mapping[str, str]) -> dict[str, Any]:
    """Return an image manifest over descriptors."""
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": dict(config),
        "layers": [dict(layer) for layer in layers],
        "annotations": dict(annotations),
    }


def write_archive(out: Path, blobs: Blobs, manifests: Sequence[Mapping[str, Any]], *, epoch: int) -> None:
    """Write the archive, the same to the bit for the same content. `epoch`: every time stamp, in seconds. Raises OSError."""
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [dict(one) for one in manifests]}
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        add_entry(archive, tarfile.TarInfo("oci-layout"), b'{"imageLayoutVersion":"1.0.0"}', epoch=epoch)
        add_entry(archive, tarfile.TarInfo("index.json"), json.dumps(index, sort_keys=True).encode(), epoch=epoch)
        for digest, body in sorted(blobs.content.items()):
            add_entry(archive, tarfile.TarInfo("blobs/" + digest.replace(":", "/")), body, epoch=epoch)
