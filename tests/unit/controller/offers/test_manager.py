"""The OfferManager, whole, between a hub and a member that are fakes with real TLS."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from jobs import binding
from member_objects import HUB, JOB, job_body, node_body, offer_body, pod_body, provider_body
from sampan.controller.offers.manager import OfferManager
from sampan.controller.offers.reconciler import OfferReconciler
from sampan.controller.offers.render import OfferUsage
from sampan.controller.offers.terms import OfferSettings
from sampan.kube.credentials import kubeconfig
from sampan.kube.transport.client import Client
from sampan.model.members.offer import OfferKey
from unit.controller.fake_server import JOBS, NODES, PODS, FakeServer, fake_server, until
from unit.controller.link_harness import SETTINGS

ONE = OfferKey("prov-a", "one")
OFFERS = "/apis/sampan.dev/v1alpha1/namespaces/prov-a/clusteroffers"
SECRETS = "/api/v1/namespaces/prov-a/secrets"


class World:
    """An OfferManager between a hub and a member."""

    def __init__(self, hub: FakeServer, member: FakeServer, client: Client) -> None:
        self.hub, self.member = hub, member
        self.changes = 0
        self.jobs: list[tuple[str, str]] = []
        self.members: list[str] = []
        self.used: set[OfferKey] = set()
        self.waits = ""
        self.kept: dict[str, int] = {}
        settings = OfferSettings(provider_namespaces=("prov-a",), home_origins=frozenset({"CN"}), link=SETTINGS)
        self.manager = OfferManager(client, settings, clock=lambda: 1_767_225_600_000)
        self.manager.on_capacity.append(self._changed)
        self.manager.on_job.append(lambda cluster, job: self.jobs.append((cluster, job)))
        self.manager.on_member.append(self.members.append)
        usage = OfferUsage(in_use=lambda key: key in self.used, reserved=lambda key: self.kept, waits_for=lambda _: self.waits)
        self.statuses = OfferReconciler(client, self.manager, usage, clock=lambda: 1_767_225_600_000)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.manager.run())
            group.create_task(self.statuses.run())

    def _changed(self) -> None:
        self.changes += 1

    def secret(self, raw: bytes) -> None:
        meta = {"name": "kc", "namespace": "prov-a", "uid": "kc"}
        self.hub.put(SECRETS, {"metadata": meta, "data": {"kubeconfig": base64.b64encode(raw).decode()}})

    def apply(self, body: dict[str, Any]) -> None:
        """Have an offer on the hub, and the manager told of it."""
        known = self.hub.collections.get(OFFERS, {}).get(body["metadata"]["name"], {})
        self.hub.put(OFFERS, {**body, **{key: value for key, value in known.items() if key == "status"}})
        self.manager.apply(self.hub.collections[OFFERS][body["metadata"]["name"]])

    def conditions(self) -> dict[str, str]:
        for path, _, body in reversed(self.hub.patches):
            if path.endswith("/status") and "conditions" in body["status"]:
                return {c["type"]: c["reason"] for c in body["status"]["conditions"]}
        return {}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with fake_server() as hub, fake_server() as member:
        member.put(NODES, node_body())
        async with Client(kubeconfig.parse(hub.kubeconfig(), policy=SETTINGS.policy)) as client:
            made = World(hub, member, client)
            made.secret(member.kubeconfig())
            made.manager.apply_provider(provider_body())
            made.apply(offer_body())
            task = asyncio.create_task(made.run())
            try:
                yield made
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def up(world: World) -> None:
    await until(lambda: world.conditions().get("Schedulable") == "Schedulable", "schedulable")


async def test_an_offer_becomes_cells_of_a_cluster(world: World) -> None:
    assert not world.manager.joined.all_met()
    await up(world)
    assert world.manager.joined.all_met()
    uid = world.member.uid
    assert [(cell.offer, cell.pool.cluster_uid) for cell in world.manager.joined.cells()] == [(ONE, uid)]
    assert world.manager.joined.clusters(lambda _: ())[uid].free("n1")["nvidia.com/gpu"] == 8
    assert world.manager.joined.offers()[ONE].connected
    assert world.members == [uid], "its jobs are looked at once"
    before = world.changes
    world.member.put(PODS, pod_body(gpus=3))
    await until(lambda: world.manager.joined.clusters(lambda _: ())[uid].free("n1")["nvidia.com/gpu"] == 5, "the pod counts")
    assert world.changes > before


async def test_what_is_kept_for_waiting_jobs_is_written_when_it_changes(world: World) -> None:
    await up(world)

    def reserved() -> list[int]:
        shown = [body["status"]["pools"] for path, _, body in world.hub.patches if path.endswith("/status") and "pools" in body["status"]]
        return [pool["reserved"] for pool in shown[-1]] if shown else []

    await until(lambda: reserved() == [0], "nothing is kept")
    world.kept = {world.manager.joined.cells()[0].pool.name: 4}
    world.statuses.reservations_changed({ONE})
    await until(lambda: reserved() == [4], "the offer shows what is kept")


async def test_the_reconciler_finds_link_target_and_copies(world: World) -> None:
    await up(world)
    uid = world.member.uid
    link = world.manager.joined.link_of(uid)
    assert link is not None
    assert link.connected
    assert world.manager.joined.links() == (link,)
    world.member.put(JOBS, job_body())
    await until(lambda: world.jobs == [(uid, JOB)], "told of the copy")
    assert world.manager.joined.remote_job(replace(binding(), cluster_uid=uid), JOB) is not None
    assert world.manager.joined.remote_job(replace(binding(), cluster_uid="elsewhere"), JOB) is None
    assert world.manager.joined.remote_job(replace(binding(attempt=2), cluster_uid=uid), JOB) is None, "another attempt"
    assert (world.manager.joined.remote_namespace(ONE, "team-a"), world.manager.joined.pull_secrets(ONE)) == ("sampan-jobs", ())
    assert world.manager.joined.offer_state(ONE) == (True, False)
    assert world.manager.joined.offer_state(OfferKey("prov-a", "none")) == (False, False)
    assert world.manager.joined.remote_namespace(OfferKey("prov-a", "none"), "team-a") is None
    with pytest.raises(KeyError):
        world.manager.joined.pull_secrets(OfferKey("prov-a", "none"))


async def test_two_offers_of_a_namespace_share_a_link_and_it_ends_with_the_last(world: World) -> None:
    await up(world)
    world.apply(offer_body("second", remoteNamespace="sampan-jobs"))
    await until(lambda: len(world.manager.joined.cells()) == 2, "both have pools")
    assert len(world.manager.joined.links()) == 1
    world.manager.remove("uid-prov-a-one")
    assert len(world.manager.joined.links()) == 1
    assert list(world.manager.joined.offers()) == [OfferKey("prov-a", "second")]
    world.manager.remove("uid-prov-a-second")
    assert world.manager.joined.links() == ()
    assert world.manager.joined.cells() == ()
    assert world.manager.joined.clusters(lambda _: ()) == {}
    assert world.manager.joined.link_of(world.member.uid) is None


async def test_an_offer_in_use_keeps_its_finalizer_until_the_last_copy_is_gone(world: World) -> None:
    await up(world)
    world.used = {ONE}
    world.apply(offer_body(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    await until(lambda: world.conditions().get("Draining") == "JobsBound", "drains")
    assert world.manager.joined.offer_state(ONE) == (True, True)
    assert not world.manager.joined.offers()[ONE].accepting
    assert not [body for path, _, body in world.hub.patches if not path.endswith("/status")]
    world.used = set()
    await until(lambda: [body for path, _, body in world.hub.patches if not path.endswith("/status")], "released")


async def test_an_offer_that_is_gone_is_not_brought_back_by_the_reply_to_its_last_write(world: World) -> None:
    """The watch tells of the end before the API server's answer to the write that ended it is read."""
    await up(world)
    reply = offer_body(meta={"deletionTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "99"})
    world.manager.remove("uid-prov-a-one")
    world.manager.written(reply)
    assert world.manager.joined.offers() == {}
    assert world.manager.joined.cells() == ()
    assert world.manager.joined.links() == ()


async def test_a_poisoned_offer_and_a_poisoned_provider_hurt_nobody(world: World) -> None:
    await up(world)
    poison: dict[str, Any] = offer_body("bad", region="not a region")
    world.apply(poison)
    world.manager.apply_provider(provider_body("broken", nonsense=True))
    world.manager.apply_class({"metadata": {"name": "broken", "uid": "x"}, "spec": {"vendor": 1}})
    await until(lambda: world.conditions().get("Approved") == "InvalidSpec", "told")
    assert world.manager.joined.offers()[ONE].approved
    assert len(world.manager.joined.cells()) == 1


async def test_a_declared_class_changes_what_devices_are(world: World) -> None:
    await up(world)
    facts = {"vendor": "nvidia", "family": "h100", "stack": "cuda", "origin": "US", "resourceNames": ["nvidia.com/gpu"]}
    world.manager.apply_class({"metadata": {"name": "own-h100", "uid": "c"}, "spec": facts})
    names = [cell.pool.accelerator.name for cell in world.manager.joined.cells() if cell.pool.accelerator]
    assert names == ["own-h100"]
    world.manager.remove_class("c")
    assert [cell.pool.accelerator.name for cell in world.manager.joined.cells() if cell.pool.accelerator] == ["nvidia-h100-sxm-80gb"]


async def test_what_a_provider_loses_its_offers_lose(world: World) -> None:
    await up(world)
    world.manager.remove_provider("uid-alpha")
    assert not world.manager.joined.offers()[ONE].approved
    await until(lambda: world.conditions().get("Approved") == "NoProvider", "told")


async def test_no_secret_enters_a_status(world: World) -> None:
    await up(world)
    world.secret(world.member.kubeconfig().replace(b"token:", b"tokenFile:"))
    await until(lambda: world.conditions().get("Connected", "").startswith("InvalidKubeconfig/"), "told")
    assert "abc.def-123" not in str(world.hub.patches)
    assert HUB not in str(world.hub.patches)


async def test_why_a_member_cannot_be_worked_with_is_known_even_if_it_was_never_met(world: World) -> None:
    await up(world)
    uid = world.member.uid
    assert world.manager.joined.outage(uid, ONE, "sampan-jobs") is None
    assert world.manager.joined.outage(uid, OfferKey("prov-a", "none"), "sampan-jobs") is None
    await world.member.refuse()
    await until(lambda: world.manager.joined.outage(uid, ONE, "sampan-jobs"), "it does not listen")
    await world.member.accept()
    await until(lambda: world.manager.joined.outage(uid, ONE, "sampan-jobs") is None, "it is back")
    other = world.manager.joined.outage("the cluster of old times", ONE, "sampan-jobs")
    assert other is not None
    assert other.reason == "IdentityChanged", "the kubeconfig leads elsewhere by now"


async def test_a_member_that_is_away_when_the_operator_starts_is_known_by_its_offer() -> None:
    async with fake_server() as hub, fake_server() as member, Client(kubeconfig.parse(hub.kubeconfig(), policy=SETTINGS.policy)) as client:
        made = World(hub, member, client)
        made.secret(member.kubeconfig())
        await member.refuse()
        made.manager.apply_provider(provider_body())
        assert made.manager.joined.all_met(), "there is no offer to wait for"
        made.apply(offer_body())
        assert not made.manager.joined.all_met()
        task = asyncio.create_task(made.run())
        try:
            await until(lambda: made.manager.joined.outage("never met", ONE, "sampan-jobs"), "refused")
            found = made.manager.joined.outage("never met", ONE, "sampan-jobs")
            assert found is not None
            assert found.reason == "Unreachable"
            assert made.manager.joined.all_met(), "that it does not answer is known"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_an_offer_that_drains_says_what_its_jobs_wait_for(world: World) -> None:
    await up(world)
    world.used.add(ONE)
    world.waits = "1 job is left; 1 stalled, such as by WaitingForPods: Node n1 does not answer"
    world.apply(offer_body(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    await until(lambda: world.conditions().get("Draining") == "JobsBound", "drains")
    messages = [c["message"] for _, _, body in world.hub.patches for c in body.get("status", {}).get("conditions", ())]
    assert any(message.endswith(world.waits) for message in messages)
