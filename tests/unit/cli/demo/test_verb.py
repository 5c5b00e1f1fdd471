"""The demo's own parts: what it expects, what it calls, how it ends. The whole of it is an end-to-end test."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from sampan.cli.demo import verb
from sampan.cli.demo.check import Expectation, MemberJob
from sampan.cli.demo.copies import CopyWatch
from sampan.cli.lib.errors import CliError
from sampan.client.access.hub import Hub
from sampan.local import binaries
from unit.cli.conftest import Sampan
from unit.cli.fakes import BOUND, FakeApi, a_job, modified

DONE = {"phase": "Succeeded", "binding": BOUND, "remote": {"succeeded": 1}}
STATUS = {"hub": {"kubeconfig": "/hub.yaml"}, "members": [{"name": "lingang", "kubeconfig": "/m.yaml"}]}


def test_each_example_is_expected_and_each_expectation_has_its_example() -> None:
    folder = verb.example_folder()
    names = [
        document["metadata"]["name"]
        for path in sorted(folder.glob("*/job.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document["kind"] == "ComputeJob"
    ]
    assert sorted(names) == sorted(verb.expectations(folder))
    assert len(names) == 20
    assert all((path / "README.md").is_file() for path in folder.iterdir() if path.is_dir())


def test_a_folder_without_expectations_is_told(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"expected\.toml is missing"):
        verb.expectations(tmp_path)


def test_follow_ends_when_all_have_come_to_what_is_expected(capsys: pytest.CaptureFixture[str]) -> None:
    api = FakeApi()
    api.objects["computejobs"] = [a_job("a"), a_job("stranger")]
    api.events = [modified(a_job("a", status={"phase": "Running"}), version=11), modified(a_job("a", status=DONE), version=12)]
    jobs = verb.follow(Hub(api, namespace="team-a", default_namespace="team-a"), {"a": Expectation()})
    assert [job["status"]["phase"] for job in jobs] == ["Succeeded"]
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["PHASE", "Pending", "Running", "Succeeded"]


def test_follow_does_not_wait_for_what_cannot_come() -> None:
    api = FakeApi()
    api.objects["computejobs"] = [a_job("a", status={"phase": "Failed"})]
    jobs = verb.follow(Hub(api, namespace="team-a", default_namespace="team-a"), {"a": Expectation()})
    assert len(jobs) == 1


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the demo runs; a federation that only answers stands behind them."""
    answers = {"status": json.dumps(STATUS), "kubeconfig": "/tenant.yaml\n"}
    seen: list[list[str]] = []

    def run(command: list[str], *, quiet: bool) -> str:
        seen.append(command)
        return next((answers[word] for word in command if word in answers), "") if quiet else ""

    monkeypatch.setattr(verb, "_run", run)
    monkeypatch.setattr(binaries, "find", lambda: {"kubectl": Path("/opt/kubectl")})
    return seen


@pytest.fixture
def folder(tmp_path: Path, api: FakeApi) -> Path:
    """Examples of one job, which has succeeded on the hub."""
    (tmp_path / "expected.toml").write_text("[a]\n", encoding="utf-8")
    for name in ("a/job.yaml", "ci/pipeline.yaml"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    api.objects["computejobs"] = [a_job("a", status=DONE)]
    return tmp_path


class Copies(CopyWatch):
    """Members that say of job `a` one outcome after the other, the last one from then on."""

    def __init__(self, *outcomes: str) -> None:
        super().__init__([])
        self.outcomes = list(outcomes)

    def seen(self) -> dict[str, list[MemberJob]]:
        """See `CopyWatch.seen`."""
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        return {"uid-team-a-a": [MemberJob(member="lingang", cluster_uid="uid-a", succeeded=1, failed=0, outcome=outcome)]}


def test_the_jobs_are_applied_with_kubectl_as_the_tenant(
    sampan: Sampan, folder: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "watch_copies", lambda _: Copies("Open", "Complete"))
    shown = sampan("demo", "--examples", str(folder))
    assert shown.exit_code == 0, shown.output
    [applied] = [command for command in commands if "apply" in command]
    assert applied == ["/opt/kubectl", "--kubeconfig", "/tenant.yaml", "apply", "-f", str(folder / "a")]
    assert "sampan local down --name sampan-demo" in shown.stdout


@pytest.mark.usefixtures("commands")
def test_a_mismatch_is_printed_and_ends_with_1(sampan: Sampan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "watch_copies", lambda _: Copies("Failed"))
    monkeypatch.setattr(verb, "LATE_SECONDS", 0.0)
    shown = sampan("demo", "--examples", str(folder))
    assert shown.exit_code == 1
    assert "MISMATCH" in shown.stdout
    assert "a: hub says Succeeded, member says Failed" in shown.stderr


def test_a_command_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 7))
    with pytest.raises(CliError, match="ended with 7"):
        verb._run(["kubectl", "apply"], quiet=False)
