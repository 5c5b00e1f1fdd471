"""The watches that all placing rests on: nodes and pods or a summary of them, and our Jobs and pods where our jobs run.

Each pod of a member comes by one watch: those in the namespaces of our jobs by the watch there, which fills both the copies and what
is counted, all others by the one over the whole member. No watch is opened here.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.published import PublishedCapacity
from sampan.controller.members.watching.sink import Listed, PlannedWatch, Sink
from sampan.inventory.member import Inventory
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.meta import ConfigMap
from sampan.kube.objects.summary import NAME as SUMMARY
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection
from sampan.model.values.names import LABEL_HUB

UNFINISHED: Final = "status.phase!=Succeeded,status.phase!=Failed"
NODES: Final = "nodes"
PODS: Final = "pods"


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
    sink = Sink[kube.Pod](
        replace=lambda items, bad: inventory.replace_pods(items, [each.uid for each in bad], covers=lambda name: name not in apart),
        put=inventory.put_pod,
        drop=lambda pod: inventory.drop_pod(pod.metadata.uid),
        lost=lambda bad: inventory.drop_pod(bad.uid),
        listed=lambda: listed(PODS),
    )
    selector = ",".join((UNFINISHED, *(f"metadata.namespace!={name}" for name in sorted(apart))))
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
        return name, what, _counted(sink, inventory, namespace)
    return name, what, _with_capacity(sink, published) if published.namespace == namespace else sink


def _counted(sink: Sink[kube.Pod], inventory: Inventory, namespace: str) -> Sink[kube.Pod]:
    """Return a sink that counts the pods of a namespace too."""

    def replace(items: Sequence[kube.Pod], bad: Sequence[Unreadable]) -> None:
        inventory.replace_pods(items, [each.uid for each in bad], covers=lambda name: name == namespace)
        sink.replace(items, bad)

    def put(pod: kube.Pod) -> None:
        inventory.put_pod(pod)
        sink.put(pod)

    def drop(pod: kube.Pod) -> None:
        inventory.drop_pod(pod.metadata.uid)
        sink.drop(pod)

    def lost(bad: Unreadable) -> None:
        inventory.drop_pod(bad.uid)
        sink.lost(bad)

    return Sink(replace=replace, put=put, drop=drop, lost=lost, listed=sink.listed)


def _with_capacity(sink: Sink[kube.Pod], published: PublishedCapacity) -> Sink[kube.Pod]:
    """Return a sink that puts our own pods into the published capacity too."""

    def replace(items: Sequence[kube.Pod], bad: Sequence[Unreadable]) -> None:
        sink.replace(items, bad)
        published.replace_own(items, [each.uid for each in bad])

    def put(pod: kube.Pod) -> None:
        sink.put(pod)
        published.put_own(pod)

    def drop(pod: kube.Pod) -> None:
        sink.drop(pod)
        published.drop_own(pod.metadata.uid)

    def lost(bad: Unreadable) -> None:
        sink.lost(bad)
        published.drop_own(bad.uid)

    return Sink(replace=replace, put=put, drop=drop, lost=lost, listed=sink.listed)
