"""A member as the scheduler sees it, kept current node by node: what is there, what its devices are, what is taken.

Values out, never changed afterwards; equal parts are shared with earlier values. No I/O, no clock.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from sampan.catalog import Catalog
from sampan.inventory.device_usage import contended, with_claims
from sampan.inventory.in_flight import InFlight
from sampan.inventory.member import Inventory
from sampan.inventory.used_capacity import UsedCapacity
from sampan.model.members.cluster import Cluster, Node
from sampan.model.members.device import DeviceGroup

InFlightSource = Callable[[str], Iterable[InFlight]]
"""`flights(cluster_uid)`: our assignments whose pods may not all be seen yet."""


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
        self._used = UsedCapacity(inventory)
        self._hami = (-1, False)
        """Whether HAMi publishes devices there, as of which generation."""
        self._devices: dict[str, tuple[DeviceGroup, ...]] = {}
        self._dirty: set[str] = set()
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
            self._cluster = replace(
                self._cluster,
                used=self._used.by_node(under_way),
                cards=self._used.cards(under_way, self._devices),
                rings=self._used.rings,
                contended=contended(self._inventory.waiting.values()),
                quotas=quotas.rules.quotas(under_way),
                queues=quotas.kueue.queues(under_way),
            )
        return self._cluster

    def _queueing(self) -> tuple[str, ...]:
        """Return the layers of the member: those that serve an API, and HAMi where it publishes devices."""
        if self._hami[0] != self.generation:
            self._hami = self.generation, any(group.publisher == "hami" for groups in self._devices.values() for group in groups)
        return tuple(sorted({*self._inventory.quotas.queueing, *(("HAMi",) if self._hami[1] else ())}))

    def _take_dirty(self) -> None:
        if self._used.claims_changed():
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
            # without the amounts that are made from its slices: they would be devices a second time
            self._used.count(name, self._seen.get(name), groups=self._devices.get(name, ()), catalog=self._catalog)
        self._stale = True
        self._cluster = replace(self._cluster, nodes=self._nodes, devices=self._devices)

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
