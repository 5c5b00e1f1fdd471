"""Offers and Providers as the hub has them, and what each offer is worth: `assess` kept current.

No I/O, no clock, no tasks. One object that does not parse never hurts another.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from sampan.api.convert.offers import DeclaredOffer, SecretRef, declared_offer
from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.tenants import OfferNamespaces
from sampan.controller.offers.assessment import AssessedOffer, HubFacts, assess, holder_of
from sampan.controller.offers.grants import GrantRegistry
from sampan.controller.offers.index import OfferIndex
from sampan.model.members.offer import Offer, OfferKey

Body = Mapping[str, Any]


class OfferRegistry:
    """Everything by UID, and by key where an offer is looked up. `facts` gives what a link found."""

    def __init__(self, hub_cluster_uid: str, facts: Callable[[SecretRef], LinkFacts], *, currency: str = "CNY") -> None:
        """Start empty."""
        self._hub, self._facts = HubFacts(cluster_uid=hub_cluster_uid, currency=currency), facts
        self.declared: dict[str, DeclaredOffer] = {}
        self.statuses: dict[str, Mapping[str, Any]] = {}
        """`status` as the hub last showed it."""
        self.assessed: dict[str, AssessedOffer] = {}
        self._uids: dict[OfferKey, str] = {}
        self._grants = GrantRegistry()
        self._offers: dict[OfferKey, Offer] = {}
        self._dirty: set[str] = set()
        self._index = OfferIndex()
        self._holders: dict[str, DeclaredOffer | None] = {}
        """The holder of each cluster that was asked for, until anything changes that it follows from."""

    # --- what the hub says ----------------------------------------------------------------------------------------

    def apply_offer(self, body: Body) -> DeclaredOffer | None:
        """Take an offer; None for one that is older than the known one."""
        uid = body["metadata"]["uid"]
        known = self.declared.get(uid)
        if known is not None and _older(body["metadata"]["resourceVersion"], known.resource_version):
            return None
        declared = declared_offer(body, known)
        namesake = self._uids.get(declared.key)
        if namesake is not None and namesake != uid:
            self.remove_offer(namesake)
        self._holders.clear()
        self.declared[uid] = declared
        status = body.get("status")
        self.statuses[uid] = status if isinstance(status, Mapping) else {}
        self._uids[declared.key] = uid
        self._index.put(uid, declared, cluster_uid=self.cluster_uid(declared))
        self._mark_cluster_dirty(declared)
        self._dirty.add(uid)
        return declared

    def remove_offer(self, uid: str) -> DeclaredOffer | None:
        """Forget an offer that the hub has no more."""
        declared = self.declared.pop(uid, None)
        if declared is None:
            return None
        for known in (self.statuses, self.assessed):
            known.pop(uid, None)
        self._holders.clear()
        self._dirty.discard(uid)
        self._index.remove(uid)
        if self._uids.get(declared.key) == uid:
            del self._uids[declared.key]
        self._offers = {key: offer for key, offer in self._offers.items() if offer.uid != uid}
        self._mark_cluster_dirty(declared)
        return declared

    def apply_provider(self, body: Body) -> None:
        """Take a Provider. One that does not parse grants nothing."""
        self._grants.apply(body)
        self._grants_changed()

    def remove_provider(self, uid: str) -> None:
        """Forget a Provider."""
        if self._grants.remove(uid):
            self._grants_changed()

    def _grants_changed(self) -> None:
        self._holders.clear()
        self._dirty |= set(self.declared)

    def link_changed(self, key: SecretRef, cluster_uid: str | None) -> None:
        """Hear that a link found something, or lost it."""
        self._holders.clear()
        for uid in self._index.with_secret(key):
            declared = self.declared[uid]
            self._index.put(uid, declared, cluster_uid=self.cluster_uid(declared))
            self._dirty.add(uid)
        if cluster_uid is not None:
            self._dirty |= self._index.with_cluster(cluster_uid)

    # --- what follows ---------------------------------------------------------------------------------------------

    def reassess(self) -> set[str]:
        """Assess again what changed; return the UIDs of the offers that were assessed."""
        looked, self._dirty = self._dirty, set()
        if not looked:
            return looked
        offers, grants = dict(self._offers), self._grants.all()
        for uid in sorted(looked):
            declared = self.declared[uid]
            assessed = assess(declared, grants, self.facts(declared), holder=self._holder(declared), hub=self._hub)
            self.assessed[uid] = assessed
            offers[declared.key] = assessed.offer
        self._offers = offers
        return looked

    @property
    def offers(self) -> Mapping[OfferKey, Offer]:
        """Return every offer as last assessed; a new mapping after each change."""
        return self._offers

    def find(self, key: OfferKey) -> DeclaredOffer | None:
        """Return a declared offer, None where there is none."""
        uid = self._uids.get(key)
        return self.declared.get(uid) if uid is not None else None

    def kubeconfigs(self) -> Mapping[SecretRef, OfferNamespaces]:
        """Return the kubeconfigs that offers name; with each, the namespaces of our jobs on its member. The same value until it changes."""
        return self._index.kubeconfigs()

    def timed(self) -> Set[str]:
        """Return the UIDs of the offers that time alone may change."""
        return self._index.timed()

    def facts(self, declared: DeclaredOffer) -> LinkFacts:
        """Return what the offer's link found."""
        return LinkFacts() if declared.secret is None else self._facts(declared.secret).of(declared.remote_namespace)

    def cluster_uid(self, declared: DeclaredOffer) -> str | None:
        """Return the member an offer is for: the one it was connected to first."""
        return declared.known_cluster_uid or (self._facts(declared.secret).cluster_uid if declared.secret is not None else None)

    def trusts_overrides(self, declared: DeclaredOffer) -> bool:
        """Tell whether the classes that the offer names for its pools are believed."""
        grant = self._grants.of(declared.key.namespace)
        return grant is not None and grant.trusts_overrides

    def holder(self, cluster_uid: str) -> DeclaredOffer | None:
        """Return the offer with whose namespace a cluster is."""
        if cluster_uid not in self._holders:
            contenders = ((declared, cluster_uid) for declared in self.of_cluster(cluster_uid) if self._contends(declared))
            self._holders[cluster_uid] = holder_of(cluster_uid, contenders)
        return self._holders[cluster_uid]

    def of_cluster(self, cluster_uid: str) -> Iterable[DeclaredOffer]:
        """Yield the offers that are for a cluster, in no order."""
        return (self.declared[uid] for uid in self._index.with_cluster(cluster_uid))

    def _holder(self, declared: DeclaredOffer) -> DeclaredOffer | None:
        found = self.facts(declared).cluster_uid
        return None if found is None else self.holder(found)

    def _contends(self, declared: DeclaredOffer) -> bool:
        """Tell whether an offer may hold a cluster: it is of a Provider's namespace, or was connected once."""
        return declared.known_cluster_uid is not None or self._grants.of(declared.key.namespace) is not None

    def _mark_cluster_dirty(self, declared: DeclaredOffer) -> None:
        cluster_uid = self.cluster_uid(declared)
        if cluster_uid is not None:
            self._dirty |= self._index.with_cluster(cluster_uid)


def _older(version: str, known: str) -> bool:
    return version.isdecimal() and known.isdecimal() and int(version) < int(known)
