"""A member link against a server with real TLS: joining, rotation, silence, another cluster behind the same address."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from member_objects import JOB, as_node, job_body, node_body, pod_body
from sampan.controller.members.connection.session import Session
from sampan.controller.members.kubeconfig_secrets import SecretProblem
from sampan.controller.members.link import MemberLink
from sampan.controller.members.tenants import OfferNamespaces
from sampan.kube.objects.summary import Summary, pack
from unit.controller.fake_server import JOBS, NODES, OWN_PODS, PODS, FakeServer, fake_server, until
from unit.controller.link_harness import KEY, SETTINGS, Told, joined, linked


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(NODES, node_body())
        fake.put(JOBS, job_body())
        yield fake


async def test_a_kubeconfig_becomes_a_picture(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        facts = link.facts
        assert (link.cluster_uid, facts.version, facts.missing, facts.over_privileged) == (server.uid, "v1.36.3", (), False)
        assert list(link.nodes) == ["n1"]
        assert 0 < link.call_seconds.cumulative[-1][1] <= sum(method != "WATCH" for method, _ in server.seen), "watches are not measured"
        assert list(link.copies.jobs) == [JOB]
        assert link.copies.has_remnants(JOB)
        assert told.jobs == [JOB]
        server.put(PODS, pod_body(ours=JOB))
        server.put(OWN_PODS, pod_body(ours=JOB, namespace="sampan-jobs"))
        await until(lambda: link.inventory.pods and link.copies.pods.by_job.get(JOB), "the pod is seen")
        server.drop(JOBS, server.collections[JOBS].copy().popitem()[0])
        await until(lambda: not link.copies.jobs, "the Job is gone")
        assert link.copies.has_remnants(JOB)
        assert "n1" in told.nodes


async def test_a_link_without_a_secret_says_so_and_has_no_client() -> None:
    async with linked() as (link, _):
        link.set_source(SecretProblem.NOT_FOUND)
        assert (link.facts.connected, str(link.facts.reason)) == (False, "SecretNotFound")
        assert "prov-a/kc" in link.facts.message
        with pytest.raises(RuntimeError):
            _ = link.client


async def test_a_bad_kubeconfig_is_told_and_the_good_one_stays(server: FakeServer) -> None:
    async with joined(server) as (link, _):
        client = link.client
        link.set_source(server.kubeconfig().replace(b"token:", b"tokenFile:"))
        assert (link.facts.connected, link.facts.reason) == (True, "InvalidKubeconfig/TokenFileNotAllowed")
        assert "last good" in link.facts.message
        assert "abc.def" not in link.facts.message
        link.set_source(SecretProblem.NOT_FOUND)
        assert link.connected
        assert link.client is client
        link.set_source(server.kubeconfig())
        assert str(link.facts.reason) == "Connected"


async def test_a_new_token_is_taken_without_a_new_connection_and_tells_no_job(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        client, before, lists = link.client, list(told.jobs), server.count("GET", NODES)
        server.tokens = {"abc.def-123", "new-token"}
        link.set_source(server.kubeconfig("new-token"))
        await until(lambda: client.credentials.token is not None and client.credentials.token.reveal() == "new-token", "rotated")
        server.tokens = {"new-token"}
        await until(lambda: link.connected, "connected with the new token")
        server.put(NODES, node_body("n2"))
        await until(lambda: "n2" in link.nodes, "the watch goes on")
        assert link.client is client
        assert told.jobs == before
        assert server.count("GET", NODES) == lists


async def test_a_new_token_that_does_not_work_is_told_and_not_used(server: FakeServer) -> None:
    async with joined(server) as (link, _):
        link.set_source(server.kubeconfig("wrong"))
        await until(lambda: link.facts.reason == "Unauthorized", "the new token is refused")
        await until(lambda: link.connected, "the last good one is used on")
        assert "last good" in link.facts.message
        assert link.client.credentials.token is not None
        assert link.client.credentials.token.reveal() == "abc.def-123"


async def test_a_refused_token_asks_for_the_secret_and_ends_the_connection(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        server.tokens = set()
        link.request_review()
        await until(lambda: not link.facts.connected, "not connected")
        assert str(link.facts.reason) == "Unauthorized"
        assert told.refused >= 1
        server.tokens = {"abc.def-123"}
        await until(lambda: link.connected, "connected again")


async def test_all_jobs_are_looked_at_once_when_the_member_may_be_acted_upon_and_not_for_what_else_is_found(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        await until(lambda: told.looks, "the jobs are looked at")
        assert (told.looks, len(told.reasons) > 2) == (1, True), "much is found out on the way, and no decision rests on it"
        found = len(told.reasons)
        link.set_source(SecretProblem.NOT_FOUND)
        assert len(told.reasons) == found + 1
        assert told.looks == 1
        link.request_review()
        assert not link.connected
        await until(lambda: told.looks == 2, "what was left alone during the doubt is looked at")


async def test_an_outage_is_told_to_the_jobs_once_and_its_end_once(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        await until(lambda: told.looks == 1, "the jobs are looked at")
        await server.refuse()
        await until(lambda: link.outage("sampan-jobs"), "away")
        assert told.looks <= 3
        await server.accept()
        await until(lambda: link.connected, "back")
        before = told.looks
        await until(lambda: not link.outage("sampan-jobs") and told.looks > 2, "told")
        assert told.looks - before <= 2, "that it is there, and that it may be acted upon"


async def test_another_cluster_at_the_same_address_stops_the_link_before_it_tells_anything(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        first = server.uid
        server.uid = "another"
        server.collections[JOBS].clear()
        server.restart()
        await until(lambda: link.facts.reason == "IdentityChanged", "another cluster")
        assert told.jobs == [JOB]
        assert not link.connected
        assert link.cluster_uid == first
        server.uid = first
        server.put(JOBS, job_body())
        await until(lambda: link.connected, "the old one is back")


async def test_a_gap_in_the_watch_tells_what_was_lost_once_the_member_is_known_to_be_the_same(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        server.collections[JOBS].clear()
        server.restart()
        await until(lambda: told.jobs == [JOB, JOB], "the loss is told")
        assert not link.copies.jobs
        await until(lambda: link.connected, "connected")


async def test_the_hub_is_no_member(server: FakeServer) -> None:
    server.uid = "the-hub"
    async with linked() as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.facts.reason == "HubAsMember", "refused")
        assert link.cluster_uid is None
        assert server.count("GET", NODES) == 0
        server.uid = "a-member"
        await until(lambda: link.connected, "a proper kubeconfig heals it")


async def test_missing_rights_are_named_and_granted_rights_are_taken_up(server: FakeServer) -> None:
    server.denied |= {"create jobs.batch in sampan-jobs", "list nodes"}
    server.forbidden = {NODES}
    async with linked() as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.facts.connected, "connected")
        assert link.facts.missing == ("list nodes", "create jobs.batch in sampan-jobs")
        assert not link.connected, "without nodes nothing may be done"
        server.denied, server.forbidden = {"* *.*"}, set()
        await until(lambda: link.connected and not link.facts.missing, "granted")


async def test_what_more_may_be_looked_at_is_told_and_taken_up_once_it_is_granted(server: FakeServer) -> None:
    server.denied.add("watch resourcequotas in sampan-jobs")
    async with linked() as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.connected, "connected without it")
        assert link.facts.rules.unseen == ("resourcequotas",)
        server.denied.discard("watch resourcequotas in sampan-jobs")
        await until(lambda: link.connected and not link.facts.rules.unseen, "granted")
        await until(lambda: server.count("WATCH", "/api/v1/namespaces/sampan-jobs/resourcequotas"), "followed")


async def test_a_link_ends_though_its_connection_breaks_while_it_is_cancelled(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Python 3.12 a task group that ends with an error forgets that its task was cancelled."""
    began = asyncio.Event()

    async def fails_when_cancelled() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            raise OSError("broken while it was left")

    async def run(_: Session) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails_when_cancelled())

    monkeypatch.setattr(Session, "run", run)
    link = MemberLink(KEY, SETTINGS, Told().events())
    link.set_source(server.kubeconfig())
    task = asyncio.create_task(link.run())
    await began.wait()
    task.cancel()
    ended, _ = await asyncio.wait({task}, timeout=60)
    assert ended
    assert task.cancelled()


