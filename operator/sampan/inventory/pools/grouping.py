"""Pools: an offer's nodes, grouped by all that a demand can ask for. Views only; what is free stays with the nodes.

Names are in `names`, what people see of a pool in `summary`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace

from sampan.catalog import Catalog
from sampan.inventory.pools.launching import Launching, launching, taints_against, unselected
from sampan.inventory.pools.names import base_name, name_of
from sampan.inventory.pools.taints import for_devices_only
from sampan.model.members.admission import NO_ADMISSION, Admission
from sampan.model.members.cluster import Cell, Cluster, Node, Pool
from sampan.model.members.device import DeviceGroup
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.values.vector import Vector
from sampan.scheduling.feasibility.versions import version_key


@dataclass(frozen=True, slots=True)
class _Member:
    """A node as a member of one pool."""

    node: Node
    group: DeviceGroup | None
    rule: int | None
    how: Launching


def pools_of(offer: Offer, cluster: Cluster, catalog: Catalog, *, home_origins: Set[str], trust_overrides: bool) -> tuple[Pool, ...]:
    """Return the pools of an offer on its member, by name.

    Only ready, uncordoned Linux nodes that a rule selects (any, if the offer has no rules) and whose taints a pod of ours may tolerate.
    A node with several kinds of devices is in several pools. `trust_overrides`: believe classes that the rules name.
    """
    grouped: dict[Pool, list[_Member]] = {}
    for member in _members(offer, cluster, catalog, trust_overrides=trust_overrides):
        key = replace(_pool(member, offer, catalog, home_origins=home_origins), cluster_uid=cluster.uid)
        grouped.setdefault(key, []).append(member)
    bases = Counter(base_name(pool) for pool in grouped)
    pools = (_filled(pool, members, name=name_of(pool, bases)) for pool, members in grouped.items())
    asked = _admission(offer, cluster)
    tenants = None if offer.tenant_namespaces is None else tuple(sorted(offer.tenant_namespaces.items()))
    shut = _queue_inactive(offer, cluster)
    ours = (
        replace(
            pool,
            namespace=offer.namespace,
            tenant_namespaces=tenants,
            admission=asked,
            covers=cluster.covered.get(pool.member_queue),
            queue_inactive=shut,
        )
        for pool in pools
    )
    return tuple(sorted(ours, key=lambda pool: pool.name))


def _admission(offer: Offer, cluster: Cluster) -> Admission:
    """Return what is asked of pods in the offer's namespace; where tenants have their own, what is asked in any of them."""
    if offer.tenant_namespaces is None:
        return cluster.admission.get(offer.namespace, NO_ADMISSION)
    asked = [cluster.admission.get(namespace, NO_ADMISSION) for namespace in sorted(set(offer.tenant_namespaces.values()))]
    limits, compulsory = (item for each in asked for item in each.limits), (item for each in asked for item in each.compulsory)
    return Admission(limits=tuple(dict.fromkeys(limits)), compulsory=tuple(dict.fromkeys(compulsory)))


def _queue_inactive(offer: Offer, cluster: Cluster) -> bool:
    """Tell whether the member is known not to let jobs through the queue that an offer names."""
    known = cluster.open_queues.get(offer.namespace, cluster.open_queues.get(""))
    return bool(offer.member_queue) and known is not None and offer.member_queue not in known


def cells_of(offer: OfferKey, pools: Iterable[Pool]) -> Iterator[Cell]:
    """Yield the cells of an offer: every pool, and every fabric domain of a pool with more than one node."""
    for pool in pools:
        yield Cell(offer=offer, pool=pool)
        for domain, _ in pool.domains:
            yield Cell(offer=offer, pool=pool, domain=domain)


