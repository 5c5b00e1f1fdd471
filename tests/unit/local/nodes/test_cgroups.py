"""Tests of sampan.local.nodes.cgroups, on folders that only look like cgroups."""

import os
from pathlib import Path

import pytest

from sampan.local.nodes import cgroups


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two hierarchies and a folder that is none."""
    for name in ("cpuset", "memory", "unrelated"):
        (tmp_path / name).mkdir()
    (tmp_path / "cpuset" / "cgroup.procs").touch()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "memory" / "cgroup.procs").touch()
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def test_a_node_is_in_every_hierarchy_in_a_leaf_of_its_own(root: Path) -> None:
    cgroups.enter("sampan-1/east-a10-1")
    for name in ("cpuset", "memory"):
        assert (root / name / "sampan-1" / "east-a10-1" / "system" / "cgroup.procs").read_text() == str(os.getpid())
    assert list((root / "unrelated").iterdir()) == []


def test_a_new_cpuset_gets_what_is_above_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Path.mkdir

    def as_the_kernel_does(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        make(path, mode, parents, exist_ok)
        if "cpuset" in path.parts:
            (path / "cpuset.cpus").write_text("\n")

    monkeypatch.setattr(Path, "mkdir", as_the_kernel_does)
    cgroups.enter("sampan-1/east-a10-1")
    for below in ("sampan-1", "sampan-1/east-a10-1", "sampan-1/east-a10-1/system"):
        assert (root / "cpuset" / below / "cpuset.cpus").read_text() == "0-1\n"


def test_all_below_is_removed_and_what_cannot_be_is_named(root: Path) -> None:
    for name in ("cpuset", "memory"):
        (root / name / "sampan-1" / "east-a10-1" / "kubepods" / "pod1").mkdir(parents=True)
    assert cgroups.remove("sampan-1") == []
    assert not (root / "memory" / "sampan-1").exists()
    busy = root / "memory" / "sampan-1" / "busy"
    busy.mkdir(parents=True)
    (busy / "file").touch()  # as a process would keep a cgroup
    assert cgroups.remove("sampan-1", seconds=0) == [str(busy), str(root / "memory" / "sampan-1")]


def test_two_federations_of_one_name_in_two_places_have_two_cgroups() -> None:
    assert cgroups.of_federation(Path("/a/sampan/demo")) != cgroups.of_federation(Path("/b/sampan/demo"))
