"""Pools of every offer and the clusters they lie on, recomputed only where something changed. No I/O, no clock."""

from collections.abc import Iterable, Mapping

from sampan.catalog import Catalog
from sampan.inventory.cluster import ClusterView, InFlightSource
from sampan.inventory.member import Inventory
from sampan.inventory.pools.cells import OfferCells
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.pools.summary import ExcludedNodes, excluded_nodes
from sampan.model.members.cluster import Cell, Cluster, Pool
from sampan.model.members.offer import Offer, OfferKey


class OfferPools:
    """Offers by key, clusters by UID."""

    def __init__(self, catalog: Catalog, home_origins: frozenset[str]) -> None:
        """Start empty."""
        self._catalog, self._home = catalog, home_origins
        self._offers: dict[OfferKey, tuple[Offer, bool]] = {}
        self._views: dict[str, ClusterView] = {}
        self._pools: dict[OfferKey, tuple[tuple[object, ...], tuple[Pool, ...]]] = {}
        self._excluded: dict[OfferKey, tuple[tuple[object, ...], tuple[ExcludedNodes, ...]]] = {}
        self._cells = OfferCells()
        self._touched: set[str] = set()
        """Members of which something was heard since the cells were last asked for."""
        self._generations: dict[str, tuple[ClusterView, int]] = {}
        self._stale: set[OfferKey] = set()
        """Offers that changed, or whose members did, since the cells were put together."""

    @property
    def catalog(self) -> Catalog:
        """Return the catalogue that the pools are told by."""
        return self._catalog

    def set_offer(self, offer: Offer, *, trust_overrides: bool) -> None:
        """Take an offer as it was assessed."""
        if self._offers.get(offer.key) != (offer, trust_overrides):
            self._offers[offer.key] = offer, trust_overrides
            self._stale.add(offer.key)

    def remove_offer(self, key: OfferKey) -> None:
        """Drop an offer."""
        self._offers.pop(key, None)
        self._stale.add(key)
        self._pools.pop(key, None)
        self._excluded.pop(key, None)

    def set_catalog(self, catalog: Catalog) -> None:
        """Resolve every node anew."""
        self._catalog = catalog
        for view in self._views.values():
            view.set_catalog(catalog)
        self._touched |= self._views.keys()

    def attach_member(self, cluster_uid: str, inventory: Inventory | None) -> None:
        """Read a cluster from this inventory from now on; None: the cluster is gone."""
        known = self._views.get(cluster_uid)
        self._touched.add(cluster_uid)
        if inventory is None:
            self._views.pop(cluster_uid, None)
        elif known is None or known.inventory is not inventory:
            self._views[cluster_uid] = ClusterView(cluster_uid, inventory, self._catalog)

    def mark_changed(self, cluster_uid: str, inventory: Inventory, nodes: Iterable[str]) -> bool:
        """Hear of changes seen by one link; tell whether it is the one that counts for the cluster."""
        view = self._views.get(cluster_uid)
        if view is None or view.inventory is not inventory:
            return False
        view.mark_changed(nodes)
        self._touched.add(cluster_uid)
        return True

    def in_flight_changed(self, cluster_uid: str) -> None:
        """Hear that our assignments to a cluster changed."""
        view = self._views.get(cluster_uid)
        if view is not None:
            view.in_flight_changed()

    def pools(self, key: OfferKey) -> tuple[Pool, ...]:
        """Return the pools of an offer, by name; none before its member was met."""
        met = self._met(key)
        if met is None:
            return ()
        offer, trusted, view = met
        cluster = view.nodes()
        where = offer.member_queue, offer.namespace, offer.tenant_namespaces
        basis = (view, view.generation, offer.rules, offer.launch, offer.tolerations, where, trusted)
        known = self._pools.get(key)
        if known is None or known[0] != basis:
            fresh = pools_of(offer, cluster, self._catalog, home_origins=self._home, trust_overrides=trusted)
            known = basis, known[1] if known is not None and known[1] == fresh else fresh
            self._pools[key] = known
        return known[1]

    def sees_runtime_classes(self, key: OfferKey) -> bool:
        """Tell whether the offer's member lets us look at its RuntimeClasses."""
        met = self._met(key)
        return met is not None and met[2].inventory.runtime_classes.known is not None

    def _met(self, key: OfferKey) -> tuple[Offer, bool, ClusterView] | None:
        """Return an offer, whether the classes that it names are believed, and its member; None before that was met."""
        offer, trusted = self._offers.get(key, (None, False))
        view = self._views.get(offer.cluster_uid) if offer is not None and offer.cluster_uid is not None else None
        return None if offer is None or view is None else (offer, trusted, view)

    def excluded_nodes(self, key: OfferKey) -> tuple[ExcludedNodes, ...]:
        """Return what of the member is in none of the offer's pools; looked up anew only where nodes or rules changed."""
        self.pools(key)
        met = self._met(key)
        if met is None:
            return ()
        offer, trusted, view = met
        basis = (view, view.generation, offer.rules, offer.launch, offer.tolerations, trusted)
        known = self._excluded.get(key)
        if known is None or known[0] != basis:
            known = self._excluded[key] = basis, excluded_nodes(offer, view.nodes(), self._catalog, trust_overrides=trusted)
        return known[1]

    def cells(self) -> tuple[Cell, ...]:
        """Return every pool of every offer, by offer and name; the same value where nothing changed."""
        self._look_at_touched()
        while self._stale:
            key = next(iter(self._stale))
            self._cells.put(key, self.pools(key) if key in self._offers else None)
            self._stale.discard(key)
        return self._cells.all()

    def _look_at_touched(self) -> None:
        """See whether nodes or devices of those members changed, by the generations of their views."""
        touched, self._touched = self._touched, set()
        moved: set[str | None] = set()
        for uid in touched:
            view = self._views.get(uid)
            if view is not None:
                view.nodes()  # takes in all that it heard
            fresh = None if view is None else (view, view.generation)
            if fresh != self._generations.get(uid):
                moved.add(uid)
                if fresh is None:
                    del self._generations[uid]
                else:
                    self._generations[uid] = fresh
        if moved:
            self._stale.update(key for key, (offer, _) in self._offers.items() if offer.cluster_uid in moved)

    def nodes(self, uid: str | None) -> Cluster | None:
        """Return one cluster with its nodes as they are now; what is used may be older. None: no such member was met."""
        view = self._views.get(uid) if uid else None
        return None if view is None else view.nodes()

    def cluster(self, uid: str | None, in_flight: InFlightSource) -> Cluster | None:
        """Return one cluster as it is now, with what is in flight there."""
        view = self._views.get(uid) if uid else None
        return None if view is None else view.cluster(in_flight)

    def clusters(self, in_flight: InFlightSource) -> Mapping[str, Cluster]:
        """Return all clusters as they are now, with what is in flight there."""
        return {uid: view.cluster(in_flight) for uid, view in sorted(self._views.items())}
