"""Every part of the operator, built and wired: watch events go to the state and the offers, and their changes wake the rest."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sampan.api.convert.offers import InvalidObjectError
from sampan.api.convert.policies import policy_of
from sampan.controller.hub.client import KINDS, HubClient
from sampan.controller.hub.job_watch import JobSink
from sampan.controller.hub.refusal_writer import RefusalWriter
from sampan.controller.hub.resync import KnownUids, Resync
from sampan.controller.loop import Loop
from sampan.controller.members.terms import LinkSettings
from sampan.controller.observation.hold_ups import summarise
from sampan.controller.observation.view import MemberView
from sampan.controller.offers.manager import OfferManager
from sampan.controller.offers.render import OfferUsage
from sampan.controller.offers.terms import OfferCallbacks, OfferSettings
from sampan.controller.reconcile.dependencies import ReconcilerDeps
from sampan.controller.reconcile.member_calls import RemoteJobs
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.settings import Settings
from sampan.controller.runtime.usage_writer import RETENTION, UsageWriter
from sampan.controller.state.record import JobRecord
from sampan.controller.state.store import State
from sampan.controller.state.usage import UsageTracker
from sampan.faults import log_fault
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.transport.limits import Limits
from sampan.model.members.offer import OfferKey
from sampan.model.policy import BUILT_IN
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


class Wiring:
    """The parts of one operator process."""

    def __init__(self, settings: Settings, hub: HubClient, identity: HubIdentity, *, calls: m.Calls, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self.known_uids = KnownUids()
        self.events: Counter[str] = Counter()
        self.offers = OfferManager(
            hub.client, _offer_settings(settings, identity, calls, clock=clock), self._offer_callbacks(), clock=clock
        )
        usage, self.store = _open_usage(settings, clock)
        self.usage_writer = UsageWriter(usage, self.store)
        self.state = State(self.offers.joined, currency=settings.currency, cooldown=int(settings.cooldown * 1000), usage=usage)
        self.state.on_in_flight.append(self.offers.in_flight_changed)
        self.state.reservations.on_change(self.offers.reservations_changed)
        view = MemberView(self.offers.joined, clock)
        remotes = RemoteJobs(self.state, hub, identity.hub_id, namespace=settings.namespace)
        dependencies = ReconcilerDeps(
            state=self.state,
            members=self.offers.joined,
            hub=hub,
            remotes=remotes,
            view=view,
            settings=settings,
            hub_id=identity.hub_id,
            clock=clock,
        )
        self.reconciler = JobReconciler(dependencies)
        refusals = RefusalWriter(self.state, hub, clock, members_met=self.offers.joined.all_met)
        self.loop = Loop(self.state, self.reconciler, refusals, interval=settings.cycle_interval, clock=clock)
        self.resync = Resync(hub, self.known_uids, self.apply, interval=settings.resync_interval)
        self._refusals = refusals
        self._policies: dict[str, str] = {}
        self._namespaces: dict[str, str] = {}
        self.state.on_pending.append(self.loop.wake)

    async def load(self) -> None:
        """Take in every object of the hub; raises `KubeError`s. Afterwards what went meanwhile is known to have gone."""
        await self.resync.load()
        self.state.usage.close_missing(self.state.jobs)

    def close(self) -> None:
        """Store what is not stored yet, and let go of the store."""
        self.usage_writer.flush()
        self.store.close()

    async def run(self) -> None:
        """Work until cancelled; the first part that fails ends all."""
        async with asyncio.TaskGroup() as group:
            for name, part in (
                ("offers", self.offers),
                ("reconciler", self.reconciler),
                ("loop", self.loop),
                ("refusals", self._refusals),
                ("resync", self.resync),
                ("use", self.usage_writer),
            ):
                group.create_task(part.run(), name=name)

    def on_watch_event(self, plural: str, event: str | None, body: dict[str, Any]) -> None:
        """Handle an event of Kopf's watch."""
        self.events[plural] += 1
        if event is None:
            self.resync.on_relist(plural)
        self.apply(plural, event, body)

    def job_sink(self) -> JobSink:
        """Return where the watch of ComputeJobs puts what it hears."""
        jobs, listed = self.state.jobs, partial(self.resync.on_relist, JOBS)
        return JobSink(
            self.apply, is_known=lambda uid, version: uid in jobs and jobs[uid].covers(version), listed=listed, count=self.events
        )

    def apply(self, plural: str, event: str | None, body: dict[str, Any]) -> None:
        """Take in one object of ours, or its end. One that cannot be read hurts no other."""
        if not self.known_uids.observe(plural, event, body):
            return
        try:
            self._route(plural, gone=event == "DELETED", body=body)
        except InvalidObjectError as error:
            log.warning("object.invalid", extra={"kind": plural, "reason": str(error)})
        except Exception as error:  # noqa: BLE001  one poisoned object must not end the watch
            log_fault(log, "object.quarantined", error, kind=plural, uid=body["metadata"]["uid"])

    def _route(self, plural: str, *, gone: bool, body: dict[str, Any]) -> None:
        uid = body["metadata"]["uid"]
        if plural == JOBS:
            if gone:
                self.state.remove_job(uid)
                self.reconciler.enqueue(uid)
            else:
                self.state.apply_job(body)
        elif plural == OFFERS:
            self.offers.remove(uid) if gone else self.offers.apply(body)
        elif plural == PROVIDERS:
            self.offers.remove_provider(uid) if gone else self.offers.apply_provider(body)
        elif plural == CLASSES:
            self.offers.remove_class(uid) if gone else self.offers.apply_class(body)
        elif plural == POLICIES:
            self._policy(uid, None if gone else body)
        elif plural == QUEUES:
            self.state.remove_queue(uid) if gone else self.state.apply_queue(body)
        elif plural == NAMESPACES:
            self._namespace(uid, None if gone else body)

    def _namespace(self, uid: str, body: dict[str, Any] | None) -> None:
        name = self._namespaces.pop(uid, "")
        if body is not None:
            self._namespaces[uid] = name = body["metadata"]["name"]
            self.state.apply_namespace(name, body["metadata"].get("labels") or {})
        elif name not in self._namespaces.values():  # one of the same name may be there already
            self.state.apply_namespace(name, None)

    def _policy(self, uid: str, body: dict[str, Any] | None) -> None:
        policies = dict(self.state.policies)
        policies.pop(self._policies.pop(uid, ""), None)
        if body is not None:
            policy = policy_of(body)
            policies[policy.name] = policy
            self._policies[uid] = policy.name
        self.state.policies = {**BUILT_IN, **policies}
        self.loop.wake()

    def _offer_callbacks(self) -> OfferCallbacks:
        # The offers are built first because the others need them: what they call back is looked up at the call.
        return OfferCallbacks(
            changed=lambda: self.loop.wake(),  # noqa: PLW0108
            job_changed=self._job_changed,
            member_changed=lambda cluster_uid: self.reconciler.enqueue_member(cluster_uid),  # noqa: PLW0108
            in_flight=lambda cluster_uid: self.state.in_flight(cluster_uid),  # noqa: PLW0108
            usage=OfferUsage(
                in_use=self._in_use,
                waits_for=lambda offer: summarise(record.status for record in self._using(offer)),
                running=lambda cluster_uid: self.state.running(cluster_uid),  # noqa: PLW0108
                reserved=lambda offer: self.state.reservations.reserved_devices(offer, self.state.jobs),
            ),
        )

    def _job_changed(self, cluster_uid: str, job_uid: str) -> None:
        record = self.state.jobs.get(job_uid)
        if record is None:
            return
        if record.attempt_open and self.state.copy_changed(job_uid):
            self.offers.in_flight_changed(cluster_uid)
        self.reconciler.enqueue(job_uid)

    def _in_use(self, offer: OfferKey) -> bool:
        """Tell whether a copy that came by this offer may still be on its member."""
        return self.reconciler.is_binding_to(offer) or any(True for _ in self._using(offer))

    def _using(self, offer: OfferKey) -> Iterator[JobRecord]:
        """Yield the jobs that came by this offer and whose copy may still be on its member."""
        for uid in self.state.bindings.of_offer(offer):
            record = self.state.jobs[uid]
            assert record.binding is not None
            binding = record.binding
            link = self.offers.joined.link_of(binding.cluster_uid)
            if not record.phase.ended or link is None or not link.follows(binding.namespace) or link.has_remnants(record.uid):
                yield record

    def samples(self, kopf_starts: int, calls: m.Calls) -> dict[m.Family, list[m.Sample]]:
        """Return every metric as it is now."""
        done, loop = self.reconciler.counters, self.loop
        phases = Counter(str(record.phase) for record in self.state.jobs.values())
        offers = Counter(
            str(o.approved and o.connected and o.permitted and o.accepting).lower() for o in self.offers.joined.offers().values()
        )
        members: dict[str, bool] = {}
        for link in self.offers.joined.links():
            if link.cluster_uid is not None:
                members[link.cluster_uid] = members.get(link.cluster_uid, False) or link.connected
        return {
            m.JOBS: [((phase,), n) for phase, n in sorted(phases.items())],
            m.WAITING: [((), self.state.waiting)],
            m.REFUSED: [((reason,), n) for reason, n in sorted(loop.last_refused.items())],
            m.OFFERS: [((truth,), n) for truth, n in sorted(offers.items())],
            m.MEMBERS: [((uid,), float(connected)) for uid, connected in sorted(members.items())],
            m.CYCLES: [((), loop.cycles)],
            m.CYCLE_SECONDS: [((), loop.last_seconds)],
            m.BOUND: [((), done.bound)],
            m.CREATED: [((), done.created)],
            m.ADOPTED: [((), done.adopted)],
            m.CONFLICTS: [((), done.conflicts)],
            m.ERRORS: [((), done.errors)],
            m.QUARANTINED: [((), done.quarantined)],
            m.UNSTORED: [((), self.usage_writer.unstored)],
            m.STORE_ERRORS: [((), self.usage_writer.errors)],
            m.QUEUE: [((), len(self.reconciler.queue))],
            m.KOPF: [((), kopf_starts)],
            m.EVENTS: [((kind,), n) for kind, n in sorted(self.events.items())],
            m.GAPS: [((), self.resync.gaps)],
            m.CALLS: [(labels, n) for labels, n in sorted(calls.counts.items())],
        }


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


def _offer_settings(settings: Settings, identity: HubIdentity, calls: m.Calls, *, clock: Callable[[], int]) -> OfferSettings:
    link = LinkSettings(
        hub_id=identity.hub_id,
        hub_cluster_uid=identity.cluster_uid,
        policy=AddressPolicy(allow_loopback=settings.allow_loopback_members, allowed_networks=settings.allowed_networks),
        limits=Limits(timeout=settings.call_timeout, qps=settings.member_qps, burst=int(settings.member_qps * 2)),
        observe=calls.observer("member"),
        clock=clock,
    )
    return OfferSettings(
        provider_namespaces=settings.provider_namespaces, home_origins=settings.home_origins, link=link, currency=settings.currency
    )
