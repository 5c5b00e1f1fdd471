"""Every part of the operator, built and wired: watch events go to the state and the offers, and their changes wake the rest.

What is read is built before its readers: the offers with their members, the state of jobs, what acts on both, the offers' statuses.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sampan.controller.hub.client import KINDS, HubClient
from sampan.controller.hub.intake import HubIntake
from sampan.controller.hub.job_watch import WatchedJob, load_jobs, watch_jobs
from sampan.controller.hub.refusal_writer import RefusalWriter
from sampan.controller.hub.renewed_tokens import TokenSecret
from sampan.controller.jobs_of_offers import JobsOfOffers
from sampan.controller.logs.keeper import OutputKeeper
from sampan.controller.loop import Loop
from sampan.controller.members.terms import LinkSettings
from sampan.controller.observability import Observability
from sampan.controller.offers.manager import OfferManager
from sampan.controller.offers.reconciler import OfferReconciler
from sampan.controller.offers.terms import OfferSettings
from sampan.controller.reconcile.dependencies import ReconcilerDeps
from sampan.controller.reconcile.job_specs import JobSpecs
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.settings import Settings
from sampan.controller.runtime.usage_writer import RETENTION, UsageWriter
from sampan.controller.state.store import State
from sampan.controller.state.usage import UsageTracker
from sampan.kube.credentials.addresses import AddressPolicy, Network
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.kube.watch.reflector import Reflector
from sampan.store.outputs import OutputLimits, OutputStore
from sampan.store.use import UseStore

log = logging.getLogger(__name__)

JOBS, OFFERS, PROVIDERS, CLASSES, POLICIES, QUEUES, NAMESPACES = KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class HubIdentity:
    """Who the hub is."""

    hub_id: str
    """Stored once, for ever: what our objects on members carry."""
    cluster_uid: str
    """Its kube-system UID: a member with this one would be the hub itself."""
    service_networks: tuple[Network, ...] = ()
    """Its own services: no member is there."""


class Wiring:
    """The parts of one operator process."""

    def __init__(self, settings: Settings, hub: HubClient, identity: HubIdentity, *, calls: m.Calls, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        tokens = TokenSecret(hub.client, settings.namespace, clock=clock)
        self.offers = OfferManager(hub.client, _offer_settings(settings, identity, calls, tokens=tokens, clock=clock), clock=clock)
        usage, self.store = _open_usage(settings, clock)
        self.usage_writer = UsageWriter(usage, self.store)
        self.state = State(self.offers.joined, currency=settings.currency, cooldown=int(settings.cooldown * 1000), usage=usage)
        self.outputs = OutputKeeper(_open_outputs(settings), tail=settings.output_tail, clock=clock)
        dependencies = ReconcilerDeps(
            state=self.state,
            members=self.offers.joined,
            hub=hub,
            specs=JobSpecs(self.state.allocations, hub, identity.hub_id, namespace=settings.namespace),
            view=MemberView(self.offers.joined, clock),
            outputs=self.outputs,
            settings=settings,
            clock=clock,
        )
        self.reconciler = JobReconciler(dependencies)
        self.jobs_of_offers = JobsOfOffers(self.state, self.offers.joined, self.reconciler)
        self._offer_reconciler = OfferReconciler(hub.client, self.offers, self.jobs_of_offers.usage(), clock=clock)
        self._refusals = RefusalWriter(self.state, hub, clock, members_met=self.offers.joined.all_met)
        self.loop = Loop(self.state, self.reconciler, self._refusals, interval=settings.cycle_interval, clock=clock)
        self.observability = Observability(hub.client, self.state, clock=clock)
        self.intake = HubIntake(self.state, self.offers, hub, resync_interval=settings.resync_interval)
        self._listen()
        self.observability.listen(self.state, self.offers, events=settings.events)

    def _listen(self) -> None:
        """Have each part hear of what it rests on."""
        self.state.on_pending.append(self.loop.wake)
        self.state.table.on_delete.append(self.outputs.forget)
        self.state.allocations.on_change.append(self.offers.in_flight_changed)
        self.state.reservations.on_change(self._offer_reconciler.reservations_changed)
        self._refusals.on_never_fits.append(self.reconciler.enqueue)
        self.offers.on_capacity.append(self.loop.wake)
        self.offers.on_job.append(self.jobs_of_offers.copy_changed)
        self.offers.on_member.append(self.reconciler.enqueue_member)

    async def load(self, client: Client) -> Reflector[WatchedJob]:
        """Take in every object of the hub; raises `KubeError`s. Afterwards what went meanwhile is known to have gone.

        Returns the watch of jobs that goes on from there. Jobs come last, so that they find their offers.
        """
        await self.offers.load()
        await self.intake.resync.load()
        sink = self.intake.job_sink()
        watch = watch_jobs(client, sink, since=await load_jobs(client, sink))
        self.state.usage.close_missing()
        await self.outputs.forget_others(self.state.jobs.keys())
        return watch

    def close(self) -> None:
        """Store what is not stored yet, and let go of the store."""
        self.usage_writer.flush()
        self.store.close()
        self.outputs.close()

    async def run(self) -> None:
        """Work until cancelled; the first part that fails ends all."""
        async with asyncio.TaskGroup() as group:
            for name, part in (
                ("offers", self.offers),
                ("offer statuses", self._offer_reconciler),
                ("reconciler", self.reconciler),
                ("loop", self.loop),
                ("refusals", self._refusals),
                ("resync", self.intake.resync),
                ("use", self.usage_writer),
                ("outputs", self.outputs),
                ("observability", self.observability),
            ):
                group.create_task(part.run(), name=name)


def _open_usage(settings: Settings, clock: Callable[[], int]) -> tuple[UsageTracker, UseStore]:
    """Open the store and take in what it has; raises StoreError."""
    half_life = int(settings.usage_half_life * 1000)
    store = UseStore(settings.store.get_secret_value(), half_life=half_life, now=clock())
    if not settings.store.get_secret_value():
        log.warning("store.volatile", extra={"reason": "SAMPAN_STORE is not set: what queues used is forgotten when the operator ends"})
    store.prune(clock() - RETENTION)
    usage = UsageTracker(half_life=half_life, clock=clock)
    usage.load(store.totals(), store.unsettled())
    return usage, store


def _open_outputs(settings: Settings) -> OutputStore:
    """Open the store of outputs, in the same database; raises StoreError."""
    url = settings.store.get_secret_value()
    in_all = settings.output_in_all if url else settings.output_in_all // 16
    retention = int(settings.output_retention * 1000)
    return OutputStore(url, OutputLimits(retention=retention, of_namespace=settings.output_of_namespace, in_all=in_all))


def _offer_settings(
    settings: Settings, identity: HubIdentity, calls: m.Calls, *, tokens: TokenSecret, clock: Callable[[], int]
) -> OfferSettings:
    link = LinkSettings(
        hub_id=identity.hub_id,
        hub_cluster_uid=identity.cluster_uid,
        policy=AddressPolicy(
            allow_loopback=settings.allow_loopback_members,
            allowed_networks=settings.allowed_networks,
            denied_networks=settings.denied_networks,
            own_networks=identity.service_networks,
            allowed_proxies=settings.allowed_proxies,
        ),
        limits=Limits(timeout=settings.call_timeout, qps=settings.member_qps, burst=int(settings.member_qps * 2)),
        observe=calls.observer("member"),
        tokens=tokens,
        clock=clock,
    )
    return OfferSettings(
        provider_namespaces=settings.provider_namespaces, home_origins=settings.home_origins, link=link, currency=settings.currency
    )
