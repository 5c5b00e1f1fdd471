"""Logs are lines of JSON with their fields, and Kopf's and aiohttp's chatter never has a body in it."""

import json
import logging
from collections.abc import Iterator

import pytest

from jobs import bound_status, record
from sampan.controller.runtime.logs import JsonFormatter, configure, log_status_change
from sampan.model.status.reasons import JobReason, MemberWord


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    chatty = {name: logging.getLogger(name).level for name in ("kopf", "aiohttp", "asyncio")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in chatty.items():
        logging.getLogger(name).setLevel(before)


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The one line that was logged."""
    (text,) = capsys.readouterr().err.splitlines()
    found: dict[str, object] = json.loads(text)
    return found


def test_a_line_has_its_event_and_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logging.getLogger("sampan.x").warning("job.retry", extra={"uid": "u1", "delay": 0.5, "set": {1}})
    found = line(capsys)
    assert (found["event"], found["level"], found["logger"]) == ("job.retry", "warning", "sampan.x")
    assert (found["uid"], found["delay"], found["set"]) == ("u1", 0.5, "{1}")
    assert str(found["time"]).endswith("+00:00")


def test_a_line_stays_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    logging.getLogger("sampan.x").warning('a\n{"event": "forged"}', extra={"reason": "b\nc"})
    assert line(capsys)["event"] == 'a\n{"event": "forged"}'


def test_long_messages_are_cut() -> None:
    assert len(json.loads(JsonFormatter().format(logging.makeLogRecord({"msg": "y" * 9_999})))["event"]) == 1024


def test_a_librarys_traceback_is_told_by_type_and_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")
    try:
        int("canary")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    found = line(capsys)
    assert (found["event"], found["error"]) == ("Error handling request", "ValueError")
    assert str(found["where"]).startswith("test_logs.py:")
    assert "canary" not in json.dumps(found)


@pytest.mark.parametrize("name", ["kopf", "kopf.objects", "kopf._cogs.clients.api", "aiohttp.client", "asyncio"])
def test_at_debug_only_our_own_loggers_say_more(name: str) -> None:
    configure("DEBUG")
    assert logging.getLogger("sampan.controller.reconcile.reconciler").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


def test_a_higher_level_holds_for_all() -> None:
    configure("ERROR")
    assert not logging.getLogger("kopf").isEnabledFor(logging.WARNING)
    assert not logging.getLogger("sampan").isEnabledFor(logging.WARNING)


def test_what_a_status_begins_to_say_is_logged_once_with_the_jobs_name(caplog: pytest.LogCaptureFixture) -> None:
    job = record(status=bound_status())
    status = job.status.told(MemberWord("ImagePullBackOff"), "no such image")
    log_status_change(job, status)
    (line,) = caplog.records
    found = vars(line)
    assert (found["msg"], found["job"], found["reason"], found["detail"]) == (
        "job.status",
        "team-a/job-u1",
        "ImagePullBackOff",
        "no such image",
    )
    assert (found["offer"], found["pool"], found["attempt"]) == ("prov-a/lingang", "h100-x8", 1)
    log_status_change(record(status=status), status)
    log_status_change(job, job.status.told(JobReason.PODS_RUNNING, ""))
    assert len(caplog.records) == 1
