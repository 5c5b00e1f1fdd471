"""Tests of sampan.local.processes.lookup, on real processes of this test."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.support import wait_for
from listening import listeners
from sampan.local.processes.lookup import alive, gone, memory, programs_below, programs_with, stop_process

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `sleep 60` under another name from `tmp_path/bin`."""
    running: list[subprocess.Popen[bytes]] = []
    (tmp_path / "bin").mkdir()

    def begin(name: str) -> "subprocess.Popen[bytes]":
        link = tmp_path / "bin" / name
        link.symlink_to("/bin/sleep")
        process = subprocess.Popen([str(link), "60"])
        running.append(process)
        # the kernel shows the new command line a moment after Popen has returned
        wait_for(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(bytes(link)), f"{name} to run", every=0.01)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def test_programs_are_known_by_the_folder_they_were_started_from(start: Start, tmp_path: Path) -> None:
    one, two = start("etcd"), start("kube-apiserver")
    assert programs_below(tmp_path / "bin") == {"etcd": one.pid, "kube-apiserver": two.pid}
    assert programs_below(tmp_path) == {}


def test_a_stopped_process_is_gone_and_found_no_more(start: Start, tmp_path: Path) -> None:
    process = start("etcd")
    stop_process(process.pid, grace=5)
    assert process.wait() in {-signal.SIGTERM, 0}
    assert gone(process.pid)
    assert programs_below(tmp_path / "bin") == {}


def test_who_does_not_listen_is_killed_after_the_grace() -> None:
    stubborn = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        stop_process(process.pid, grace=0.3)
        assert gone(process.pid)
        assert time.monotonic() - started >= 0.3


def test_stopping_what_has_ended_is_no_error(start: Start) -> None:
    process = start("etcd")
    process.kill()
    process.wait()
    stop_process(process.pid, grace=1)
    assert gone(process.pid)


def test_a_pid_counts_only_with_its_mark(start: Start, tmp_path: Path) -> None:
    process = start("etcd")
    assert alive(process.pid, mark=str(tmp_path))
    assert not alive(process.pid, mark="another program")
    process.kill()
    assert not alive(process.pid, mark=str(tmp_path)) or process.wait() is not None


def test_listeners_tell_address_and_port() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        assert ("0100007F", one.getsockname()[1]) in listeners(os.getpid())


def test_memory_of_the_living_and_of_the_gone(start: Start) -> None:
    process = start("etcd")
    assert memory(os.getpid()) > 1_000_000
    process.kill()
    process.wait()
    assert memory(process.pid) == 0


def test_programs_are_found_by_what_their_arguments_begin_with(start: Start, tmp_path: Path) -> None:
    process = start("node-of-mine")
    assert programs_with(f"{tmp_path}/bin/node", "60") == [process.pid]
    assert programs_with(f"{tmp_path}/bin/node", "61") == []
    assert programs_with(f"{tmp_path}/other") == []
