"""Whole lives of jobs on a real federation: from apply to the end, gangs and sweeps, and what they cost in writes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from e2e.history import History, recorded
from e2e.life import ASCEND, H100, HYGON, TEAM, UNTIL_TOLD, Json, World, condition, job, outcomes, settled, written
from integration.support import PATIENCE, wait_for

OVERDUE = 5
"""Seconds after which a bound job that does not run yet may say why, which is a write more; on a machine that takes its time it does."""
OWN_SHAPE = {"resources": {"requests": {"cpu": "3", "memory": "3Gi"}}}
"""Which no other test asks for: a pool that another one's job was rejected by cools down for that job's shape, which is told in a write."""
GANG = "echo $RANK of $WORLD_SIZE; sleep 30"


@pytest.fixture(scope="module")
def history(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Every version of every job of this module; all of them are submitted at once."""
    with recorded(world.fed.hub, TEAM, tmp_path_factory.mktemp("history") / "jobs.json") as history:
        world.submit(
            job("plain", UNTIL_TOLD, device=(H100, 1), template=OWN_SHAPE),
            job("long", UNTIL_TOLD, device=(HYGON, 1), template=OWN_SHAPE),
            job("fails", "sleep 8; echo loss is NaN; exit 3", device=(H100, 1)),
            job("gang", GANG, replicas=2, device=(H100, 8), template={"shmSize": "1Gi"}),
            job("sweep", "sleep 5", gang=False, completions=6, parallelism=2, device=(HYGON, 1)),
        )
        yield history


def test_a_sweep_runs_its_members_a_few_at_a_time(world: World, history: History) -> None:
    status = world.reaches("sweep", "Succeeded")
    pods = world.pods("sweep")
    assert len(pods) == 6
    assert at_once(pods) == 2
    assert status["remote"]["succeeded"] == 6
    assert world.copy("sweep").body["status"]["completedIndexes"] == "0-5"


def test_a_gang_finds_itself_by_the_names_pytorch_reads(world: World, history: History) -> None:
    copy = world.copy("gang")
    member = world.member(copy.member)
    assert (copy.body["spec"]["completions"], copy.body["spec"]["parallelism"]) == (2, 2)
    name = f"{copy.name}-1"  # of the first attempt: what it leaves to the garbage collector is never taken for a later one's
    service = member.get("service", name, "-n", "sampan-jobs")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert [owner["uid"] for owner in service["metadata"]["ownerReferences"]] == [copy.uid]
    pods = wait_for(lambda: found if len(found := world.pods("gang")) == 2 else None, "two pods")
    for pod in pods:
        env = {e["name"]: e.get("value") or e["valueFrom"]["fieldRef"]["fieldPath"] for e in pod["spec"]["containers"][0]["env"]}
        assert env["WORLD_SIZE"] == "2"
        assert env["MASTER_ADDR"] == f"{copy.name}-0.{name}"
        assert env["MASTER_PORT"] == "29500"
        assert env["RANK"] == "metadata.labels['batch.kubernetes.io/job-completion-index']"
        assert pod["spec"]["subdomain"] == name
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert {pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in pods} == {"0", "1"}
    status = world.reaches("gang", "Succeeded")
    assert status["remote"]["succeeded"] == 2


def test_a_plain_job_completes_and_kubectl_can_wait_for_it(world: World, history: History) -> None:
    ran(world, "plain")
    world.fed.tenant.kubectl("wait", "--for=condition=Complete", "cpj/plain", "-n", TEAM, f"--timeout={PATIENCE}s")
    status = world.status("plain")
    assert status["phase"] == "Succeeded"
    assert outcomes(status) == [(1, "Succeeded")]
    assert (status["binding"]["offer"]["name"], status["binding"]["acceleratorClass"]) == ("lingang-ondemand", H100)
    assert history.phases("plain") == ["Pending", "Bound", "Running", "Succeeded"]
    assert {kind: condition(status, kind)["status"] for kind in ("Scheduled", "Running", "Complete")} == {
        "Scheduled": "True",
        "Running": "False",
        "Complete": "True",
    }


