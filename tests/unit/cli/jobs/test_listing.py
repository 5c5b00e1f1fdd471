"""`sampan jobs`: the table, the objects, and a line per change."""

import json
from datetime import UTC, datetime

import pytest
import yaml

from sampan.cli.jobs import listing as jobs
from sampan.client.access.watch import Change, ObjectWatch
from unit.cli.conftest import Sampan
from unit.cli.fakes import BOUND, FakeApi, a_job, modified

NOW = datetime(2026, 3, 1, 12, 5, 0, tzinfo=UTC)


def test_table(sampan: Sampan, api: FakeApi) -> None:
    api.objects["computejobs"] = [a_job("train", status={"phase": "Running", "binding": BOUND}), a_job("eval")]
    lines = sampan("jobs").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["NAME", "eval", "train"]
    assert "Running   prov-a/lingang h100-x8" in lines[2]


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_objects(sampan: Sampan, api: FakeApi, output: str, load: object) -> None:
    api.objects["computejobs"] = [a_job()]
    assert callable(load)
    assert load(sampan("jobs", "-o", output).stdout)["items"] == [a_job()]


def test_none_is_said_on_stderr(sampan: Sampan, api: FakeApi) -> None:
    shown = sampan("jobs")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "No jobs found" in shown.stderr


def test_watch_prints_what_is_there_and_each_change_until_interrupted(
    sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.objects["computejobs"] = [a_job()]
    api.events = [modified(a_job(status={"phase": "Running", "binding": BOUND}))]
    real, left = ObjectWatch.next, [2]

    def interrupted(feed: ObjectWatch, seconds: float) -> Change | None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(feed, seconds)

    monkeypatch.setattr(ObjectWatch, "next", interrupted)
    shown = sampan("jobs", "--watch")
    assert shown.exit_code == 0
    assert [line.split()[2] for line in shown.stdout.splitlines()] == ["PHASE", "Pending", "Running"]


def test_watch_as_yaml_is_a_usage_error(sampan: Sampan, api: FakeApi) -> None:
    assert sampan("jobs", "--watch", "-o", "yaml").exit_code == 2


def test_a_line_of_the_watch() -> None:
    gone = Change("DELETED", a_job("\x1b[2Jtrain", status={"phase": "Running"}))
    assert jobs.line(gone, output="table", now=NOW).split() == ["team-a", "[2Jtrain", "(deleted)", "-", "2", "5m"]
    assert json.loads(jobs.line(gone, output="json", now=NOW)) == {"type": "DELETED", "object": gone.object}


def test_names_choose_jobs_and_a_missing_one_is_named(sampan: Sampan, api: FakeApi) -> None:
    api.objects["computejobs"] = [a_job("train"), a_job("eval"), a_job("other")]
    shown = json.loads(sampan("jobs", "train", "eval", "-o", "json").stdout)
    assert [item["metadata"]["name"] for item in shown["items"]] == ["eval", "train"]
    missing = sampan("jobs", "train", "nobody")
    assert missing.exit_code == 1
    assert "no such job: nobody" in missing.stderr
    assert sampan("jobs", "-A", "train").exit_code == 2
