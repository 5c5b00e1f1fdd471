"""What `ClusterOffer.status.pools` shows of pools: how much there is, how much is free, and what is excluded and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sampan.catalog import Catalog
from sampan.catalog.counting import CONTRADICTORY
from sampan.inventory.pools.grouping import groups_of, rule_of
from sampan.inventory.pools.launching import Launching, launching, taints_against, unselected
from sampan.inventory.pools.node_room import usable
from sampan.inventory.pools.taints import advice
from sampan.model.members.accelerator import CountRule, Sharing
from sampan.model.members.cluster import CardUse, Cluster, Node, Pool
from sampan.model.members.device import DeviceGroup
from sampan.model.members.offer import Offer, OfferKey
from sampan.scheduling.capacity.limits import devices_of


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
    schedulable: int = 0
    """Free devices that pods can still be given: on nodes with a pod slot, CPU, memory and disk left."""
    cards: int | None = None
    """Whole devices that `devices` are, or are parts or shares of; None where that cannot be told."""
    profile: str = ""
    """Partition of the devices."""
    publisher: str = ""
    fabric: str = ""
    domains: int = 0
    """Fabric domains of the pool."""
    variant_unknown: bool = False
    contended: int = 0
    """Devices that foreign pods still wait for on this member."""
    taints: tuple[str, ...] = ()
    """Taints of its nodes, which jobs there tolerate."""
    identifying: tuple[str, ...] = ()
    """Where the model cannot be told: what the node says, and which labels would tell."""


@dataclass(frozen=True, slots=True, order=True)
class ExcludedNodes:
    """Nodes or devices of the member that are in none of the offer's pools, with the cause."""

    cause: str
    """Why nodes are out (see `_outside`); NotAllocatable, Unhealthy, or why the catalogue ignores a resource: devices."""
    vendor: str
    nodes: int
    devices: int
    example: str
    """One of the nodes, with the resource where there is one."""
    detail: str = ""
    """What tells it, or what would include the nodes."""


def summarise(pool: Pool, cluster: Cluster, *, used: int = 0, kept: int = 0) -> PoolSummary:
    """Return what to show of a pool now: all pods and assignments in flight are subtracted, the offer's cap is respected.

    `used`: devices that count against the cap (see `own_use`). `kept`: devices that reservations keep in the pool.
    """
    units, have = pool.units_per_device, pool.device_class
    present = [name for name in pool.nodes if name in cluster.nodes]
    frees = [_free(pool, cluster, name=name, units=units) for name in present] if pool.resource else []
    usables = [usable(free, cluster, name, sharing=pool.sharing) for name, free in zip(present, frees, strict=False)]
    devices = sum(_devices(pool, cluster, name) for name in present)
    free, schedulable = sum(frees), sum(usables)
    if pool.max_devices is not None:
        free = max(min(free, pool.max_devices - used), 0)
        schedulable = min(schedulable, free)
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
        reserved=kept,
        schedulable=schedulable,
        largest_gang=_largest_gang(pool, usables, schedulable),
        memory_per_device=have.memory if have else None,
        cards=_physical(pool, cluster, present) if pool.resource else None,
        profile=pool.profile,
        publisher=pool.publisher,
        fabric=pool.fabric,
        domains=len(pool.domains),
        variant_unknown=pool.variant_unknown,
        contended=cluster.contended[pool.resource][pool.resource] // units if pool.resource in cluster.contended else 0,
        taints=tuple(str(taint) for taint in pool.tolerated),
        identifying=_tell(pool, cluster) if pool.resource and pool.accelerator is None else (),
    )


def own_use(offer: OfferKey, pools: Iterable[Pool], cluster: Cluster) -> dict[int, int]:
    """Return by rule the devices that jobs hold by this offer in all pools of the rule: what counts against its cap."""
    known = {pool.name: pool for pool in pools}
    used: dict[int, int] = {}
    for running in cluster.running.values():
        pool = known.get(running.pool) if running.offer == offer else None
        if pool is not None and pool.rule is not None:
            used[pool.rule] = used.get(pool.rule, 0) + devices_of(running, pool)
    return used


def _devices(pool: Pool, cluster: Cluster, name: str) -> int:
    """Return the healthy devices of the pool's kind on a node."""
    return sum(group.devices for group in cluster.devices.get(name, ()) if group.resource == pool.resource)


def _physical(pool: Pool, cluster: Cluster, names: Iterable[str]) -> int | None:
    """Return the cards behind the pool's devices, None where those of one node cannot be told."""
    told = [group.physical for name in names for group in cluster.devices.get(name, ()) if group.resource == pool.resource]
    known = [amount for amount in told if amount is not None]
    return sum(known) if len(known) == len(told) else None


