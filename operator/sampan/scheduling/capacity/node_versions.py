"""What tells that a node changed between two snapshots, found at the cost of what differs. What nodes have is in `nodes`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from sampan.model.members.cluster import Cluster

NodeId = tuple[str, str]
"""Cluster UID and node name."""
NodeVersion = tuple[object, ...]
K = TypeVar("K")


def version_of(clusters: Mapping[str, Cluster], node: NodeId) -> NodeVersion:
    """Return values whose identity, or equality for small ones, tells whether anything about a node has changed."""
    uid, name = node
    cluster = clusters.get(uid)
    if cluster is None:
        return ()
    groups = cluster.devices.get(name, ())
    cards = tuple(cluster.cards.get((name, card.id)) for group in groups for card in group.cards)
    return (id(cluster.nodes.get(name)), cluster.nodes.get(name), cluster.used.get(name), groups, cluster.rings.get(name), cards)


def allocatable_differs(old: NodeVersion, new: NodeVersion) -> bool:
    """Tell whether a node may have other amounts than before, whatever is taken of them."""
    return not (old and new and old[0] == new[0] and old[3] == new[3])


def changed_nodes(old: Cluster | None, new: Cluster) -> Iterable[str]:
    """Return the nodes of which anything in a version is another object than before; all where nothing was known before."""
    if old is None:
        return new.nodes
    names = {
        *_differing(old.nodes, new.nodes),
        *_differing(old.used, new.used),
        *_differing(old.devices, new.devices),
        *_differing(old.rings, new.rings),
        *(node for node, _ in _differing(old.cards, new.cards)),
    }
    return sorted(names)


def _differing(old: Mapping[K, object], new: Mapping[K, object]) -> Iterator[K]:
    """Yield the keys of which the values are not the very same, one side's missing included."""
    if old is new:
        return
    for key, value in new.items():
        if old.get(key) is not value:
            yield key
    if len(old) != len(new) or old.keys() != new.keys():
        yield from (key for key in old if key not in new)
