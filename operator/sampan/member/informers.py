"""What the publisher sees of its member: a watch and a cache for each kind, the optional ones where they are served and allowed.

What must never live here: what is published of it, and writing anything.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from sampan.kube.access import Access
from sampan.kube.objects import dra, quotas, workloads
from sampan.kube.objects.quotas import ApiGroups
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import API_GROUPS, resource_path
from sampan.kube.transport.served import served_in
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import Reflector, Tuning
from sampan.member.summarise import trim_claim, trim_node, trim_pod, trim_runtime_class
from sampan.member.watch_cache import WatchCache

DRA: Final = "resource.k8s.io/v1"
KUEUE: Final = "kueue.x-k8s.io"
NODE: Final = "node.k8s.io/v1"
RUNTIME_CLASSES: Final = "runtimeclasses"


class MemberInformers:
    """Caches of one member, kept current by watches that run in the task group they are started in."""

    def __init__(self, client: Client, tuning: Tuning | None, changed: Callable[[], None]) -> None:
        """`changed` is called after each change of a cache. Nothing is watched before `start`."""
        self._client, self._tuning = client, tuning
        self.nodes = WatchCache[workloads.Node](trim_node, changed)
        self.pods = WatchCache[workloads.Pod](trim_pod, changed)
        self.slices = WatchCache[dra.ResourceSlice](lambda each: each, changed)
        self.claims = WatchCache[quotas.ResourceClaim](trim_claim, changed)
        self.queues = WatchCache[quotas.ClusterQueue](lambda each: each, changed)
        self.runtimes = WatchCache[RuntimeClass](trim_runtime_class, changed)
        self.sees_runtimes = False
        """Whether RuntimeClasses may be looked at: none seen means none there."""
        self._watches: list[Reflector[Any]] = []

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Begin to watch. Raises KubeError where the member does not say what it serves."""
        pods = Collection(path=resource_path("v1", "pods"), into=workloads.Pod, field_selector=workloads.UNFINISHED)
        nodes = Collection(path=resource_path("v1", "nodes"), into=workloads.Node)
        optional = await self._optional()
        self._watch(group, nodes, self.nodes)
        self._watch(group, pods, self.pods)
        for what, cache in optional:
            self._watch(group, what, cache)

    async def wait_synced(self) -> None:
        """Return once each cache has its first list."""
        for watch in self._watches:
            await watch.health.synced.wait()

    @property
    def trouble(self) -> str:
        """Return why a watch does not work; empty where all do."""
        return next((watch.health.last_error for watch in self._watches if watch.health.last_error), "")

    def _watch(self, group: asyncio.TaskGroup, what: Collection[Any], cache: WatchCache[Any]) -> None:
        watch = Reflector[Any](self._client, what, sink=cache, tuning=self._tuning)
        self._watches.append(watch)
        group.create_task(watch.run(), name=f"watch {what.path.resource}")

    async def _optional(self) -> list[tuple[Collection[Any], WatchCache[Any]]]:
        """Return what more there is to watch: what the member serves and lets us list."""
        groups = (await self._client.get(API_GROUPS, into=ApiGroups)).groups
        kueue = await served_in(self._client, groups, group=KUEUE, resource="clusterqueues")
        served = {each.group_version for group in groups for each in group.versions}
        known: list[tuple[str, str, type[Any], WatchCache[Any]]] = [
            (DRA, "resourceslices", dra.ResourceSlice, self.slices),
            (DRA, "resourceclaims", quotas.ResourceClaim, self.claims),
            (kueue, "clusterqueues", quotas.ClusterQueue, self.queues),
            (NODE, RUNTIME_CLASSES, RuntimeClass, self.runtimes),
        ]
        there = [(version, name, into, cache) for version, name, into, cache in known if version in served]
        asked = {name: Access(verb="watch", resource=name, group=version.partition("/")[0]) for version, name, _, _ in there}
        allowed = await self._client.review(asked.values())
        self.sees_runtimes = RUNTIME_CLASSES in asked and allowed[asked[RUNTIME_CLASSES]]
        return [
            (Collection(path=resource_path(version, name), into=into), cache)
            for version, name, into, cache in there
            if allowed[asked[name]]
        ]