def _free(pool: Pool, cluster: Cluster, *, name: str, units: int) -> int:
    """Return the free devices of a node: of cards handed out in shares those that still have a slot and memory."""
    scalar = max(cluster.free(name)[pool.resource], 0) // units
    cards = [card for group in cluster.devices.get(name, ()) if group.resource == pool.resource for card in group.cards]
    if pool.sharing is not Sharing.VIRTUAL or not cards:
        return scalar
    uses = [(card, cluster.cards.get((name, card.id), CardUse())) for card in cards]
    return min(scalar, sum(1 for card, use in uses if use.slots < card.slots and use.memory < card.memory))


def _tell(pool: Pool, cluster: Cluster) -> tuple[str, ...]:
    groups = (group for name in pool.nodes[:1] for group in cluster.devices.get(name, ()) if group.resource == pool.resource)
    return next((group.evidence for group in groups), ())


def _largest_gang(pool: Pool, frees: list[int], free: int) -> tuple[int, int] | None:
    """Return the widest replica that the class accepts and that fits on one node, and how many of them fit."""
    if pool.sharing in (Sharing.PARTITION, Sharing.VIRTUAL):
        return (1, free) if free else None  # several parts are no larger device
    rule = pool.accelerator.count_rule if pool.accelerator else CountRule()
    per_replica = rule.largest(min(max(frees, default=0), free))
    if per_replica == 0:
        return None
    return per_replica, min(sum(amount // per_replica for amount in frees), free // per_replica)


def excluded_nodes(offer: Offer, cluster: Cluster, catalog: Catalog, *, trust_overrides: bool = False) -> tuple[ExcludedNodes, ...]:
    """Return what of the member is in none of the offer's pools: nodes by cause, then devices by cause and vendor."""
    found: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    for name in sorted(cluster.nodes):
        node = cluster.nodes[name]
        groups = groups_of(cluster, catalog, node)
        rule = rule_of(offer, node)
        trusted = offer.rules[rule] if trust_overrides and rule is not None else None
        ways = [(group, launching(offer, cluster, catalog, group=group, trusted=trusted)) for group in groups]
        out = _outside(offer, ways, catalog, node=node)
        if out is not None:
            cause, detail = out
            found.setdefault((cause, "", detail), []).append((name, sum(group.devices for group in groups if group)))
            continue
        for cause, vendor, amount, resource, detail in _missing(cluster.devices.get(name, ()), catalog, node):
            found.setdefault((cause, vendor, detail), []).append((f"{name} {resource}", amount))
    return tuple(
        ExcludedNodes(cause, vendor, len(told), sum(amount for _, amount in told), told[0][0], detail)
        for (cause, vendor, detail), told in sorted(found.items())
    )


def _outside(offer: Offer, ways: Sequence[tuple[DeviceGroup | None, Launching]], catalog: Catalog, *, node: Node) -> tuple[str, str] | None:
    """Return (cause, detail) of a node that is in no pool: what is for good first, then what may pass, then what the offer says."""
    if node.unfit is not None:
        return node.unfit
    if not node.ready:
        return "NotReady", ""
    if node.cordoned:
        return "Cordoned", ""
    if offer.rules and rule_of(offer, node) is None:
        return "NotSelected", ""
    against = [(taints_against(how, node, group=group, catalog=catalog), unselected(how, node)) for group, how in ways]
    if not against or any(not taints and not labels for taints, labels in against):
        return None
    taints, labels = against[0]
    return ("Tainted", advice(taints)) if taints else ("RuntimeClassElsewhere", labels)


def _missing(groups: tuple[DeviceGroup, ...], catalog: Catalog, node: Node) -> Iterator[tuple[str, str, int, str, str]]:
    """Yield (cause, vendor, devices, resource, detail) of devices that are in no pool."""
    for group in groups:
        if group.missing:
            yield "NotAllocatable", group.vendor, group.unhealthy, group.resource, group.missing
        elif group.unhealthy:
            yield "Unhealthy", group.vendor, group.unhealthy, group.resource, ""
    for ignored in catalog.examine(node).ignored:
        if ignored.why in ("NotBelieved", "SecondPublisher", "Partitioned", "Stale", "Incomplete", CONTRADICTORY):
            shown = next((group for group in groups if group.resource == ignored.resource), None)
            detail = shown.evidence[0] if shown is not None and ignored.why == CONTRADICTORY and shown.evidence else ""
            yield ignored.why, "", ignored.amount, ignored.resource, detail
