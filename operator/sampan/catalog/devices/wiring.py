"""Tells how a node's devices are wired, and which of them the vendor leaves out: rings, fabric domains, health words."""

import re
from collections.abc import Iterable
from typing import Final

from sampan.catalog.devices.in_use import allocated_rings
from sampan.catalog.packaged.facts import FabricLabel, LabelFacts
from sampan.model.members.cluster import Node
from sampan.model.members.device import MAX_DEVICES_PER_NODE, Fabric
from sampan.model.values.names import GROUP

MOST_TEXT: Final = 262_144
RACK: Final = "Rack"
RACK_LABEL: Final = f"topology.{GROUP}/rack"
_SPLIT: Final = re.compile(r"[.,]")
_DOMAIN: Final = 128


def fabric_of(fabrics: Iterable[FabricLabel], node: Node) -> Fabric | None:
    """Return the first fabric domain that the node names by label or annotation; None where it names none."""
    for fabric in fabrics:
        value = (node.labels.get(fabric.key) or node.annotations.get(fabric.key) or "").strip()
        if 0 < len(value) <= _DOMAIN and fabric.pattern.fullmatch(value):
            return Fabric(fabric.kind, value)
    return None


def rack_of(node: Node) -> Fabric | None:
    """Return the rack that our own label names: for nodes whose vendor names no fabric."""
    value = node.labels.get(RACK_LABEL, "")
    return Fabric(RACK, value[:_DOMAIN]) if value else None


def unhealthy_of(labels: LabelFacts, node: Node) -> int:
    """Return how many devices the vendor's own health words name on the node, each once."""
    texts = [node.labels.get(key) or node.annotations.get(key) or "" for key in labels.unhealthy]
    return len({name for text in texts for name in _SPLIT.split(text[:MOST_TEXT], MAX_DEVICES_PER_NODE) if name.strip()})


def rings_of(labels: LabelFacts, node: Node, resource: str, *, devices: int, size: int) -> tuple[int, ...] | None:
    """Return the devices per ring; None where the class has no rings, or where it is not known which devices are missing."""
    if size <= 0 or not 0 < devices <= MAX_DEVICES_PER_NODE:
        return None
    if devices % size == 0:
        return (size,) * (devices // size)
    for key in (resource, *labels.devices):
        names = [name.strip() for name in node.annotations.get(key, "")[:MOST_TEXT].split(",", MAX_DEVICES_PER_NODE)]
        rings = allocated_rings(names, (size,) * -(-devices // size))
        if sum(rings) == devices:
            return rings
    return None
