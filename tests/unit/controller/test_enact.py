"""What is done about one job, against a hub and a member that misbehave: nothing twice, nothing lost, nothing of others touched."""

from typing import Any

import pytest

from jobs import CLUSTER, HUB, NOW, OFFER
from sampan.controller.enact import Counters
from sampan.model.names import FINALIZER, remote_labels, remote_name
from unit.kube.fake_api import replying

from .fakes import H100_JOB, JOBS, REMOTE, World, running, world

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


def test_counters_start_at_nothing() -> None:
    assert Counters() == Counters(bound=0, created=0, adopted=0, conflicts=0, errors=0, quarantined=0)


# --- the intent ---------------------------------------------------------------------------------------------------


async def test_the_intent_is_written_before_anything_is_created_and_both_once() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        binding = w.status()["binding"]
        assert (binding["attempt"], binding["clusterUID"], binding["pool"]) == (1, CLUSTER, "h100-x8")
        assert binding["remote"] == {"namespace": "sampan-jobs", "name": NAME}
        (intent,) = w.hub.calls("PATCH", "/status")
        assert len(w.member.calls("POST")) == 1
        assert "resourceVersion" in intent.body["metadata"]
        w.watch()
        await w.settle()
        assert len(w.member.calls("POST")) == 1
        assert len(w.hub.seen) == 1, "one write of the intent, and not one read"


async def test_a_job_that_changed_on_the_hub_loses_its_assignment_and_the_scheduler_hears() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.change(spec={"priority": 5})  # its event is still on its way
        before = w.waited
        await w.bind()
        assert "binding" not in w.status()
        assert not w.member.seen
        assert w.pilot.counters.conflicts == 1
        assert w.waited > before
        assert not list(w.state.flights(CLUSTER)), "what was counted as taken is free again"
        assert w.pilot.binds_in_flight == 0
        await w.pass_time(5_000)
        assert [job.uid for job in w.state.snapshot(w.now).jobs] == ["u1"]


async def test_a_job_known_to_have_changed_since_the_plan_is_dropped_without_a_call() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        old = w.assignment()
        w.change(spec={"suspend": True})
        w.watch()
        w.pilot.bind(old)
        await w.settle()
        assert not any("/status" in call.path and "binding" in call.body["status"] for call in w.hub.seen)
        assert w.status()["phase"] == "Suspended"
        assert not list(w.state.flights(CLUSTER))


async def test_the_finalizer_is_on_the_object_before_the_intent_is() -> None:
    async with world() as w:
        w.add(spec=H100_JOB, finalizers=["somebody/else"])
        await w.bind()
        first, second = w.hub.calls("PATCH")
        assert FINALIZER in first.body["metadata"]["finalizers"]
        assert "binding" in second.body["status"]
        assert w.job()["metadata"]["finalizers"] == ["somebody/else", FINALIZER]
        assert len(w.member.calls("POST")) == 1


async def test_the_finalizers_own_event_may_overtake_its_reply() -> None:
    async with world() as w:
        w.add(spec=H100_JOB, finalizers=[])
        take = w.state.apply_job
        w.state.apply_job = lambda body: take(body) and take(body)  # type: ignore[method-assign]
        await w.bind()
        assert w.status()["binding"]["attempt"] == 1
        assert w.pilot.counters.conflicts == 0


async def test_an_attempt_number_is_never_used_again() -> None:
    async with world() as w:
        attempts = [{"number": 7, "offer": {"namespace": "a", "name": "b"}, "outcome": "Disrupted", "reason": "X", "endedAt": "2026-01-01T00:00:00Z"}]
        w.add(spec=H100_JOB, status={"phase": "Pending", "attempts": attempts})
        await w.bind()
        assert w.status()["binding"]["attempt"] == 8


async def test_a_lost_reply_to_the_intent_is_looked_up_and_carried_on_with() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.hub.lose_reply("PATCH", "/status")
        await w.bind()
        w.pilot.touch("u1")
        await w.settle()
        assert w.status()["binding"]["attempt"] == 1
        assert len(w.member.calls("POST")) == 1


# --- the copy -----------------------------------------------------------------------------------------------------


async def test_a_copy_of_ours_that_is_there_already_is_adopted() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        labels = remote_labels(hub_id=HUB, job_uid="u1", attempt=1)
        w.member.put(REMOTE, {"metadata": {"name": NAME, "namespace": "sampan-jobs", "labels": labels}, "spec": {}})
        await w.bind()
        assert w.pilot.counters.adopted == 1
        assert w.pilot.counters.created == 0
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
        w.pilot.touch("u1")
        await w.settle()
        assert {call.body["metadata"]["name"] for call in w.member.calls("POST")} == {NAME}
        assert len(w.member.of(REMOTE)) == 1
        assert w.pilot.counters.adopted == 1
        assert "attempts" not in w.status()


@pytest.mark.parametrize(("code", "reason", "want"), [(403, "Forbidden", "Forbidden"), (422, "Invalid", "Invalid"), (404, "NotFound", "NotFound"), (403, "no such luck!\n", "Rejected")])
async def test_what_the_member_will_not_have_ends_the_attempt_and_its_pool_cools_down(code: int, reason: str, want: str) -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.member.fault("POST", "/jobs", replying(code, reason, "exceeded quota"))
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
        w.fleet.pools = (w.fleet.pools[0].__class__(name="other", cluster_uid=CLUSTER, nodes=("n9",)),)
        w.pilot.bind(assignment)
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


