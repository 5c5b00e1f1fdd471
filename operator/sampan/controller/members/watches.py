"""The watches on one member: nodes and unfinished pods or a summary of them, and our Jobs and pods where our jobs run.

Puts what is seen into the inventory and the own jobs, and says how fresh it is. No decisions about the link.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Never, TypeVar

from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.optional_watches import AWAITED, cluster_scoped_watches, namespaced_watches
from sampan.controller.members.published import PublishedCapacity
from sampan.controller.members.sink import Sink
from sampan.inventory.member import Inventory
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.meta import ConfigMap, HasMeta
from sampan.kube.objects.summary import NAME as SUMMARY
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import Reflector, Tuning
from sampan.model.values.names import LABEL_HUB

UNFINISHED: Final = "status.phase!=Succeeded,status.phase!=Failed"
NODES: Final = "nodes"
PODS: Final = "pods"
T = TypeVar("T", bound=HasMeta)


@dataclass(slots=True)
class _Watch:
    reflector: Reflector[Any]
    task: asyncio.Task[Never]
    lists: int = 0
    optional: bool = False
    """Without it less is known of the member, and that is all."""
    awaited: bool = False
    """Optional, but what it tells changes what fits: its first list, or its failure, is waited for."""

    @property
    def settled(self) -> bool:
        """Tell whether nobody need wait for its first list any more."""
        if self.optional and not (self.awaited and not self.reflector.last_error):
            return True
        return self.reflector.synced.is_set()


class MemberWatches:
    """All watches on one member under one client. Start them inside `group`; they end when the group is cancelled."""

    def __init__(
        self, client: Client, inventory: Inventory, copies: JobCopies, *, on_list: Callable[[bool], None], tuning: Tuning | None = None
    ) -> None:
        """`listed` is called before a full list is taken; True: not the first of its watch, and the server may be another by now."""
        self._client = client
        self._inventory = inventory
        self._copies = copies
        self._selector = f"{LABEL_HUB}={copies.hub_id}"
        self._on_list = on_list
        self._tuning = tuning
        self._watches: dict[str, _Watch] = {}
        self._optional: frozenset[str] = frozenset()
        self._published: PublishedCapacity | None = None

    def start(
        self,
        group: asyncio.TaskGroup,
        namespaces: Iterable[str],
        *,
        optional: Set[str] = frozenset(),
        published: PublishedCapacity | None = None,
    ) -> None:
        """Watch nodes, unfinished pods and our objects in these namespaces; `more`: optional resources that may be followed.

        `published`: what stands for nodes and pods on this member, which are not watched then.
        """
        self._optional, self._published = frozenset(optional), published
        if published is not None:
            self._summary(group, published)
        else:
            self._nodes(group)
            self._pods(group)
        for name, what, sink in cluster_scoped_watches(self._inventory, self._optional, self._listed):
            self._add(group, name, what=what, sink=sink)
            self._watches[name].optional = True
            self._watches[name].awaited = name in AWAITED
        self.follow(group, namespaces)

    def follow(self, group: asyncio.TaskGroup, namespaces: Iterable[str]) -> None:
        """Watch our objects in exactly these namespaces from now on."""
        wanted = set(namespaces)
        for namespace in wanted - self._followed():
            self._our_jobs(group, namespace)
            self._our_pods(group, namespace)
            for name, what, sink in namespaced_watches(self._inventory, self._optional, namespace, listed=self._listed):
                self._add(group, name, what=what, sink=sink)
                self._watches[name].optional = True
                self._watches[name].awaited = name.partition("/")[0] in AWAITED
        for namespace in self._followed() - wanted:
            for name in [name for name in self._watches if name.endswith(f"/{namespace}")]:
                self._watches.pop(name).task.cancel()
            self._copies.forget_namespace(namespace)

    @property
    def synced(self) -> bool:
        """Tell whether every watch has completed a list; a namespace that may not be read keeps nobody waiting."""
        listed = all(watch.settled or (watch.reflector.last_error and self._is_namespaced(name)) for name, watch in self._watches.items())
        return bool(self._watches) and listed and (self._published is None or self._published.looked)

    @property
    def last_activity(self) -> float:
        """Return when something was last heard on any watch, in monotonic seconds."""
        return max((watch.reflector.last_activity for watch in self._watches.values()), default=0.0)

    @property
    def restarts(self) -> int:
        """Return how often watches failed, in all."""
        return sum(watch.reflector.restarts for watch in self._watches.values() if not watch.optional)

    @property
    def errors(self) -> dict[str, str]:
        """Return the reason of the last failure by watch, for those that do not work now."""
        return {name: watch.reflector.last_error for name, watch in self._watches.items() if watch.reflector.last_error}

    def stalled(self, since: float) -> str:
        """Return what is wrong with a watch that concerns all jobs and has not worked since then (monotonic seconds); empty: nothing."""
        return next((wrong for name in self._watches if not self._is_namespaced(name) and (wrong := self._failing(name, since))), "")

    def behind(self, namespaces: Iterable[str], since: float) -> dict[str, str]:
        """Return those of these namespaces whose objects are not followed, each with what is wrong; empty: they are being read."""
        found: dict[str, str] = {}
        for namespace in namespaces:
            names = [name for name in self._watches if name.partition("/")[2] == namespace]
            wrong = next((wrong for name in names if (wrong := self._failing(name, since))), "")
            if wrong or not names or not all(self._watches[name].settled for name in names):
                found[namespace] = wrong
        return found

    def _failing(self, name: str, since: float) -> str:
        watch = self._watches[name]
        failing = watch.reflector.failing_since
        if watch.optional or failing is None or failing > since:
            return ""
        return f"the watch on {name} does not work: {watch.reflector.last_error or 'Timeout'}"

    def _is_namespaced(self, name: str) -> bool:
        """Tell whether a watch concerns the jobs in one namespace only, and not what room there is."""
        return "/" in name and (self._published is None or name != f"pods/{self._published.namespace}")

    @property
    def forbidden(self) -> bool:
        """Tell whether the member refuses one of the watches for want of a right."""
        return any(watch.reflector.last_error == "Forbidden" for watch in self._watches.values() if not watch.optional)

    def _followed(self) -> set[str]:
        return {name.partition("/")[2] for name in self._watches if name.startswith("jobs/")}

    def _nodes(self, group: asyncio.TaskGroup) -> None:
        inventory = self._inventory
        sink = Sink[kube.Node](
            replace=lambda items, _: inventory.replace_nodes(items),
            put=inventory.put_node,
            drop=lambda node: inventory.drop_node(node.metadata.name),
            lost=lambda bad: inventory.drop_node(bad.name),
            listed=lambda: self._listed(NODES),
        )
        self._add(group, NODES, what=Collection(path=resource_path("v1", "nodes"), into=kube.Node), sink=sink)

    def _pods(self, group: asyncio.TaskGroup) -> None:
        inventory = self._inventory
        sink = Sink[kube.Pod](
            replace=lambda items, bad: inventory.replace_pods(items, [each.uid for each in bad]),
            put=inventory.put_pod,
            drop=lambda pod: inventory.drop_pod(pod.metadata.uid),
            lost=lambda bad: inventory.drop_pod(bad.uid),
            listed=lambda: self._listed(PODS),
        )
        what = Collection(path=resource_path("v1", "pods"), into=kube.Pod, field_selector=UNFINISHED)
        self._add(group, PODS, what=what, sink=sink)

    def _summary(self, group: asyncio.TaskGroup, published: PublishedCapacity) -> None:
        name = f"capacity of {published.namespace}"
        sink = Sink[ConfigMap](
            replace=lambda items, _: published.replace(items),
            put=published.apply,
            drop=lambda _: published.clear(),
            lost=lambda _: published.clear(),
            listed=lambda: self._listed(name),
        )
        path = resource_path("v1", "configmaps", namespace=published.namespace)
        group.create_task(published.run(), name=f"look at {name}")
        self._add(group, name, what=Collection(path=path, into=ConfigMap, field_selector=f"metadata.name={SUMMARY}"), sink=sink)

    def _our_jobs(self, group: asyncio.TaskGroup, namespace: str) -> None:
        own, name = self._copies, f"jobs/{namespace}"
        sink = Sink[kube.Job](
            replace=lambda items, bad: own.replace_jobs(namespace, items, [each.name for each in bad]),
            put=own.apply_job,
            drop=own.drop_job,
            lost=lambda bad: own.drop_unreadable_job(namespace, bad.name),
            listed=lambda: self._listed(name),
        )
        path = resource_path("batch/v1", "jobs", namespace=namespace)
        self._add(group, name, what=Collection(path=path, into=kube.Job, label_selector=self._selector), sink=sink)

    def _our_pods(self, group: asyncio.TaskGroup, namespace: str) -> None:
        own, name = self._copies, f"pods/{namespace}"
        sink = Sink[kube.Pod](
            replace=lambda items, bad: own.replace_own_pods(namespace, items, [each.name for each in bad]),
            put=own.apply_own_pod,
            drop=own.drop_own_pod,
            lost=lambda bad: own.drop_unreadable_pod(namespace, bad.name),
            listed=lambda: self._listed(name),
        )
        if self._published is not None and self._published.namespace == namespace:
            sink = _with_capacity(sink, self._published)
        path = resource_path("v1", "pods", namespace=namespace)
        self._add(group, name, what=Collection(path=path, into=kube.Pod, label_selector=self._selector), sink=sink)

    def _add(self, group: asyncio.TaskGroup, name: str, *, what: Collection[T], sink: Sink[T]) -> None:
        reflector = Reflector(self._client, what, sink=sink, tuning=self._tuning)
        self._watches[name] = _Watch(reflector, group.create_task(reflector.run(), name=f"watch {name}"))

    def _listed(self, name: str) -> None:
        watch = self._watches[name]
        watch.lists += 1
        self._on_list(watch.lists > 1)


def _with_capacity(sink: Sink[kube.Pod], published: PublishedCapacity) -> Sink[kube.Pod]:
    """Return a sink that puts our own pods into the capacity too."""

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
