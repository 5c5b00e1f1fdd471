"""Tests of sampan.local.restarts, on real processes that end; tests/integration/test_local.py has a real control plane."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.support import wait_for
from sampan.local.binaries import PROGRAMS, Binaries
from sampan.local.cluster import Cluster
from sampan.local.paths import LocalError
from sampan.local.processes.lookup import gone, stop_process
from sampan.local.restarts import LIMIT, Restarts

from .conftest import MakeProgram

MANAGER = "kube-controller-manager"
LOG = """I1130 10:00:00.0 1 serving.go:1] "Generated self-signed cert"
E1130 10:00:20.0 1 controllermanager.go:1] "Failed" err="failed to wait for apiserver being healthy: timed out"
I1130 10:00:20.1 1 bye.go:1] "Shut down"
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of one component, which has ended and left a log."""
    made = Cluster("lingang", tmp_path / "federation", (1, 2, 3, 4, 5, 6), components=(MANAGER,))
    for folder in ("bin", "logs", "pids"):
        (made.home / folder).mkdir(parents=True)
    (made.home / "bin" / MANAGER).symlink_to("/bin/sleep")
    (made.home / "logs" / f"{MANAGER}.log").write_text(LOG)
    yield made
    for pid in made.pids().values():
        stop_process(pid, grace=0.0)


def programs(program: MakeProgram, cluster: Cluster, *, seconds: str) -> Binaries:
    """kwokctl starts the component, which runs for so long; kubectl finds the API server ready and no Lease."""
    start = f'{cluster.home}/bin/{MANAGER} {seconds} >/dev/null 2>&1 & echo $! > "{cluster.home}/pids/{MANAGER}.pid"'
    made = {"kwokctl": program("kwokctl", start), "kubectl": program("kubectl", "echo '{\"items\": []}'")}
    return Binaries({name: made.get(name, Path("/nowhere") / name) for name in PROGRAMS})


def is_over(cluster: Cluster) -> bool:
    """Whether the process that was started last is gone: one that has not begun its program yet looks as if it had ended it."""
    file = cluster.home / "pids" / f"{MANAGER}.pid"
    return not file.is_file() or gone(int(file.read_text()))


def test_what_has_ended_is_started_again_and_its_last_complaint_told(cluster: Cluster, program: MakeProgram) -> None:
    said: list[str] = []
    restarts = Restarts(programs(program, cluster, seconds="600"), said.append, way_out="run it again")
    assert cluster.ended() == [MANAGER]
    assert restarts.look_after([cluster])
    wait_for(lambda: not cluster.ended(), "it runs", every=0.01)  # the shell that plays kwokctl does not wait for the program to begin
    [told] = said
    assert told.startswith(f"{MANAGER} of lingang ended: ")
    assert "failed to wait for apiserver being healthy" in told
    assert f"(1 of {LIMIT})" in told
    assert not restarts.look_after([cluster])
    assert len(said) == 1


def test_what_runs_is_left_alone_and_what_is_killed_is_seen(cluster: Cluster) -> None:
    with subprocess.Popen([str(cluster.home / "bin" / MANAGER), "600"]) as process:
        (cluster.home / "pids" / f"{MANAGER}.pid").write_text(str(process.pid))
        assert cluster.ended() == []
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: gone(process.pid), "its end", every=0.01)
        assert cluster.ended() == [MANAGER]


def test_what_ends_again_and_again_is_an_error_that_says_what_to_do(cluster: Cluster, program: MakeProgram) -> None:
    said: list[str] = []
    restarts = Restarts(programs(program, cluster, seconds="0"), said.append, way_out="run `sampan local up` again")
    for _ in range(LIMIT):
        wait_for(lambda: is_over(cluster), "its end", every=0.01)
        restarts.look_after([cluster])
    wait_for(lambda: is_over(cluster), "its end", every=0.01)
    with pytest.raises(LocalError, match=rf"{MANAGER} of lingang ended: .*timed out.*{LIMIT} times.*run `sampan local up` again"):
        restarts.look_after([cluster])
    assert len(said) == LIMIT
