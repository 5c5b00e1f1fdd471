"""`sampan submit --wait --logs`: what the jobs print, and what an interruption does to them."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, api_error
from unit.cli.jobs.test_submit import RAN, job, status

ONE = b"2026-01-01T00:00:01Z one\n"
ENDED = {"phase": "Succeeded", **RAN}


def test_a_job_s_output_is_all_that_goes_to_stdout(sampan: Sampan, api: FakeApi) -> None:
    api.events = [status("train", 11, **ENDED)]
    api.output = [[ONE, b"2026-01-01T00:00:02Z no newline"]]
    shown = sampan("submit", "-f", "-", "--wait", "--logs", text=job())
    assert (shown.exit_code, shown.stdout) == (0, "one\nno newline")
    assert "computejob.sampan.dev/train created" in shown.stderr
    assert "team-a/train  Succeeded" in shown.stderr
    assert api.read == [("team-a", "train", {"follow": "true", "rank": "0", "timestamps": "true"})]


def test_of_several_jobs_each_line_has_its_job_s_name(sampan: Sampan, api: FakeApi) -> None:
    api.events = [status(name, 11, **ENDED) for name in ("train", "other")]
    api.output = [[ONE, b"2026-01-01T00:00:02Z two"], [ONE, b"2026-01-01T00:00:02Z two"]]
    shown = sampan("submit", "-f", "-", "--wait", "--logs", text=job() + "---\n" + job("other"))
    assert sorted(shown.stdout.splitlines()) == ["other | one", "other | two", "train | one", "train | two"]


def test_of_several_replicas_each_line_has_its_rank(sampan: Sampan, api: FakeApi) -> None:
    api.events = [status("train", 11, **ENDED)]
    api.output = [[b"[0] " + ONE]]
    shown = sampan("submit", "-f", "-", "--wait", "--logs", text=job().replace("spec: {", "spec: {replicas: 2, "))
    assert (shown.stdout, api.read[0][2]["rank"]) == ("[0] one\n", "all")


def test_output_that_cannot_be_read_does_not_change_how_the_job_ended(sampan: Sampan, api: FakeApi) -> None:
    api.events = [status("train", 11, **ENDED)]
    api.output = [[api_error(403, "may not get computejobs/log")]]
    shown = sampan("submit", "-f", "-", "--wait", "--logs", text=job())
    assert shown.exit_code == 0
    assert "train: its output cannot be followed: not allowed: may not get computejobs/log" in shown.stderr


@pytest.mark.parametrize("option", ["--logs", "--cancel-on-interrupt"])
def test_what_follows_jobs_needs_a_wait(sampan: Sampan, option: str) -> None:
    assert sampan("submit", "-f", "-", option, text=job()).exit_code == 2


def interrupting(number: int) -> Any:
    """What sends this process a signal, as a person or a CI system does."""
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_cancels_what_has_not_ended_where_that_was_asked_for(sampan: Sampan, api: FakeApi, number: int) -> None:
    api.events = [interrupting(number)]
    shown = sampan("submit", "-f", "-", "--wait", "--cancel-on-interrupt", text=job())
    assert (shown.exit_code, api.deleted) == (130, [("team-a", "train")])
    assert "interrupted; cancelled: team-a/train" in shown.stderr


def test_without_a_terminal_nobody_is_asked_and_jobs_go_on(sampan: Sampan, api: FakeApi) -> None:
    api.events = [interrupting(signal.SIGTERM)]
    shown = sampan("submit", "-f", "-", "--wait", text=job())
    assert (shown.exit_code, api.deleted) == (130, [])
    assert "interrupted; still there: team-a/train; follow them with sampan jobs --watch, end them with sampan cancel" in shown.stderr


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_at_a_terminal_one_is_asked(sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(job())
    api.events = [interrupting(signal.SIGINT)]
    monkeypatch.setattr("sampan.cli.jobs.submit.at_a_terminal", lambda: True)
    shown = sampan("submit", "-f", str(file), "--wait", text=f"{answer}\n")
    assert (shown.exit_code, api.deleted) == (130, [("team-a", "train")] if answer == "y" else [])
    assert "Cancel team-a/train? [y/N]" in shown.stderr
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "it is as it was"


def test_a_job_that_is_being_created_when_the_signal_comes_is_cancelled_too(
    sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = api.create

    def interrupted(plural: str, namespace: str, body: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)  # the request is on its way
        return create(plural, namespace, body)

    monkeypatch.setattr(api, "create", interrupted)
    shown = sampan("submit", "-f", "-", "--wait", "--cancel-on-interrupt", text=job())
    assert (shown.exit_code, api.deleted) == (130, [("team-a", "train")])


def test_one_more_signal_does_not_break_off_the_cancelling(sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    delete = api.delete

    def interrupted(plural: str, namespace: str, name: str, *, uid: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        delete(plural, namespace, name, uid=uid)

    monkeypatch.setattr(api, "delete", interrupted)
    api.events = [interrupting(signal.SIGINT)]
    shown = sampan("submit", "-f", "-", "--wait", "--cancel-on-interrupt", text=job())
    assert (shown.exit_code, api.deleted) == (130, [("team-a", "train")])


def test_a_signal_that_is_ignored_stays_ignored(sampan: Sampan, api: FakeApi) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        api.events = [interrupting(signal.SIGHUP), status("train", 11, **ENDED)]
        assert sampan("submit", "-f", "-", "--wait", text=job()).exit_code == 0
    finally:
        signal.signal(signal.SIGHUP, before)
