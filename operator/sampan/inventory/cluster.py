"""A member as the scheduler sees it, kept current node by node: what is there, what its devices are, what is taken.

Values out, never changed afterwards; equal parts are shared with earlier values. No I/O, no clock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sampan.catalog import Catalog
from sampan.inventory.device_usage import card_uses, claims_taken, contended, doubles_taken, rings_free, with_claims, with_planned
from sampan.inventory.in_flight import InFlight, PodUse, pods_by_node, unseen_replicas, unseen_use
from sampan.inventory.member import Inventory
from sampan.inventory.quotas import Device
from sampan.model.members.cluster import CardUse, Cluster, Node
from sampan.model.members.device import DeviceGroup
from sampan.model.values.vector import Vector

InFlightSource = Callable[[str], Iterable[InFlight]]
"""`flights(cluster_uid)`: our assignments whose pods may not all be seen yet."""


_Value = TypeVar("_Value")


class ClusterView:
    """Builds the Cluster of one member from what changed since the last one."""

    def __init__(self, uid: str, inventory: Inventory, catalog: Catalog) -> None:
        """Start with all that the inventory holds."""
        self.uid = uid
        self.generation = 0
        """Counts changes of nodes or of what their devices are: pools are stale when it moved."""
        self._inventory, self._catalog = inventory, catalog
        self._nodes: dict[str, Node] = {}
        self._seen: dict[str, Node] = {}
        """The nodes as the inventory has them: without what is had by claim."""
        self._card_uses: dict[str, dict[str, CardUse]] = {}
        self._rings: dict[str, tuple[int, ...]] = {}
        self._hami, self._hami_at = False, -1
        self._claimed: Mapping[Device, int] = {}
        self._devices: dict[str, tuple[DeviceGroup, ...]] = {}
        self._by_pods: dict[str, Vector] = {}
        self._dirty: set[str] = set()
        self._on: dict[str, frozenset[str]] = {}
        """Per node, the jobs of ours whose pods were there at the last look."""
        self._moved: set[str] = set()
        """Jobs of ours whose pods changed since the last count."""
        self._counted: dict[str, tuple[InFlight, Mapping[str, Vector]]] = {}
        self._stale = True
        self._cluster = Cluster(uid=uid)
        self.set_catalog(catalog)

    @property
    def inventory(self) -> Inventory:
        """Return what the view is built from."""
        return self._inventory

    def set_catalog(self, catalog: Catalog) -> None:
        """Resolve every node's devices anew, with this catalogue."""
        self._catalog = catalog
        self._devices = {}
        self._nodes = {}
        self._seen = {}
        self.mark_changed(set(self._inventory.nodes) | {use.node for use in self._inventory.pods.values()})
        self.generation += 1

    def mark_changed(self, nodes: Iterable[str]) -> None:
        """Count these nodes anew: they, or pods on them, changed."""
        self._dirty |= set(nodes)
        self._stale = True

    def in_flight_changed(self) -> None:
        """Count our assignments anew."""
        self._stale = True

    def nodes(self) -> Cluster:
        """Return the cluster with current nodes and devices; what is used may be older. For pools, which do not read it."""
        self._take_dirty()
        queueing = self._queueing()
        if queueing != self._cluster.queueing:
            self._stale = True
            self.generation += 1  # launch recipes may depend on it
            self._cluster = replace(self._cluster, queueing=queueing)
        kueue, admission = self._inventory.quotas.kueue, self._inventory.quotas.rules.admission
        if (admission, kueue.covered, kueue.open) != (self._cluster.admission, self._cluster.covered, self._cluster.open_queues):
            self._stale = True
            self.generation += 1  # pools say what is asked of pods there
            self._cluster = replace(self._cluster, admission=admission, covered=kueue.covered, open_queues=kueue.open)
        runtimes = self._inventory.runtime_classes.known
        if runtimes is not self._cluster.runtime_classes:
            self._stale = True
            self.generation += 1  # they select nodes, tolerate taints and add overhead
            self._cluster = replace(self._cluster, runtime_classes=runtimes)
        return self._cluster

    def cluster(self, attempts: InFlightSource) -> Cluster:
        """Return the cluster as it is now."""
        self.nodes()
        if self._stale:
            self._stale = False
            quotas = self._inventory.quotas
            under_way = tuple(attempts(self.uid))
            used = self._used(under_way)
            self._cluster = replace(
                self._cluster,
                used=used,
                cards=self._cards(under_way),
                rings=self._rings,
                contended=contended(self._inventory.waiting.values()),
                quotas=quotas.rules.quotas(under_way),
                queues=quotas.kueue.queues(under_way),
            )
        return self._cluster

    def _queueing(self) -> tuple[str, ...]:
        """Return the layers of the member: those that serve an API, and HAMi where it publishes devices."""
        if self._hami_at != self.generation:
            self._hami = any(group.publisher == "hami" for groups in self._devices.values() for group in groups)
            self._hami_at = self.generation
        return tuple(sorted({*self._inventory.quotas.queueing, *(("HAMi",) if self._hami else ())}))

    def _take_dirty(self) -> None:
        claimed = self._inventory.quotas.claimed
        if claimed is not self._claimed:
            self._claimed = claimed
            self._dirty |= {name for name, node in self._nodes.items() if node.slices}
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, set()
        changed = [name for name in dirty if self._inventory.nodes.get(name) is not self._seen.get(name)]
        if changed:
            self._nodes, self._devices = dict(self._nodes), dict(self._devices)
            for name in changed:
                self._take_node(name)
            self.generation += 1
        for name in dirty:
            pods = tuple(self._inventory.pods_on(name))
            ours = frozenset(use.job_uid for use in pods if use.job_uid is not None)
            self._moved |= ours | self._on.get(name, frozenset())
            self._on[name] = ours
            self._count(name, pods)
        self._stale = True
        self._cluster = replace(self._cluster, nodes=self._nodes, devices=self._devices)

    def _count(self, name: str, pods: Sequence[PodUse]) -> None:
        """Count anew what is taken on a node by what is seen there."""
        groups = self._devices.get(name, ())
        node = self._seen.get(name)  # without the amounts that are made from its slices: they would be devices a second time
        claims = claims_taken(node, groups, claimed=self._claimed, catalog=self._catalog) if node is not None else Vector()
        asked = Vector.total(use.request for use in pods)
        taken = Vector.total((asked, claims, doubles_taken(groups, asked, catalog=self._catalog)))
        _put(self._by_pods, name, taken if taken.amounts else None)
        _put(self._card_uses, name, card_uses(pods) or None)
        free = next((rings_free(group, pods) for group in groups if group.rings is not None), None)
        self._rings = {each: rings for each, rings in self._rings.items() if each != name} | ({name: free} if free else {})

    def _cards(self, attempts: Iterable[InFlight]) -> Mapping[tuple[str, str], CardUse]:
        """Return what is taken of every card: by pods that are seen, and by replicas that are planned."""
        uses = dict(self._card_uses)
        for attempt in attempts:
            if attempt.share is None:
                continue
            for name, replicas in unseen_replicas(attempt, pods_by_node(self._inventory.pods_of(attempt.job_uid))).items():
                cards = [card for group in self._devices.get(name, ()) for card in group.cards]
                uses[name] = with_planned(uses.get(name, {}), cards, share=attempt.share, replicas=replicas)
        return {(name, card): use for name, cards in uses.items() for card, use in cards.items()}

    def _take_node(self, name: str) -> None:
        node = self._inventory.nodes.get(name)
        if node is None:
            self._nodes.pop(name, None)
            self._devices.pop(name, None)
            self._seen.pop(name, None)
        else:
            self._devices[name] = self._catalog.resolve(node)
            self._nodes[name] = with_claims(node, self._devices[name])
            self._seen[name] = node

    def _used(self, attempts: Iterable[InFlight]) -> Mapping[str, Vector]:
        used = dict(self._by_pods)
        counted: dict[str, tuple[InFlight, Mapping[str, Vector]]] = {}
        for attempt in attempts:
            known = self._counted.get(attempt.job_uid)
            if known is None or known[0] is not attempt or attempt.job_uid in self._moved:
                known = attempt, unseen_use(attempt, self._inventory.pods_of(attempt.job_uid))
            counted[attempt.job_uid] = known
            for node, vector in known[1].items():
                used[node] = used[node] + vector if node in used else vector
        self._counted, self._moved = counted, set()
        return used


def _put(known: dict[str, _Value], name: str, value: _Value | None) -> None:
    if value is None:
        known.pop(name, None)
    else:
        known[name] = value
