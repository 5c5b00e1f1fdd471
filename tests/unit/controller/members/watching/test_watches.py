"""The watches on a member: what they ask for, and that every full list is announced before it is taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from member_objects import HUB, JOB, job_body, node_body, pod_body
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.terms import MEMBER_WATCH
from sampan.controller.members.watching.watches import MemberWatches, _spread, _Watch
from sampan.inventory.member import Inventory
from sampan.kube.credentials import kubeconfig
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.transport.client import Client
from sampan.kube.watch.reflector import Tuning
from unit.controller.fake_server import JOBS, NODES, OWN_PODS, PODS, FakeServer, fake_server, until


class Fed:
    """Feeds with all they fill."""

    def __init__(self, client: Client) -> None:
        self.nodes_when_listed: list[tuple[bool, int]] = []
        self.inventory = Inventory(HUB, lambda nodes: None)
        self.own = JobCopies(HUB, lambda uid: None)
        tuning = Tuning(backoff_base=0.01, backoff_cap=0.05)
        self.feeds = MemberWatches(client, self.inventory, self.own, on_list=self._listed, tuning=tuning)

    def _listed(self, again: bool) -> None:
        self.nodes_when_listed.append((again, len(self.inventory.nodes)))


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(NODES, node_body())
        yield fake


@asynccontextmanager
async def feeding(server: FakeServer, *, more: frozenset[str] = frozenset()) -> AsyncIterator[tuple[Fed, asyncio.TaskGroup]]:
    async with Client(kubeconfig.parse(server.kubeconfig(), policy=AddressPolicy(allow_loopback=True))) as client:
        fed = Fed(client)
        async with asyncio.TaskGroup() as group:
            before = asyncio.all_tasks()
            fed.feeds.start(group, ["sampan-jobs"], optional=more)
            await until(lambda: fed.feeds.synced, "synced")
            yield fed, group
            for task in asyncio.all_tasks() - before:
                if task.get_name().startswith("watch "):
                    task.cancel()


def errors(watches: MemberWatches) -> dict[str, str]:
    """The reason of the last failure by watch, for those that do not work now."""
    found = {name: watch.reflector.health.last_error for name, watch in watches._watches.items()}
    return {name: error for name, error in found.items() if error}


async def test_all_collections_are_filled_and_followed(server: FakeServer) -> None:
    async with feeding(server) as (fed, _):
        assert list(fed.inventory.nodes) == ["n1"]
        assert errors(fed.feeds) == {}
        assert fed.feeds.restarts == 0
        server.put(PODS, pod_body())
        server.put(OWN_PODS, pod_body(ours=JOB, namespace="sampan-jobs"))
        server.put(JOBS, job_body())
        await until(lambda: fed.inventory.pods and fed.own.jobs and fed.own.pods.by_job, "all seen")
        for path, name in ((PODS, "p1"), (OWN_PODS, "p1"), (JOBS, next(iter(server.collections[JOBS]))), (NODES, "n1")):
            server.drop(path, name)
        await until(lambda: not (fed.inventory.pods or fed.inventory.nodes or fed.own.has_remnants(JOB)), "all gone")
        assert fed.feeds.last_activity > 0


async def test_nobody_waits_for_a_watch_that_is_only_good_to_have(server: FakeServer) -> None:
    server.forbidden.add("/apis/resource.k8s.io/v1/resourceslices")
    async with feeding(server, more=frozenset({"resourceslices"})) as (fed, _):
        await until(lambda: errors(fed.feeds), "it was refused")
        assert fed.feeds.synced
        assert fed.feeds.restarts == 0
        assert list(errors(fed.feeds)) == ["resourceslices"]


async def test_what_limits_pods_is_known_before_the_picture_counts_as_whole(server: FakeServer) -> None:
    quotas = "/api/v1/namespaces/sampan-jobs/resourcequotas"
    body = {"metadata": {"name": "q", "namespace": "sampan-jobs"}, "status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    server.put(quotas, body)
    server.held[quotas] = asyncio.Event()

    async def answer_late() -> None:
        await until(lambda: all(server.count("WATCH", path) for path in (NODES, PODS, JOBS, OWN_PODS)), "all else is listed")
        server.held[quotas].set()

    late = asyncio.create_task(answer_late())
    async with feeding(server, more=frozenset({"resourcequotas"})) as (fed, _):
        assert late.done()
        assert fed.inventory.quotas.rules.quotas(())["sampan-jobs"][0].left == {"pods": 0}


async def test_a_watch_that_does_not_work_is_named_unless_it_is_only_good_to_have(server: FakeServer) -> None:
    server.broken.add("/apis/resource.k8s.io/v1/resourceslices")
    async with feeding(server, more=frozenset({"resourceslices"})) as (fed, _):
        await until(lambda: errors(fed.feeds), "the optional one is refused")
        now = asyncio.get_running_loop().time
        assert not fed.feeds.stalled(now())
        assert not fed.feeds.behind(["sampan-jobs"], now())
        server.forbidden.add(JOBS)
        server.end(JOBS)
        await until(lambda: fed.feeds.forbidden, "a needed one is refused")
        wrong = {"sampan-jobs": "the watch on jobs/sampan-jobs does not work: Forbidden"}
        assert fed.feeds.behind(["sampan-jobs"], now()) == wrong
        assert not fed.feeds.behind(["sampan-jobs"], now() - 60), "not for a minute yet"
        assert not fed.feeds.stalled(now()), "it concerns no other namespace"
        assert fed.feeds.behind(["elsewhere"], now()) == {"elsewhere": ""}, "not even begun"
        server.broken.add(NODES)
        server.end(NODES)
        await until(lambda: fed.feeds.stalled(now()), "one that all jobs need")
        assert fed.feeds.stalled(now()) == "the watch on nodes does not work: InternalError"


async def test_a_list_is_announced_before_it_is_taken(server: FakeServer) -> None:
    async with feeding(server) as (fed, _):
        assert [again for again, _ in fed.nodes_when_listed] == [False] * 4
        server.collections[NODES].clear()
        server.restart()
        await until(lambda: not fed.inventory.nodes, "listed anew")
        assert (True, 1) in fed.nodes_when_listed, "the old picture was still there when the list was announced"


async def test_an_object_that_cannot_be_read_hides_no_other_and_can_still_go(server: FakeServer) -> None:
    async with feeding(server) as (fed, _):
        broken = job_body()
        server.put(JOBS, {**broken, "status": {"active": "many"}})
        server.put(NODES, node_body("n2"))
        await until(lambda: "n2" in fed.inventory.nodes, "others go on")
        server.put(JOBS, broken)
        await until(lambda: fed.own.jobs, "read again")
        server.put(JOBS, {**broken, "status": {"active": "many"}})
        server.drop(JOBS, broken["metadata"]["name"])
        await until(lambda: not fed.own.has_remnants(JOB), "gone, though its last picture was unreadable")
        assert fed.feeds.synced, "no list was needed for that"


async def test_namespaces_come_and_go(server: FakeServer) -> None:
    server.collections["/apis/batch/v1/namespaces/other/jobs"] = {}
    server.collections["/api/v1/namespaces/other/pods"] = {}
    server.put(JOBS, job_body())
    async with feeding(server) as (fed, group):
        fed.feeds.follow(group, ["other"])
        assert not fed.own.jobs
        await until(lambda: fed.feeds.synced, "the other one is listed")
        assert server.count("WATCH", JOBS) <= 1


async def test_how_fresh_it_is_is_worked_out_at_changes_and_not_at_questions(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with feeding(server) as (fed, _):
        looked: list[str] = []

        def settled(watch: _Watch) -> bool:
            looked.append(watch.reflector._what.path.resource)
            return watch.reflector.health.synced.is_set()

        monkeypatch.setattr(_Watch, "settled", property(settled))
        for _ in range(1_000):
            assert fed.feeds.synced
            assert not fed.feeds.stalled(0.0)
            assert not fed.feeds.behind(["sampan-jobs"], 0.0)
        assert len(looked) <= 4, "each of the four watches at most once"


@pytest.mark.parametrize(("namespaces", "want"), [(1, (20, 30, 38)), (8, (20, 30, 38)), (9, (40, 60, 75)), (64, (160, 240, 75))])
def test_watches_in_many_namespaces_begin_anew_together_no_more_often_than_in_a_few(namespaces: int, want: tuple[int, int, int]) -> None:
    spread = _spread(MEMBER_WATCH, namespaces)
    assert spread is not None
    assert (spread.watch_low, spread.watch_high, spread.read_timeout) == want