def _filled(pool: Pool, members: list[_Member], *, name: str) -> Pool:
    """Return a pool with its nodes, their fabric domains, and the least versions among them."""
    domains: dict[str, list[str]] = {}
    for member in members:
        if member.group is not None and member.group.fabric is not None:
            domains.setdefault(member.group.fabric.domain, []).append(member.node.name)
    return replace(
        pool,
        name=name,
        nodes=tuple(sorted(member.node.name for member in members)),
        domains=tuple((domain, tuple(sorted(nodes))) for domain, nodes in sorted(domains.items())),
        driver=_least(member.group.driver for member in members if member.group),
        compute_capability=_least(member.group.compute_capability for member in members if member.group),
    )


def _least(versions: Iterable[str]) -> str:
    """Return the oldest of the versions; one that is not told is older than any."""
    return min(versions, key=lambda version: (version_key(version), version), default="")


def _members(offer: Offer, cluster: Cluster, catalog: Catalog, *, trust_overrides: bool) -> Iterator[_Member]:
    """Yield each usable node once per kind of devices it has, or once without any."""
    for name in sorted(cluster.nodes):
        node = cluster.nodes[name]
        rule = rule_of(offer, node)
        if node.unfit or not node.ready or node.cordoned or (offer.rules and rule is None):
            continue
        for group in groups_of(cluster, catalog, node):
            trusted = offer.rules[rule] if trust_overrides and rule is not None else None
            how = launching(offer, cluster, catalog, group=group, trusted=trusted)
            if not taints_against(how, node, group=group, catalog=catalog) and not unselected(how, node):
                yield _Member(node, group, rule, how)


def rule_of(offer: Offer, node: Node) -> int | None:
    """Return the first rule that selects the node."""
    return next((index for index, rule in enumerate(offer.rules) if rule.selector.matches(node.labels)), None)


def groups_of(cluster: Cluster, catalog: Catalog, node: Node) -> tuple[DeviceGroup | None, ...]:
    """Return the kinds of healthy devices of a node, as the cluster has them resolved; one None for a node without devices.

    A node whose devices are all unhealthy or not believed has nothing to offer: it is no CPU node.
    """
    known = cluster.devices[node.name] if node.name in cluster.devices else catalog.resolve(node)
    return tuple(group for group in known if group.devices > 0) if known else (None,)


def _pool(member: _Member, offer: Offer, catalog: Catalog, *, home_origins: Set[str]) -> Pool:
    """Return the member's pool, without cluster, name and nodes: equal for nodes that are alike."""
    node, group, how = member.node, member.group, member.how
    rule = offer.rules[member.rule] if member.rule is not None else None
    accelerator = how.accelerator
    base = Pool(
        name="",
        cluster_uid="",
        nodes=(),
        architecture=node.architecture,
        identifying_labels=tuple(sorted({*(group.identifying_labels if group else ()), *(rule.selector.exact if rule else ())})),
        tolerated=tuple(sorted(node.taints)),
        for_devices_only=for_devices_only(node, group, catalog, tolerations=how.tolerations),
        max_devices=rule.max_devices if rule else None,
        rule=member.rule,
        member_queue=f"{offer.namespace}/{offer.member_queue}" if offer.member_queue else "",
        launch=how.launch,
        overhead=how.runtime.overhead if how.runtime else Vector(),
        runtime_missing=how.runtime_missing,
    )
    if group is None:
        return base
    maker = catalog.maker(group.vendor)
    origin = accelerator.origin if accelerator else maker.origin if maker else ""
    return replace(
        base,
        vendor=accelerator.vendor if accelerator else group.vendor,
        resource=group.resource,
        accelerator=accelerator,
        family="" if accelerator else group.family,
        stack="" if accelerator or maker is None else maker.stack,
        domestic=origin in home_origins,
        sharing=group.sharing,
        publisher=group.publisher,
        profile=group.profile,
        memory=group.memory or None,
        variant_unknown=group.variant_unknown and (accelerator.name if accelerator else None) == group.accelerator_class,
        devices_per_node=group.devices + group.unhealthy,
        fabric=group.fabric.kind if group.fabric else "",
        claim=group.claim,
    )
