"""Which offers name a kubeconfig and which are for a cluster: kept at each change, so that word of a link costs what concerns it. Pure."""

from collections.abc import Mapping, Set
from typing import TypeVar

from sampan.api.convert.offers import DeclaredOffer, SecretRef
from sampan.controller.members.tenants import OfferNamespaces

K = TypeVar("K")


class OfferIndex:
    """UIDs of offers by kubeconfig and by the kube-system UID of their member."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[str, tuple[SecretRef | None, str | None]] = {}
        self._namespaces: dict[str, tuple[str, bool]] = {}
        """On the member, and whether a list of tenants there says where jobs run."""
        self._kubeconfigs: Mapping[SecretRef, OfferNamespaces] | None = None
        self._by_secret: dict[SecretRef | None, set[str]] = {}
        self._by_cluster: dict[str | None, set[str]] = {}
        self._timed: set[str] = set()

    def put(self, uid: str, declared: DeclaredOffer, *, cluster_uid: str | None) -> None:
        """Take an offer, or what it names now."""
        secret, namespace = declared.secret, (declared.remote_namespace, declared.per_tenant)
        if self._entries.get(uid) != (secret, cluster_uid) or self._namespaces[uid] != namespace:
            self.remove(uid)
            self._entries[uid], self._namespaces[uid] = (secret, cluster_uid), namespace
            self._by_secret.setdefault(secret, set()).add(uid)
            self._by_cluster.setdefault(cluster_uid, set()).add(uid)
        timed = declared.deleting or declared.valid_from is not None or declared.valid_until is not None
        (self._timed.add if timed else self._timed.discard)(uid)

    def remove(self, uid: str) -> None:
        """Forget an offer."""
        secret, cluster_uid = self._entries.pop(uid, (None, None))
        self._namespaces.pop(uid, None)
        self._kubeconfigs = None
        self._timed.discard(uid)
        if uid in self._by_secret.get(secret, ()):
            _discard(self._by_secret, secret, uid)
            _discard(self._by_cluster, cluster_uid, uid)

    def kubeconfigs(self) -> Mapping[SecretRef, OfferNamespaces]:
        """Return the kubeconfigs that offers name, each with the namespaces on its member; the same value until one of them changes."""
        if self._kubeconfigs is None:
            named = {secret: {self._namespaces[uid] for uid in uids} for secret, uids in self._by_secret.items() if secret is not None}
            self._kubeconfigs = {secret: _together(namespaces) for secret, namespaces in named.items()}
        return self._kubeconfigs

    def with_secret(self, secret: SecretRef) -> Set[str]:
        """Return the offers that name a kubeconfig."""
        return frozenset(self._by_secret.get(secret, ()))

    def timed(self) -> Set[str]:
        """Return the offers that time alone may change: those that drain, and those with a validity."""
        return frozenset(self._timed)

    def with_cluster(self, cluster_uid: str) -> Set[str]:
        """Return the offers that are for a cluster."""
        return frozenset(self._by_cluster.get(cluster_uid, ()))


def _together(named: Set[tuple[str, bool]]) -> OfferNamespaces:
    return OfferNamespaces(named=frozenset(name for name, _ in named), per_tenant=frozenset(name for name, each in named if each))


def _discard(index: dict[K, set[str]], key: K, uid: str) -> None:
    index[key].discard(uid)
    if not index[key]:
        del index[key]
