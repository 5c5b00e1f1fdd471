"""The watches on one member: nodes and unfinished pods or a summary of them, and our Jobs and pods where our jobs run.

Puts what is seen into the inventory and the own jobs, and says how fresh it is. No decisions about the link.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Never, TypeVar

from sampan.controller.members.job_copies import OwnJobs
from sampan.controller.members.optional_watches import AWAITED, narrow_feeds, wide_feeds
from sampan.controller.members.published import Published
from sampan.controller.members.sink import Sink
from sampan.inventory.member import Inventory
from sampan.kube import workloads as kube
from sampan.kube.client import Client
from sampan.kube.listing import Collection
from sampan.kube.meta import ConfigMap, HasMeta
from sampan.kube.paths import resource_path
from sampan.kube.reflector import Reflector, Tuning
from sampan.kube.summary import NAME as SUMMARY
from sampan.kube.wire import Unreadable
from sampan.model.names import LABEL_HUB

UNFINISHED: Final = "status.phase!=Succeeded,status.phase!=Failed"
NODES: Final = "nodes"
PODS: Final = "pods"
T = TypeVar("T", bound=HasMeta)


@dataclass(slots=True)
class _Feed:
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


class Feeds:
    """All watches on one member under one client. Start them inside `group`; they end when the group is cancelled."""

    def __init__(
        self, client: Client, inventory: Inventory, own: OwnJobs, *, listed: Callable[[bool], None], tuning: Tuning | None = None
    ) -> None:
        """`listed` is called before a full list is taken; True: not the first of its watch, and the server may be another by now."""
        self._client = client
        self._inventory = inventory
        self._own = own
        self._selector = f"{LABEL_HUB}={own.hub_id}"
        self._tell_listed = listed
        self._tuning = tuning
        self._feeds: dict[str, _Feed] = {}
        self._more: frozenset[str] = frozenset()
        self._published: Published | None = None

    def start(
        self, group: asyncio.TaskGroup, namespaces: Iterable[str], *, more: Set[str] = frozenset(), published: Published | None = None
    ) -> None:
        """Watch nodes, unfinished pods and our objects in these namespaces; `more`: optional resources that may be followed.

        `published`: what stands for nodes and pods on this member, which are not watched then.
        """
        self._more, self._published = frozenset(more), published
        if published is not None:
            self._summary(group, published)
        else:
            self._nodes(group)
            self._pods(group)
        for name, what, sink in wide_feeds(self._inventory, self._more, self._listed):
            self._add(group, name, what=what, sink=sink)
            self._feeds[name].optional = True
            self._feeds[name].awaited = name in AWAITED
        self.follow(group, namespaces)

    def follow(self, group: asyncio.TaskGroup, namespaces: Iterable[str]) -> None:
        """Watch our objects in exactly these namespaces from now on."""
        wanted = set(namespaces)
        for namespace in wanted - self._followed():
            self._our_jobs(group, namespace)
            self._our_pods(group, namespace)
            for name, what, sink in narrow_feeds(self._inventory, self._more, namespace, listed=self._listed):
                self._add(group, name, what=what, sink=sink)
                self._feeds[name].optional = True
                self._feeds[name].awaited = name.partition("/")[0] in AWAITED
        for namespace in self._followed() - wanted:
            for name in [name for name in self._feeds if name.endswith(f"/{namespace}")]:
                self._feeds.pop(name).task.cancel()
            self._own.forget_namespace(namespace)

    @property
    def synced(self) -> bool:
        """Tell whether every picture stems from a completed list; what is in a namespace that is not to be read keeps nobody waiting."""
        listed = all(feed.settled or (feed.reflector.last_error and self._narrow(name)) for name, feed in self._feeds.items())
        return bool(self._feeds) and listed and (self._published is None or self._published.looked)

    @property
    def last_activity(self) -> float:
        """Return when something was last heard on any watch, in monotonic seconds."""
        return max((feed.reflector.last_activity for feed in self._feeds.values()), default=0.0)

    @property
    def restarts(self) -> int:
        """Return how often watches failed, in all."""
        return sum(feed.reflector.restarts for feed in self._feeds.values() if not feed.optional)

    @property
    def errors(self) -> dict[str, str]:
        """Return the reason of the last failure by watch, for those that do not work now."""
        return {name: feed.reflector.last_error for name, feed in self._feeds.items() if feed.reflector.last_error}

    def stalled(self, since: float) -> str:
        """Return what is wrong with a watch that concerns all jobs and has not worked since then (monotonic seconds); empty: nothing."""
        return next((wrong for name in self._feeds if not self._narrow(name) and (wrong := self._failing(name, since))), "")

    def behind(self, namespaces: Iterable[str], since: float) -> dict[str, str]:
        """Return those of these namespaces whose objects are not followed, each with what is wrong; empty: they are being read."""
        found: dict[str, str] = {}
        for namespace in namespaces:
            names = [name for name in self._feeds if name.partition("/")[2] == namespace]
            wrong = next((wrong for name in names if (wrong := self._failing(name, since))), "")
            if wrong or not names or not all(self._feeds[name].settled for name in names):
                found[namespace] = wrong
        return found

    def _failing(self, name: str, since: float) -> str:
        feed = self._feeds[name]
        failing = feed.reflector.failing_since
        if feed.optional or failing is None or failing > since:
            return ""
        return f"the watch on {name} does not work: {feed.reflector.last_error or 'Timeout'}"

    def _narrow(self, name: str) -> bool:
        """Tell whether a watch concerns the jobs in one namespace only, and not what room there is."""
        return "/" in name and (self._published is None or name != f"pods/{self._published.namespace}")

    @property
    def forbidden(self) -> bool:
        """Tell whether the member refuses one of the watches for want of a right."""
        return any(feed.reflector.last_error == "Forbidden" for feed in self._feeds.values() if not feed.optional)

    def _followed(self) -> set[str]:
        return {name.partition("/")[2] for name in self._feeds if name.startswith("jobs/")}

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

    def _summary(self, group: asyncio.TaskGroup, published: Published) -> None:
        name = f"capacity of {published.namespace}"
        sink = Sink[ConfigMap](
            replace=lambda items, _: published.replace(items),
            put=published.take,
            drop=lambda _: published.lose(),
            lost=lambda _: published.lose(),
            listed=lambda: self._listed(name),
        )
        path = resource_path("v1", "configmaps", namespace=published.namespace)
        group.create_task(published.listen(), name=f"look at {name}")
        self._add(group, name, what=Collection(path=path, into=ConfigMap, field_selector=f"metadata.name={SUMMARY}"), sink=sink)

    def _our_jobs(self, group: asyncio.TaskGroup, namespace: str) -> None:
        own, name = self._own, f"jobs/{namespace}"
        sink = Sink[kube.Job](
            replace=lambda items, bad: own.replace_jobs(namespace, items, [each.name for each in bad]),
            put=own.put_job,
            drop=own.drop_job,
            lost=lambda bad: own.lose_job(namespace, bad.name),
            listed=lambda: self._listed(name),
        )
        path = resource_path("batch/v1", "jobs", namespace=namespace)
        self._add(group, name, what=Collection(path=path, into=kube.Job, label_selector=self._selector), sink=sink)

    def _our_pods(self, group: asyncio.TaskGroup, namespace: str) -> None:
        own, name = self._own, f"pods/{namespace}"
        sink = Sink[kube.Pod](
            replace=lambda items, bad: own.replace_own_pods(namespace, items, [each.name for each in bad]),
            put=own.put_own_pod,
            drop=own.drop_own_pod,
            lost=lambda bad: own.lose_own_pod(namespace, bad.name),
            listed=lambda: self._listed(name),
        )
        if self._published is not None and self._published.namespace == namespace:
            sink = _also(sink, self._published)
        path = resource_path("v1", "pods", namespace=namespace)
        self._add(group, name, what=Collection(path=path, into=kube.Pod, label_selector=self._selector), sink=sink)

    def _add(self, group: asyncio.TaskGroup, name: str, *, what: Collection[T], sink: Sink[T]) -> None:
        reflector = Reflector(self._client, what, sink=sink, tuning=self._tuning)
        self._feeds[name] = _Feed(reflector, group.create_task(reflector.run(), name=f"watch {name}"))

    def _listed(self, name: str) -> None:
        feed = self._feeds[name]
        feed.lists += 1
        self._tell_listed(feed.lists > 1)


def _also(sink: Sink[kube.Pod], published: Published) -> Sink[kube.Pod]:
    """Return a sink that feeds our own pods into the capacity too."""

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
