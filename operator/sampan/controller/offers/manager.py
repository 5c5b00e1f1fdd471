"""Offers in, connected members out. Composes the registry, the Secrets, the links, the pools and the writer.

Everything runs on one loop; nothing here blocks. It binds nothing and changes no job: it calls back who does.
"""

import asyncio
from collections.abc import Callable, Iterable, Set

from sampan import catalog as built_in
from sampan.catalog import Detection
from sampan.controller.members.link import MemberLink
from sampan.controller.members.supervisor import LinkSupervisor, SupervisorCallbacks
from sampan.controller.offers.classes import ClassRegistry
from sampan.controller.offers.joined import JoinedMembers
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import Body, OfferRegistry
from sampan.controller.offers.render import OfferPatchPlanner
from sampan.controller.offers.terms import OfferCallbacks, OfferSettings
from sampan.controller.offers.writer import OfferWriter
from sampan.kube.transport.client import Client
from sampan.model.members.offer import OfferKey

RESYNC_SECONDS = 2.0
"""Seconds between two looks at what time alone changes: validity, offers that drain."""


class OfferManager:
    """All offers with their members."""

    def __init__(self, hub: Client, settings: OfferSettings, callbacks: OfferCallbacks, *, clock: Callable[[], int]) -> None:
        """`hub` is an open client of the hub, `clock` gives milliseconds since the epoch. Nothing runs before `run`."""
        self._settings, self._callbacks, self._clock = settings, callbacks, clock
        heard = SupervisorCallbacks(
            job_changed=self._job_changed,
            capacity_changed=self._capacity_changed,
            link_changed=self._link_changed,
            jobs_affected=self._jobs_affected,
            ended=self._link_ended,
        )
        self._classes = ClassRegistry()
        self._links = LinkSupervisor(hub, settings.link, namespaces=settings.provider_namespaces, callbacks=heard)
        self._registry = OfferRegistry(settings.link.hub_cluster_uid, self._links.facts, currency=settings.currency)
        self._pools = OfferPools(built_in.load(), settings.home_origins, callbacks.in_flight)
        self._planner = OfferPatchPlanner(self._registry, self._pools, usage=callbacks.usage, clock=clock)
        self._writer = OfferWriter(hub, self._planner.next_write, self._written, refused=self._planner.on_refused)
        self.joined = JoinedMembers(self._registry, self._pools, self._links, clock=clock)

    # --- objects of the hub ---------------------------------------------------------------------------------------

    def apply(self, body: Body) -> None:
        """Take a ClusterOffer as the hub has it."""
        declared = self._registry.apply_offer(body)
        if declared is not None:
            self._links.follow(self._registry.kubeconfigs())
            self._apply_changes({declared.uid})
            cluster_uid = self._registry.cluster_uid(declared)
            if declared.deleting and cluster_uid is not None:
                self._callbacks.member_changed(cluster_uid)  # copies of finished jobs need not stay for their tombstone time

    def _written(self, body: Body) -> None:
        """Take the reply to a write; an offer that is gone by now, as the watch said meanwhile, stays gone."""
        if body["metadata"]["uid"] in self._registry.declared:
            self.apply(body)

    def remove(self, uid: str) -> None:
        """Forget a ClusterOffer that the hub has no more."""
        declared = self._registry.remove_offer(uid)
        if declared is not None:
            self._pools.remove_offer(declared.key)
            self._writer.forget(uid)
            self._links.follow(self._registry.kubeconfigs())
            self._apply_changes()

    def apply_provider(self, body: Body) -> None:
        """Take a Provider."""
        self._registry.apply_provider(body)
        self._apply_changes()

    def remove_provider(self, uid: str) -> None:
        """Forget a Provider."""
        self._registry.remove_provider(uid)
        self._apply_changes()

    def apply_class(self, body: Body) -> None:
        """Take an AcceleratorClass."""
        self._classes.apply(body)
        self._set_catalog()

    def remove_class(self, uid: str) -> None:
        """Forget an AcceleratorClass."""
        self._classes.remove(uid)
        self._set_catalog()

    # --- what the state says --------------------------------------------------------------------------------------

    def reservations_changed(self, offers: Set[OfferKey]) -> None:
        """Hear that what is kept for waiting jobs in pools of these offers changed."""
        for key in sorted(offers):
            declared = self._registry.find(key)
            if declared is not None:
                self._writer.enqueue(declared.uid)

    def in_flight_changed(self, cluster_uid: str) -> None:
        """Hear that assignments to a member changed."""
        self._pools.in_flight_changed(cluster_uid)
        self._enqueue_offers_of(cluster_uid)

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep links and statuses until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._links.run(), name="links")
            group.create_task(self._writer.run(), name="offer writer")
            group.create_task(self._resync(), name="offers")

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for uid in self._planner.due():
                self._writer.enqueue(uid)

    # --- links ----------------------------------------------------------------------------------------------------

    def _link_ended(self, link: MemberLink) -> None:
        if link.cluster_uid is not None:
            self._attach_member(link.cluster_uid)

    def _link_changed(self, link: MemberLink) -> None:
        self._registry.link_changed(link.key, link.cluster_uid)
        self._apply_changes()

    def _jobs_affected(self, link: MemberLink) -> None:
        if link.cluster_uid is not None:
            self._callbacks.member_changed(link.cluster_uid)

    def _job_changed(self, link: MemberLink, job_uid: str) -> None:
        if link.cluster_uid is not None and self.joined.link_of(link.cluster_uid) is link:
            self._callbacks.job_changed(link.cluster_uid, job_uid)

    def _capacity_changed(self, link: MemberLink, nodes: frozenset[str]) -> None:
        if link.cluster_uid is not None and self._pools.mark_changed(link.cluster_uid, link.inventory, nodes):
            self._enqueue_offers_of(link.cluster_uid)
            self._callbacks.changed()

    # --- consequences ---------------------------------------------------------------------------------------------

    def _attach_member(self, cluster_uid: str) -> None:
        """Look at a cluster through the link that is used for it now."""
        link = self.joined.link_of(cluster_uid)
        self._pools.attach_member(cluster_uid, None if link is None else link.inventory)

    def _apply_changes(self, more: Iterable[str] = ()) -> None:
        looked = self._registry.reassess()
        for cluster_uid in sorted({found for uid in looked for found in self.joined.clusters_of(self._registry.declared[uid])}):
            self._attach_member(cluster_uid)
        for uid in looked:
            declared, assessed = self._registry.declared[uid], self._registry.assessed[uid]
            self._pools.set_offer(assessed.offer, trust_overrides=self._registry.trusts_overrides(declared))
        for uid in looked | set(more):
            self._writer.enqueue(uid)
        if looked:
            self._callbacks.changed()

    def _set_catalog(self) -> None:
        declared = ((each.accelerator, Detection(resources=each.resource_names, labels=each.node_selector)) for each in self._classes.all())
        self._pools.set_catalog(built_in.load().with_classes(declared))
        self._apply_changes(self._registry.declared)
        self._callbacks.changed()

    def _enqueue_offers_of(self, cluster_uid: str) -> None:
        for declared in self._registry.of_cluster(cluster_uid):
            self._writer.enqueue(declared.uid)
