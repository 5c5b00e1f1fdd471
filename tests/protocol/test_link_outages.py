"""A member that falls silent, refuses, or lives only in part: noticed in time, never at a blip, and over when it is over."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from member_objects import JOB, job_body, node_body, pod_body
from unit.controller.fake_server import DEADLINE, JOBS, NODES, OWN_PODS, PODS, FakeServer, fake_server, until
from unit.controller.link_harness import HEARS_SILENCE, PATIENT, SETTINGS, joined, linked

HERE = "sampan-jobs"


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(NODES, node_body())
        fake.put(JOBS, job_body())
        yield fake


async def test_silence_is_noticed_and_ends(server: FakeServer) -> None:
    async with joined(server, HEARS_SILENCE) as (link, _):
        server.silence(on=True)
        await until(lambda: str(link.facts.reason) == "Unreachable", "noticed, by that word in the end")
        assert not link.facts.connected
        assert not link.connected
        server.silence(on=False)
        await until(lambda: link.connected, "back")


async def test_a_short_silence_is_not_a_loss(server: FakeServer) -> None:
    async with joined(server, PATIENT) as (link, told):
        told.reasons.clear()
        server.silence(on=True)
        await asyncio.sleep(0.3)
        server.silence(on=False)
        await until(lambda: link.connected, "answers")
        assert "Unreachable" not in told.reasons


async def test_refused_connections_are_noticed_sooner_than_silence(server: FakeServer) -> None:
    async with joined(server) as (link, _):
        await server.refuse()
        await until(lambda: not link.facts.connected, "noticed")
        assert not link.connected
        assert (str(link.facts.reason), link.facts.message.partition(":")[0]) == ("Unreachable", "ConnectionRefused")
        await server.accept()
        await until(lambda: link.connected and link.facts.connected, "back")


async def test_a_server_that_is_away_for_a_moment_is_not_told_as_lost(server: FakeServer) -> None:
    async with joined(server, PATIENT) as (link, told):
        told.reasons.clear()
        await server.refuse()
        await server.accept()
        await until(lambda: link.connected, "back")
        assert "Unreachable" not in told.reasons


async def test_watches_that_still_speak_do_not_hide_that_every_call_fails(server: FakeServer) -> None:
    """The API server lives and its store does not: what it has in memory goes on being told."""
    async with joined(server, HEARS_SILENCE) as (link, told):
        server.broken = {"/api/v1/namespaces/kube-system"}

        async def speak() -> None:
            number = 0
            while True:
                number += 1
                server.put(NODES, node_body(f"n{2 + number % 2}"))
                await asyncio.sleep(SETTINGS.probe_after / 4)

        speaking = asyncio.create_task(speak())
        try:
            await until(lambda: not link.facts.connected, "noticed, though nothing else gives rise to a doubt")
        finally:
            speaking.cancel()
        told.reasons.clear()
        server.put(NODES, node_body("n9"))
        await until(lambda: "n9" in link.nodes, "a watch speaks")
        await asyncio.sleep(2 * SETTINGS.tick)
        assert not link.facts.connected, "and is not believed"
        assert "Connected" not in told.reasons
        server.broken = set()
        await until(lambda: link.connected and link.facts.connected, "back")


@pytest.mark.parametrize("path", [JOBS, OWN_PODS, NODES])
async def test_one_watch_that_is_refused_is_noticed_while_the_others_live(server: FakeServer, path: str) -> None:
    async with joined(server) as (link, _):
        server.broken = {path}
        server.end(path)
        await until(lambda: not link.follows(HERE) and not link.facts.of(HERE).connected, "noticed")
        assert str(link.facts.of(HERE).reason) == ("Unreachable" if path == NODES else "NotFollowed")
        assert "does not work: InternalError" in link.facts.of(HERE).message
        server.broken = set()
        await until(lambda: link.follows(HERE) and link.facts.of(HERE).connected, "back")


async def test_a_right_that_is_taken_away_under_a_watch_is_named(server: FakeServer) -> None:
    async with joined(server) as (link, _):
        server.forbidden, server.denied = {JOBS}, server.denied | {"watch jobs.batch in sampan-jobs"}
        server.end(JOBS)
        await until(lambda: link.facts.missing == ("watch jobs.batch in sampan-jobs",), "named")
        await until(lambda: not link.follows(HERE), "nothing is done by an old picture")
        assert link.facts.of(HERE).connected, "the member is there; the missing right is a condition of its own"
        server.forbidden, server.denied = set(), {"* *.*"}
        await until(lambda: link.follows(HERE) and not link.facts.missing, "granted again")


async def test_a_namespace_that_is_refused_keeps_nobody_else_waiting(server: FakeServer) -> None:
    """Two offers of one kubeconfig, each with a namespace; the RoleBinding in one of them is gone, at the start or later."""
    other = "/apis/batch/v1/namespaces/elsewhere/jobs"
    server.collections |= {other: {}, "/api/v1/namespaces/elsewhere/pods": {}}
    server.forbidden, server.denied = {other}, server.denied | {"watch jobs.batch in elsewhere"}
    async with linked(frozenset({HERE, "elsewhere"})) as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.follows(HERE) and link.facts.of(HERE).connected, "one is followed")
        assert list(link.copies.jobs) == [JOB]
        assert not link.follows("elsewhere")
        assert (link.facts.of(HERE).missing, link.outage(HERE)) == ((), None), "what is missing is no trouble of this one"
        assert link.facts.of("elsewhere").missing == ("watch jobs.batch in elsewhere",)
        await until(lambda: link.outage("elsewhere"), "and told of the other")
        server.forbidden, server.denied = {JOBS}, {"* *.*", "watch jobs.batch in sampan-jobs"}
        server.end(JOBS)
        await until(lambda: link.follows("elsewhere") and not link.follows(HERE), "now it is the other way round")
        await until(lambda: link.facts.of("elsewhere").connected and not link.facts.of("elsewhere").missing, "told, too")


async def test_a_watch_that_only_one_namespace_needs_fails_for_that_one_alone(server: FakeServer) -> None:
    other = "/api/v1/namespaces/elsewhere/pods"
    server.collections |= {"/apis/batch/v1/namespaces/elsewhere/jobs": {}, other: {}}
    server.broken = {other}
    async with linked(frozenset({HERE, "elsewhere"})) as (link, told):
        link.set_source(server.kubeconfig())
        await until(lambda: link.follows(HERE), "one is followed")
        await until(lambda: link.outage("elsewhere"), "told")
        found = link.facts.of("elsewhere")
        assert (found.connected, str(found.reason)) == (False, "NotFollowed")
        assert found.message == "the watch on pods/elsewhere does not work: InternalError"
        assert (link.facts.of(HERE).connected, link.outage(HERE)) == (True, None)
        told.reasons.clear()
        server.broken = set()
        await until(lambda: link.follows("elsewhere") and link.outage("elsewhere") is None, "back")
        assert told.reasons, "its jobs are looked at again"


async def test_a_namespace_that_is_gone_does_not_end_the_connection_of_the_others(server: FakeServer) -> None:
    """Its labels are asked for where namespaces may be looked at, as with a ClusterRole: 404 is an answer."""
    gone = "/api/v1/namespaces/elsewhere"
    server.served.append("v1")
    server.absent = {gone}
    server.collections |= {f"/apis/batch/v1{gone.removeprefix('/api/v1')}/jobs": {}, f"{gone}/pods": {}}
    async with linked(frozenset({HERE, "elsewhere"})) as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.follows(HERE) and link.facts.of(HERE).connected, "connected")
        assert dict(link.facts.of(HERE).rules.pod_security) == {HERE: "privileged"}
        assert not link.facts.of(HERE).absent
        assert link.facts.of("elsewhere").absent


async def test_one_watch_that_falls_mute_is_noticed_while_the_others_live(server: FakeServer) -> None:
    quick = replace(SETTINGS, tuning=replace(SETTINGS.tuning, read_timeout=0.3))

    async def speak() -> None:
        """What an API server does before a watch ends: each hears a bookmark, but the mute one."""
        number = 0
        while True:
            number += 1
            for which in (JOBS, PODS, OWN_PODS):
                server.put(which, {"metadata": {"name": f"x{number % 2}"}})
            server.put(NODES, node_body(f"n{number % 2}"))
            await asyncio.sleep(0.05)

    speaking = asyncio.create_task(speak())
    try:
        async with joined(server, quick) as (link, _):
            server.mute = {JOBS}
            await until(lambda: not link.follows(HERE) and not link.facts.of(HERE).connected, "noticed")
            assert "watch on jobs/sampan-jobs does not work: Timeout" in link.facts.of(HERE).message
            server.mute = set()
            await until(lambda: link.follows(HERE) and link.facts.of(HERE).connected, "back")
    finally:
        speaking.cancel()


async def test_since_when_a_member_is_away_is_when_it_was_last_heard(server: FakeServer) -> None:
    now = SETTINGS.clock()
    async with joined(server, HEARS_SILENCE) as (link, _):
        assert link.outage(HERE) is None
        server.silence(on=True)
        await until(lambda: link.outage(HERE), "noticed")
        first = link.outage(HERE)
        assert first is not None
        assert first.reason == "Unreachable"
        assert HEARS_SILENCE.mute_after * 1000 <= now - first.since < DEADLINE * 1000
        await server.refuse()
        await asyncio.sleep(0.3)
        assert link.outage(HERE) == first, "it does not begin anew"
        server.silence(on=False)
        await server.accept()
        await until(lambda: link.connected and link.outage(HERE) is None, "back")


async def test_a_missing_right_is_an_outage_of_its_own(server: FakeServer) -> None:
    server.denied |= {"create jobs.batch in sampan-jobs"}
    async with linked() as (link, _):
        link.set_source(server.kubeconfig())
        await until(lambda: link.outage(HERE), "noticed")
        found = link.outage(HERE)
        assert found is not None
        assert found.reason == "MissingPermissions"
        server.denied = {"* *.*"}
        await until(lambda: link.connected and link.outage(HERE) is None, "granted")


async def test_jobs_hear_that_their_node_was_lost_or_came_back_though_their_pods_say_nothing(server: FakeServer) -> None:
    server.put(PODS, pod_body(ours=JOB))
    async with joined(server) as (link, told):
        await until(lambda: link.inventory.pods, "the pod is seen")
        for body in (node_body(ready=False), node_body(ready=True)):
            before = len(told.jobs)
            server.put(NODES, body)
            await until(lambda before=before: len(told.jobs) > before, "told")  # type: ignore[misc]
            assert told.jobs[-1] == JOB
        before = len(told.jobs)
        server.put(NODES, node_body(unschedulable=True))
        await until(lambda: link.nodes["n1"].cordoned, "the cordon is seen")
        assert len(told.jobs) == before, "a cordon loses nobody"
        server.drop(NODES, "n1")
        await until(lambda: len(told.jobs) > before, "the node object is gone")


async def test_a_server_that_nobody_vouches_for_is_not_acted_upon_and_told_by_name(server: FakeServer) -> None:
    async with joined(server) as (link, told):
        told.reasons.clear()
        await server.refuse()
        await server.accept(ca="stranger")
        link.request_review()
        assert not link.connected, "at once"
        await until(lambda: not link.facts.connected, "told")
        assert str(link.facts.reason) in ("TLSError", "Unreachable")
        await until(lambda: str(link.facts.reason) == "TLSError", "by name")
        await server.refuse()
        await server.accept()
        await until(lambda: link.connected and link.facts.connected, "back")


async def test_names_of_nodes_that_come_and_go_do_not_pile_up(server: FakeServer) -> None:
    async with joined(server) as (link, _):
        for number in range(20):
            server.put(NODES, node_body(f"spot-{number}"))
        server.put(PODS, pod_body(ours=JOB, node="spot-3"))
        await until(lambda: len(link.nodes) > 20 and link.inventory.pods, "all are seen")
        for number in range(20):
            server.drop(NODES, f"spot-{number}")
        await until(lambda: len(link.nodes) == 1, "all went")
        assert link._lost_nodes == {"spot-3"}, "but the one that a pod is still said to be on"
        server.drop(PODS, "p1")
        await until(lambda: not link.inventory.pods, "that went, too")
        assert not link._lost_nodes
