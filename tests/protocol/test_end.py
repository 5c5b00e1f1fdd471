"""The end: mirrored once, removed by UID after its tombstone time, and proved gone before anything is let go."""

from typing import Any

import msgspec
import pytest

from jobs import HUB, NOW
from sampan.model.values.names import FINALIZER, LABEL_ATTEMPT, remote_labels, remote_name
from unit.controller.fakes import H100_JOB, JOBS, REMOTE, World, running, world
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


async def ended(w: World) -> None:
    """Bind a job and let it succeed on the member."""
    w.add(spec=H100_JOB)
    await w.bind()
    w.tell_copy(succeeded=1, conditions=COMPLETE, completionTime="2027-01-15T08:00:00Z")
    await w.pass_time(100)


async def test_the_end_is_mirrored_in_one_write_and_the_copy_goes_after_its_tombstone_time() -> None:
    async with world() as w:
        await ended(w)
        assert w.status()["phase"] == "Succeeded"
        assert len(w.hub.calls("PATCH")) == 2
        assert not w.member.calls("DELETE")
        await w.pass_time(31_000)
        (call,) = w.member.calls("DELETE")
        assert (call.body["propagationPolicy"], call.body["preconditions"]) == (
            "Foreground",
            {"uid": w.status()["binding"]["remote"]["uid"]},
        )
        await w.pass_time(1_000)
        assert len(w.hub.calls("PATCH")) == 2, "the hub object is left alone"
        assert len(w.member.calls("POST")) == 1, "a finished job is not run again because somebody cleaned up"


@pytest.mark.parametrize(("condition", "phase"), [("Complete", "Succeeded"), ("Failed", "Failed")])
async def test_a_result_counts_though_somebody_cleaned_up_at_once(condition: str, phase: str) -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.tell_copy(conditions=[{**COMPLETE[0], "type": condition, "reason": "BackoffLimitExceeded"}])
        w.clean_up()
        for millis in (100, 4_000, 31_000, 31_000):
            await w.pass_time(millis)
        assert w.status()["phase"] == phase
        assert last(w)["outcome"] != "Lost"
        assert len(w.member.calls("POST")) == 1, "a finished job is not run again because somebody cleaned up"


async def test_a_result_of_another_attempt_is_not_that_of_this_one() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.tell_copy(conditions=COMPLETE)
        w.clean_up()
        old = w.link.copies.ended_jobs["u1", "sampan-jobs"]
        labels = {**old.metadata.labels, LABEL_ATTEMPT: "7"}
        w.link.copies.ended_jobs["u1", "sampan-jobs"] = msgspec.structs.replace(
            old, metadata=msgspec.structs.replace(old.metadata, labels=labels)
        )
        await w.pass_time(100)
        assert w.status()["phase"] != "Succeeded"


async def test_a_finished_object_goes_after_its_ttl_by_its_own_uid() -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "ttlSecondsAfterFinished": 60})
        await w.bind()
        w.tell_copy(succeeded=1, conditions=COMPLETE)
        for _ in range(3):
            await w.pass_time(31_000)
        (call,) = w.hub.calls("DELETE")
        assert call.body["preconditions"] == {"uid": "u1"}
        await w.pass_time(1_000)
        assert not w.hub.of(JOBS), "the finalizer left too"


async def test_the_finalizer_leaves_only_when_neither_the_job_nor_a_pod_is_left() -> None:
    async with world() as w:
        w.member.keep_deleted = True
        w.add(spec=H100_JOB)
        await w.bind()
        labels = remote_labels(hub_id=HUB, job_uid="u1", attempt=1)
        w.member.put("v1/pods", {"metadata": {"name": "p", "namespace": "sampan-jobs", "labels": labels}})
        w.watch()
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(1_000)
        assert len(w.member.calls("DELETE")) == 1, "asked for once"
        await w.pass_time(20_000)
        assert FINALIZER in w.job()["metadata"]["finalizers"], "the Job is still terminating"
        w.member.drop(REMOTE, NAME, "sampan-jobs")
        w.link.copies.jobs.clear()
        w.member.fault("DELETE", "/pods", replying(200, "Success"))
        await w.pass_time(1_000)
        assert FINALIZER in w.job()["metadata"]["finalizers"], "a pod is still there"
        await w.pass_time(6_000)
        await w.pass_time(6_000)
        assert not w.hub.of(JOBS)
        assert not w.member.of("v1/pods")


