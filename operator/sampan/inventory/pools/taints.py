"""Which taints of a node a pod of ours may tolerate, and what would bring the node into the offer. Its health is not looked at here."""

from collections.abc import Iterable, Sequence

from sampan.catalog import Catalog
from sampan.catalog.taints import TolerationSet, lifecycle, usual_set
from sampan.model.members.cluster import Node
from sampan.model.members.device import DeviceGroup
from sampan.model.members.taint import Taint, Toleration
from sampan.model.values.names import GROUP


def blocking(node: Node, group: DeviceGroup | None, catalog: Catalog, *, tolerations: Sequence[Toleration]) -> tuple[Taint, ...]:
    """Return the node's taints that keep our pods off these devices, or off the node where it has none."""
    return tuple(taint for taint in sorted(node.taints) if not tolerable(taint, group, catalog, tolerations=tolerations))


def tolerable(taint: Taint, group: DeviceGroup | None, catalog: Catalog, *, tolerations: Sequence[Toleration]) -> bool:
    """Tell whether a pod of ours may tolerate the taint: by the device plugins' conventions, our own, or the offer's word."""
    if lifecycle(taint.key):
        return False
    return conventional(taint, group, catalog) or any(each.tolerates(taint) for each in tolerations)


def conventional(taint: Taint, group: DeviceGroup | None, catalog: Catalog) -> bool:
    """Tell whether nobody need say that the taint is tolerated: it keeps pods without these devices away, or it is our own."""
    if group is None:
        return taint.key.startswith(f"{GROUP}/")
    return catalog.conventional(taint.key, vendor=group.vendor, resource=group.resource)


def for_devices_only(node: Node, group: DeviceGroup | None, catalog: Catalog, *, tolerations: Sequence[Toleration]) -> bool:
    """Tell whether a taint that only the devices' convention tolerates keeps pods that ask for none of them away."""
    others = (taint for taint in node.taints if not tolerable(taint, None, catalog, tolerations=tolerations))
    return group is not None and any(conventional(taint, group, catalog) for taint in others)


def advice(taints: Iterable[Taint]) -> str:
    """Return what the taints are, and the fields of a ClusterOffer that would tolerate them."""
    return "; ".join(f"taint {taint} keeps jobs away; {_way_out(taint)}" for taint in taints)


def _way_out(taint: Taint) -> str:
    if lifecycle(taint.key):
        return "the node comes, goes or is ill, and nothing tolerates it"
    name = usual_set(taint)
    if name is not None:
        of = "ClusterOffer of terms Interruptible" if name is TolerationSet.SPOT else "ClusterOffer"
        return f"a {of} tolerates it by spec.launch.tolerationSets: [{name}]"
    told = f"value: {taint.value}" if taint.value else "operator: Exists"
    return f"a ClusterOffer tolerates it by spec.launch.tolerations: [{{key: {taint.key}, {told}, effect: {taint.effect}}}]"
