"""Fixtures of the unit tests of `sampan.local`: a home of their own, and programs that only pretend. Never here: real control planes."""

from collections.abc import Callable
from pathlib import Path

import pytest

MakeProgram = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State and cache folders of this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SAMPAN_KUBE_ASSETS", raising=False)
    return tmp_path


@pytest.fixture
def program(tmp_path: Path) -> MakeProgram:
    """Makes an executable shell script of that name and body in `tmp_path/programs`."""

    def make(name: str, body: str) -> Path:
        path = tmp_path / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return make
