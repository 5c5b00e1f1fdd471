"""The wiring: what a watch says reaches its part, and one object that cannot be read hurts no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from jobs import HUB, NOW, OFFER, body, bound_status
from sampan.controller.hub.client import KINDS, HubClient
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.settings import Settings
from sampan.controller.samples import samples_of
from sampan.controller.wiring import HubIdentity, Wiring
from sampan.kube.transport.client import Client
from sampan.model.plan import Assignment
from sampan.model.policy import BUILT_IN
from sampan.model.reason import Reason
from unit.controller.fake_cluster import cluster
from unit.controller.fakes import JOBS, until

POLICY: dict[str, Any] = {
    "metadata": {"name": "cheap", "uid": "p1", "resourceVersion": "5"},
    "spec": {"weights": {"cost": 100, "packing": 0, "domestic": 0}},
}


@asynccontextmanager
async def operation() -> AsyncIterator[Wiring]:
    """An operator's parts over an empty hub; nothing runs."""
    async with cluster() as api, Client(api.credentials) as client:
        yield Wiring(Settings(), HubClient(client), HubIdentity(hub_id=HUB, cluster_uid="hub-uid"), calls=m.Calls(), clock=lambda: NOW)


async def test_at_a_start_jobs_are_listed_once_and_what_comes_meanwhile_is_heard() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        for number in range(1203):
            api.put(JOBS, body(f"u{number}"))
        op = Wiring(Settings(), HubClient(client), HubIdentity(hub_id=HUB, cluster_uid="hub-uid"), calls=m.Calls(), clock=lambda: NOW)
        watch = await op.load(client)
        api.put(JOBS, body("late"))
        api.drop(JOBS, "job-u7")
        tasks = [asyncio.create_task(part.run()) for part in (watch, op.intake.resync)]
        try:
            await until(lambda: "late" in op.state.jobs and "u7" not in op.state.jobs)
            op.intake.on_watch_event("providers", None, {"metadata": {"uid": "p", "name": "p"}})  # Kopf listed: Resync looks after a moment
            await until(lambda: [call for call in api.seen if "providers" in call.path and "limit=1" not in call.path][1:])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        listed = [call.path for call in api.seen if "/computejobs" in call.path and "watch=true" not in call.path]
        assert len([path for path in listed if "limit=500" in path]) == 3, "each page of one list, and no list more"
        assert all("limit=500" in path or "limit=1" in path for path in listed)
        assert len(op.state.jobs) == 1203


async def test_jobs_come_change_and_go() -> None:
    async with operation() as op:
        op.intake.on_watch_event("computejobs", None, body("u1"))
        op.intake.on_watch_event("computejobs", "MODIFIED", body("u1", resourceVersion="11", status=bound_status()))
        assert op.state.jobs["u1"].attempt_open
        assert len(op.reconciler.queue) == 1, "a bound job is looked at"
        op.intake.on_watch_event("computejobs", "DELETED", body("u1"))
        assert op.state.jobs == {}
        assert op.intake.known_uids.uids["computejobs"] == set()
        assert op.intake.events["computejobs"] == 3


async def test_a_deletion_found_by_resync_names_no_more_than_the_uid() -> None:
    async with operation() as op:
        for plural in KINDS:
            op.intake.apply(plural, "DELETED", {"metadata": {"uid": "gone"}})
        op.intake.apply("computejobs", None, body("u1"))
        op.intake.apply("computejobs", "DELETED", {"metadata": {"uid": "u1"}})
        assert op.state.jobs == {}