async def test_a_credential_that_may_do_anything_is_warned_about(server: FakeServer) -> None:
    server.denied = set()
    async with joined(server) as (link, _):
        assert link.facts.over_privileged


async def test_other_namespaces_are_followed_and_left(server: FakeServer) -> None:
    elsewhere = "/apis/batch/v1/namespaces/elsewhere"
    server.put(f"{elsewhere}/jobs", {**job_body("j2"), "metadata": {**job_body("j2")["metadata"], "namespace": "elsewhere"}})
    server.collections["/api/v1/namespaces/elsewhere/pods"] = {}
    async with joined(server) as (link, _):
        link.follow(OfferNamespaces(named=frozenset({"sampan-jobs", "elsewhere"})))
        await until(lambda: "j2" in link.copies.jobs and link.connected, "the other namespace is watched")
        link.follow(OfferNamespaces(named=frozenset({"elsewhere"})))
        await until(lambda: JOB not in link.copies.jobs, "the first is forgotten")
        assert "j2" in link.copies.jobs


async def test_another_clusters_kubeconfig_leaves_the_link_connected_and_is_named(server: FakeServer) -> None:
    async with fake_server() as stranger, joined(server) as (link, _):
        stranger.uid = "another"
        link.set_source(stranger.kubeconfig())
        await until(lambda: link.facts.reason == "IdentityChanged", "told")
        assert link.facts.connected
        assert link.connected
        assert "last good" in link.facts.message
        await server.refuse()
        await until(lambda: not link.connected, "the member is away")
        await server.accept()
        await until(lambda: link.connected, "back with the good kubeconfig")
        assert link.cluster_uid == server.uid
        assert stranger.count("GET", NODES) == 0


