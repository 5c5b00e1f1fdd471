"""The charts as a release has them: the same to the bit each time, as good as the folders, and pulled from a registry by helm itself."""

import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from integration.charts.support import SYSTEM, Helm
from integration.charts.test_render import IMAGE
from places import ROOT
from sampan import __version__
from sampan.local.binaries import Binaries
from sampan.release.artefacts.charts import CHARTS, Chart, package_chart
from sampan.release.errors import ReleaseError
from sampan.release.source import Source

pytestmark = pytest.mark.integration

SOURCE = Source(root=ROOT, version=__version__, revision="0" * 40, epoch=1_700_000_000)


@pytest.fixture(scope="module")
def helm(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm without any cluster."""
    return Helm(binary=binaries["helm"], cache=tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def packaged(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chart]:
    """Both charts."""
    out = tmp_path_factory.mktemp("packages")
    return {name: package_chart(SOURCE, name, out, helm=helm.binary) for name in CHARTS}


def blobs(archive: Path) -> dict[str, bytes]:
    """Everything of an OCI archive by digest; the manifest by its tag too."""
    with tarfile.open(archive) as file:
        files = {entry.name: body.read() for entry in file if (body := file.extractfile(entry)) is not None}
    found = {"sha256:" + name.rpartition("/")[2]: body for name, body in files.items() if name.startswith("blobs/")}
    (one,) = json.loads(files["index.json"])["manifests"]
    return {**found, one["annotations"]["org.opencontainers.image.ref.name"]: found[one["digest"]]}


@contextmanager
def registry(content: dict[str, dict[str, bytes]]) -> Iterator[str]:
    """What of the OCI distribution specification a pull asks for, as host:port; `content`: by repository."""

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/v2/":
                return self.answer(b"{}", "application/json")
            name, kind, reference = self.path.removeprefix("/v2/").rsplit("/", 2)
            if (kind, reference) == ("tags", "list"):
                tags = [each for each in content[name] if not each.startswith("sha256:")]
                return self.answer(json.dumps({"name": name, "tags": tags}).encode(), "application/json")
            return self.answer(content[name][reference], "application/vnd.oci.image.manifest.v1+json" if kind == "manifests" else "")

        do_HEAD = do_GET  # noqa: N815

        def answer(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type or "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: what helm says is enough."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", CHARTS)
def test_a_package_is_the_same_each_time(helm: Helm, packaged: dict[str, Chart], name: str, tmp_path: Path) -> None:
    again = package_chart(SOURCE, name, tmp_path, helm=helm.binary)
    assert again.package.read_bytes() == packaged[name].package.read_bytes()
    assert again.archive.read_bytes() == packaged[name].archive.read_bytes()
    assert again.digest == packaged[name].digest


@pytest.mark.parametrize("name", CHARTS)
def test_a_package_renders_what_the_folder_renders(helm: Helm, packaged: dict[str, Chart], name: str) -> None:
    values = Helm.values(IMAGE if name == "sampan" else {})
    of_package, of_folder = (
        helm.run("template", "x", str(chart), "-n", SYSTEM, *values).stdout for chart in (packaged[name].package, ROOT / "helm" / name)
    )
    assert of_package == of_folder
    assert helm.run("show", "values", str(packaged[name].package)).stdout


@pytest.mark.parametrize("name", CHARTS)
def test_helm_pulls_from_a_registry_what_the_archive_holds(helm: Helm, packaged: dict[str, Chart], name: str, tmp_path: Path) -> None:
    held = blobs(packaged[name].archive)
    with registry({f"charts/{name}": held}) as host:
        where = f"oci://{host}/charts/{name}"
        pulled = helm.run("pull", where, "--version", __version__, "--plain-http", "--destination", str(tmp_path))
        shown = yaml.safe_load(helm.run("show", "chart", where, "--plain-http").stdout)
    assert packaged[name].digest in pulled.stdout + pulled.stderr, "the digest that the release's notes name"
    assert (tmp_path / f"{name}-{__version__}.tgz").read_bytes() == packaged[name].package.read_bytes()
    assert (shown["name"], shown["version"], shown["appVersion"]) == (name, __version__, __version__)


def test_a_chart_of_another_version_is_refused(helm: Helm, tmp_path: Path) -> None:
    other = Source(root=ROOT, version="9.9.9", revision="0" * 40, epoch=0)
    with pytest.raises(ReleaseError, match=r"the package's is 9\.9\.9"):
        package_chart(other, "sampan", tmp_path, helm=helm.binary)
