"""A member link against the fake server, and what it told. Shared by the tests of links and of their sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from member_objects import HUB
from sampan.api.convert.offers import SecretRef
from sampan.controller.members.link import MemberLink
from sampan.controller.members.tenants import OfferNamespaces
from sampan.controller.members.terms import LinkCallbacks, LinkSettings
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.transport.limits import Limits
from sampan.kube.watch.reflector import Tuning
from unit.controller.fake_server import FakeServer, until

KEY = SecretRef("prov-a", "kc", "kubeconfig")
SETTINGS = LinkSettings(
    hub_id=HUB,
    hub_cluster_uid="the-hub",
    policy=AddressPolicy(allow_loopback=True),
    limits=Limits(qps=10_000, burst=10_000),
    tuning=Tuning(backoff_base=0.01, backoff_cap=0.05, unauthorized_wait=0.05, forbidden_wait=0.05),
    probe_after=0.2,
    probe_timeout=3.0,
    mute_after=600,
    refused_after=0.5,
    clock=lambda: 1_800_000_000_000,
    review_every=0.3,
    review_missing=0.1,
    tick=0.02,
    retry_base=0.02,
)
"""What is told in another way than by silence is noticed soon. Silence is none: a loaded machine is silent at times, too."""
HEARS_SILENCE = replace(SETTINGS, mute_after=1.5)
PATIENT = replace(SETTINGS, refused_after=600)
"""Nothing that lasts as long as a test is a loss, however slow the machine is."""


@dataclass
class Told:
    """What a link told."""

    jobs: list[str] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    refused: int = 0
    reasons: list[str] = field(default_factory=list)
    looks: int = 0
    """How often all jobs of the member were to be looked at."""

    def events(self) -> LinkCallbacks:
        """What a link calls to tell it."""

        def refused(_: MemberLink) -> None:
            self.refused += 1

        def affected(_: MemberLink) -> None:
            self.looks += 1

        return LinkCallbacks(
            job_changed=lambda _, uid: self.jobs.append(uid),
            capacity_changed=lambda _, nodes: self.nodes.update(nodes),
            link_changed=lambda link: self.reasons.append(str(link.facts.reason)),
            jobs_affected=affected,
            refused=refused,
        )


@asynccontextmanager
async def linked(
    namespaces: frozenset[str] = frozenset({"sampan-jobs"}), settings: LinkSettings = SETTINGS
) -> AsyncIterator[tuple[MemberLink, Told]]:
    told = Told()
    link = MemberLink(KEY, settings, told.events())
    link.follow(OfferNamespaces(named=namespaces))
    task = asyncio.create_task(link.run())
    try:
        yield link, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def joined(server: FakeServer, settings: LinkSettings = SETTINGS) -> AsyncIterator[tuple[MemberLink, Told]]:
    async with linked(settings=settings) as (link, told):
        link.set_source(server.kubeconfig())
        await until(lambda: link.connected and link.facts.connected, "connected")
        yield link, told
