"""The package as it is shipped: one version everywhere, types that others may check against, and the files that it needs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from places import ROOT
from sampan import __version__

CHARTS = sorted(path.name for path in (ROOT / "helm").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as pip would build it, offline."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_has_the_version_of_the_package(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"sampan-{__version__}.dist-info/METADATA").decode()
    assert f"\nVersion: {__version__}\n" in metadata


def test_the_wheel_has_what_is_no_python(wheel: zipfile.ZipFile) -> None:
    """That it is typed, the catalogue, and what a federation on one machine is made of."""
    names = set(wheel.namelist())
    assert {"sampan/py.typed", "sampan/local/helm/sampan/Chart.yaml", "sampan/local/helm/sampan-member/Chart.yaml"} <= names
    assert {f"sampan/{path.relative_to(ROOT / 'operator' / 'sampan')}" for path in (ROOT / "operator").rglob("*.toml")} <= names
    assert {f"sampan/local/crds/{path.name}" for path in (ROOT / "crds").iterdir()} <= names


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("field", ["version", "appVersion"])
def test_the_charts_follow_the_version_of_the_package(chart: str, field: str) -> None:
    """Helm reads no Python: a release writes the version into each chart by hand."""
    said = yaml.safe_load((ROOT / "helm" / chart / "Chart.yaml").read_text(encoding="utf-8"))[field]
    assert said == __version__, f"helm/{chart}/Chart.yaml: set {field} to {__version__}, the version in operator/sampan/__init__.py"


def test_the_version_is_written_nowhere_else_by_hand() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert not re.search(r"^version\s*=", text, re.MULTILINE), (
        "pyproject.toml: the version comes from operator/sampan/__init__.py, remove it"
    )


def test_the_changelog_speaks_of_the_version_and_begins_with_what_is_to_come() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]", "CHANGELOG.md: the first heading is for what is not released yet"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in headings[1:]), headings
    assert __version__ in text, f"CHANGELOG.md: say what {__version__} brings, under Unreleased or its own heading"


def test_what_is_run_before_a_commit_is_local_and_there() -> None:
    """No hook of another repository: nothing is fetched, and the versions are those of the lock file."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [each["repo"] for each in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    programs = {Path(hook["entry"].split()[0]).name for hook in hooks}
    missing = [name for name in sorted(programs) if not (Path(sys.executable).parent / name).exists()]
    assert not missing, f".pre-commit-config.yaml: {missing} are not in the environment"
