"""The watches that all placing rests on: nodes and pods or a summary of them, and our Jobs and pods where our jobs run.

Each pod of a member comes by one watch: those in the namespaces of our jobs by the watch there, which fills both the copies and what
is counted, all others by the one over the whole member. No watch is opened here.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.published import PublishedCapacity
from sampan.controller.members.tenants import NAME as TENANTS
from sampan.controller.members.tenants import TenantNamespaces
from sampan.controller.members.watching.sink import Listed, PlannedWatch, Sink
from sampan.inventory.member import Inventory
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.meta import ConfigMap
from sampan.kube.objects.summary import NAME as SUMMARY
from sampan.kube.transport.paths import resource_path
from sampan.kube.watch.listing import Collection
from sampan.model.values.names import LABEL_HUB

NODES: Final = "nodes"
PODS: Final = "pods"
LISTS: Final = "configmaps"


def nodes_watch(inventory: Inventory, listed: Listed) -> PlannedWatch:
    """Return the watch on nodes."""
    sink = Sink[kube.Node](
        replace=lambda items, _: inventory.replace_nodes(items),
        put=inventory.put_node,
        drop=lambda node: inventory.drop_node(node.metadata.name),
        lost=lambda bad: inventory.drop_node(bad.name),
        listed=lambda: listed(NODES),
    )
    return NODES, Collection(path=resource_path("v1", "nodes"), into=kube.Node), sink


def pods_watch(inventory: Inventory, elsewhere: Iterable[str], listed: Listed) -> PlannedWatch:
    """Return the watch on unfinished pods, but for those in namespaces whose pods come by watches of their own."""
    apart = frozenset(elsewhere)
    sink = _counting(inventory, lambda name: name not in apart, lambda: listed(PODS))
    selector = ",".join((kube.UNFINISHED, *(f"metadata.namespace!={name}" for name in sorted(apart))))
    return PODS, Collection(path=resource_path("v1", "pods"), into=kube.Pod, field_selector=selector), sink


def summary_watch(published: PublishedCapacity, listed: Listed) -> PlannedWatch:
    """Return the watch on the summary that a member publishes in place of nodes and pods."""
    name = f"capacity of {published.namespace}"
    sink = Sink[ConfigMap](
        replace=lambda items, _: published.replace(items),
        put=published.apply,
        drop=lambda _: published.clear(),
        lost=lambda _: published.clear(),
        listed=lambda: listed(name),
    )
    path = resource_path("v1", "configmaps", namespace=published.namespace)
    return name, Collection(path=path, into=ConfigMap, field_selector=f"metadata.name={SUMMARY}"), sink


def tenants_watch(tenants: TenantNamespaces, namespace: str, listed: Listed) -> PlannedWatch:
    """Return the watch on the list of tenants in a namespace."""
    name = f"{LISTS}/{namespace}"
    sink = Sink[ConfigMap](
        replace=lambda items, _: tenants.put(namespace, next(iter(items), None)),
        put=lambda holder: tenants.put(namespace, holder),
        drop=lambda _: tenants.put(namespace, None),
        lost=lambda _: tenants.put(namespace, None),
        listed=lambda: listed(name),
    )
    path = resource_path("v1", "configmaps", namespace=namespace)
    return name, Collection(path=path, into=ConfigMap, field_selector=f"metadata.name={TENANTS}"), sink


def jobs_watch(copies: JobCopies, namespace: str, listed: Listed) -> PlannedWatch:
    """Return the watch on our Jobs in a namespace."""
    name = f"jobs/{namespace}"
    sink = Sink[kube.Job](
        replace=lambda items, bad: copies.replace_jobs(namespace, items, [each.name for each in bad]),
        put=copies.apply_job,
        drop=copies.drop_job,
        lost=lambda bad: copies.drop_unreadable_job(namespace, bad.name),
        listed=lambda: listed(name),
    )
    path = resource_path("batch/v1", "jobs", namespace=namespace)
    return name, Collection(path=path, into=kube.Job, label_selector=f"{LABEL_HUB}={copies.hub_id}"), sink


def namespace_pods_watch(
    copies: JobCopies, namespace: str, listed: Listed, *, inventory: Inventory, published: PublishedCapacity | None
) -> PlannedWatch:
    """Return the watch on the pods in a namespace of our jobs; on a member that publishes its capacity, on ours there alone."""
    name = f"pods/{namespace}"
    sink = Sink[kube.Pod](
        replace=lambda items, bad: copies.pods.replace(namespace, items, [each.name for each in bad]),
        put=copies.pods.apply,
        drop=copies.pods.drop,
        lost=lambda bad: copies.pods.drop_unreadable(namespace, bad.name),
        listed=lambda: listed(name),
    )
    selector = f"{LABEL_HUB}={copies.hub_id}" if published is not None else ""
    what = Collection(path=resource_path("v1", "pods", namespace=namespace), into=kube.Pod, label_selector=selector)
    if published is None:
        return name, what, _counting(inventory, lambda each: each == namespace, sink.listed).then(sink)
    return name, what, sink.then(_publishing(published, namespace, sink.listed)) if namespace in published.namespaces else sink


def _counting(inventory: Inventory, covers: Callable[[str], bool], listed: Callable[[], None]) -> Sink[kube.Pod]:
    """Return a sink that counts what the pods of the namespaces it covers use."""
    return Sink(
        replace=lambda items, bad: inventory.replace_pods(items, [each.uid for each in bad], covers=covers),
        put=inventory.put_pod,
        drop=lambda pod: inventory.drop_pod(pod.metadata.uid),
        lost=lambda bad: inventory.drop_pod(bad.uid),
        listed=listed,
    )


def _publishing(published: PublishedCapacity, namespace: str, listed: Callable[[], None]) -> Sink[kube.Pod]:
    """Return a sink that puts our own pods in a namespace into the published capacity."""
    return Sink(
        replace=lambda items, bad: published.replace_own(namespace, items, [each.uid for each in bad]),
        put=published.put_own,
        drop=lambda pod: published.drop_own(pod.metadata.uid),
        lost=lambda bad: published.drop_own(bad.uid),
        listed=listed,
    )
