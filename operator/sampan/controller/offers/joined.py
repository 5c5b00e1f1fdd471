"""The joined members as others read them: offers and cells to the scheduler, links to whoever acts through them. Nothing changes here."""

from collections.abc import Callable, Mapping

from sampan.api.convert.offers import DeclaredOffer
from sampan.controller.members.link import MemberLink
from sampan.controller.members.outage import Outage
from sampan.controller.members.supervisor import LinkSupervisor
from sampan.controller.offers.pools import OfferPools
from sampan.controller.offers.registry import OfferRegistry
from sampan.inventory.cluster import InFlightSource
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cell, Cluster, Node
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.status.attempt import Binding


class JoinedMembers:
    """A view on the registry, the pools and the links."""

    def __init__(self, registry: OfferRegistry, pools: OfferPools, links: LinkSupervisor, *, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._registry, self._pools, self._links, self._clock = registry, pools, links, clock

    def offers(self) -> Mapping[OfferKey, Offer]:
        """Return every offer with approved values only."""
        return self._registry.offers

    def cells(self) -> tuple[Cell, ...]:
        """Return every pool of every offer whose member was met, by offer and name."""
        return self._pools.cells()

    def clusters(self, in_flight: InFlightSource) -> Mapping[str, Cluster]:
        """Return the members by kube-system UID, with what is in flight there."""
        return self._pools.clusters(in_flight)

    def classes(self) -> Mapping[str, AcceleratorClass]:
        """Return the facts of every accelerator class."""
        return self._pools.catalog.classes

    def link_of(self, cluster_uid: str) -> MemberLink | None:
        """Return the link to act through: of the namespace that the cluster is with, a connected one first; None where there is none."""
        links = self._links.leading_to(cluster_uid)
        if not links:
            return None
        holder = self._registry.holder(cluster_uid)
        if holder is not None and (len(links) > 1 or links[0].key.namespace != holder.key.namespace):
            links = [link for link in links if link.key.namespace == holder.key.namespace]
        return links[0] if len(links) == 1 else min(links, key=lambda link: (not link.connected, link.key), default=None)

    def outage(self, cluster_uid: str, offer: OfferKey, namespace: str) -> Outage | None:
        """Return since when and why jobs of an offer in a namespace of its member cannot be worked with; None where they can, or where
        that is not known yet.
        """
        link, declared = self.link_of(cluster_uid), self._registry.find(offer)
        if link is None and declared is not None and declared.secret is not None:
            link = self._links.get(declared.secret)  # since the start it never got so far as to say which cluster it leads to
        if link is not None and link.cluster_uid not in (None, cluster_uid):
            return Outage(since=self._clock(), reason=OfferReason.IDENTITY_CHANGED)
        return None if link is None else link.outage(namespace)

    def nodes(self, cluster_uid: str) -> Mapping[str, Node]:
        """Return a member's nodes by name; empty where no link leads there."""
        link = self.link_of(cluster_uid)
        return link.nodes if link is not None else {}

    def remote_job(self, binding: Binding, job_uid: str) -> RemoteJob | None:
        """Return the copy of a bound attempt as the member's watch last showed it."""
        link = self.link_of(binding.cluster_uid)
        return None if link is None else link.copies.current(job_uid, binding)

    def all_met(self) -> bool:
        """Tell whether there is a first word of the member of every granted offer: what it has, or why it cannot be reached."""
        granted = (self._registry.declared[uid] for uid, assessed in self._registry.assessed.items() if assessed.approved.is_true)
        facts = (self._registry.facts(declared) for declared in granted if declared.secret is not None)
        return not any(each.joining or (each.connected and each.missing is None) for each in facts)

    def offer_state(self, key: OfferKey) -> tuple[bool, bool]:
        """Return whether an offer exists and whether it is being deleted."""
        declared = self._registry.find(key)
        return (False, False) if declared is None else (True, declared.deleting)

    def remote_namespace(self, key: OfferKey, tenant: str) -> str | None:
        """Return the namespace on an offer's member for jobs of a tenant; None where it has none, or the offer is not there."""
        offer = self._registry.offers.get(key)
        return None if offer is None or self._registry.find(key) is None else offer.namespace_of(tenant)

    def pull_secrets(self, key: OfferKey) -> tuple[str, ...]:
        """Return the pull secrets of an offer; raises KeyError for one that is not there."""
        declared = self._registry.find(key)
        if declared is None:
            raise KeyError(str(key))
        return declared.image_pull_secrets

    def declared(self, key: OfferKey) -> DeclaredOffer | None:
        """Return an offer as its provider declared it."""
        return self._registry.find(key)

    def links(self) -> tuple[MemberLink, ...]:
        """Return every link, for metrics."""
        return self._links.all()

    def clusters_of(self, declared: DeclaredOffer) -> set[str]:
        """Return the cluster an offer is for, and the one that its link leads to now."""
        link = self._links.get(declared.secret) if declared.secret is not None else None
        found = self._registry.cluster_uid(declared), link.cluster_uid if link is not None else None
        return {cluster_uid for cluster_uid in found if cluster_uid is not None}
