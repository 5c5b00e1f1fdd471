"""The client as a program uses it: submit, wait, logs, cancel, and what it raises. The hub is in memory; `tests/e2e` has a real one."""

import subprocess
import sys
from pathlib import Path

import pytest
from urllib3.exceptions import ProtocolError

from sampan.client import Client, ClientError, ConflictError, Ending, NotAllowedError, NotFoundError, NotInTimeError, RejectedError
from unit.cli.fakes import BOUND, FakeApi, a_job, api_error, modified

HEAVY = (
    "click",
    "rich",
    "kubernetes",
    "kopf",
    "numpy",
    "aiohttp",
    "pydantic",
    "sqlalchemy",
    "uvloop",
    "yaml",
    "urllib3",
    "sampan.controller",
)
MANIFEST = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "train"}, "spec": {"template": {"image": "x"}}}
RAN = {"binding": BOUND, "startedAt": "2026-03-01T12:00:03Z"}


@pytest.fixture
def api() -> FakeApi:
    """A hub in memory."""
    return FakeApi()


@pytest.fixture
def client(api: FakeApi) -> Client:
    """A client of it, with the namespace `team-a`."""
    return Client(api, namespace="team-a")


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sys, sampan.client\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_manifest_or_a_file_becomes_a_job(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("apiVersion: sampan.dev/v1alpha1\nkind: ComputeJob\nmetadata: {name: b, namespace: team-b}\nspec: {replicas: 4}\n")
    one, other = client.submit(MANIFEST), client.submit(file)
    assert [(job.namespace, job.name, job.phase, job.replicas) for job in (one, other)] == [
        ("team-a", "train", "Pending", 1),
        ("team-b", "b", "Pending", 4),
    ]


def test_of_several_jobs_none_is_created_where_one_was_meant(client: Client, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "jobs.yaml"
    one = "apiVersion: sampan.dev/v1alpha1\nkind: ComputeJob\nmetadata: {name: NAME}\nspec: {}\n"
    file.write_text(one.replace("NAME", "a") + "---\n" + one.replace("NAME", "b"))
    with pytest.raises(RejectedError, match=r"jobs\.yaml: 2 ComputeJobs; give a file with one, or call submit_all"):
        client.submit(file)
    assert api.created == []
    assert [job.name for job in client.submit_all(file)] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"kind": "Job"}, "v1alpha1 Job is not a sampan.dev/v1alpha1 ComputeJob"), ({"metadata": {}}, "metadata.name is missing")],
)
def test_what_no_server_would_take_is_not_sent(client: Client, api: FakeApi, change: dict[str, object], says: str) -> None:
    with pytest.raises(RejectedError, match=says):
        client.submit({**MANIFEST, **change})
    assert api.created == []


def test_a_refusal_names_job_and_field_and_keeps_its_kind(client: Client, api: FakeApi) -> None:
    api.refusals["train"] = [api_error(422, "spec.replicas: too many", kind="ComputeJob"), api_error(409, "train already exists")]
    with pytest.raises(RejectedError, match=r"computejob team-a/train: .*spec\.replicas: too many; correct the named field") as refused:
        client.submit(MANIFEST)
    assert refused.value.exit_code == 2
    with pytest.raises(RejectedError) as there:
        client.submit(MANIFEST)
    assert isinstance(there.value.__cause__, ConflictError)


def test_credentials_that_are_not_known_are_no_refusal_of_the_job(client: Client, api: FakeApi) -> None:
    api.refusals["train"] = [api_error(401)]
    with pytest.raises(NotAllowedError, match="does not accept these credentials"):
        client.submit(MANIFEST)


@pytest.mark.parametrize(
    ("status", "want", "code"),
    [
        ({"phase": "Succeeded", **RAN}, Ending.SUCCEEDED, 0),
        ({"phase": "Failed", **RAN}, Ending.FAILED, 1),
        ({"phase": "Failed", "conditions": [{"type": "Failed", "status": "True", "reason": "InvalidSpec"}]}, Ending.REJECTED, 2),
    ],
)
def test_waiting_tells_how_it_ended(client: Client, api: FakeApi, status: dict[str, object], want: Ending, code: int) -> None:
    job = client.submit(MANIFEST)
    api.events = [modified(a_job(status=status))]
    outcome = job.wait()
    assert (outcome.name, outcome.ending, outcome.exit_code, outcome.succeeded) == ("train", want, code, code == 0)


