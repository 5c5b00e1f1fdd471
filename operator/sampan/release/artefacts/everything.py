"""A whole release: each file that is published, in one folder. Never here: how one of them is made."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sampan.release import python
from sampan.release.artefacts.charts import CHARTS, package_chart
from sampan.release.artefacts.notes import SUMS, checksums, release_notes, sha256
from sampan.release.artefacts.plugin import PLATFORMS, Platform, build_plugin, krew_manifest
from sampan.release.errors import ReleaseError
from sampan.release.image import Image, build_image
from sampan.release.source import Source

LARGEST_PACKED, LARGEST_UNPACKED = 80_000_000, 300_000_000
"""Bytes of an image as it is pulled, and as a node keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a release has. `downloads`: the URL of the folder in which its files will be, for krew."""

    helm: str
    downloads: str
    architectures: Sequence[str] = ("amd64", "arm64")
    platforms: Sequence[Platform] = PLATFORMS


def build_release(source: Source, out: Path, plan: Plan) -> list[Path]:
    """Fill `out`, which is emptied first, and return its files. Raises ReleaseError, OSError."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    digests: dict[str, str] = {}
    python.build_wheel(source, out)
    for name in CHARTS:
        chart = package_chart(source, name, out, helm=plan.helm)
        digests[f"charts/{name}:{source.version}"] = chart.digest
    for architecture in plan.architectures:
        file = out / f"sampan-image-{source.version}-{architecture}.oci.tar"
        built = build_image(source, file, reference=f"sampan:{source.version}", architecture=architecture)
        refuse_large(built)
        digests[f"sampan:{source.version} ({architecture})"] = built.digest
    with tempfile.TemporaryDirectory(prefix="sampan-plugin-", dir=out.parent) as folder:
        archives = {platform: build_plugin(source, platform, out, scratch=Path(folder)) for platform in plan.platforms}
    told = {platform: (f"{plan.downloads.rstrip('/')}/{path.name}", sha256(path)) for platform, path in archives.items()}
    (out / "sampan.yaml").write_text(krew_manifest(source, told))
    (out / "NOTES.md").write_text(release_notes(source, digests, list(out.iterdir())))
    (out / SUMS).write_text(checksums(out.iterdir()))
    return sorted(out.iterdir())


def refuse_large(image: Image) -> None:
    """Raise ReleaseError where an image has outgrown what every node of a hub is asked to pull and keep."""
    if image.packed > LARGEST_PACKED or image.unpacked > LARGEST_UNPACKED:
        raise ReleaseError(
            f"{image.archive.name}: {image.packed / 1e6:.1f} MB packed and {image.unpacked / 1e6:.1f} MB unpacked; at most "
            f"{LARGEST_PACKED / 1e6:.0f} and {LARGEST_UNPACKED / 1e6:.0f}: leave out in python.py what nothing reads"
        )
