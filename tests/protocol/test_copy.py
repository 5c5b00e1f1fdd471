"""The copy on the member: created once, adopted if ours, never somebody else's, and given up where the member will not have it."""

import json
from typing import Any

import msgspec
import pytest

from jobs import CLUSTER, HUB, OFFER
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.values.names import remote_labels, remote_name
from unit.controller.fakes import H100_JOB, REMOTE, World, world
from unit.kube.fake_api import replying

NAME = remote_name(HUB, "u1")
VOLUME = {"template": {"image": "registry.example/a:1", "volumes": [{"name": "v", "configMap": {"name": "settings"}}]}}
SECRET = {"template": {"image": "registry.example/a:1", "volumes": [{"name": "v", "secret": {"secretName": "token"}}]}}
COMPLETE = [{"type": "Complete", "status": "True", "lastTransitionTime": "2027-01-15T08:00:00Z"}]


def config_map(name: str = "settings", namespace: str = "team-a", **data: str) -> dict[str, Any]:
    """A tenant's ConfigMap."""
    return {"metadata": {"name": name, "namespace": namespace}, "data": data}


def last(w: World) -> dict[str, Any]:
    """The newest attempt that ended."""
    found: dict[str, Any] = w.status()["attempts"][-1]
    return found


async def test_a_copy_of_ours_that_is_there_already_is_adopted() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        labels = remote_labels(hub_id=HUB, job_uid="u1", attempt=1)
        w.member.put(REMOTE, {"metadata": {"name": NAME, "namespace": "sampan-jobs", "labels": labels}, "spec": {}})
        await w.bind()
        assert w.reconciler.counters.adopted == 1
        assert w.reconciler.counters.created == 0
        assert w.status()["phase"] == "Bound"
        assert "attempts" not in w.status()


async def test_somebody_elses_object_of_that_name_is_never_touched_and_the_job_goes_on() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        foreign = w.member.put(REMOTE, {"metadata": {"name": NAME, "namespace": "sampan-jobs", "labels": {"app": "theirs"}}, "spec": {}})
        version = foreign["metadata"]["resourceVersion"]
        await w.bind()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "NameConflict")
        await w.pass_time(20_000)
        assert w.status()["phase"] == "Pending"
        assert "binding" not in w.status()
        assert w.copy()["metadata"]["resourceVersion"] == version
        assert {call.method for call in w.member.seen} == {"POST", "GET"}


async def test_a_lost_reply_to_a_create_is_found_by_the_same_name() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.member.lose_reply("POST", "/jobs")
        await w.bind()
        w.now += 1_000
        w.reconciler.enqueue("u1")
        await w.settle()
        assert {call.body["metadata"]["name"] for call in w.member.calls("POST")} == {NAME}
        assert len(w.member.of(REMOTE)) == 1
        assert w.reconciler.counters.adopted == 1
        assert "attempts" not in w.status()


@pytest.mark.parametrize(
    ("code", "reason", "want"),
    [
        (403, "Forbidden", "Forbidden"),
        (422, "Invalid", "Invalid"),
        (404, "NotFound", "NotFound"),
        (403, "no such luck!\n", "Rejected"),
        (403, "exceeded quota", "QuotaExceeded"),
    ],
)
async def test_what_the_member_will_not_have_ends_the_attempt_and_its_pool_cools_down(code: int, reason: str, want: str) -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.member.fault("POST", "/jobs", replying(code, reason, reason))
        await w.bind()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", want)
        await w.pass_time(20_000)
        assert w.status()["phase"] == "Pending"
        (job,) = w.state.snapshot(w.now).jobs
        assert job.excluded == {(OFFER, "h100-x8")}
        (later,) = w.state.snapshot(w.now + 400_000).jobs
        assert not later.excluded


async def test_a_pool_that_left_before_the_create_ends_the_attempt() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        assignment = w.assignment()
        w.source.pools = (w.source.pools[0].__class__(name="other", cluster_uid=CLUSTER, nodes=("n9",)),)
        w.reconciler.bind(assignment)
        await w.settle()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "PoolGone")
        assert not w.member.calls("POST")


async def test_an_attempt_whose_copy_was_seen_is_never_created_again() -> None:
    """The hub does not know the copy's UID yet, and somebody deletes it on the member."""
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.watch()
        await w.settle()
        w.member.drop(REMOTE, NAME, "sampan-jobs")
        await w.pass_time(20_000)
        await w.pass_time(1_000)
        assert len(w.member.calls("POST")) == 1
        assert last(w)["outcome"] == "Lost"
        assert w.status()["phase"] == "Failed"


async def test_a_create_that_never_works_ends_with_the_start_deadline() -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "startDeadlineSeconds": 60})
        w.member.fault("POST", "/jobs", replying(500, "InternalError"), times=9)
        await w.bind()
        assert "attempts" not in w.status()
        await w.pass_time(61_000)
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "StartDeadlineExceeded")


async def test_late_news_of_an_old_attempt_is_seen_and_changes_nothing_for_the_new_one() -> None:
    """The old copy is in another namespace of the member, as a create that was carried out late may make it."""
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        await w.pass_time(1_000)
        old = json.loads(json.dumps(w.copy()))
        w.tell_copy(failed=1, conditions=[{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}])
        await w.pass_time(5_000)
        for _ in range(3):
            await w.pass_time(60_000)
        await w.bind()
        assert w.status()["binding"]["attempt"] == 2
        await w.pass_time(1_000)
        old["metadata"] |= {"namespace": "other-jobs", "uid": "late", "resourceVersion": "7"}
        stray = w.link.copies.put("u1", 1, msgspec.convert(old, RemoteJob))
        w.state.table["u1"].memory.members.add(CLUSTER)
        w.reconciler.enqueue("u1")
        await w.settle()
        seen = w.view.of(w.state.table["u1"])
        assert seen.job is not None
        assert (seen.job.metadata.uid, seen.strays[0].job, seen.strays[0].attempt) == (w.copy()["metadata"]["uid"], stray, 1)
        before = len(w.member.seen), len(w.hub.seen)
        old["metadata"]["resourceVersion"], old["status"] = "8", {"failed": 1}
        assert w.link.copies.put("u1", 1, msgspec.convert(old, RemoteJob)) is not stray
        w.reconciler.enqueue("u1")
        await w.settle()
        assert (len(w.member.seen), len(w.hub.seen)) == before, "neither called nor written about"
        assert w.status()["binding"]["attempt"] == 2
        w.tell_copy(succeeded=1, conditions=[{"type": "Complete", "status": "True"}])
        await w.pass_time(5_000)
        assert w.status()["phase"] == "Succeeded", "of its own copy"
