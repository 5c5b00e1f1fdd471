"""Tests of sampan.local.processes.logs: what counts as a warning or an error in the logs of all our programs."""

from pathlib import Path

import pytest

from sampan.local.processes.logs import complaints

QUIET = "I1130 19:01:17.088176   32006 policy_source.go:248] refreshing policies"
LOUD = {
    "klog error": 'E1130 19:01:17.0   32006 run.go:72] "command failed" err="failed to wait for apiserver being healthy: timed out"',
    "klog fatal": "F1130 19:01:17.0   32006 server.go:1] no certificate",
    "klog warning": "W1130 19:01:17.0   32006 server.go:1] slow",
    "etcd": '{"level":"fatal","ts":"2026-11-30T19:06:08.7Z","msg":"listen tcp: address already in use"}',
    "kwok": '{"time":"2026-11-30T19:06:30Z","level":"ERROR","msg":"Failed"}',
    "the operator": '{"time": "2026-11-30T19:06:30.071+00:00", "level": "warning", "event": "hub.unreachable"}',
    "a command line": "Error: unknown flag: --nonsense",
    "Go": "panic: runtime error",
}


@pytest.mark.parametrize("line", LOUD.values(), ids=LOUD.keys())
def test_a_complaint_is_found_among_what_is_none(tmp_path: Path, line: str) -> None:
    log = tmp_path / "it.log"
    log.write_text(f"{QUIET}\n{line}\n{QUIET}\n\n")
    assert complaints(log, 3) == [line]


def test_of_many_the_last_are_told_and_without_any_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    assert complaints(log, 2) == []
    log.write_text("one\ntwo\nthree\n")
    assert complaints(log, 2) == ["two", "three"]
    log.write_text("".join(f"error: {number}\n" for number in range(5)))
    assert complaints(log, 2) == ["error: 3", "error: 4"]
