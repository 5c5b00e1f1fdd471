"""Runs an OfferManager against the hub of a federation without an operator, as the operator's identity.

What must never live here: assertions.
"""

import asyncio
import base64
import inspect
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from integration.support import PATIENCE, Api, FederationUnderTest
from sampan.controller.hub.client import HubClient
from sampan.controller.hub.renewed_tokens import TokenSecret
from sampan.controller.members.terms import LinkSettings
from sampan.controller.offers.manager import OfferManager
from sampan.controller.offers.reconciler import OfferReconciler
from sampan.controller.offers.render import OfferUsage
from sampan.controller.offers.terms import OfferSettings
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.hub import hub_source
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.local.charts import HUB_NAMESPACE
from sampan.model.members.offer import OfferKey

T = TypeVar("T")
HUB_ID = "11111111-1111-4111-8111-111111111111"
MARKED = {"joining-test": "yes"}


class Harness:
    """An OfferManager, what it called back, and the hub as administrator. `used` holds offers that jobs are said to be on."""

    def __init__(self, fed: FederationUnderTest, client: Client, hub_uid: str, *, ahead: int = 0) -> None:
        """`client` has the operator's token; timings are short, so that a dead member is noticed within seconds.

        `ahead`: by how many seconds the links' clock is ahead, so that a token is old before its time.
        """
        self.fed = fed
        self.used: set[OfferKey] = set()
        self.jobs: list[tuple[str, str]] = []
        self.hub = HubClient(client)
        self.tokens = TokenSecret(client, HUB_NAMESPACE, clock=lambda: time.time_ns() // 1_000_000)
        settings = LinkSettings(
            hub_id=HUB_ID,
            hub_cluster_uid=hub_uid,
            policy=AddressPolicy(allow_loopback=True),
            probe_after=1,
            probe_timeout=4,
            mute_after=8,
            review_every=2,
            review_missing=1,
            tick=0.2,
            refused_after=1,
            tokens=self.tokens,
            clock=lambda: time.time_ns() // 1_000_000 + ahead * 1000,
        )
        namespaces = tuple(f"prov-{name}" for name in fed.members)
        self.manager = OfferManager(
            client,
            OfferSettings(provider_namespaces=namespaces, home_origins=frozenset({"CN"}), link=settings),
            clock=lambda: time.time_ns() // 1_000_000,
        )
        self.manager.on_job.append(lambda cluster, job: self.jobs.append((cluster, job)))
        usage = OfferUsage(in_use=lambda key: key in self.used)
        self.statuses = OfferReconciler(client, self.manager, usage, clock=lambda: time.time_ns() // 1_000_000)

    async def feed(self) -> None:
        """Give the manager what the hub has, again and again."""
        known: set[str] = set()
        while True:
            for body in await self.hub.list_objects("providers"):
                self.manager.apply_provider(body)
            offers = await self.hub.list_objects("clusteroffers")
            for body in offers:
                self.manager.apply(body)
            uids = {body["metadata"]["uid"] for body in offers}
            for gone in known - uids:
                self.manager.remove(gone)
            known = uids
            await asyncio.sleep(0.2)

    async def admin(self, call: Callable[[], T]) -> T:
        """Run something that blocks, beside the manager."""
        return await asyncio.to_thread(call)

    async def secret(self, namespace: str, name: str, **data: str) -> None:
        """Create or replace a Secret; keys are texts."""
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace, "labels": MARKED}, "data": encoded}
        await self.admin(lambda: self.fed.hub.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=json.dumps(body)))

    async def offer(self, namespace: str, name: str, **spec: Any) -> OfferKey:
        """Create an offer as the platform's administrator, granted unless `spec` says otherwise."""
        region = "cn-east" if namespace == "prov-lingang" else "cn-south"
        base = {"kubeconfigSecretRef": {"name": name}, "region": region, "jurisdiction": "CN", "terms": "OnDemand"}
        meta = {"name": name, "namespace": namespace, "labels": MARKED}
        body = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ClusterOffer", "metadata": meta, "spec": {**base, **spec}}
        await self.admin(lambda: self.fed.hub.apply(body))
        return OfferKey(namespace, name)

    async def kubeconfig(self, member: str, *, duration: str = "1h") -> str:
        """A kubeconfig of a member with a fresh token of the hub's ServiceAccount there."""
        secret = await self.admin(lambda: self.fed.hub.items("secret", "-n", f"prov-{member}"))
        text = next(
            base64.b64decode(s["data"]["kubeconfig"]).decode() for s in secret if s["metadata"]["name"].endswith("-ondemand-kubeconfig")
        )
        token = await self.token(member, "sampan-hub", duration)
        old = next(line.split("token: ", 1)[1].strip() for line in text.splitlines() if "token: " in line)
        return text.replace(old, token)

    async def token(self, member: str, account: str, duration: str = "1h") -> str:
        """A fresh token of a ServiceAccount of a member."""
        api: Api = self.fed.members[member]
        return (await self.admin(lambda: api.kubectl("create", "token", account, "-n", "sampan-jobs", f"--duration={duration}"))).strip()

    async def condition(self, key: OfferKey, kind: str) -> dict[str, str]:
        """A condition of an offer as the hub has it now; empty where there is none."""
        body = await self.admin(lambda: self.fed.hub.get("clusteroffer", "-n", key.namespace, key.name))
        return next((c for c in (body.get("status") or {}).get("conditions", ()) if c["type"] == kind), {})

    async def until(self, key: OfferKey, kind: str, status: str, reason: str, *, seconds: float = PATIENCE) -> dict[str, str]:
        """Wait for a condition with status and reason."""
        seen: dict[str, str] = {}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = await self.condition(key, kind)
            if (seen.get("status"), seen.get("reason")) == (status, reason):
                return seen
            await asyncio.sleep(0.2)
        raise AssertionError(f"{key}: {kind} is not {status}/{reason} within {seconds} s; last seen {seen}")

    async def status(self, key: OfferKey) -> dict[str, Any]:
        """The status of an offer on the hub."""
        body = await self.admin(lambda: self.fed.hub.get("clusteroffer", "-n", key.namespace, key.name))
        return dict(body.get("status") or {})

    async def clean(self) -> None:
        """Remove the offers and Secrets that tests made; the manager takes the finalizers off."""
        self.used.clear()
        made = ("clusteroffer,secret", "-A", "-l", "joining-test=yes")
        await self.admin(lambda: self.fed.hub.kubectl("delete", *made, f"--timeout={PATIENCE}s"))


async def comes(look: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Wait until `look` says yes; beside the manager, which lives in the same loop."""
    deadline = time.monotonic() + PATIENCE
    while not (await seen if inspect.isawaitable(seen := look()) else seen):
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def harness(fed: FederationUnderTest, *, ahead: int = 0) -> AsyncIterator[Harness]:
    """A running manager; what tests left on the hub is removed before the manager ends."""
    source = hub_source(fed.federation.existing_kubeconfig("operator"))
    async with Client(source.read(), limits=Limits(qps=1000, burst=1000)) as client:
        made = Harness(fed, client, await HubClient(client).cluster_uid(), ahead=ahead)
        await made.manager.load()
        tasks = [asyncio.create_task(made.feed()), asyncio.create_task(made.manager.run()), asyncio.create_task(made.statuses.run())]
        try:
            yield made
            await made.clean()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.25)  # TLS connections say goodbye in the background; the loop must live so long
        failed = [each for each in ended if not isinstance(each, asyncio.CancelledError)]
        assert not failed, failed
