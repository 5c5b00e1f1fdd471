"""`sampan replay` as a whole against a hub in memory that runs every job at once."""

import json
from typing import Any

import click
import pytest

from places import ROOT
from sampan.cli.lib.errors import CliError
from sampan.cli.replay import verb
from unit.cli.conftest import Sampan
from unit.cli.fakes import BOUND, FakeApi, a_pool, an_offer, api_error, modified

SMALL = str(ROOT / "tests" / "data" / "replay-small.csv")


class RunningApi(FakeApi):
    """Every job that is created has succeeded a moment later."""

    def create(self, plural: str, namespace: str, body: Any) -> Any:
        """Create, and let the watch tell its end."""
        made = super().create(plural, namespace, body)
        created = made["metadata"]["creationTimestamp"]
        self.events.append(modified({**made, "status": {"phase": "Succeeded", "binding": BOUND, "finishedAt": created}}))
        return made


@pytest.fixture
def running(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The hub of the `api` fixture, but running."""
    api.__class__ = RunningApi
    api.objects["clusteroffers"] = [an_offer(pools=[a_pool(), a_pool("b", acceleratorClass="huawei-910b3-64gb", devices=64)])]
    return api


def test_every_job_is_created_followed_and_reported(sampan: Sampan, running: FakeApi) -> None:
    shown = sampan("replay", SMALL, "--jobs", "30", "--speedup", "100000", "--run", "t", "-o", "json")
    assert shown.exit_code == 0, shown.output
    made = json.loads(shown.stdout)
    assert made["phases"] == {"Succeeded": 30}
    assert made["wait"]["count"] == made["completion"]["count"] == 30
    assert sorted(job["metadata"]["name"] for job in running.created) == sorted(f"replay-t-{number}" for number in range(30))
    assert "kubectl delete computejobs -n team-a -l replay-run=t" in shown.stderr


def test_without_accelerators_named_those_of_the_offers_will_do(sampan: Sampan, running: FakeApi) -> None:
    assert sampan("replay", SMALL, "--jobs", "1", "--speedup", "1000", "--run", "t").exit_code == 0
    wanted = [alternative["accelerator"]["class"] for alternative in running.created[0]["spec"]["alternatives"]]
    assert wanted == ["huawei-910b3-64gb", "nvidia-h100-sxm-80gb"]


def test_a_table_for_people(sampan: Sampan, running: FakeApi) -> None:
    shown = sampan("replay", SMALL, "--jobs", "3", "--speedup", "100000", "--run", "t", "--accelerator", "stack=cuda")
    assert "jobs/s ended" in shown.stdout
    assert "wait until bound" in shown.stdout
    assert "prov-a/lingang h100-x8" in shown.stdout


def test_refused_jobs_are_counted_and_end_with_1(sampan: Sampan, running: FakeApi) -> None:
    running.refusals["replay-t-0"] = [api_error(403, "quota")]
    shown = sampan("replay", SMALL, "--jobs", "2", "--speedup", "100000", "--run", "t", "-o", "json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["phases"] == {"Refused": 1, "Succeeded": 1}
    assert "quota" in shown.stderr


def test_an_interruption_says_what_is_left_and_how_to_clean_up(sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verb, "_follow", interrupted)
    shown = sampan("replay", SMALL, "--jobs", "3", "--run", "t", "--accelerator", "stack=cuda")
    assert shown.exit_code == 130
    assert "3 of 3 jobs have not ended" in shown.stderr
    assert "-l replay-run=t" in shown.stderr


@pytest.mark.parametrize("arguments", [["--accelerator", "gpu"], ["--speedup", "0"], ["--jobs", "0"], ["--accelerator", "model=x"]])
def test_usage_errors(sampan: Sampan, api: FakeApi, arguments: list[str]) -> None:
    assert sampan("replay", SMALL, *arguments).exit_code == 2


def test_accelerators() -> None:
    assert verb._accelerators(["family=ascend-910b"], []) == [{"family": "ascend-910b"}]
    with pytest.raises(CliError, match="no offer"):
        verb._accelerators([], [{"name": "cpu"}])
    with pytest.raises(click.BadParameter):
        verb._accelerators(["class="], [])
