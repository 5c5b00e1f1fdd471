"""Tests of sampan.local.processes.operator_process, with an operator that only pretends."""

import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sampan.local.paths import LocalError
from sampan.local.processes.lookup import gone
from sampan.local.processes.operator_process import OperatorProcess, stop_operator
from unit.local.conftest import MakeProgram

PRETEND = 'echo "$@"; env | grep ^SAMPAN_ | sort; exec sh -c "sleep 60 & wait" "$@"'


@pytest.fixture
def operator(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatorProcess]:
    """An operator that writes down how it was started and then waits."""
    monkeypatch.setattr("sys.executable", str(program("python", PRETEND)))
    monkeypatch.setenv("SAMPAN_CURRENCY", "XXX")
    yield OperatorProcess(folder=tmp_path, kubeconfig=tmp_path / "operator.yaml", metrics_port=1, provider_namespaces=("a", "b"))
    stop_operator(tmp_path, grace=0)


def told(operator: OperatorProcess) -> str:
    """What the operator wrote, once it has written all."""
    deadline = time.monotonic() + 60
    while "SAMPAN_PROVIDER_NAMESPACES" not in operator.log_tail(50) and time.monotonic() < deadline:
        time.sleep(0.02)
    return operator.log_tail(50)


def state(pid: int) -> str:
    """The process's state as ps shows it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_runs_with_its_kubeconfig_and_settings_and_none_of_ours(operator: OperatorProcess) -> None:
    pid = operator.start({"SAMPAN_LOG_LEVEL": "DEBUG"})
    assert operator.pid == pid
    log = told(operator)
    assert f"-m sampan operator run --kubeconfig {operator.kubeconfig}" in log
    assert "SAMPAN_ALLOW_LOOPBACK_MEMBERS=true" in log
    assert "SAMPAN_METRICS_ADDRESS=127.0.0.1:1" in log
    assert "SAMPAN_PROVIDER_NAMESPACES=a,b" in log
    assert "SAMPAN_LOG_LEVEL=DEBUG" in log
    assert "SAMPAN_CURRENCY" not in log


def test_it_serves_the_query_api_where_it_has_a_port_for_it(operator: OperatorProcess) -> None:
    replace(operator, query_port=7).start()
    log = told(operator)
    assert "SAMPAN_QUERY_ADDRESS=127.0.0.1:7" in log
    assert f"SAMPAN_QUERY_TLS={operator.folder / 'query'}" in log


def test_a_second_start_finds_the_first(operator: OperatorProcess) -> None:
    assert operator.start() == operator.start()


def test_stop_and_kill_end_it(operator: OperatorProcess) -> None:
    first = operator.start()
    operator.stop(grace=5)
    assert gone(first)
    assert operator.pid is None
    second = operator.start()
    operator.kill()
    assert gone(second)
    operator.stop()


def test_paused_it_stands_still_and_then_goes_on(operator: OperatorProcess) -> None:
    pid = operator.start()
    told(operator)
    operator.pause(paused=True)
    deadline = time.monotonic() + 60
    while state(pid) != "T" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state(pid) == "T"
    operator.pause(paused=False)
    operator.stop(grace=5)
    with pytest.raises(LocalError, match="does not run"):
        operator.pause(paused=True)


def test_another_process_with_its_pid_is_not_taken_for_it(operator: OperatorProcess, tmp_path: Path) -> None:
    (tmp_path / "operator.pid").write_text("1\n")
    assert operator.pid is None
    operator.stop()
    assert not gone(1)


def test_waiting_for_one_that_has_ended_shows_its_last_words(
    operator: OperatorProcess, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(program("python", "echo cannot reach the hub; exit 1")))
    operator.start()
    with pytest.raises(LocalError, match=r"(?s)has ended.*cannot reach the hub"):
        operator.wait_ready()


def test_ready_is_what_readyz_says(operator: OperatorProcess, tmp_path: Path) -> None:
    asked: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        """Says 200 to /readyz."""

        def do_GET(self) -> None:
            """Answer, and write down."""
            asked.append(self.path)
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        ready = OperatorProcess(folder=tmp_path, kubeconfig=tmp_path / "o", metrics_port=server.server_port, provider_namespaces=())
        try:
            ready.wait_ready()
        finally:
            server.shutdown()
            thread.join()
    assert asked == ["/readyz"]


def test_signals_of_our_terminal_do_not_reach_it(operator: OperatorProcess) -> None:
    pid = operator.start()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    process_group, session = int(fields[2]), int(fields[3])
    assert process_group == session == pid
