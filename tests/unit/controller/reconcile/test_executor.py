"""What is done about one job, against a hub and a member that misbehave: nothing twice, nothing lost, nothing of others touched."""

from typing import Any

import pytest

from jobs import CLUSTER, HUB, OFFER
from sampan.model.values.names import FINALIZER, LABEL_SHARED, remote_name
from unit.controller.fakes import H100_JOB, World, until, world
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
        assert w.reconciler.counters.conflicts == 1
        assert w.waited > before
        assert not list(w.state.allocations.in_flight(CLUSTER)), "what was counted as taken is free again"
        assert not w.reconciler.is_binding_to(OFFER)
        await w.pass_time(5_000)
        assert [job.uid for job in w.state.snapshot(w.now).jobs] == ["u1"]


async def test_a_job_known_to_have_changed_since_the_plan_is_dropped_without_a_call() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        old = w.assignment()
        w.change(spec={"suspend": True})
        w.watch()
        w.reconciler.bind(old)
        await w.settle()
        assert not any("/status" in call.path and "binding" in call.body["status"] for call in w.hub.seen)
        assert w.status()["phase"] == "Suspended"
        assert not list(w.state.allocations.in_flight(CLUSTER))


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
        assert w.reconciler.counters.conflicts == 0


async def test_an_attempt_number_is_never_used_again() -> None:
    async with world() as w:
        attempts = [
            {
                "number": 7,
                "offer": {"namespace": "a", "name": "b"},
                "outcome": "Disrupted",
                "reason": "X",
                "endedAt": "2026-01-01T00:00:00Z",
            }
        ]
        w.add(spec=H100_JOB, status={"phase": "Pending", "attempts": attempts})
        await w.bind()
        assert w.status()["binding"]["attempt"] == 8


async def test_a_lost_reply_to_the_intent_is_looked_up_and_carried_on_with() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.hub.lose_reply("PATCH", "/status")
        await w.bind()
        w.reconciler.enqueue("u1")
        await until(lambda: w.member.calls("POST"))
        await w.settle()
        assert w.status()["binding"]["attempt"] == 1
        assert len(w.member.calls("POST")) == 1


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
        w.hub.put(
            "v1/secrets",
            {"metadata": {"name": "token", "namespace": "team-a", "labels": {LABEL_SHARED: "true"}}, "data": {"t": "czNjcjN0"}},
        )
        await w.bind()
        assert w.status()["binding"]["attempt"] == 1


async def test_where_the_platform_team_lets_no_secret_travel_the_job_waits_and_says_so() -> None:
    async with world() as w:
        w.add(spec=SECRET)
        w.hub.fault("GET", "/secrets", replying(403, "Forbidden"))
        await w.bind()
        assert w.status()["conditions"][0]["reason"] == "SecretNotShared"
        assert "--clusterrole=sampan-secret-reader --serviceaccount=sampan-system:sampan-operator" in w.status()["conditions"][0]["message"]


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


async def test_a_gang_is_let_reach_itself_before_it_starts_where_the_member_isolates_pods() -> None:
    async with world() as w:
        w.link.isolating = True
        w.add(spec={"replicas": 2})
        await w.bind()
        writes = [(call.method, call.path.split("?")[0].split("/")[-1]) for call in w.member.seen]
        assert writes == [("POST", "jobs"), ("POST", "services"), ("POST", "networkpolicies"), ("PATCH", NAME)]
        (policy,) = w.member.of("networking.k8s.io/v1/networkpolicies")
        assert policy["metadata"]["ownerReferences"][0]["uid"] == w.copy()["metadata"]["uid"]


async def test_a_start_that_was_cut_short_is_taken_up_again() -> None:
    async with world() as w:
        w.hub.put("v1/configmaps", config_map(a="1"))
        w.add(spec={**VOLUME, "replicas": 2})
        w.member.lose_reply("POST", "/services")
        await w.bind()
        w.now += 1_000
        w.reconciler.enqueue("u1")
        await w.settle()
        assert w.copy()["spec"]["suspend"] is False
        assert len(w.member.of("v1/services")) == 1


async def test_a_dependents_name_that_somebody_has_ends_the_attempt() -> None:
    async with world() as w:
        w.add(spec={"replicas": 2})
        w.member.put("v1/services", {"metadata": {"name": f"{NAME}-1", "namespace": "sampan-jobs"}, "spec": {"theirs": True}})
        await w.bind()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "NameConflict")
        assert w.member.get("v1/services", f"{NAME}-1", "sampan-jobs")["spec"] == {"theirs": True}


async def test_a_dependent_that_the_member_forbids_ends_the_attempt() -> None:
    async with world() as w:
        w.add(spec={"replicas": 2})
        w.member.fault("POST", "/services", replying(403, "Forbidden", "exceeded quota: services"))
        await w.bind()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "QuotaExceeded")


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
        w.source.pools = (w.source.pools[0].__class__(name="other", cluster_uid=CLUSTER, nodes=("n9",)),)
        w.now += 1_000
        w.reconciler.enqueue("u1")
        await w.settle()
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "PoolGone")


# --- what it printed ----------------------------------------------------------------------------------------------


async def test_what_an_attempt_printed_is_kept_before_its_copy_is_removed() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.watch()
        w.tell_copy(conditions=COMPLETE, succeeded=1)
        w.watch()
        await w.settle()
        assert w.status()["phase"] == "Succeeded"
        assert (w.outputs.kept, w.member.calls("DELETE")) == ([], [])
        w.outputs.before = lambda: w.member.calls("DELETE")
        await w.pass_time(31_000)
        assert w.outputs.kept[0] == ("u1", 1, ())
        assert w.outputs.found == [[]], "nothing was deleted when it was asked"
        assert w.member.calls("DELETE")
