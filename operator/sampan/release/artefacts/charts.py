"""Charts: as helm packages them, the same to the bit for the same commit, and the same as OCI archives that registries take.

An archive holds what `helm push` would make in a registry: the chart's metadata as configuration, the packaged chart as the only layer
(https://helm.sh/docs/topics/registries/#oci-feature-support). Never here: what is in a chart.
"""

import gzip
import io
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from sampan.release.archive import MANIFEST, Blobs, manifest, write_archive
from sampan.release.errors import ReleaseError
from sampan.release.source import Source
from sampan.release.tar_entries import add_entry

CHARTS = ("sampan", "sampan-member")
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@dataclass(frozen=True, slots=True)
class Chart:
    """A packaged chart: for `helm install FILE`, and as OCI archive, whose digest is that of its manifest."""

    package: Path
    archive: Path
    digest: str


def package_chart(source: Source, name: str, out: Path, *, helm: str) -> Chart:
    """Write NAME-VERSION.tgz and NAME-chart-VERSION.oci.tar into `out`. Raises ReleaseError where helm refuses the chart, OSError."""
    with tempfile.TemporaryDirectory(prefix="sampan-chart-") as folder:
        done = subprocess.run(
            [helm, "package", str(source.root / "helm" / name), "--destination", folder], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ReleaseError(f"helm package ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        (made,) = Path(folder).iterdir()
        package = out / made.name
        package.write_bytes(_settled(made, epoch=source.epoch))
    about = _about(package, name)
    if about["version"] != source.version:
        raise ReleaseError(f"helm/{name}/Chart.yaml: version is {about['version']}, the package's is {source.version}: they must be equal")
    archive = out / f"{name}-chart-{source.version}.oci.tar"
    return Chart(package=package, archive=archive, digest=_write(archive, package, about=about, source=source))


def _settled(package: Path, *, epoch: int) -> bytes:
    """Return helm's package without the times and owners of this machine."""
    with tarfile.open(package) as archive:
        found = {entry.name: (entry, archive.extractfile(entry)) for entry in archive if entry.isreg()}
        packed = io.BytesIO()
        with (
            gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0, compresslevel=9) as packer,
            tarfile.open(fileobj=packer, mode="w", format=tarfile.PAX_FORMAT) as settled,
        ):
            for name in sorted(found):
                body = found[name][1]
                entry = tarfile.TarInfo(name)
                entry.mode = 0o644
                add_entry(settled, entry, b"" if body is None else body.read(), epoch=epoch)
    return packed.getvalue()


def _about(package: Path, name: str) -> dict[str, str]:
    with tarfile.open(package) as archive:
        body = archive.extractfile(f"{name}/Chart.yaml")
        return dict(yaml.safe_load(body.read() if body is not None else b""))


def _write(out: Path, package: Path, *, about: dict[str, str], source: Source) -> str:
    blobs = Blobs()
    layer = blobs.put(package.read_bytes(), CONTENT)
    config = blobs.put_json(about, CONFIG)
    told = source.labels() | {
        "org.opencontainers.image.title": about["name"],
        "org.opencontainers.image.description": about["description"],
        "org.opencontainers.image.version": about["version"],
    }
    one = blobs.put_json(manifest(config, [layer], told), MANIFEST)
    write_archive(out, blobs, [{**one, "annotations": {"org.opencontainers.image.ref.name": about["version"]}}], epoch=source.epoch)
    return str(one["digest"])
