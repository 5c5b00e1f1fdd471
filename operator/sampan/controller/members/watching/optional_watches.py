"""Which optional watches tell more of a member, and what they fill. A provider grants each of them or not; none is needed."""

from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any, NamedTuple

from sampan.controller.members.watching.sink import Listed, PlannedWatch, Sink
from sampan.inventory.member import Inventory
from sampan.inventory.slices import to_slice
from sampan.kube.objects import dra
from sampan.kube.objects import quotas as kube
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.transport.paths import resource_path
from sampan.kube.watch.listing import Collection

DRA = "resource.k8s.io/v1"
RUNTIME_CLASSES = "runtimeclasses"
AWAITED = frozenset({RUNTIME_CLASSES, "resourcequotas", "limitranges", "priorityclasses", "clusterqueues", "localqueues"})
"""What changes what fits: nothing is placed before its first list, or its failure."""


def cluster_scoped_watches(inventory: Inventory, optional: Set[str], listed: Listed) -> Iterator[PlannedWatch]:
    """Yield the watches over the whole member that are allowed."""
    layers = inventory.quotas
    if "resourceslices" in optional:
        slices = Sink[dra.ResourceSlice](
            replace=lambda items, _: inventory.replace_slices(made for item in items if (made := to_slice(item)) is not None),
            put=lambda item: inventory.put_slice(made) if (made := to_slice(item)) is not None else None,
            drop=lambda item: inventory.drop_slice(item.metadata.name),
            lost=lambda bad: inventory.drop_slice(bad.name),
            listed=lambda: listed("resourceslices"),
        )
        yield "resourceslices", Collection(path=resource_path(DRA, "resourceslices"), into=dra.ResourceSlice), slices
    if "resourceclaims" in optional:
        claims = Sink[kube.ResourceClaim](
            replace=lambda items, _: layers.replace_claims(items),
            put=layers.put_claim,
            drop=layers.drop_claim,
            lost=lambda _: None,  # what it held stays counted until the next full list: never too little
            listed=lambda: listed("resourceclaims"),
        )
        yield "resourceclaims", Collection(path=resource_path(DRA, "resourceclaims"), into=kube.ResourceClaim), claims
    if "clusterqueues" in optional:
        queues = Sink[kube.ClusterQueue](
            replace=lambda items, _: layers.kueue.replace_cluster(items),
            put=layers.kueue.put_cluster,
            drop=layers.kueue.drop_cluster,
            lost=lambda _: None,
            listed=lambda: listed("clusterqueues"),
        )
        yield "clusterqueues", Collection(path=resource_path(layers.kueue_version, "clusterqueues"), into=kube.ClusterQueue), queues
    if RUNTIME_CLASSES in optional:
        yield _runtime_classes(inventory, listed)
    if "priorityclasses" in optional:
        yield _priority_classes(inventory, listed)


def _runtime_classes(inventory: Inventory, listed: Listed) -> PlannedWatch:
    classes = inventory.runtime_classes
    sink = Sink[RuntimeClass](
        replace=lambda items, _: classes.replace(items),
        put=classes.put,
        drop=lambda item: classes.drop(item.metadata.name),
        lost=lambda bad: classes.drop(bad.name),
        listed=lambda: listed(RUNTIME_CLASSES),
    )
    return RUNTIME_CLASSES, Collection(path=resource_path("node.k8s.io/v1", RUNTIME_CLASSES), into=RuntimeClass), sink


def _priority_classes(inventory: Inventory, listed: Listed) -> PlannedWatch:
    rules = inventory.quotas.rules
    sink = Sink[kube.PriorityClass](
        replace=lambda items, _: rules.replace_classes(items),
        put=rules.put_class,
        drop=rules.drop_class,
        lost=lambda _: None,
        listed=lambda: listed("priorityclasses"),
    )
    path = resource_path("scheduling.k8s.io/v1", "priorityclasses")
    return "priorityclasses", Collection(path=path, into=kube.PriorityClass), sink


class _Namespaced(NamedTuple):
    """A resource in a namespace of our jobs, and what it fills: `replace` takes the namespace and a full list of it."""

    version: str
    resource: str
    into: type[Any]
    replace: Callable[[str, Sequence[Any]], None]
    put: Callable[[Any], None]
    drop: Callable[[Any], None]

    def watch(self, namespace: str, listed: Listed) -> PlannedWatch:
        """Return the watch in one namespace."""
        name = f"{self.resource}/{namespace}"
        sink = Sink[Any](
            replace=lambda items, _: self.replace(namespace, items),
            put=self.put,
            drop=self.drop,
            lost=lambda _: None,
            listed=lambda: listed(name),
        )
        return name, Collection(path=resource_path(self.version, self.resource, namespace=namespace), into=self.into), sink


def namespaced_watches(inventory: Inventory, optional: Set[str], namespace: str, *, listed: Listed) -> Iterator[PlannedWatch]:
    """Yield the watches in one namespace of our jobs that are allowed."""
    rules, kueue = inventory.quotas.rules, inventory.quotas.kueue
    for each in (
        _Namespaced("v1", "resourcequotas", kube.ResourceQuota, rules.replace_quotas, rules.put_quota, rules.drop_quota),
        _Namespaced("v1", "limitranges", kube.LimitRange, rules.replace_ranges, rules.put_range, rules.drop_range),
        _Namespaced(inventory.quotas.kueue_version, "localqueues", kube.LocalQueue, kueue.replace_local, kueue.put_local, kueue.drop_local),
    ):
        if each.resource in optional:
            yield each.watch(namespace, listed)
