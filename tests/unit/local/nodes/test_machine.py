"""Tests of sampan.local.nodes.machine: what is said where real nodes cannot be."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sampan.local.nodes import cgroups, machine
from sampan.local.nodes.machine import NoRealNodesError, lacking, provide
from sampan.local.paths import federation_folder
from sampan.local.scenario import load
from sampan.local.up import UpRequest, up


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has everything but, perhaps, programs; its cgroups are below the returned folder."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "_TOOLS", {})
    monkeypatch.setattr(machine, "_namespaces_refused", lambda: "")
    monkeypatch.setattr(machine, "_packages_missing", list)
    root = tmp_path / "cgroup"
    for name in cgroups.NEEDED:
        (root / name).mkdir(parents=True)
        (root / name / "cgroup.procs").touch()
    monkeypatch.setattr(cgroups, "ROOT", root)
    return root


def test_a_machine_that_has_everything_lacks_nothing(able: Path) -> None:
    assert lacking() == []


def _not_root(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def _no_tool(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setattr(machine, "_TOOLS", {"no-such-tool": "iproute2"})


def _version_two(_: pytest.MonkeyPatch, root: Path) -> None:
    (root / "cgroup.controllers").touch()


def _no_memory(_: pytest.MonkeyPatch, root: Path) -> None:
    (root / "memory" / "cgroup.procs").unlink()


def _no_namespaces(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setattr(machine, "_namespaces_refused", lambda: "unshare failed: Operation not permitted")


def _no_packages(monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setattr(machine, "_packages_missing", lambda: ["runc"])
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.mark.parametrize(
    ("spoil", "want"),
    [
        (_not_root, "root"),
        (_no_tool, "no-such-tool of Debian's package iproute2"),
        (_version_two, "cgroup version 1"),
        (_no_memory, "cgroup controllers memory"),
        (_no_namespaces, "Operation not permitted"),
        (_no_packages, "the packages runc"),
    ],
)
def test_what_lacks_is_said_and_nothing_is_begun(
    able: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pytest.MonkeyPatch, Path], None], want: str
) -> None:
    spoil(monkeypatch, able)
    with pytest.raises(NoRealNodesError, match=want):
        provide(lambda _: None)
    with pytest.raises(NoRealNodesError, match=want):
        up(UpRequest(name="real", scenario=load("demo").with_real_nodes(1)), lambda _: None)
    assert not federation_folder("real").exists()


def test_apts_last_words_are_told_where_it_cannot_install(able: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_packages_missing", lambda: ["runc"])
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/asked\necho "Unable to locate package runc" >&2\nexit 100\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}:/usr/bin:/bin")
    with pytest.raises(NoRealNodesError, match="lacks runc, and apt-get cannot install them: Unable to locate package runc"):
        provide(lambda _: None)
    assert (tmp_path / "asked").read_text().split() == ["install", "update", "install"]
