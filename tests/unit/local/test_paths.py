"""Tests of sampan.local.paths."""

import shutil
import sys
from pathlib import Path

import pytest

from sampan.local.paths import LocalError, cache_root, check_name, federation_folder, shipped, state_root, typed


def test_folders_follow_the_xdg_variables(home: Path) -> None:
    assert state_root() == home / "state" / "sampan"
    assert cache_root() == home / "cache" / "sampan"
    assert federation_folder("demo") == home / "state" / "sampan" / "demo"


def test_without_xdg_variables_they_are_below_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(home))
    assert state_root() == home / ".local" / "state" / "sampan"


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "-a", "a-", "a" * 41, "a.b", "a b"])
def test_a_name_that_could_leave_the_folder_or_break_a_label_is_refused(name: str) -> None:
    with pytest.raises(LocalError, match="lower-case"):
        federation_folder(name)


@pytest.mark.parametrize("name", ["a", "sampan", "a-1", "a" * 40])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert check_name(name) == name


def test_a_command_is_told_as_it_can_be_typed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = home / ".venv" / "bin"
    programs.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert typed("local list") == f"{programs}/python -m sampan local list"
    (programs / "sampan").touch(mode=0o755)
    assert typed("local list") == f"{programs}/sampan local list"
    monkeypatch.chdir(home)
    assert typed("local list") == ".venv/bin/sampan local list"
    monkeypatch.setenv("PATH", str(programs))
    assert shutil.which("sampan")
    assert typed("local list") == "sampan local list"


def test_charts_and_crds_are_found_in_a_checkout() -> None:
    assert (shipped("helm") / "sampan" / "Chart.yaml").is_file()
    assert list(shipped("crds").glob("*.yaml"))
