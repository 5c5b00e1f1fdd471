"""The image: three layers (Debian, locked wheels, Sampan), the same to the bit for the same commit and the same packages.

One image serves the operator, the publisher, the uninstall guard and the command line. Never here: what a layer consists of.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sampan.release import debian, python
from sampan.release.archive import IMAGE_CONFIG, MANIFEST, Blobs, manifest, write_archive
from sampan.release.below import DEPENDENCIES, build_below, kept_below
from sampan.release.bill import bill_of_materials, python_parts
from sampan.release.layers import Layer, size_of, write_layer
from sampan.release.source import Source

OWN = "opt/sampan/app"
ENVIRONMENT = (
    "PATH=/usr/bin:/bin",
    f"PYTHONPATH=/{OWN}:/{DEPENDENCIES}",
    "PYTHONUNBUFFERED=1",
    "PYTHONDONTWRITEBYTECODE=1",
    "HOME=/tmp",
    "LANG=C.UTF-8",
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
)
_ENTRY = "#!/usr/bin/python3 -P\nfrom sampan.cli.main import run\n\nrun()\n"


@dataclass(frozen=True, slots=True)
class Image:
    """A built image. Sizes are in bytes: of all its files, and of its compressed layers."""

    archive: Path
    bill: Path
    digest: str
    unpacked: int
    packed: int


def build_image(source: Source, out: Path, *, reference: str, architecture: str = "amd64", layers: Path | None = None) -> Image:
    """Write `out`, an OCI archive that is called `reference` (NAME:TAG), and OUT's bill of materials. Raises ReleaseError, OSError.

    `layers`: a folder that keeps the layers below Sampan's own; None: they are built anew.
    """
    python.check_version()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sampan-image-", dir=out.parent) as folder:
        scratch = Path(folder)
        below = (
            build_below(source, scratch, architecture=architecture)
            if layers is None
            else kept_below(source, layers, architecture=architecture)
        )
        own = scratch / "app"
        python.install_own(source, own / OWN, wheels=scratch / "wheels")
        _entry_point(own)
        bill = bill_of_materials([*below.parts, *python_parts(own / OWN)], version=source.version)
        (own / "opt/sampan/sbom.cdx.json").write_text(bill)
        python.compile_below(own, own / OWN)
        python.forget_the_build(own / OWN)
        all_layers = [*below.layers, write_layer(own, scratch / "app.tar.gz", epoch=source.epoch)]
        digest = _write(out, all_layers, source, reference=reference, architecture=architecture)
        unpacked = below.unpacked + size_of(own)
    beside = out.with_name(out.name.removesuffix(".tar") + ".cdx.json")
    beside.write_text(bill)
    return Image(archive=out, bill=beside, digest=digest, unpacked=unpacked, packed=sum(layer.size for layer in all_layers))


def _entry_point(own: Path) -> None:
    for name in ("sampan", "kubectl-sampan"):
        program = own / "usr/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(_ENTRY)
        program.chmod(0o755)


def image_config(source: Source, *, architecture: str, diff_ids: list[str]) -> dict[str, Any]:
    """Return the image's configuration (OCI image specification, config.md)."""
    return {
        "architecture": architecture,
        "os": "linux",
        "created": source.created,
        "config": {
            "User": f"{debian.USER}:{debian.USER}",
            "WorkingDir": "/",
            "Cmd": ["sampan", "operator", "run"],
            "Env": list(ENVIRONMENT),
            "ExposedPorts": {"8080/tcp": {}, "8443/tcp": {}},
            "Labels": source.labels(),
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [
            {"created": source.created, "created_by": f"sampan release image ({name})"} for name in ("Debian", "dependencies", "Sampan")
        ],
    }


def _write(out: Path, layers: list[Layer], source: Source, *, reference: str, architecture: str) -> str:
    blobs = Blobs({layer.digest: layer.file for layer in layers})
    config = blobs.put_json(image_config(source, architecture=architecture, diff_ids=[layer.diff_id for layer in layers]), IMAGE_CONFIG)
    one = blobs.put_json(manifest(config, [layer.descriptor() for layer in layers], source.labels()), MANIFEST)
    named = {
        **one,
        "platform": {"architecture": architecture, "os": "linux"},
        "annotations": {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference.rpartition(":")[2]},
    }
    write_archive(out, blobs, [named], epoch=source.epoch)
    return str(one["digest"])