def test_a_job_that_went_away_has_not_succeeded(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    api.events = [{"type": "DELETED", "object": a_job()}]
    assert (outcome := job.wait()).ending is Ending.DELETED
    assert outcome.exit_code == 1


def test_waiting_no_longer_than_so_is_an_outcome_too(client: Client) -> None:
    outcome = client.submit(MANIFEST).wait(timeout=0.05)
    assert (outcome.ending, outcome.exit_code) == (Ending.NOT_IN_TIME, 4)


def test_a_wait_goes_on_where_its_watch_broke(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "metadata": {}}}
    running = modified(a_job(status={"phase": "Running", **RAN}))
    api.events = [running, ProtocolError("cut"), gone, modified(a_job(status={"phase": "Succeeded", **RAN}), version=12)]
    assert job.wait(timeout=120).succeeded
    assert api.lists == 3


def test_each_change_can_be_followed(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    api.events = [
        modified(a_job(status={"phase": phase, **RAN}), version=11 + n) for n, phase in enumerate(("Bound", "Running", "Succeeded"))
    ]
    follower = client.follow([job])
    assert [(step.phase, step.place) for step in follower][-3:] == [
        (phase, "prov-a/lingang h100-x8") for phase in ("Bound", "Running", "Succeeded")
    ]
    assert (follower.left, follower.exit_code) == ([], 0)


def test_lines_are_text_without_their_ends(client: Client, api: FakeApi) -> None:
    api.output = [[b"2026-01-01T00:00:01Z one\n2026-01-01T00:00:02Z t", b"wo\n2026-01-01T00:00:03Z \xff"]]
    assert list(client.submit(MANIFEST).logs(follow=True, all_ranks=True)) == ["one", "two", "�"]
    assert api.read == [("team-a", "train", {"rank": "all", "follow": "true", "timestamps": "true"})]


def test_a_log_that_may_not_be_read_says_so(client: Client, api: FakeApi) -> None:
    api.output = [[api_error(403, "may not get computejobs/log")]]
    with pytest.raises(NotAllowedError, match="may not get computejobs/log"):
        list(client.logs("train"))


def test_a_job_is_cancelled_and_gone(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    api.events = [{"type": "DELETED", "object": job.object}]
    job.cancel()
    assert api.deleted == [("team-a", "train")]
    job.cancel(wait=False)  # once more is as good


def test_another_job_of_that_name_is_let_live(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    api.objects["computejobs"] = [{**a_job(), "metadata": {**a_job()["metadata"], "uid": "another"}}]
    job.cancel(wait=False)
    assert (api.deleted, len(api.objects["computejobs"])) == ([], 1)
    with pytest.raises(NotFoundError, match="computejob team-a/train is gone; another of that name is there"):
        job.refresh()


def test_what_is_not_gone_in_time_is_told(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    api.delete = lambda *_, uid: None  # type: ignore[method-assign]
    with pytest.raises(NotInTimeError, match=r"not gone within 0\.05 s: train") as late:
        job.cancel(timeout=0.05)
    assert late.value.exit_code == 4


def test_jobs_are_found_by_name_and_listed(client: Client, api: FakeApi) -> None:
    api.objects["computejobs"] = [a_job("b"), a_job("a"), a_job("c", namespace="team-b")]
    assert [job.name for job in client.jobs()] == ["a", "b"]
    assert [job.name for job in client.jobs(everywhere=True)] == ["a", "b", "c"]
    assert client.get("c", namespace="team-b").uid == "uid-team-b-c"
    with pytest.raises(NotFoundError, match="not found"):
        client.get("c")


def test_job_is_refreshed_in_place(client: Client, api: FakeApi) -> None:
    job = client.submit(MANIFEST)
    api.objects["computejobs"] = [a_job(status={"phase": "Failed", **RAN, "remote": {"reason": "Error", "message": "exit code 3"}})]
    assert (job.refresh().phase, job.ending, job.reason) == ("Failed", Ending.FAILED, "Error: exit code 3")
    assert repr(job) == "<Job team-a/train Failed>"


def test_an_explanation_is_the_operator_s_answer(client: Client, api: FakeApi) -> None:
    api.answer = {"status": {"phase": "Pending"}}
    assert client.explain(client.submit(MANIFEST)) == {"status": {"phase": "Pending"}}


def test_bugs_of_ours_are_not_explained_away(client: Client, api: FakeApi) -> None:
    api.list_error = KeyError("a bug")
    with pytest.raises(KeyError):
        client.jobs()
    api.list_error = api_error(500, "trouble")
    with pytest.raises(ClientError, match="overloaded or in trouble"):
        client.jobs()
