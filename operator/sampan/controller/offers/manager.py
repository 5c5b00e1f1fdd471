"""Offers in, connected members out. Composes the registry, the Secrets, the links, the pools and the writer.

Everything runs on one loop; nothing here blocks. It binds nothing and changes no job: it calls back who does.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Set

from sampan import catalog as built_in
from sampan.api.convert.offers import DeclaredOffer, SecretRef
from sampan.api.fields.conditions import OfferReason
from sampan.catalog import Detection
from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.kubeconfig_secrets import SecretWatch
from sampan.controller.members.link import MemberLink
from sampan.controller.members.terms import LinkCallbacks
from sampan.controller.observation.outage import Outage
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import Body, OfferRegistry
from sampan.controller.offers.render import OfferPatchPlanner
from sampan.controller.offers.terms import OfferCallbacks, OfferSettings
from sampan.controller.offers.writer import OfferWriter
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.transport.client import Client
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster, Node
from sampan.model.members.offer import Offer, OfferKey

RESYNC_SECONDS = 2.0
"""Seconds between two looks at what time alone changes: validity, offers that drain."""


class OfferManager:
    """All offers with their members."""

    def __init__(self, hub: Client, settings: OfferSettings, callbacks: OfferCallbacks, *, clock: Callable[[], int]) -> None:
        """`hub` is an open client of the hub, `clock` gives milliseconds since the epoch. Nothing runs before `run`."""
        self._settings, self._callbacks, self._clock = settings, callbacks, clock
        self._registry = OfferRegistry(settings.link.hub_cluster_uid, self._facts, currency=settings.currency)
        self._pools = OfferPools(built_in.load(), settings.home_origins, callbacks.in_flight)
        self._planner = OfferPatchPlanner(self._registry, self._pools, usage=callbacks.usage, clock=clock)
        self._writer = OfferWriter(hub, self._planner.next_write, self._written, refused=self._planner.on_refused)
        self._secrets = SecretWatch(hub, settings.provider_namespaces, changed=self._secret_changed)
        self._links: dict[SecretRef, MemberLink] = {}
        self._tasks: dict[SecretRef, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._link_callbacks = LinkCallbacks(
            job_changed=self._job_changed,
            capacity_changed=self._capacity_changed,
            link_changed=self._link_changed,
            refused=lambda link: self._secrets.reload(link.key),
        )

    # --- objects of the hub ---------------------------------------------------------------------------------------

    def apply(self, body: Body) -> None:
        """Take a ClusterOffer as the hub has it."""
        declared = self._registry.apply_offer(body)
        if declared is not None:
            self._reconcile_links()
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
            self._reconcile_links()
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
        self._registry.apply_class(body)
        self._set_catalog()

    def remove_class(self, uid: str) -> None:
        """Forget an AcceleratorClass."""
        self._registry.remove_class(uid)
        self._set_catalog()

    # --- what the scheduler reads ---------------------------------------------------------------------------------

    def offers(self) -> Mapping[OfferKey, Offer]:
        """Return every offer with approved values only."""
        return self._registry.offers

    def cells(self) -> tuple[Cell, ...]:
        """Return every pool of every offer whose member was met, by offer and name."""
        return self._pools.cells()

    def clusters(self) -> Mapping[str, Cluster]:
        """Return the members by kube-system UID."""
        return self._pools.clusters()

    def classes(self) -> Mapping[str, AcceleratorClass]:
        """Return the facts of every accelerator class."""
        return self._pools.catalog.classes

    def reservations_changed(self, offers: Set[OfferKey]) -> None:
        """Hear that what is kept for waiting jobs in pools of these offers changed."""
        for uid, declared in self._registry.declared.items():
            if declared.key in offers:
                self._writer.enqueue(uid)

    def in_flight_changed(self, cluster_uid: str) -> None:
        """Hear that assignments to a member changed."""
        self._pools.in_flight_changed(cluster_uid)
        self._enqueue_offers_of(cluster_uid)

    # --- what the reconciler reads --------------------------------------------------------------------------------

    def link_of(self, cluster_uid: str) -> MemberLink | None:
        """Return the link to act through: of the namespace that the cluster is with, a connected one first; None where there is none."""
        holder = self._registry.holder(cluster_uid)
        links = [link for link in self._links.values() if link.cluster_uid == cluster_uid]
        if holder is not None:
            links = [link for link in links if link.key.namespace == holder.key.namespace]
        return min(links, key=lambda link: (not link.connected, link.key), default=None)

    def outage(self, cluster_uid: str, offer: OfferKey) -> Outage | None:
        """Return since when and why the member of an offer cannot be worked with; None where it can, or where that is not known yet."""
        link, declared = self.link_of(cluster_uid), self._registry.find(offer)
        if link is None and declared is not None and declared.secret is not None:
            link = self._links.get(declared.secret)  # since the start it never got so far as to say which cluster it leads to
        if link is not None and link.cluster_uid not in (None, cluster_uid):
            return Outage(since=self._clock(), reason=str(OfferReason.IDENTITY_CHANGED))
        return None if link is None else link.outage(declared.remote_namespace if declared is not None else "")

    def nodes(self, cluster_uid: str) -> Mapping[str, Node]:
        """Return a member's nodes by name; empty where no link leads there."""
        link = self.link_of(cluster_uid)
        return link.nodes if link is not None else {}

    def remote_job(self, cluster_uid: str, job_uid: str) -> RemoteJob | None:
        """Return our copy of a job as the member's watch last showed it."""
        link = self.link_of(cluster_uid)
        return link.jobs.get(job_uid) if link is not None else None

    def offer_state(self, key: OfferKey) -> tuple[bool, bool]:
        """Return whether an offer exists and whether it is being deleted."""
        declared = self._registry.find(key)
        return (False, False) if declared is None else (True, declared.deleting)

    def remote_target(self, key: OfferKey) -> tuple[str, tuple[str, ...]]:
        """Return the namespace on the member and the pull secrets of an offer; raises KeyError for one that is not there."""
        declared = self._registry.find(key)
        if declared is None:
            raise KeyError(str(key))
        return declared.remote_namespace, declared.image_pull_secrets

    def declared(self, key: OfferKey) -> DeclaredOffer | None:
        """Return an offer as its provider declared it."""
        return self._registry.find(key)

    def links(self) -> tuple[MemberLink, ...]:
        """Return every link, for metrics."""
        return tuple(self._links[key] for key in sorted(self._links))

    # --- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep links and statuses until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for key in self._links:
                self._start(key)
            group.create_task(self._secrets.run(), name="secrets")
            group.create_task(self._writer.run(), name="offer writer")
            group.create_task(self._resync(), name="offers")

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for uid in self._planner.due():
                self._writer.enqueue(uid)

    # --- links ----------------------------------------------------------------------------------------------------

    def _reconcile_links(self) -> None:
        """Have one link for each kubeconfig that an offer names, and none else."""
        wanted: dict[SecretRef, set[str]] = {}
        for declared in self._registry.declared.values():
            if declared.secret is not None:
                wanted.setdefault(declared.secret, set()).add(declared.remote_namespace)
        for key in self._links.keys() - wanted.keys():
            self._end(key)
        for key, namespaces in wanted.items():
            if key not in self._links:
                self._links[key] = MemberLink(key, self._settings.link, self._link_callbacks)
                self._start(key)
            self._links[key].follow(frozenset(namespaces))
        self._secrets.set_wanted(wanted)
        for key in wanted:
            if self._links[key].facts == LinkFacts():
                self._secret_changed(key)

    def _start(self, key: SecretRef) -> None:
        if self._group is not None and key not in self._tasks:
            self._tasks[key] = self._group.create_task(self._links[key].run(), name=f"link {key}")

    def _end(self, key: SecretRef) -> None:
        link = self._links.pop(key)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
        if link.cluster_uid is not None:
            self._attach_member(link.cluster_uid)

    def _facts(self, key: SecretRef) -> LinkFacts:
        link = self._links.get(key)
        return LinkFacts() if link is None else link.facts

    def _secret_changed(self, ref: SecretRef) -> None:
        link = self._links.get(ref)
        if link is not None:
            link.set_source(self._secrets.read(ref))

    def _link_changed(self, link: MemberLink) -> None:
        if self._links.get(link.key) is not link:
            return  # it ended
        self._registry.link_changed(link.key, link.cluster_uid)
        if link.cluster_uid is not None:
            self._callbacks.member_changed(link.cluster_uid)
        self._apply_changes()

    def _job_changed(self, link: MemberLink, job_uid: str) -> None:
        if link.cluster_uid is not None and self.link_of(link.cluster_uid) is link:
            self._callbacks.job_changed(link.cluster_uid, job_uid)

    def _capacity_changed(self, link: MemberLink, nodes: frozenset[str]) -> None:
        if link.cluster_uid is not None and self._pools.mark_changed(link.cluster_uid, link.inventory, nodes):
            self._enqueue_offers_of(link.cluster_uid)
            self._callbacks.changed()

    # --- consequences ---------------------------------------------------------------------------------------------

    def _attach_member(self, cluster_uid: str) -> None:
        """Look at a cluster through the link that is used for it now."""
        link = self.link_of(cluster_uid)
        self._pools.attach_member(cluster_uid, None if link is None else link.inventory)

    def _apply_changes(self, more: Iterable[str] = ()) -> None:
        looked = self._registry.reassess()
        for cluster_uid in {link.cluster_uid for link in self._links.values() if looked and link.cluster_uid is not None}:
            self._attach_member(cluster_uid)
        for uid in looked:
            declared, assessed = self._registry.declared[uid], self._registry.assessed[uid]
            self._pools.set_offer(assessed.offer, trust_overrides=self._registry.trusts_overrides(declared))
        for uid in looked | set(more):
            self._writer.enqueue(uid)
        if looked:
            self._callbacks.changed()

    def _set_catalog(self) -> None:
        declared = (
            (each.accelerator, Detection(resources=each.resource_names, labels=each.node_selector)) for each in self._registry.classes
        )
        self._pools.set_catalog(built_in.load().with_classes(declared))
        self._apply_changes(self._registry.declared)
        self._callbacks.changed()

    def _enqueue_offers_of(self, cluster_uid: str) -> None:
        for uid, declared in self._registry.declared.items():
            if self._registry.cluster_uid(declared) == cluster_uid:
                self._writer.enqueue(uid)
