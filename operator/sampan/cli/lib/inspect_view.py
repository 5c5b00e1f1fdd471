"""What the operator would see of nodes, pods and ResourceSlices: the cluster, its rows and its pools. Reads no file and prints nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sampan.catalog import Catalog
from sampan.catalog.devices.in_use import allocated_cards
from sampan.inventory.device_usage import doubles_taken
from sampan.inventory.in_flight import usage_of
from sampan.inventory.member import Inventory
from sampan.inventory.pools.grouping import pools_of
from sampan.inventory.pools.node_room import hindrances, usable
from sampan.inventory.pools.summary import ExcludedNodes, PoolSummary, excluded_nodes, summarise
from sampan.inventory.pools.taints import advice, blocking
from sampan.kube.objects import workloads as kube
from sampan.model.members.accelerator import AcceleratorClass, Sharing
from sampan.model.members.cluster import CardUse, Cluster, Node
from sampan.model.members.device import UNKNOWN_VENDOR, DeviceGroup, DeviceSlice, Ignored
from sampan.model.members.offer import Offer, OfferKey, Terms
from sampan.model.values.quantity import format_bytes

UID = "inspected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInspection:
    """The member as the operator would see it."""

    cluster: Cluster
    ignored: dict[str, tuple[Ignored, ...]]
    """By node."""
    pods_given: bool
    """Without pods nobody can tell what is free."""


def inspected_cluster(
    nodes: Iterable[kube.Node], pods: Iterable[kube.Pod], slices: Iterable[DeviceSlice], *, catalog: Catalog
) -> ClusterInspection:
    """Return the member of these objects, with the operator's own conversion and count."""
    pods = [_named(pod) for pod in pods]
    inventory = Inventory(UID, lambda _: None)
    inventory.replace_nodes(nodes)
    inventory.replace_pods(pods)
    by_node: dict[str, list[DeviceSlice]] = {}
    for each in slices:
        by_node.setdefault(each.node, []).append(each)
    known = {name: replace(node, slices=tuple(by_node.get(name, ()))) for name, node in inventory.nodes.items()}
    examined = {name: catalog.examine(node) for name, node in known.items()}
    devices = {name: each.groups for name, each in examined.items()}
    used = usage_of(inventory.pods.values(), ())
    used = {name: taken + doubles_taken(devices.get(name, ()), taken, catalog=catalog) for name, taken in used.items()}
    cluster = Cluster(
        uid=UID,
        nodes=known,
        devices=devices,
        used=used,
        cards=_cards([pod for pod in pods if pod.metadata.uid in inventory.pods]),
    )
    return ClusterInspection(cluster=cluster, ignored={name: each.ignored for name, each in examined.items()}, pods_given=bool(pods))


def _named(pod: kube.Pod) -> kube.Pod:
    """Return the pod with a UID: objects that were written by hand have none."""
    if pod.metadata.uid:
        return pod
    return msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, uid=pod.metadata.key))


def rows(seen: ClusterInspection, catalog: Catalog) -> list[dict[str, Any]]:
    """Return one row per node and class, null where something cannot be told."""
    made = []
    for name in sorted(seen.cluster.nodes):
        node, ignored = seen.cluster.nodes[name], [_ignored(one) for one in seen.ignored[name]]
        groups = seen.cluster.devices[name]
        ignored += [f"{group.resource} ({group.unhealthy}): Unhealthy" for group in groups if group.unhealthy and not group.missing]
        made += [_row(seen, node, group, catalog=catalog) | {"ignored": ignored} for group in groups]
        if ignored and not groups:
            made.append(
                dict.fromkeys(("node", *KEYS))
                | {"node": name, "devices": 0, "free": 0, "schedulable": 0, "evidence": [], "ignored": ignored}
            )
    return made


KEYS = (
    *("vendor", "family", "acceleratorClass", "devices", "cards", "free", "schedulable", "memoryPerDevice", "sharing", "evidence"),
    "ignored",
)
"""Keys of a row after `node`: devices are what is scheduled, cards the whole devices behind them, null where that cannot be told."""