@pytest.mark.parametrize(("name", "runs"), [("plain", 0), ("long", 22)])
def test_a_plain_job_costs_four_hub_writes(world: World, history: History, name: str, runs: float) -> None:
    """The user's create, intent, running, end; also where it runs for longer than counters are held back."""
    status = ran(world, name, runs=runs)
    history.ever(name, lambda seen: seen == status, "the watch has told its end")
    versions = history.versions(name)
    if seconds(status["binding"]["boundAt"], since_running(history.ever(name, runs_now, "it runs"))) >= OVERDUE:
        versions = [body for body in versions if not overdue(body.get("status") or {})]
    assert len(versions) == 4, [(v.get("status"), v["metadata"].get("finalizers")) for v in versions]
    assert versions[0]["metadata"]["finalizers"] == ["sampan.dev/remote-cleanup"]


def test_run_time_exit_code_and_last_words_come_back(world: World, history: History) -> None:
    status = world.reaches("fails", "Failed")
    (attempt,) = status["attempts"]
    assert (attempt["outcome"], attempt["reason"], attempt["exitCode"], attempt["message"]) == ("AppFailed", "Error", 3, "loss is NaN")
    assert seconds(status["startedAt"], status["finishedAt"]) >= 4
    failed = condition(status, "Failed")
    assert (failed["status"], failed["reason"]) == ("True", "Error")
    assert "loss is NaN" in failed["message"]
    assert history.phases("fails")[-1] == "Failed"


def test_on_the_member_a_job_costs_one_create_and_one_delete(world: World) -> None:
    """Counted by the member's own API server; the copy goes with the hub object, pods first."""
    member = world.member("pengcheng")  # no other job of this module is there
    before = writes(member.kubectl("get", "--raw", "/metrics"))
    world.submit(job("counted", device=(ASCEND, 1)))
    world.reaches("counted", "Succeeded")
    uid = world.must("counted")["metadata"]["uid"]
    world.delete_gone("counted")
    assert world.left(uid) == []
    after = writes(member.kubectl("get", "--raw", "/metrics"))
    assert {verb: after.get(verb, 0) - before.get(verb, 0) for verb in ("POST", "DELETE")} == {"POST": 1, "DELETE": 1}


def test_nothing_is_written_while_nothing_changes(world: World) -> None:
    world.clear()  # what others of this module still had to come would be counted here
    world.submit(job("steady", "sleep infinity"))
    world.reaches("steady", "Running")
    calls = settled(world)
    steady = world.must("steady")
    status, version = steady["status"], steady["metadata"]["resourceVersion"]
    copy = world.copy("steady")
    with pytest.raises(AssertionError, match="not within"):
        wait_for(lambda: world.must("steady")["metadata"]["resourceVersion"] != version, "another version", seconds=8, every=0.5)
    assert world.status("steady") == status
    assert world.copy("steady").uid == copy.uid
    assert written(world) == calls


def ran(world: World, name: str, *, runs: float = 0) -> Json:
    """The status of a job that is told to end once it has been Running for so many seconds."""
    status = world.reaches(name, "Running", "Succeeded")
    if runs_now(status):
        since = since_running(status)
        wait_for(lambda: seconds(since, datetime.now(UTC).isoformat()) >= runs, f"{name} has run for {runs:g} s", every=0.5)
        world.finish(name)
    return world.reaches(name, "Succeeded")


def runs_now(status: Json) -> bool:
    """Tell whether the hub shows the job as running."""
    return status.get("phase") == "Running"


def since_running(status: Json) -> str:
    """When the hub began to show it as running."""
    return str(condition(status, "Running")["lastTransitionTime"])


def overdue(status: Json) -> bool:
    """Tell whether this says why a job that is bound does not run yet."""
    return status.get("phase") == "Bound" and bool((status.get("remote") or {}).get("reason"))


def at_once(pods: list[Any]) -> int:
    """How many of these pods, which have ended, ran at the same time at most, by their member's clock."""
    ended = [pod["status"]["containerStatuses"][0]["state"]["terminated"] for pod in pods]
    return max(sum(bool(other["startedAt"] <= each["startedAt"] < other["finishedAt"]) for other in ended) for each in ended)


def writes(metrics: str) -> dict[str, Any]:
    """Requests about batch Jobs that an API server has served, by verb."""
    found: dict[str, Any] = {}
    for line in metrics.splitlines():
        if line.startswith("apiserver_request_total{") and 'resource="jobs"' in line and 'subresource=""' in line:
            verb = line.partition('verb="')[2].partition('"')[0]
            found[verb] = found.get(verb, 0) + float(line.rpartition(" ")[2])
    return found


def seconds(start: str, end: str) -> float:
    """Seconds between two API times."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