async def test_the_finalizer_stays_while_a_create_may_be_on_its_way() -> None:
    """The copy was tried long after the binding: it is that moment that counts."""
    async with world() as w:
        w.members.link, link = None, w.members.link
        w.add(spec=H100_JOB)
        await w.bind()
        w.members.link = link
        w.member.fault("POST", "/jobs", replying(504, "Timeout"))  # it may land later
        await w.pass_time(120_000)
        assert len(w.member.calls("POST")) == 1
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(1_000)
        assert FINALIZER in w.job()["metadata"]["finalizers"]
        await w.pass_time(12_000)
        assert not w.hub.of(JOBS)


async def test_a_restarted_operator_waits_for_what_its_predecessor_may_have_sent() -> None:
    async with world() as w:
        w.members.link, link = None, w.members.link
        w.add(spec=H100_JOB)
        await w.bind()
        w.members.link = link
        w.now += 120_000
        w.restart()
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        async with running(w):
            await w.pass_time(1_000)
            assert FINALIZER in w.job()["metadata"]["finalizers"]
            await w.pass_time(12_000)
            assert not w.hub.of(JOBS)


async def test_nothing_is_known_of_a_member_that_is_away() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.link.connected = False
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(600_000)
        assert FINALIZER in w.job()["metadata"]["finalizers"]
        assert not w.member.calls("DELETE")


async def test_a_deleted_event_may_overtake_the_release() -> None:
    """The object is gone and the watch said so before our own call returned: the reply must not bring the job back."""
    async with world() as w:
        w.add(spec=H100_JOB)
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        release = w.reconciler.steps.hub.client.remove_finalizer  # the race is between two loops: here it is forced

        async def overtaken(record: Any) -> Any:
            answer = await release(record)
            w.state.remove_job(record.uid)
            return answer

        w.reconciler.steps.hub.client.remove_finalizer = overtaken  # type: ignore[method-assign]
        await w.pass_time(100)
        assert not w.hub.of(JOBS)
        assert not w.state.jobs


async def test_a_longer_deadline_reaches_the_running_copy() -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "activeDeadlineSeconds": 60})
        await w.bind()
        w.change(spec={"activeDeadlineSeconds": 600})
        await w.pass_time(100)
        assert w.copy()["spec"]["activeDeadlineSeconds"] == 600


async def test_a_newer_copy_makes_us_read_the_hub_and_write_nothing() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        copy = w.copy()
        copy["metadata"]["labels"]["sampan.dev/attempt"] = "2"
        await w.pass_time(100)
        assert w.hub.calls("GET", "/job-u1")
        assert not w.member.calls("DELETE")
        assert w.status()["binding"]["attempt"] == 1


async def test_times_are_in_milliseconds() -> None:
    async with world(tombstone=7, counters_interval=3) as w:
        w.add(spec=H100_JOB)
        times = w.reconciler.steps.times(w.state.table["u1"])
        assert (times.now, times.tombstone, times.counters, times.last_write) == (NOW, 7_000, 3_000, 0)


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
async def test_a_member_whose_times_are_absurd_ends_a_job_all_the_same(started: str) -> None:
    """Its clock, or a controller that writes no time as the year 1; the hub refuses a year of one digit for good."""
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        end = {"type": "Complete", "status": "True", "lastTransitionTime": started}
        w.tell_copy(succeeded=1, startTime=started, completionTime=started, conditions=[end])
        await w.pass_time(1_000)
        assert w.status()["phase"] == "Succeeded"
        assert w.status()["startedAt"][:4] == w.status()["finishedAt"][:4] == "2027"
