"""Tests of sampan.local.binaries."""

from pathlib import Path

import pytest

from sampan.local import build
from sampan.local.binaries import PROGRAMS, ensure, find, reported_version, stamp, suits, wanted_version
from sampan.local.paths import LocalError, cache_root

from .conftest import MakeProgram


@pytest.mark.parametrize(
    ("program", "version", "want"),
    [
        ("kube-apiserver", "1.36.3", True),
        ("kube-apiserver", "1.36.2", False),
        ("kubectl", "1.36.3", True),
        ("kubectl", "1.37.0", True),
        ("kubectl", "1.35.9", True),
        ("kubectl", "1.34.0", False),
        ("kubectl", "1.36.3-dispatcher", False),
        ("kubectl", "1.32.4-dispatcher", False),
        ("etcd", "3.6.1", True),
        ("etcd", "3.5.16", False),
        ("kwok", "0.8.0", True),
        ("kwok", "0.7.0", False),
        ("helm", "3.22", True),
        ("helm", "3.1.0", False),
        ("helm", "4.0.0", False),
        ("helm", None, False),
        ("etcd", "unknown", False),
    ],
)
def test_which_version_suits(program: str, version: str | None, want: bool) -> None:
    assert suits(program, version) is want


def test_every_wanted_version_suits_itself() -> None:
    assert [program for program in PROGRAMS if not suits(program, wanted_version(program))] == []


def test_a_dispatcher_on_the_path_is_not_taken_for_kubectl(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program("kubectl", 'echo "Client Version: v1.32.4-dispatcher"')
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    assert reported_version("kubectl", str(path)) == "1.32.4-dispatcher"
    assert "kubectl" not in find()


def test_a_program_of_the_right_version_on_the_path_is_taken(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program("kube-apiserver", 'echo "Kubernetes v1.36.3"')
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    assert find()["kube-apiserver"] == path.resolve()


def test_the_assets_folder_comes_first_and_is_believed(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program("etcd", "exit 1")
    monkeypatch.setenv("SAMPAN_KUBE_ASSETS", str(path.parent))
    assert find()["etcd"] == path.resolve()


def test_an_assets_folder_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPAN_KUBE_ASSETS", str(tmp_path / "nowhere"))
    with pytest.raises(LocalError, match="SAMPAN_KUBE_ASSETS"):
        find()


def test_a_cached_program_of_an_older_stamp_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    place = cache_root() / "bin" / "helm"
    place.parent.mkdir(parents=True)
    place.write_text("")
    stamp(place).write_text("3.22.0\n")
    assert find()["helm"] == place
    stamp(place).write_text("3.1.0\n")
    assert "helm" not in find()


def test_what_is_found_nowhere_is_built(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(build, "build", lambda programs, say: asked.append(programs))
    for name in PROGRAMS:
        if name != "helm":
            program(name, "exit 0")
    monkeypatch.setenv("SAMPAN_KUBE_ASSETS", str(program("etcd", "exit 0").parent))
    monkeypatch.setenv("PATH", "/nowhere")
    found = ensure(lambda _: None)
    assert asked == [["helm"]]
    assert found["helm"] == str(cache_root() / "bin" / "helm")
    assert set(found.paths) == set(PROGRAMS)
