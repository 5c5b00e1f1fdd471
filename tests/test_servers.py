"""What a test session does about those that were killed before it."""

import subprocess
from pathlib import Path

import pytest

from sampan.local.federation import exclusive
from sampan.local.paths import federation_folder
from servers import end_leftovers


def left_behind(role: str) -> Path:
    """The folder of a session that is gone."""
    with subprocess.Popen(["/bin/true"]) as session:
        pass
    folder = federation_folder(f"sampan-test-{role}-{session.pid}")
    folder.mkdir(parents=True)
    return folder


def test_sessions_that_begin_together_end_leftovers_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    taken, free = left_behind("taken"), left_behind("free")
    with exclusive(taken.name):  # another session, or what watched over the killed one
        end_leftovers()
    assert taken.exists()
    assert not free.exists()
    assert "by another process" in capsys.readouterr().err
    end_leftovers()
    assert not taken.exists()
