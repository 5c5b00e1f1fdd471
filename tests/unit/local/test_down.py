"""Tests of sampan.local.down, on processes of this test."""

import subprocess

from sampan.local.down import down
from sampan.local.paths import federation_folder
from sampan.local.processes.lookup import gone


def test_what_runs_from_the_folder_is_ended_and_the_folder_removed_even_without_a_record() -> None:
    program = federation_folder("half") / "kwok" / "clusters" / "hub" / "bin" / "etcd"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/sleep")
    said: list[str] = []
    with subprocess.Popen([str(program), "60"]) as process, subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        assert down("half", said.append)
        assert gone(process.pid)
        assert stranger.poll() is None
        stranger.kill()
    assert not federation_folder("half").exists()
    assert said == ["federation half is gone"]


def test_a_federation_that_is_not_there_is_no_error() -> None:
    said: list[str] = []
    assert not down("nothing", said.append)
    assert said == []