async def test_an_object_that_cannot_be_read_hurts_no_other() -> None:
    async with operation() as op:
        poison: dict[str, Any] = {
            "metadata": {"uid": "bad", "name": "bad", "namespace": "n", "resourceVersion": "1"},
            "spec": {"x": [1]},
            "status": 7,
        }
        for plural in KINDS:
            op.intake.on_watch_event(plural, "ADDED", poison)
        op.intake.on_watch_event("computejobs", "ADDED", body("bad2", status={"phase": "Nonsense"}))
        op.intake.on_watch_event("computejobs", "ADDED", body("u1"))
        assert [job.uid for job in op.state.snapshot(NOW).jobs] == ["u1"]
        assert generate_latest(_registry(op))
        for plural in KINDS:
            op.intake.on_watch_event(plural, "DELETED", poison)
        assert list(op.state.jobs) == ["u1"]


async def test_policies_come_and_go_and_the_default_stays() -> None:
    async with operation() as op:
        op.intake.apply("placementpolicies", "ADDED", POLICY)
        assert set(op.state.policies) == {*BUILT_IN, "cheap"}
        op.intake.apply("placementpolicies", "DELETED", POLICY)
        assert set(op.state.policies) == set(BUILT_IN)
        shadow = {**POLICY, "metadata": {**POLICY["metadata"], "name": "balanced", "uid": "p2"}}
        op.intake.apply("placementpolicies", "ADDED", shadow)
        assert op.state.policies["balanced"].cost == 100
        op.intake.apply("placementpolicies", "DELETED", shadow)
        assert op.state.policies["balanced"].cost == 50


async def test_queues_and_namespaces_come_and_go() -> None:
    research = {"metadata": {"uid": "q1", "name": "research"}, "spec": {"namespaces": ["team-a"], "highestPriority": -1}}
    async with operation() as op:
        op.intake.on_watch_event("computejobs", "ADDED", body("u1"))
        op.intake.on_watch_event("queues", "ADDED", research)
        job = op.state.snapshot(NOW).jobs[0]
        assert (job.queue, job.inadmissible) == ("research", Reason.PRIORITY_NOT_ALLOWED)
        op.intake.on_watch_event("queues", "DELETED", research)
        assert op.state.snapshot(NOW).jobs[0].inadmissible is None
        for uid, event in (("n1", "ADDED"), ("n2", "ADDED"), ("n1", "DELETED"), ("n2", "DELETED")):
            op.intake.on_watch_event("namespaces", event, {"metadata": {"uid": uid, "name": "team-a", "labels": {"tier": "gold"}}})
        assert op.intake.known_uids.uids["namespaces"] == set()


def _registry(op: Wiring) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(m.StateCollector(lambda: samples_of(op, kopf_starts=1, calls=m.Calls(), now=NOW)))
    return registry


async def test_metrics_count_what_is_there() -> None:
    async with operation() as op:
        op.intake.apply("computejobs", None, body("u1"))
        op.intake.apply("computejobs", None, body("u2", status=bound_status()))
        text = generate_latest(_registry(op)).decode()
        assert 'sampan_jobs{phase="Bound"} 1.0' in text
        assert "sampan_jobs_waiting 1.0" in text
        assert "sampan_kopf_starts_total 1.0" in text
        assert set(samples_of(op, kopf_starts=1, calls=m.Calls(), now=NOW)) == set(m.FAMILIES)


async def test_an_offer_is_in_use_while_a_job_is_being_bound_to_it_or_has_a_copy_by_it() -> None:
    async with operation() as op:
        assert not op.jobs_of_offers.in_use(OFFER)
        op.intake.on_watch_event("computejobs", None, body("u1"))
        job = op.state.snapshot(NOW).jobs[0]
        demand = job.shape.demands[0]
        op.reconciler.bind(Assignment(job=job, offer=OFFER, cluster_uid="c", pool="p", demand=demand, replicas=1, nodes=()))
        assert op.jobs_of_offers.in_use(OFFER), "its intent may be written at any moment"
        op.state.forget_assumed("u1")
        assert not op.jobs_of_offers.in_use(OFFER)
        op.intake.on_watch_event("computejobs", None, body("u1", resourceVersion="11", status=bound_status()))
        assert op.jobs_of_offers.in_use(OFFER)
        assert [record.uid for record in op.jobs_of_offers.using(OFFER)] == ["u1"]
