"""Tests of sampan.local.down, on processes of this test."""

import os
import subprocess
from pathlib import Path
from subprocess import PIPE

from integration.support import wait_for
from sampan.local.down import down
from sampan.local.paths import federation_folder
from sampan.local.processes.lookup import gone, programs_below


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


def test_what_still_makes_it_is_ended_before_it_starts_more(home: Path) -> None:
    folder = federation_folder("killed")
    started = folder / "kwok" / "clusters" / "hub" / "bin" / "etcd"
    folder.mkdir(parents=True)
    kwokctl = home / "kwokctl"
    kwokctl.symlink_to("/bin/bash")
    making = [str(kwokctl), "-c", f"while :; do mkdir -p {started.parent}; ln -sf /bin/sleep {started}; {started} 0.05; done"]
    ours, other = ({**os.environ, "KWOK_WORKDIR": str(federation_folder(name) / "kwok")} for name in ("killed", "another"))
    with (
        subprocess.Popen(making, env=ours) as starter,
        subprocess.Popen([str(kwokctl), "-c", "read -r _"], env=other, stdin=PIPE) as stranger,
    ):
        wait_for(lambda: programs_below(started.parent) or None, "it starts programs", every=0.01)
        assert down("killed", lambda _: None)
        assert gone(starter.pid)
        assert stranger.poll() is None
        stranger.kill()
    assert not folder.exists()


def test_a_federation_that_is_not_there_is_no_error() -> None:
    said: list[str] = []
    assert not down("nothing", said.append)
    assert said == []