def pools(seen: ClusterInspection, catalog: Catalog) -> tuple[PoolSummary, ...]:
    """Return the pools that an offer without rules would have on this member."""
    return tuple(
        summarise(pool, seen.cluster) for pool in pools_of(_offer(), seen.cluster, catalog, home_origins=frozenset(), trust_overrides=False)
    )


def unused(seen: ClusterInspection, catalog: Catalog) -> tuple[ExcludedNodes, ...]:
    """Return what is in no pool, by cause."""
    return excluded_nodes(_offer(), seen.cluster, catalog)


def _offer() -> Offer:
    return Offer(key=OfferKey("inspect", "inspect"), uid=UID, provider="", region="", jurisdiction="", terms=Terms.ON_DEMAND)


def _row(seen: ClusterInspection, node: Node, group: DeviceGroup, *, catalog: Catalog) -> dict[str, Any]:
    facts = catalog.get(group.accelerator_class) if group.accelerator_class else None
    state, full = _state(node, group, catalog), hindrances(seen.cluster, node.name)
    free = 0 if state or not group.devices else _free(seen, node, group, units=facts.units_per_device if facts else 1)
    able = 0 if full else None if free is None else usable(free, seen.cluster, node.name, sharing=group.sharing)
    shown = [] if group.sharing is Sharing.WHOLE else [f"resource {group.resource}"]
    return {
        "node": node.name,
        "vendor": None if group.vendor == UNKNOWN_VENDOR else group.vendor,
        "family": facts.family if facts else group.family or None,
        "acceleratorClass": group.accelerator_class,
        "devices": group.devices,
        "cards": group.physical,
        "free": free,
        "schedulable": able,
        "memoryPerDevice": format_bytes(memory) if (memory := _memory(group, facts)) else None,
        "sharing": group.sharing.value,
        "evidence": [*state, *(full if group.devices else ()), *shown, *group.evidence],
    }


def _state(node: Node, group: DeviceGroup, catalog: Catalog) -> list[str]:
    """Return why no job can have devices of the node."""
    said = [f"{cause}: {detail}" for cause, detail in ([node.unfit] if node.unfit else [])]
    said += [word for word, true in (("node is not ready", not node.ready), ("node is cordoned", node.cordoned)) if true]
    return said + [advice([taint]) for taint in blocking(node, group, catalog, tolerations=())]


def _memory(group: DeviceGroup, facts: AcceleratorClass | None) -> int | None:
    """Return the bytes that one device has for itself: what time slices and unlisted shares have of their card nobody tells."""
    if group.memory is not None:
        return group.memory
    shared = group.sharing is Sharing.TIME_SLICED or (group.sharing is Sharing.VIRTUAL and not group.cards)
    return facts.memory if facts and not shared else None


def _free(seen: ClusterInspection, node: Node, group: DeviceGroup, *, units: int) -> int | None:
    """Return the devices that nothing holds; None where the objects given cannot tell it: claims, or no pods at all."""
    if group.claim is not None or not seen.pods_given:
        return None
    if group.cards:
        return sum((node.name, card.id) not in seen.cluster.cards for card in group.cards)
    return min(max(seen.cluster.free(node.name)[group.resource], 0) // units, group.devices)


def _cards(pods: Iterable[kube.Pod]) -> dict[tuple[str, str], CardUse]:
    sums: dict[tuple[str, str], CardUse] = {}
    for pod in pods:
        for card, use in allocated_cards(pod.metadata.annotations):
            key = (pod.spec.node_name, card)
            old = sums.get(key, CardUse())
            sums[key] = CardUse(memory=old.memory + use.memory, cores=old.cores + use.cores, slots=old.slots + use.slots)
    return sums


def _ignored(one: Ignored) -> str:
    return f"{one.resource} ({one.text or one.amount}): {one.why}"
