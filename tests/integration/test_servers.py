"""What the tests' own servers leave behind: nothing, also where the test session is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integration.support import ROOT, wait_for
from sampan.local.binaries import Binaries
from sampan.local.cluster import PORTS_PER_CLUSTER, Cluster
from sampan.local.paths import federation_folder
from sampan.local.processes.lookup import programs_called
from servers import end_leftovers

SESSION = """
import sys, time
from sampan.local.binaries import ensure
from servers import bare_server
with bare_server(ensure(lambda _: None), "killed") as api:
    print("up", flush=True)
    time.sleep(3600)
"""


@contextmanager
def session() -> "Iterator[subprocess.Popen[str]]":
    """A test session that makes a server of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "operator", ROOT / "tests")))}
    with subprocess.Popen([sys.executable, "-c", SESSION], env=env, stdout=subprocess.PIPE, text=True) as begun:
        try:
            yield begun
        finally:
            begun.kill()


def test_servers_end_with_a_session_that_is_killed(binaries: Binaries) -> None:
    with session() as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "up\n"
        folder = federation_folder(f"sampan-test-killed-{killed.pid}")
        cluster = Cluster("api", folder, ports=(0,) * PORTS_PER_CLUSTER)
        assert len(cluster.pids()) == 3
    assert killed.returncode != 0
    wait_for(lambda: not cluster.pids(), "its servers have ended")
    wait_for(lambda: not folder.exists(), "their files are gone")


@pytest.mark.parametrize("watched", [True, False], ids=["session", "session and what watches over it"])
def test_nothing_goes_on_making_servers_for_a_session_that_is_killed(binaries: Binaries, watched: bool) -> None:
    with session() as killed:
        folder = federation_folder(f"sampan-test-killed-{killed.pid}")

        def makers() -> list[int]:
            return programs_called("kwokctl", setting=f"KWOK_WORKDIR={folder / 'kwok'}")

        wait_for(lambda: makers() or None, "kwokctl makes its server", every=0.01)
        children = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
        watchdogs = set(map(int, children)) - set(makers())
        killed.kill()
        for watchdog in () if watched else watchdogs:
            os.kill(watchdog, signal.SIGKILL)
    if watched:
        wait_for(lambda: not folder.exists(), "its files are gone")
    else:
        end_leftovers()  # as the next session does first of all
        assert not folder.exists()
    assert makers() == []
