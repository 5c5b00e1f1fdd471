"""Pools: an offer's nodes, grouped by all that a demand can ask for. Views only; what is free stays with the nodes."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Final

from sampan.catalog import Catalog
from sampan.catalog.resolve import UNKNOWN_VENDOR
from sampan.model.accelerator import CountRule, Sharing
from sampan.model.cluster import Cluster, Node, Pool, Taint
from sampan.model.device import DeviceGroup
from sampan.model.names import GROUP
from sampan.model.offer import Offer, PoolRule

CPU_POOL: Final = "cpu"
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSummary:
    """What `ClusterOffer.status.pools` shows of a pool. Devices, not units."""

    name: str
    accelerator_class: str | None
    vendor: str
    domestic: bool
    sharing: Sharing
    resource_name: str
    architecture: str
    nodes: int
    devices: int
    free: int
    reserved: int
    largest_gang: tuple[int, int] | None
    """(devices per replica, replicas): the widest replica that fits now, and how many of it; None where nothing is free."""
    memory_per_device: int | None


@dataclass(frozen=True, slots=True)
class _Member:
    """A node as a member of one pool."""

    node: Node
    group: DeviceGroup | None
    rule: int | None
    tolerated: tuple[Taint, ...]


def pools_of(offer: Offer, cluster: Cluster, catalog: Catalog, *, home_origins: Set[str], trust_overrides: bool) -> tuple[Pool, ...]:
    """Return the pools of an offer on its member, by name.

    Only ready, uncordoned nodes that a rule selects (any, if the offer has no rules) and whose taints a pod of ours may tolerate.
    A node with several kinds of devices is in several pools. `trust_overrides`: believe classes that the rules name.
    """
    grouped: dict[Pool, list[str]] = {}
    for member in _members(offer, cluster, catalog):
        key = _pool(member, offer, catalog, home_origins=home_origins, trust_overrides=trust_overrides)
        grouped.setdefault(replace(key, cluster_uid=cluster.uid), []).append(member.node.name)
    bases = Counter(_base_name(pool) for pool in grouped)
    pools = (replace(pool, name=_name(pool, bases), nodes=tuple(sorted(nodes))) for pool, nodes in grouped.items())
    return tuple(sorted(pools, key=lambda pool: pool.name))


def left_out(offer: Offer, cluster: Cluster, catalog: Catalog) -> Mapping[str, int]:
    """Return how many nodes of the member are in none of the offer's pools, by cause: NotReady, Cordoned, NotSelected, Tainted.

    NotBelieved counts the other nodes some of whose devices are in no pool, because no node can have so many.
    """
    causes = Counter(_cause(offer, cluster, catalog, node=node) for node in cluster.nodes.values())
    return {cause: causes[cause] for cause in ("NotReady", "Cordoned", "NotSelected", "Tainted", "NotBelieved") if causes[cause]}


def describe(pool: Pool, cluster: Cluster) -> PoolSummary:
    """Return what to show of a pool now: all pods and assignments in flight are subtracted, the offer's cap is respected."""
    units = pool.accelerator.units_per_device if pool.accelerator else 1
    present = [name for name in pool.nodes if name in cluster.nodes]
    frees = [max(cluster.free(name)[pool.resource], 0) // units for name in present] if pool.resource else []
    devices = len(pool.nodes) * pool.devices_per_node
    free = sum(frees)
    if pool.max_devices is not None:
        free = max(min(free, pool.max_devices - (devices - free)), 0)
        devices = min(devices, pool.max_devices)
    return PoolSummary(
        name=pool.name,
        accelerator_class=pool.accelerator.name if pool.accelerator else None,
        vendor=pool.vendor,
        domestic=pool.domestic,
        sharing=pool.sharing,
        resource_name=pool.resource,
        architecture=pool.architecture,
        nodes=len(pool.nodes),
        devices=devices,
        free=free,
        reserved=0,
        largest_gang=_largest_gang(pool, frees, free),
        memory_per_device=pool.accelerator.memory if pool.accelerator else None,
    )


def _largest_gang(pool: Pool, frees: list[int], free: int) -> tuple[int, int] | None:
    """Return the widest replica that the class accepts and that fits on one node, and how many of them fit."""
    rule = pool.accelerator.count_rule if pool.accelerator else CountRule()
    per_replica = rule.largest(min(max(frees, default=0), free))
    if per_replica == 0:
        return None
    return per_replica, min(sum(amount // per_replica for amount in frees), free // per_replica)


def _members(offer: Offer, cluster: Cluster, catalog: Catalog) -> Iterator[_Member]:
    """Yield each usable node once per kind of devices it has, or once without any."""
    for name in sorted(cluster.nodes):
        node = cluster.nodes[name]
        rule = _rule(offer, node)
        if not node.ready or node.cordoned or (offer.rules and rule is None):
            continue
        for group in _groups(cluster, catalog, node) or (None,):
            if all(_tolerable(taint, group, catalog) for taint in node.taints):
                yield _Member(node, group, rule, tuple(sorted(node.taints)))


def _cause(offer: Offer, cluster: Cluster, catalog: Catalog, *, node: Node) -> str:
    if not node.ready:
        return "NotReady"
    if node.cordoned:
        return "Cordoned"
    if offer.rules and _rule(offer, node) is None:
        return "NotSelected"
    groups = _groups(cluster, catalog, node) or (None,)
    fine = any(all(_tolerable(taint, group, catalog) for taint in node.taints) for group in groups)
    if not fine:
        return "Tainted"
    return "NotBelieved" if catalog.unbelievable(node) else ""


def _rule(offer: Offer, node: Node) -> int | None:
    """Return the first rule that selects the node."""
    return next((index for index, rule in enumerate(offer.rules) if rule.selector.matches(node.labels)), None)


def _groups(cluster: Cluster, catalog: Catalog, node: Node) -> tuple[DeviceGroup, ...]:
    known = cluster.devices[node.name] if node.name in cluster.devices else catalog.resolve(node)
    return tuple(group for group in known if group.devices > 0)


def _tolerable(taint: Taint, group: DeviceGroup | None, catalog: Catalog) -> bool:
    """Tell whether a pod of ours may tolerate the taint: the device plugins' conventions and our own, never an unknown one."""
    if group is None:
        return taint.key.startswith(f"{GROUP}/")
    return catalog.conventional(taint.key, vendor=group.vendor, resource=group.resource)


def _pool(member: _Member, offer: Offer, catalog: Catalog, *, home_origins: Set[str], trust_overrides: bool) -> Pool:
    """Return the member's pool, without cluster, name and nodes: equal for nodes that are alike."""
    group, rule = member.group, offer.rules[member.rule] if member.rule is not None else None
    base = Pool(
        name="",
        cluster_uid="",
        nodes=(),
        architecture=member.node.architecture,
        telling_labels=tuple(sorted({*(group.telling_labels if group else ()), *(rule.selector.exact if rule else ())})),
        tolerated=member.tolerated,
        max_devices=rule.max_devices if rule else None,
        rule=member.rule,
    )
    if group is None:
        return base
    name = _overridden(group, rule, catalog) if trust_overrides else group.accelerator_class
    accelerator = catalog.get(name) if name else None
    return replace(
        base,
        vendor=accelerator.vendor if accelerator else group.vendor,
        resource=group.resource,
        accelerator=accelerator,
        domestic=accelerator is not None and accelerator.origin in home_origins,
        sharing=group.sharing,
        devices_per_node=group.devices,
    )


def _overridden(group: DeviceGroup, rule: PoolRule | None, catalog: Catalog) -> str | None:
    """Return the class that the rule names, where it can be one of these devices; else the detected one."""
    named = catalog.get(rule.accelerator_class) if rule and rule.accelerator_class else None
    return named.name if named and group.vendor in (named.vendor, UNKNOWN_VENDOR) else group.accelerator_class


def _base_name(pool: Pool) -> str:
    """Return a name that people recognise: `h100-sxm-80gb-x8`, `cpu`, `unknown-npu-x8`; what is unusual is said."""
    parts = [CPU_POOL]
    if pool.resource:
        short = pool.accelerator.name.removeprefix(f"{pool.vendor}-") if pool.accelerator else f"unknown-{pool.resource.partition('/')[2]}"
        parts = [short, "" if pool.sharing is Sharing.WHOLE else pool.sharing.lower(), f"x{pool.devices_per_node}"]
    if pool.architecture != "amd64":
        parts.append(pool.architecture)
    return _NOT_A_NAME.sub("-", "-".join(part for part in parts if part).lower()).strip("-")[:50]


def _name(pool: Pool, bases: Mapping[str, int]) -> str:
    """Return the base name; where several pools share it, each gets a suffix of its own, so that no name ever moves to another pool."""
    base = _base_name(pool)
    if bases[base] == 1:
        return base
    kind = replace(pool, name="", cluster_uid="", nodes=(), accelerator=None, max_devices=None)  # the rule tells caps apart
    told = f"{pool.accelerator.name if pool.accelerator else ''} {kind!r}"
    return f"{base}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"
