"""Tests of sampan.local.processes.publisher_process, with a publisher that only pretends."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.local.processes.lookup import gone
from sampan.local.processes.publisher_process import PublisherProcess, stop_publishers
from unit.local.conftest import MakeProgram


@pytest.fixture
def publisher(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublisherProcess]:
    """A publisher that writes down how it was started and then waits."""
    monkeypatch.setattr("sys.executable", str(program("python", 'echo "$@"; exec sh -c "sleep 60 & wait" "$@"')))
    yield PublisherProcess(folder=tmp_path, member="east", kubeconfig=tmp_path / "publisher-east.yaml", interval=3)
    stop_publishers(tmp_path)


def test_it_runs_once_with_its_kubeconfig_and_interval(publisher: PublisherProcess) -> None:
    pid = publisher.start()
    assert (publisher.start(), publisher.pid) == (pid, pid)
    deadline = time.monotonic() + 60
    while not publisher.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert f"-m sampan publish --kubeconfig {publisher.kubeconfig} --interval 3" in publisher.log.read_text()


def test_stop_ends_it_and_no_other(publisher: PublisherProcess) -> None:
    other = PublisherProcess(folder=publisher.folder, member="west", kubeconfig=publisher.kubeconfig)
    first, second = publisher.start(), other.start()
    publisher.stop()
    assert gone(first)
    assert (publisher.pid, other.pid) == (None, second)
    stop_publishers(publisher.folder)
    assert gone(second)
