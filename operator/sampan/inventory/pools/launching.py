"""How pods of an offer run on one kind of devices of a node: class, launch recipe, RuntimeClass; and what of the node stands against it."""

from dataclasses import dataclass

from sampan.catalog import Catalog
from sampan.inventory.pools.taints import blocking
from sampan.model.launch import Launch
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.cluster import Cluster, Node
from sampan.model.members.device import UNKNOWN_VENDOR, DeviceGroup
from sampan.model.members.offer import Offer, PoolRule
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.members.taint import Taint, Toleration


@dataclass(frozen=True, slots=True, kw_only=True)
class Launching:
    """The devices' class, and how a pod that asks for them is launched."""

    accelerator: AcceleratorClass | None
    launch: Launch
    """The class's recipe on this member, the offer's word last."""
    runtime: RuntimeClass | None
    """What the member says of the recipe's RuntimeClass; None: it names none, or none is known."""
    runtime_missing: bool
    """The recipe names a RuntimeClass that the member has not."""
    tolerations: tuple[Toleration, ...]
    """The offer's, and those that the RuntimeClass adds."""


def launching(offer: Offer, cluster: Cluster, catalog: Catalog, *, group: DeviceGroup | None, trusted: PoolRule | None) -> Launching:
    """Return how pods run on these devices, or on a node without any. `trusted`: the rule whose class is believed, where one is."""
    accelerator, launch = None, offer.launch
    if group is not None:
        name = _class_of(group, trusted, catalog)
        accelerator = catalog.get(name) if name else None
        vendor = accelerator.vendor if accelerator else group.vendor
        recipe = catalog.launch(accelerator, vendor=vendor, publisher=group.publisher, queueing=cluster.queueing)
        launch = recipe.under(offer.launch)
    known = cluster.runtime_classes
    runtime = known.get(launch.runtime_class) if known is not None and launch.runtime_class else None
    return Launching(
        accelerator=accelerator,
        launch=launch,
        runtime=runtime,
        runtime_missing=bool(launch.runtime_class) and known is not None and runtime is None,
        tolerations=(*offer.tolerations, *(runtime.tolerations if runtime else ())),
    )


def taints_against(how: Launching, node: Node, *, group: DeviceGroup | None, catalog: Catalog) -> tuple[Taint, ...]:
    """Return the taints of a node that keep such pods away."""
    return blocking(node, group, catalog, tolerations=how.tolerations)


def unselected(how: Launching, node: Node) -> str:
    """Return the labels that the RuntimeClass wants and the node has not; empty where it has all."""
    wanted = how.runtime.selector if how.runtime else ()
    missing = [f"{key}={value}" for key, value in wanted if node.labels.get(key) != value]
    return f"RuntimeClass {how.launch.runtime_class} selects {', '.join(missing)}" if missing else ""


def _class_of(group: DeviceGroup, rule: PoolRule | None, catalog: Catalog) -> str | None:
    """Return the class that the rule names, where it can be one of these devices; else the detected one."""
    named = catalog.get(rule.accelerator_class) if rule and rule.accelerator_class else None
    return named.name if named and group.vendor in (named.vendor, UNKNOWN_VENDOR) else group.accelerator_class
