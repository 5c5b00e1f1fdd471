"""What every node has and what of it is free, by number, as a snapshot has it and as a cycle takes it. No cells and no fits here.

kube-scheduler's NodeInfo as rows of integer tables: a node keeps its number for as long as the memo lives. What a cycle takes is taken
from `free` only; the next snapshot writes over it wherever the two differ.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sampan.model.members.accelerator import CountRule
from sampan.model.members.cluster import Cluster
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.node_versions import NodeId, NodeVersion, allocatable_differs, changed_nodes, version_of
from sampan.scheduling.capacity.resources import NodeResources, Request, ResourceIndex, clipped
from sampan.scheduling.capacity.topology import Cards, ring_table, take_cards


class NodeTable:
    """The nodes that any cell ever had. Owned by one memo; changed in place."""

    def __init__(self, names: ResourceIndex) -> None:
        self._resources = names
        self.free, self.allocatable = (NodeResources(np.zeros((0, 0), dtype=np.int64), {}, {}) for _ in range(2))
        self._clusters: dict[str, Cluster] = {}
        self._numbers: dict[NodeId, int] = {}
        self._ids: list[NodeId] = []
        self._versions: list[NodeVersion] = []
        self._rules: dict[int, tuple[CountRule, str]] = {}

    def __len__(self) -> int:
        """Return how many nodes there are."""
        return len(self._ids)

    def number(self, cluster_uid: str, node: str) -> int | None:
        """Return the number of a node, None where no cell ever had it."""
        return self._numbers.get((cluster_uid, node))

    def sync(self, wanted: Iterable[NodeId], clusters: Mapping[str, Cluster]) -> set[int]:
        """Take over a snapshot in which cells have some nodes; returns those that may be other than before: see `changes_of`."""
        new = sorted({node for node in wanted if node not in self._numbers})
        stale = {self._add((uid, name)) for uid, name in new if uid in clusters and name in clusters[uid].nodes}
        for uid, cluster in clusters.items():
            old = self._clusters.get(uid)
            if old is not cluster:
                stale.update(n for name in changed_nodes(old, cluster) if (n := self._numbers.get((uid, name))) is not None)
        self._clusters = dict(clusters)
        return stale

    def changes_of(self, nodes: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return those of the nodes of which only what is taken differs, and those that have other amounts."""
        used, whole = list[int](), list[int]()
        for node in nodes:
            old, new = self._versions[node], version_of(self._clusters, self._ids[node])
            if allocatable_differs(old, new):
                whole.append(node)
            elif old != new:
                used.append(node)
        return used, whole

    def set_rings(self, node: int, rule: CountRule, resource: str) -> None:
        """Have a node consist of rings."""
        if self._rules.get(node) != (rule, resource):
            self._rules[node] = rule, resource
            self.write(node)

    def take(self, node: int, amounts: Vector, *, request: Request, replicas: int) -> None:
        """Take what replicas of a request use: `amounts` each, and their parts of cards."""
        for resource, amount in amounts:
            self.free.amounts[node, self._resources.position(resource)] -= amount * replicas
        if request.share is not None and node in self.free.cards:
            for _ in range(replicas):
                self.free.cards[node] = take_cards(self.free.cards[node], request.share, request.count)
        if node in self._rules:
            rule, resource = self._rules[node]
            units = self._resources.position(resource)
            self.free.rings[node] = ring_table(None, int(self.free.amounts[node, units]), groups=self._groups(node, rule, units), rule=rule)

    def _add(self, node: NodeId) -> int:
        self._numbers[node] = len(self._ids)
        self._ids.append(node)
        self._versions.append(())
        return len(self._ids) - 1

    def write(self, node: int) -> None:
        """Write down one node as the snapshot has it."""
        uid, name = self._ids[node]
        cluster = self._clusters.get(uid)
        known = cluster.nodes.get(name) if cluster is not None else None
        self._versions[node] = version_of(self._clusters, (uid, name))
        whole = clipped(known.allocatable) if known is not None else {}
        used = clipped(cluster.used.get(name, Vector())) if cluster is not None else {}
        columns = {resource: self._resources.position(resource) for resource in sorted({*whole, *used})}
        for stock in (self.free, self.allocatable):
            stock.resize(len(self._ids), len(self._resources))
            stock.amounts[node] = 0
        for resource, column in columns.items():
            self.allocatable.amounts[node, column] = whole.get(resource, 0)
            self.free.amounts[node, column] = whole.get(resource, 0) - used.get(resource, 0)
        if cluster is not None and known is not None:
            self._write_parts(node, cluster, name)

    def _write_parts(self, node: int, cluster: Cluster, name: str) -> None:
        cards = [(group, card) for group in cluster.devices.get(name, ()) for card in group.cards]
        if cards:
            self.allocatable.cards[node] = np.array([(card.memory, card.cores, card.slots) for _, card in cards], dtype=np.int64)
            self.free.cards[node] = self.allocatable.cards[node] - _taken(cluster, name, [card.id for _, card in cards])
        if node in self._rules:
            rule, resource = self._rules[node]
            units = self._resources.position(resource)
            for stock, rings in ((self.free, cluster.rings.get(name)), (self.allocatable, None)):
                stock.rings[node] = ring_table(rings, int(stock.amounts[node, units]), groups=self._groups(node, rule, units), rule=rule)

    def _groups(self, node: int, rule: CountRule, column: int) -> int:
        return max(-(-int(self.allocatable.amounts[node, column]) // rule.group_size), 1)


def _taken(cluster: Cluster, node: str, cards: Sequence[str]) -> Cards:
    uses = [cluster.cards.get((node, card)) for card in cards]
    return np.array([(0, 0, 0) if use is None else (use.memory, use.cores, use.slots) for use in uses], dtype=np.int64)
