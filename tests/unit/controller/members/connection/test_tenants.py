"""Namespaces of tenants, as a link follows them: what the member lists, where we have the rights, at what cost."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from member_objects import JOB, job_body, node_body
from sampan.controller.members.link import MemberLink
from sampan.controller.members.tenants import OfferNamespaces
from unit.controller.fake_server import JOBS, NODES, FakeServer, fake_server, until
from unit.controller.link_harness import SETTINGS, linked

LIST = "/api/v1/namespaces/sampan-jobs/configmaps"
JOBS_A, PODS_A = "/apis/batch/v1/namespaces/jobs-a/jobs", "/api/v1/namespaces/jobs-a/pods"
BY_TENANT = OfferNamespaces(named=frozenset({"sampan-jobs"}), per_tenant=frozenset({"sampan-jobs"}))


def tenants(**listed: str) -> dict[str, object]:
    return {
        "metadata": {"name": "sampan-tenants", "namespace": "sampan-jobs"},
        "data": {key.replace("_", "-"): listed[key] for key in listed},
    }


def told_of(link: MemberLink) -> dict[str, str]:
    return {each.tenant: each.problem for each in link.facts.of("sampan-jobs").tenants}


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(NODES, node_body())
        fake.put(JOBS, job_body())
        yield fake


async def test_namespaces_of_tenants_are_followed_as_the_member_lists_them(server: FakeServer) -> None:
    server.put(LIST, tenants(team_a="jobs-a"))
    theirs = job_body("j2")
    theirs["metadata"]["namespace"] = "jobs-a"
    server.put(JOBS_A, theirs)
    server.collections[PODS_A] = {}
    async with linked() as (link, _):
        link.follow(BY_TENANT)
        link.set_source(server.kubeconfig())
        await until(lambda: link.follows("jobs-a") and told_of(link) == {"team-a": ""}, "the tenant's namespace is followed")
        assert {"j2", JOB} == set(link.copies.jobs)
        for path in ("/apis/batch/v1/namespaces/jobs-b/jobs", "/api/v1/namespaces/jobs-b/pods"):
            server.collections[path] = {}
        server.put(LIST, tenants(team_a="jobs-a", team_b="jobs-b"))
        await until(lambda: link.follows("jobs-b") and told_of(link) == {"team-a": "", "team-b": ""}, "one more is followed at once")
        server.put(LIST, tenants(team_b="jobs-b"))
        await until(lambda: told_of(link) == {"team-b": ""}, "team-a is taken off the list")
        await until(lambda: link.follows("jobs-a"), "a job of its is there")
        server.drop(JOBS_A, theirs["metadata"]["name"])
        server.put(LIST, tenants(team_b="jobs-b", team_c="jobs-b"))
        await until(lambda: "listed for team-b and team-c" in told_of(link).get("team-b", ""), "a namespace of two is nobody's")
        await until(lambda: link.connected and not link.follows("jobs-a"), "nothing of ours is left there")


async def test_a_tenants_namespace_without_rights_is_told_and_taken_once_they_are_there(server: FakeServer) -> None:
    server.put(LIST, tenants(team_a="jobs-a"))
    server.collections |= {JOBS_A: {}, PODS_A: {}}
    server.denied |= {"create jobs.batch in jobs-a"}
    server.absent |= {"/api/v1/namespaces/jobs-b"}
    async with linked() as (link, _):
        link.follow(BY_TENANT)
        link.set_source(server.kubeconfig())
        await until(lambda: link.connected and "create jobs.batch in jobs-a" in told_of(link).get("team-a", ""), "the right is missed")
        assert link.facts.of("sampan-jobs").missing == (), "what is missing for one tenant is no trouble of the others"
        assert "jobs-a" not in link._memory.namespaces
        server.denied -= {"create jobs.batch in jobs-a"}
        await until(lambda: link.follows("jobs-a") and told_of(link) == {"team-a": ""}, "taken up without being asked")
        server.put(LIST, tenants(team_a="jobs-a", team_b="jobs-b"))
        await until(lambda: "does not exist" in told_of(link).get("team-b", ""), "a namespace that is not there")


async def test_a_tenant_costs_six_calls_at_the_start(server: FakeServer) -> None:
    """Its namespace, its rights, and a list and a watch of Jobs and of pods; optional watches beside, where the member grants them."""

    async def calls(count: int) -> int:
        server.put(LIST, {"metadata": {"name": "sampan-tenants"}, "data": {f"team-{number}": f"jobs-{number}" for number in range(count)}})
        for number in range(count):
            for path in (f"/apis/batch/v1/namespaces/jobs-{number}/jobs", f"/api/v1/namespaces/jobs-{number}/pods"):
                server.collections[path] = {}
        async with linked(settings=replace(SETTINGS, review_every=600, review_missing=600)) as (link, _):
            link.follow(BY_TENANT)
            link.set_source(server.kubeconfig())
            names = [f"jobs-{number}" for number in range(count)]
            await until(lambda: all(link.follows(name) for name in names) and link.connected, "all are followed")
            reviews = sum(path.endswith("/selfsubjectrulesreviews") for _, path in server.seen)
            await until(lambda: all(server.count("WATCH", f"/api/v1/namespaces/{name}/pods") for name in names), "watched")
            theirs = [seen for seen in server.seen if any(f"/{name}/" in f"{seen[1]}/" for name in names)]
            needed = [seen for seen in theirs if not seen[1].endswith(("/limitranges", "/resourcequotas"))]
            return len(needed) + reviews

    assert await calls(12) == 12 * 6
