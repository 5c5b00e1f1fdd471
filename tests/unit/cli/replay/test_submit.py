"""Creating at the recorded pace: retried where that is safe, written down where it is refused, ended when told."""

import time

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ProtocolError

from sampan.cli.replay import submit
from sampan.cli.replay.submit import Progress, Submitter
from sampan.cli.replay.workload import Planned
from unit.cli.fakes import FakeApi, a_job, api_error


def planned(name: str = "replay-r-0", at: float = 0.0) -> Planned:
    """A job to create."""
    return Planned(at, name, {"metadata": {"name": name}, "spec": {}})


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a second try."""
    monkeypatch.setattr(submit, "RETRY_SECONDS", 2.5)
    monkeypatch.setattr(submit, "RETRY_PAUSE", 0.01)


@pytest.mark.parametrize("trouble", [api_error(429), api_error(503), ProtocolError("cut")], ids=["overload", "503", "cut"])
def test_passing_trouble_is_tried_again(trouble: Exception) -> None:
    api, progress = FakeApi(), Progress()
    api.refusals["replay-r-0"] = [trouble]
    Submitter(api, "team-a", progress=progress).create(planned())
    assert [made["metadata"]["name"] for made in api.created] == ["replay-r-0"]
    assert progress.refused == {}


def test_a_job_that_is_there_already_is_ours() -> None:
    api, progress = FakeApi(), Progress()
    api.refusals["replay-r-0"] = [api_error(409)]
    Submitter(api, "team-a", progress=progress).create(planned())
    assert progress.refused == {}
    assert set(progress.submitted) == {"replay-r-0"}


def test_a_refusal_is_written_down_and_not_repeated() -> None:
    api, progress = FakeApi(), Progress()
    refusals: list[Exception] = [api_error(422, "spec.x is bad"), ApiException(status=422)]
    api.refusals["replay-r-0"] = refusals
    Submitter(api, "team-a", progress=progress).create(planned())
    assert "spec.x is bad" in progress.refused["replay-r-0"]
    assert len(refusals) == 1


def test_jobs_are_created_when_their_time_has_come_and_not_after_a_stop() -> None:
    api, progress = FakeApi(), Progress()
    start = time.monotonic()
    Submitter(api, "team-a", progress=progress).start([planned("a"), planned("b", 0.2), planned("c", 3600)])
    while len(api.created) < 2 and time.monotonic() - start < 60:
        progress.stop.wait(0.01)
    assert [made["metadata"]["name"] for made in api.created] == ["a", "b"]
    assert time.monotonic() - start >= 0.2
    progress.stop.set()
    assert "c" not in progress.submitted


def test_progress_counts_what_is_left() -> None:
    progress = Progress()
    progress.jobs = {"a": a_job("a", status={"phase": "Succeeded"}), "b": a_job("b"), "c": a_job("c")}
    progress.refused = {"d": "no"}
    progress.gone = {"c"}
    assert progress.left(5) == 2
    assert progress.line(5) == "0 of 5 submitted; 2 pending, 1 succeeded"
