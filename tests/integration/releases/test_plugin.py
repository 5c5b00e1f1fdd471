"""The plugin of kubectl as it is unpacked on somebody's machine: found through a link, by a Python without any package of ours."""

import os
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from integration.support import PATIENCE, Api
from places import ROOT
from sampan import __version__
from sampan.local.binaries import Binaries
from sampan.release.artefacts.plugin import PLATFORMS, build_plugin
from sampan.release.source import Source

pytestmark = pytest.mark.integration

HERE = f"{sys.platform}-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine()) }"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH with a link to the program, as krew lays it."""
    here = next((each for each in PLATFORMS if each.name == HERE), None)
    if here is None:
        pytest.skip(f"no plugin is made for {HERE}")
    folder = tmp_path_factory.mktemp("plugin")
    source = Source(root=ROOT, version=__version__, revision="0" * 40, epoch=1_700_000_000)
    archive = build_plugin(source, here, folder, scratch=folder / "scratch", versions=(VERSION,))
    with tarfile.open(archive) as file:
        file.extractall(folder / "store", filter="data")
    (folder / "bin").mkdir()
    (folder / "bin" / "kubectl-sampan").symlink_to("../store/kubectl-sampan")
    return folder / "bin"


def run(*words: str, bin_folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the plugin in PATH and no other part of this environment."""
    clean = {"PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(bin_folder), **env}
    return subprocess.run(words, env=clean, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_kubectl_starts_it(bin_folder: Path, bare_api: Api, binaries: Binaries) -> None:
    python = os.path.realpath(sys.executable)  # the one below the environment: it has none of the packages
    said = run(binaries["kubectl"], "sampan", "--version", bin_folder=bin_folder, SAMPAN_PYTHON=python)
    assert (said.stdout, said.returncode) == (f"sampan, version {__version__}\n", 0), said.stderr
    hub = ("--kubeconfig", str(bare_api.kubeconfig), "-n", "default")
    example = str(ROOT / "examples" / "01-one-gpu" / "job.yaml")
    made = run(binaries["kubectl"], "sampan", "submit", "-f", example, *hub, bin_folder=bin_folder, SAMPAN_PYTHON=python)
    assert made.returncode == 0, made.stderr
    listed = run(binaries["kubectl"], "sampan", "jobs", "-o", "json", *hub, bin_folder=bin_folder, SAMPAN_PYTHON=python)
    bare_api.kubectl("delete", "computejob", "one-gpu", "-n", "default")
    assert "one-gpu" in listed.stdout, listed.stderr


def test_a_verb_whose_packages_are_not_in_it_says_so(bin_folder: Path) -> None:
    said = run("kubectl-sampan", "inspect", "-f", "/dev/null", bin_folder=bin_folder, SAMPAN_PYTHON=os.path.realpath(sys.executable))
    assert said.returncode == 1
    assert said.stderr.startswith("Error: this verb needs the Python package numpy, which is not in this installation")


def test_without_a_python_that_it_has_packages_for_it_says_which_it_wants(bin_folder: Path, tmp_path: Path) -> None:
    for name in ("sh", "readlink", "dirname"):
        (tmp_path / name).symlink_to(Path("/bin") / name)
    said = run("/bin/sh", str(bin_folder / "kubectl-sampan"), "jobs", bin_folder=bin_folder, PATH=str(tmp_path))
    assert said.returncode == 1
    assert f"no Python of {VERSION} was found; install one, or name it in SAMPAN_PYTHON" in said.stderr