MAPS = "/api/v1/namespaces/sampan-jobs/configmaps"


def publish(server: FakeServer, sequence: int, *, cordoned: bool = False) -> None:
    """Write a summary, as the member's publisher does, and let the hub read nothing else of nodes and pods."""
    server.denied |= {"list nodes", "watch nodes", "list pods", "watch pods"}
    server.forbidden = {NODES, PODS}
    summary = Summary(schema=1, sequence=sequence, interval_seconds=300, nodes=[as_node(node_body(unschedulable=cordoned))])
    server.put(MAPS, {"metadata": {"name": "sampan-capacity", "namespace": "sampan-jobs"}, "binaryData": pack(summary)})


async def test_a_member_that_publishes_is_joined_without_rights_on_nodes(server: FakeServer) -> None:
    publish(server, 1)
    async with linked() as (link, told):
        link.set_source(server.kubeconfig())
        await until(lambda: link.nodes and str(link.facts.reason) == "Connected", "the summary is read")
        assert link.facts.message == "capacity is published by the member"
        assert link.facts.missing == ()
        server.put(OWN_PODS, pod_body(ours=JOB, namespace="sampan-jobs"))
        await until(lambda: link.inventory.pods and link.copies.pods.by_job, "our pod is counted from our own watch")
        publish(server, 2, cordoned=True)
        await until(lambda: link.nodes["n1"].cordoned, "the cordon is seen")
        assert link.inventory.pods, "our pod still holds its room"
        assert "n1" in told.nodes
    assert not [path for _, path in server.seen if path in (NODES, PODS)], "nothing else was even tried"


async def test_a_stale_summary_stops_new_jobs_and_no_old_ones(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(server, 1)
    async with linked() as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.facts.connected, "connected")
        monkeypatch.setattr("sampan.controller.members.published.MISSED", 0)
        await until(lambda: str(link.facts.reason) == "CapacityStale", "told as stale")
        assert not link.facts.connected
        assert link.connected, "its jobs are followed as before"
        monkeypatch.undo()
        publish(server, 2)
        await until(lambda: link.facts.connected, "a heartbeat ends it")
