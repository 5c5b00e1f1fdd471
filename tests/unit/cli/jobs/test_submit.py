"""`sampan submit`: what is created, what is told, and the exit codes 0, 1, 2, 4."""

from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Sampan
from unit.cli.fakes import BOUND, FakeApi, a_job, api_error, modified

JOB = "apiVersion: sampan.dev/v1alpha1\nkind: ComputeJob\nmetadata: {name: NAME}\nspec: {template: {image: x}}\n"
RAN = {"binding": BOUND, "startedAt": "2026-03-01T12:00:03Z"}


def job(name: str = "train") -> str:
    """A manifest."""
    return JOB.replace("NAME", name)


def status(name: str, version: int, **fields: Any) -> dict[str, Any]:
    """A watch event that shows this status."""
    return modified(a_job(name, status=fields), version=version)


def test_created_in_the_manifests_namespace_or_the_contexts(sampan: Sampan, api: FakeApi) -> None:
    shown = sampan("submit", "-f", "-", text=job() + "---\n" + job("other").replace("{name", "{namespace: team-b, name"))
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == ["computejob.sampan.dev/train created", "computejob.sampan.dev/other created"]
    assert [made["metadata"]["namespace"] for made in api.created] == ["team-a", "team-b"]


@pytest.mark.parametrize(
    ("ends", "want"),
    [
        ({"train": {"phase": "Succeeded", **RAN}}, 0),
        ({"train": {"phase": "Failed", **RAN}}, 1),
        ({"train": {"phase": "Failed", "conditions": [{"type": "Failed", "status": "True", "reason": "InvalidSpec"}]}}, 2),
        ({"train": {"phase": "Pending", "conditions": [{"type": "NeverFits", "status": "True", "reason": "TooLarge"}]}}, 2),
        ({"train": {"phase": "Failed", "conditions": [{"type": "Failed", "status": "True", "reason": "MaxWaitExceeded"}]}}, 2),
        ({"train": {"phase": "Succeeded", **RAN}, "other": {"phase": "Failed", **RAN}}, 1),
        ({"train": {"phase": "Failed", **RAN}, "other": {"phase": "Failed"}}, 2),
    ],
    ids=["succeeded", "failed", "invalid", "never fits", "waited too long", "one of two failed", "rejected outranks failed"],
)
def test_wait_ends_with_the_gravest_code(sampan: Sampan, api: FakeApi, ends: dict[str, dict[str, Any]], want: int) -> None:
    api.events = [status(name, 11 + number, **fields) for number, (name, fields) in enumerate(ends.items())]
    shown = sampan("submit", "-f", "-", "--wait", text="---\n".join(job(name) for name in ends))
    assert shown.exit_code == want, shown.output
    assert f"exit code {want}: " in shown.stderr


def test_wait_prints_each_phase_change_once_with_place_and_reason(sampan: Sampan, api: FakeApi) -> None:
    waits = {"type": "Scheduled", "status": "False", "reason": "InsufficientCapacity", "message": "all busy"}
    api.events = [
        status("train", 11, phase="Pending", conditions=[waits]),
        status("train", 12, phase="Pending", conditions=[waits]),
        status("train", 13, phase="Bound", binding=BOUND),
        status("train", 14, phase="Running", **RAN),
        status("train", 15, phase="Running", **RAN, remote={"active": 1}),
        status("train", 16, phase="Succeeded", **RAN),
    ]
    shown = sampan("submit", "-f", "-", "--wait", text=job())
    told = [line.split("  ", 1)[1] for line in shown.stdout.splitlines()[1:]]
    assert told == [
        "team-a/train  Pending  InsufficientCapacity: all busy",
        "team-a/train  Bound  prov-a/lingang h100-x8",
        "team-a/train  Running  prov-a/lingang h100-x8",
        "team-a/train  Succeeded  prov-a/lingang h100-x8",
    ]


def test_a_job_deleted_meanwhile_has_failed(sampan: Sampan, api: FakeApi) -> None:
    api.events = [{"type": "DELETED", "object": a_job()}]
    shown = sampan("submit", "-f", "-", "--wait", text=job())
    assert shown.exit_code == 1
    assert "deleted" in shown.stdout


def test_out_of_time(sampan: Sampan, api: FakeApi) -> None:
    shown = sampan("submit", "-f", "-", "--wait", "--timeout", "0.05", text=job())
    assert shown.exit_code == 4
    assert "team-a/train" in shown.stderr


@pytest.mark.parametrize("code", [400, 403, 409, 422])
def test_a_refusal_by_the_server_names_the_job_and_ends_with_2(sampan: Sampan, api: FakeApi, code: int) -> None:
    api.refusals["train"] = [api_error(code, "spec.replicas: too many")]
    shown = sampan("submit", "-f", "-", "--wait", text=job())
    assert shown.exit_code == 2
    assert "computejob team-a/train" in shown.stderr
    assert "spec.replicas: too many" in shown.stderr


def test_trouble_that_is_no_refusal_ends_with_1(sampan: Sampan, api: FakeApi) -> None:
    api.refusals["train"] = [api_error(401)]
    assert sampan("submit", "-f", "-", text=job()).exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["-f", "-", "--timeout", "5"], ["-f", "-", "--wait", "--timeout", "0"]])
def test_usage_errors(sampan: Sampan, arguments: list[str]) -> None:
    assert sampan("submit", *arguments, text=job()).exit_code == 2


def test_nothing_is_created_where_one_document_is_bad(sampan: Sampan, api: FakeApi) -> None:
    assert sampan("submit", "-f", "-", text=job() + "---\nkind: Pod\n").exit_code == 2
    assert api.created == []


def test_a_folder_is_submitted_whole(sampan: Sampan, api: FakeApi, tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(job(name), encoding="utf-8")
    assert sampan("submit", "-f", str(tmp_path)).exit_code == 0
    assert [made["metadata"]["name"] for made in api.created] == ["a", "b"]


def test_a_pipeline_names_its_job(sampan: Sampan, api: FakeApi) -> None:
    assert sampan("submit", "-f", "-", "--name", "run-17", text=job().replace("name:", "generateName:")).exit_code == 0
    assert [made["metadata"]["name"] for made in api.created] == ["run-17"]
    shown = sampan("submit", "-f", "-", "--name", "run-18", text=job() + "---\n" + job("other"))
    assert (shown.exit_code, len(api.created)) == (2, 1)
    assert "--name is for one job: there are 2" in shown.stderr