# --- what travels with it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "reason"), [(VOLUME, "ConfigMapNotFound"), (SECRET, "SecretNotShared")])
async def test_what_is_missing_on_the_hub_refuses_the_job_without_an_attempt(spec: dict[str, Any], reason: str) -> None:
    async with world() as w:
        w.add(spec=spec)
        await w.bind()
        (condition,) = w.status()["conditions"]
        assert (condition["type"], condition["status"], condition["reason"]) == ("Scheduled", "False", reason)
        assert "attempts" not in w.status()
        assert not w.member.seen
        assert not w.state.snapshot(w.now).jobs, "not tried again at once"
        await w.pass_time(11_000)
        writes = len(w.hub.calls("PATCH"))
        await w.bind()
        assert len(w.hub.calls("PATCH")) == writes, "the same refusal is not written twice"
        await w.pass_time(11_000)
        w.hub.put("v1/configmaps", config_map(a="1"))
        w.hub.put("v1/secrets", {"metadata": {"name": "token", "namespace": "team-a"}, "data": {"t": "czNjcjN0"}})
        await w.bind()
        assert w.status()["binding"]["attempt"] == 1


async def test_a_secret_that_is_not_shared_is_not_told_from_one_that_is_not_there() -> None:
    async with world() as w:
        w.add(spec=SECRET)
        w.hub.fault("GET", "/secrets/token", replying(403, "Forbidden"))
        await w.bind()
        assert w.status()["conditions"][0]["reason"] == "SecretNotShared"


async def test_dependents_are_made_before_the_start_and_owned_by_the_copy() -> None:
    async with world() as w:
        w.hub.put("v1/configmaps", config_map(a="1"))
        w.add(spec={**VOLUME, "replicas": 2})
        await w.bind()
        writes = [(call.method, call.path.split("?")[0].split("/")[-1]) for call in w.member.seen]
        assert writes == [("POST", "jobs"), ("POST", "services"), ("POST", "configmaps"), ("PATCH", NAME)]
        assert w.member.calls("POST", "/jobs")[0].body["spec"]["suspend"] is True
        assert w.copy()["spec"]["suspend"] is False
        uid = w.copy()["metadata"]["uid"]
        for collection in ("v1/services", "v1/configmaps"):
            (made,) = w.member.of(collection)
            assert made["metadata"]["ownerReferences"][0]["uid"] == uid


async def test_a_start_that_was_cut_short_is_taken_up_again() -> None:
    async with world() as w:
        w.hub.put("v1/configmaps", config_map(a="1"))
        w.add(spec={**VOLUME, "replicas": 2})
        w.member.lose_reply("POST", "/services")
        await w.bind()
        w.pilot.touch("u1")
        await w.settle()
        assert w.copy()["spec"]["suspend"] is False
        assert len(w.member.of("v1/services")) == 1


async def test_a_dependents_name_that_somebody_has_ends_the_attempt() -> None:
    async with world() as w:
        w.add(spec={"replicas": 2})
        w.member.put("v1/services", {"metadata": {"name": NAME, "namespace": "sampan-jobs"}, "spec": {"theirs": True}})
        await w.bind()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "NameConflict")
        assert w.member.get("v1/services", NAME, "sampan-jobs")["spec"] == {"theirs": True}


async def test_a_dependent_that_the_member_forbids_ends_the_attempt() -> None:
    async with world() as w:
        w.add(spec={"replicas": 2})
        w.member.fault("POST", "/services", replying(403, "Forbidden", "exceeded quota: services"))
        await w.bind()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "Forbidden")


async def test_a_start_that_never_works_ends_with_the_start_deadline() -> None:
    async with world() as w:
        w.add(spec={"replicas": 2, "startDeadlineSeconds": 60})
        w.member.fault("POST", "/services", replying(500, "InternalError"), times=9)
        await w.bind()
        await w.pass_time(61_000)
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "StartDeadlineExceeded")


async def test_a_pool_that_left_before_the_start_ends_the_attempt() -> None:
    async with world() as w:
        w.add(spec={"replicas": 2})
        w.member.fault("POST", "/services", replying(500, "InternalError"), times=9)
        await w.bind()
        w.fleet.pools = (w.fleet.pools[0].__class__(name="other", cluster_uid=CLUSTER, nodes=("n9",)),)
        w.pilot.touch("u1")
        await w.settle()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "PoolGone")


# --- the end ------------------------------------------------------------------------------------------------------


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
        assert (call.body["propagationPolicy"], call.body["preconditions"]) == ("Foreground", {"uid": w.status()["binding"]["remote"]["uid"]})
        await w.pass_time(1_000)
        assert len(w.hub.calls("PATCH")) == 2, "the hub object is left alone"
        assert len(w.member.calls("POST")) == 1, "a finished job is not run again because somebody cleaned up"


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
        w.link.jobs.clear()
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
        release = w.pilot._enactor._hub.release  # the race is between two loops: here it is forced

        async def overtaken(record: Any) -> Any:
            answer = await release(record)
            w.state.remove_job(record.uid)
            return answer

        w.pilot._enactor._hub.release = overtaken  # type: ignore[method-assign]
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
        times = w.pilot._enactor.times(w.state.jobs["u1"])
        assert (times.now, times.tombstone, times.counters, times.last_write) == (NOW, 7_000, 3_000, 0)
