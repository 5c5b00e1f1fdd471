"""A member as the scheduler sees it, kept current node by node: what is there, what its devices are, what is taken.

Values out, never changed afterwards; equal parts are shared with earlier values. No I/O, no clock.
"""

from collections.abc import Callable, Iterable, Mapping

from sampan.catalog import Catalog
from sampan.controller.inventory import Inventory
from sampan.model.cluster import Cluster, Node
from sampan.model.device import DeviceGroup
from sampan.model.vector import Vector
from sampan.scheduling.capacity import Flight, flight_use

Flights = Callable[[str], Iterable[Flight]]
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
        self._devices: dict[str, tuple[DeviceGroup, ...]] = {}
        self._by_pods: dict[str, Vector] = {}
        self._dirty: set[str] = set()
        self._on: dict[str, frozenset[str]] = {}
        """Per node, the jobs of ours whose pods were there at the last look."""
        self._moved: set[str] = set()
        """Jobs of ours whose pods changed since the last count."""
        self._counted: dict[str, tuple[Flight, Mapping[str, Vector]]] = {}
        self._stale = True
        self._cluster = Cluster(uid=uid)
        self.know(catalog)

    @property
    def inventory(self) -> Inventory:
        """Return what the view looks at."""
        return self._inventory

    def know(self, catalog: Catalog) -> None:
        """Look at every node anew, with this catalogue."""
        self._catalog = catalog
        self._devices = {}
        self._nodes = {}
        self.touch(set(self._inventory.nodes) | {use.node for use in self._inventory.pods.values()})
        self.generation += 1

    def touch(self, nodes: Iterable[str]) -> None:
        """Hear that nodes, or pods on them, changed."""
        self._dirty |= set(nodes)

    def flights_changed(self) -> None:
        """Hear that our assignments changed."""
        self._stale = True

    def nodes(self) -> Cluster:
        """Return the cluster with current nodes and devices; what is taken may be older. For pools, which do not look at it."""
        self._take_dirty()
        return self._cluster

    def cluster(self, flights: Flights) -> Cluster:
        """Return the cluster as it is now."""
        self._take_dirty()
        if self._stale:
            self._stale = False
            used = self._used(flights(self.uid))
            self._cluster = Cluster(uid=self.uid, nodes=self._cluster.nodes, devices=self._cluster.devices, used=used)
        return self._cluster

    def _take_dirty(self) -> None:
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, set()
        changed = [name for name in dirty if self._inventory.nodes.get(name) is not self._nodes.get(name)]
        if changed:
            self._nodes, self._devices = dict(self._nodes), dict(self._devices)
            for name in changed:
                self._take_node(name)
            self.generation += 1
        for name in dirty:
            pods = tuple(self._inventory.pods_on(name))
            requests = [use.request for use in pods]
            ours = frozenset(use.job_uid for use in pods if use.job_uid is not None)
            self._moved |= ours | self._on.get(name, frozenset())
            self._on[name] = ours
            if requests:
                self._by_pods[name] = Vector.total(requests)
            else:
                self._by_pods.pop(name, None)
        self._stale = True
        self._cluster = Cluster(uid=self.uid, nodes=self._nodes, devices=self._devices, used=self._cluster.used)

    def _take_node(self, name: str) -> None:
        node = self._inventory.nodes.get(name)
        if node is None:
            self._nodes.pop(name, None)
            self._devices.pop(name, None)
        else:
            self._nodes[name] = node
            self._devices[name] = self._catalog.resolve(node)

    def _used(self, flights: Iterable[Flight]) -> Mapping[str, Vector]:
        used = dict(self._by_pods)
        counted: dict[str, tuple[Flight, Mapping[str, Vector]]] = {}
        for flight in flights:
            known = self._counted.get(flight.job_uid)
            if known is None or known[0] is not flight or flight.job_uid in self._moved:
                known = flight, flight_use(flight, self._inventory.pods_of(flight.job_uid))
            counted[flight.job_uid] = known
            for node, vector in known[1].items():
                used[node] = used[node] + vector if node in used else vector
        self._counted, self._moved = counted, set()
        return used
