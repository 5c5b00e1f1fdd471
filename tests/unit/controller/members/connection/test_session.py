"""One connection: its order, and that a no is not asked again and again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from member_objects import HUB, node_body
from sampan.controller.members.connection.session import Session, SessionCallbacks
from sampan.controller.members.credentials import LinkCredentials
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.memory import LinkMemory
from sampan.controller.members.tenants import OfferNamespaces, TenantNamespaces
from sampan.controller.members.terms import WrongClusterError, first_error
from sampan.inventory.member import Inventory
from sampan.kube.credentials import kubeconfig
from sampan.kube.transport.client import Client
from unit.controller.fake_server import NODES, RUNTIMES, FakeServer, fake_server, until
from unit.controller.link_harness import KEY, SETTINGS

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"

HERE = frozenset({"sampan-jobs"})


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(NODES, node_body())
        yield fake


@pytest.fixture
def known() -> LinkMemory:
    inventory, own = Inventory(HUB, lambda nodes: None), JobCopies(HUB, lambda uid: None)
    tenants = TenantNamespaces(offers=OfferNamespaces(named=HERE), followed=HERE)
    return LinkMemory(inventory=inventory, copies=own, credentials=LinkCredentials(key=KEY), tenants=tenants)


@asynccontextmanager
async def session(
    server: FakeServer, known: LinkMemory, refusals: list[int] | None = None
) -> AsyncIterator[tuple[Session, asyncio.Task[None]]]:
    listener = SessionCallbacks(changed=lambda: None, refused=lambda: (refusals if refusals is not None else []).append(1))
    async with Client(kubeconfig.parse(server.kubeconfig(), policy=SETTINGS.policy)) as client:
        made = Session(client, known, settings=replace(SETTINGS, probe_after=1.0), callbacks=listener)
        task = asyncio.create_task(made.run())
        try:
            yield made, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_it_asks_who_and_what_before_it_watches(server: FakeServer, known: LinkMemory) -> None:
    async with session(server, known) as (made, _):
        await until(lambda: made.fresh and made.synced, "up")
    paths = [path for _, path in server.seen]
    assert paths.index("/version") < paths.index("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    assert paths.index(KUBE_SYSTEM) < paths.index(NODES)
    assert (known.version, known.cluster_uid) == ("v1.36.3", server.uid)
    assert known.access is not None
    assert known.access.missing == ()


async def test_another_cluster_is_not_watched(server: FakeServer, known: LinkMemory) -> None:
    known.cluster_uid = "the first"
    async with session(server, known) as (made, task):
        with pytest.raises(WrongClusterError):
            await task
        assert not made.verified
        assert server.count("GET", NODES) == 0
        assert known.cluster_uid == "the first"


async def test_another_cluster_found_later_ends_it(server: FakeServer, known: LinkMemory) -> None:
    async with session(server, known) as (made, task):
        await until(lambda: made.fresh and made.synced, "up")
        server.uid = "another"
        made.request_review()
        with pytest.raises(ExceptionGroup) as caught:
            await task
        error = first_error(caught.value)
        assert isinstance(error, WrongClusterError)
        assert str(error.reason) == "IdentityChanged"


async def test_doubt_is_settled_by_one_question(server: FakeServer, known: LinkMemory) -> None:
    async with session(server, known) as (made, _):
        await until(lambda: made.fresh and made.synced, "up")
        asked = server.count("GET", KUBE_SYSTEM)
        made.request_review()
        assert not made.fresh, "not to be acted on"
        assert made.alive, "but not lost"
        await until(lambda: made.fresh, "sure again")
        assert server.count("GET", KUBE_SYSTEM) == asked + 1


async def test_a_refusal_is_not_asked_about_in_a_hot_loop(server: FakeServer, known: LinkMemory) -> None:
    refusals: list[int] = []
    async with session(server, known, refusals) as (made, _):
        await until(lambda: made.fresh and made.synced, "up")
        server.forbidden = {KUBE_SYSTEM}
        asked = server.count("GET", KUBE_SYSTEM)
        made.request_review()
        await until(lambda: not made.alive, "refused")
        await asyncio.sleep(0.5)
        assert server.count("GET", KUBE_SYSTEM) == asked + 1
        assert made.problem is not None
        assert str(made.problem[0]) == "Forbidden"
        assert not refusals


@pytest.mark.parametrize(("uid", "want"), [("another", "IdentityChanged"), ("the-hub", "HubAsMember")])
async def test_a_kubeconfig_that_leads_elsewhere_is_not_used_and_the_last_good_one_stays(
    server: FakeServer, known: LinkMemory, uid: str, want: str
) -> None:
    async with fake_server() as stranger, session(server, known) as (made, task):
        stranger.uid = uid
        await until(lambda: made.fresh and made.synced, "up")
        good = made.client.credentials
        known.credentials.newest = kubeconfig.parse(stranger.kubeconfig(), policy=SETTINGS.policy)
        made.new_credentials()
        await until(lambda: made.rotation_problem is not None, "told")
        assert made.rotation_problem is not None
        assert str(made.rotation_problem[0]) == want
        assert not task.done()
        assert made.fresh
        assert made.client.credentials is good
        assert known.credentials.choice() is good, "nor for the next connection"
        known.credentials.note_failure(good, ConnectionError())
        assert known.credentials.choice() is good
        assert stranger.count("GET", NODES) == 0


KATA = {"metadata": {"name": "kata", "resourceVersion": "5"}, "handler": "kata", "overhead": {"podFixed": {"memory": "2Gi"}}}


async def test_runtime_classes_are_known_before_anything_may_be_placed(server: FakeServer, known: LinkMemory) -> None:
    server.served.append("node.k8s.io/v1")
    server.put(RUNTIMES, KATA)
    async with session(server, known) as (made, _):
        await until(lambda: made.synced, "synced")
        assert list(known.inventory.runtime_classes.known or {}) == ["kata"]
        server.drop(RUNTIMES, "kata")
        await until(lambda: known.inventory.runtime_classes.known == {}, "its end is seen")


@pytest.mark.parametrize("failing", ["forbidden", "broken"])
async def test_runtime_classes_that_cannot_be_listed_keep_nobody_waiting(server: FakeServer, known: LinkMemory, failing: str) -> None:
    server.served.append("node.k8s.io/v1")
    getattr(server, failing).add(RUNTIMES)
    async with session(server, known) as (made, _):
        await until(lambda: made.synced, "synced")
        assert known.inventory.runtime_classes.known is None


async def test_runtime_classes_that_may_not_be_looked_at_any_more_are_forgotten(server: FakeServer, known: LinkMemory) -> None:
    server.served.append("node.k8s.io/v1")
    async with session(server, known) as (made, _):
        await until(lambda: made.synced and known.inventory.runtime_classes.known == {}, "known")
    server.denied.add("list runtimeclasses.node.k8s.io")
    async with session(server, known) as (made, _):
        await until(lambda: made.synced, "synced")
        assert known.inventory.runtime_classes.known is None
