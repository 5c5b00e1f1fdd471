"""Offers, Providers and classes as the hub has them, and what each offer is worth: `joining.judge` kept current.

No I/O, no clock, no tasks. One object that does not parse never hurts another.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sampan.api.convert_class import ClassDeclaration, class_of
from sampan.api.convert_offer import Claim, Grant, InvalidObjectError, SecretRef, claim_of, grant_of
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.assessment import House, Joined, grant_for, holder_of, judge
from sampan.model.offer import Offer, OfferKey

log = logging.getLogger(__name__)

Body = Mapping[str, Any]


class OfferBook:
    """Everything by UID, and by key where an offer is looked up. `facts` gives what a link found."""

    def __init__(self, hub_cluster_uid: str, facts: Callable[[SecretRef], LinkFacts], *, currency: str = "CNY") -> None:
        """Start empty."""
        self._house, self._facts = House(cluster_uid=hub_cluster_uid, currency=currency), facts
        self.claims: dict[str, Claim] = {}
        self.statuses: dict[str, Mapping[str, Any]] = {}
        """`status` as the hub last showed it."""
        self.judged: dict[str, Joined] = {}
        self._uids: dict[OfferKey, str] = {}
        self._grants: dict[str, Grant] = {}
        self._classes: dict[str, ClassDeclaration] = {}
        self._offers: dict[OfferKey, Offer] = {}
        self._dirty: set[str] = set()

    # --- what the hub says ----------------------------------------------------------------------------------------

    def put_offer(self, body: Body) -> Claim | None:
        """Take an offer; None for a picture that is older than the known one."""
        uid = body["metadata"]["uid"]
        known = self.claims.get(uid)
        if known is not None and _older(body["metadata"]["resourceVersion"], known.resource_version):
            return None
        claim = claim_of(body, known)
        namesake = self._uids.get(claim.key)
        if namesake is not None and namesake != uid:
            self.drop_offer(namesake)
        self.claims[uid] = claim
        status = body.get("status")
        self.statuses[uid] = status if isinstance(status, Mapping) else {}
        self._uids[claim.key] = uid
        self._touch_cluster_of(claim)
        self._dirty.add(uid)
        return claim

    def drop_offer(self, uid: str) -> Claim | None:
        """Forget an offer that the hub has no more."""
        claim = self.claims.pop(uid, None)
        if claim is None:
            return None
        for known in (self.statuses, self.judged):
            known.pop(uid, None)
        self._dirty.discard(uid)
        if self._uids.get(claim.key) == uid:
            del self._uids[claim.key]
        self._offers = {key: offer for key, offer in self._offers.items() if offer.uid != uid}
        self._touch_cluster_of(claim)
        return claim

    def put_provider(self, body: Body) -> None:
        """Take a Provider. One that does not parse grants nothing."""
        uid = body["metadata"]["uid"]
        try:
            self._grants[uid] = grant_of(body)
        except InvalidObjectError as error:
            log.warning("provider.invalid", extra={"problem": str(error)})
            self._grants.pop(uid, None)
        self._dirty |= set(self.claims)

    def drop_provider(self, uid: str) -> None:
        """Forget a Provider."""
        if self._grants.pop(uid, None) is not None:
            self._dirty |= set(self.claims)

    def put_class(self, body: Body) -> None:
        """Take an AcceleratorClass. One that does not parse is left out."""
        uid = body["metadata"]["uid"]
        try:
            self._classes[uid] = class_of(body)
        except InvalidObjectError as error:
            log.warning("acceleratorclass.invalid", extra={"problem": str(error)})
            self._classes.pop(uid, None)

    def drop_class(self, uid: str) -> None:
        """Forget an AcceleratorClass."""
        self._classes.pop(uid, None)

    def link_changed(self, key: SecretRef, cluster_uid: str | None) -> None:
        """Hear that a link found something, or lost it."""
        for uid, claim in self.claims.items():
            if claim.secret == key or (cluster_uid is not None and self.cluster_uid(claim) == cluster_uid):
                self._dirty.add(uid)

    # --- what follows ---------------------------------------------------------------------------------------------

    def settle(self) -> set[str]:
        """Judge what changed anew; return the UIDs of the offers that were looked at."""
        looked, self._dirty = self._dirty, set()
        if not looked:
            return looked
        offers = dict(self._offers)
        for uid in sorted(looked):
            claim = self.claims[uid]
            joined = judge(claim, self._grants.values(), self.facts(claim), holder=self._holder(claim), house=self._house)
            self.judged[uid] = joined
            offers[claim.key] = joined.offer
        self._offers = offers
        return looked

    @property
    def offers(self) -> Mapping[OfferKey, Offer]:
        """Return every offer as last judged; a new mapping after each change."""
        return self._offers

    @property
    def classes(self) -> tuple[ClassDeclaration, ...]:
        """Return the declared classes by name; of two with one name the later is impossible on one hub."""
        return tuple(sorted(self._classes.values(), key=lambda each: each.accelerator.name))

    def claim(self, key: OfferKey) -> Claim | None:
        """Return the claim of an offer, None where there is none."""
        uid = self._uids.get(key)
        return self.claims.get(uid) if uid is not None else None

    def facts(self, claim: Claim) -> LinkFacts:
        """Return what the offer's link found."""
        return LinkFacts() if claim.secret is None else self._facts(claim.secret).of(claim.remote_namespace)

    def cluster_uid(self, claim: Claim) -> str | None:
        """Return the member an offer is for: the one it was connected to first."""
        return claim.known_cluster_uid or self.facts(claim).cluster_uid

    def trusts_overrides(self, claim: Claim) -> bool:
        """Tell whether the classes that the offer names for its pools are believed."""
        grant = grant_for(claim.key.namespace, self._grants.values())
        return grant is not None and grant.trusts_overrides

    def holder(self, cluster_uid: str) -> Claim | None:
        """Return the offer with whose namespace a cluster is."""
        return holder_of(cluster_uid, ((claim, self.cluster_uid(claim)) for claim in self._contenders()))

    def _holder(self, claim: Claim) -> Claim | None:
        found = self.facts(claim).cluster_uid
        return None if found is None else self.holder(found)

    def _contenders(self) -> Iterable[Claim]:
        """Yield offers that may hold a cluster: those of a Provider's namespaces, and those that once were connected."""
        for claim in self.claims.values():
            if claim.known_cluster_uid is not None or grant_for(claim.key.namespace, self._grants.values()) is not None:
                yield claim

    def _touch_cluster_of(self, claim: Claim) -> None:
        cluster_uid = self.cluster_uid(claim)
        if cluster_uid is not None:
            self._dirty |= {uid for uid, other in self.claims.items() if self.cluster_uid(other) == cluster_uid}


def _older(version: str, known: str) -> bool:
    return version.isdecimal() and known.isdecimal() and int(version) < int(known)
