"""Offers in, connected members out. Composes the registry, the Secrets, the links and the pools.

Everything runs on one loop; nothing here blocks. It knows of no job and asks nobody: who reads it is told what changed.
"""

from collections.abc import Callable, Iterable

from sampan import catalog as built_in
from sampan.api.convert.offers import DeclaredOffer
from sampan.catalog import Detection
from sampan.controller.members.link import MemberLink
from sampan.controller.members.supervisor import LinkSupervisor, SupervisorCallbacks
from sampan.controller.offers.classes import ClassRegistry
from sampan.controller.offers.joined import JoinedMembers
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import Body, OfferRegistry
from sampan.controller.offers.terms import OfferSettings
from sampan.kube.transport.client import Client


class OfferManager:
    """All offers with their members."""

    def __init__(self, hub: Client, settings: OfferSettings, *, clock: Callable[[], int]) -> None:
        """`hub` is an open client of the hub, `clock` gives milliseconds since the epoch. Nothing runs before `run`."""
        self.on_capacity: list[Callable[[], None]] = []
        """Called when offers, cells or what is free changed: waiting jobs may have a place now."""
        self.on_job: list[Callable[[str, str], None]] = []
        """Called with (cluster UID, UID of the ComputeJob) when its copy or one of its pods changed."""
        self.on_member: list[Callable[[str], None]] = []
        """Called with a cluster UID when all jobs bound there are to be looked at: it may be acted upon again, is away, or drains."""
        self.on_offer: list[Callable[[str], None]] = []
        """Called with the UID of an offer whose status may be another now."""
        self.on_removed: list[Callable[[str], None]] = []
        """Called with the UID of an offer that the hub has no more."""
        self.on_status: list[Callable[[DeclaredOffer, Body | None, Body], None]] = []
        """Called with an offer, its status before, None for an offer that is new, and the one now."""
        heard = SupervisorCallbacks(
            job_changed=self._job_changed,
            capacity_changed=self._capacity_changed,
            link_changed=self._link_changed,
            jobs_affected=self._jobs_affected,
            ended=self._link_ended,
        )
        self._tokens = settings.link.tokens
        self._classes = ClassRegistry()
        self._links = LinkSupervisor(hub, settings.link, namespaces=settings.provider_namespaces, callbacks=heard)
        self.registry = OfferRegistry(settings.link.hub_cluster_uid, self._links.facts, currency=settings.currency)
        self.pools = OfferPools(built_in.load(), settings.home_origins)
        self.joined = JoinedMembers(self.registry, self.pools, self._links, clock=clock)

    async def load(self) -> None:
        """Read what outlives the operator: tokens that it renewed. Raises KubeError."""
        if self._tokens is not None:
            await self._tokens.load()

    # --- objects of the hub ---------------------------------------------------------------------------------------

    def apply(self, body: Body) -> None:
        """Take a ClusterOffer as the hub has it."""
        before = self.registry.statuses.get(body["metadata"]["uid"])
        declared = self.registry.apply_offer(body)
        if declared is not None:
            for listener in self.on_status:
                listener(declared, before, self.registry.statuses[declared.uid])
            self._links.follow(self.registry.kubeconfigs())
            self._apply_changes({declared.uid})
            cluster_uid = self.registry.cluster_uid(declared)
            if declared.deleting and cluster_uid is not None:
                _tell(self.on_member, cluster_uid)  # copies of finished jobs need not stay for their tombstone time

    def written(self, body: Body) -> None:
        """Take the reply to a write; an offer that is gone by now, as the watch said meanwhile, stays gone."""
        if body["metadata"]["uid"] in self.registry.declared:
            self.apply(body)

    def remove(self, uid: str) -> None:
        """Forget a ClusterOffer that the hub has no more."""
        declared = self.registry.remove_offer(uid)
        if declared is not None:
            self.pools.remove_offer(declared.key)
            _tell(self.on_removed, uid)
            self._links.follow(self.registry.kubeconfigs())
            self._apply_changes()

    def apply_provider(self, body: Body) -> None:
        """Take a Provider."""
        self.registry.apply_provider(body)
        self._apply_changes()

    def remove_provider(self, uid: str) -> None:
        """Forget a Provider."""
        self.registry.remove_provider(uid)
        self._apply_changes()

    def apply_class(self, body: Body) -> None:
        """Take an AcceleratorClass."""
        self._classes.apply(body)
        self._set_catalog()

    def remove_class(self, uid: str) -> None:
        """Forget an AcceleratorClass."""
        self._classes.remove(uid)
        self._set_catalog()

    def in_flight_changed(self, cluster_uid: str) -> None:
        """Hear that assignments to a member changed."""
        self.pools.in_flight_changed(cluster_uid)
        self._tell_offers_of(cluster_uid)

    async def run(self) -> None:
        """Keep the links until cancelled."""
        await self._links.run()

    def _link_ended(self, link: MemberLink) -> None:
        if link.cluster_uid is not None:
            self._attach_member(link.cluster_uid)

    def _link_changed(self, link: MemberLink) -> None:
        self.registry.link_changed(link.key, link.cluster_uid)
        self._apply_changes()

    def _jobs_affected(self, link: MemberLink) -> None:
        if link.cluster_uid is not None:
            _tell(self.on_member, link.cluster_uid)

    def _job_changed(self, link: MemberLink, job_uid: str) -> None:
        if link.cluster_uid is not None and self.joined.link_of(link.cluster_uid) is link:
            for listener in self.on_job:
                listener(link.cluster_uid, job_uid)

    def _capacity_changed(self, link: MemberLink, nodes: frozenset[str]) -> None:
        if link.cluster_uid is not None and self.pools.mark_changed(link.cluster_uid, link.inventory, nodes):
            self._tell_offers_of(link.cluster_uid)
            self._tell_capacity()

    def _attach_member(self, cluster_uid: str) -> None:
        """Look at a cluster through the link that is used for it now."""
        link = self.joined.link_of(cluster_uid)
        self.pools.attach_member(cluster_uid, None if link is None else link.inventory)

    def _apply_changes(self, more: Iterable[str] = ()) -> None:
        looked = self.registry.reassess()
        for cluster_uid in sorted({found for uid in looked for found in self.joined.clusters_of(self.registry.declared[uid])}):
            self._attach_member(cluster_uid)
        for uid in looked:
            declared, assessed = self.registry.declared[uid], self.registry.assessed[uid]
            self.pools.set_offer(assessed.offer, trust_overrides=self.registry.trusts_overrides(declared))
        for uid in looked | set(more):
            _tell(self.on_offer, uid)
        if looked:
            self._tell_capacity()

    def _set_catalog(self) -> None:
        declared = ((each.accelerator, Detection(resources=each.resource_names, labels=each.node_selector)) for each in self._classes.all())
        self.pools.set_catalog(built_in.load().with_classes(declared))
        self._apply_changes(self.registry.declared)
        self._tell_capacity()

    def _tell_offers_of(self, cluster_uid: str) -> None:
        for declared in self.registry.of_cluster(cluster_uid):
            _tell(self.on_offer, declared.uid)

    def _tell_capacity(self) -> None:
        for listener in self.on_capacity:
            listener()


def _tell(listeners: Iterable[Callable[[str], None]], uid: str) -> None:
    for listener in listeners:
        listener(uid)
