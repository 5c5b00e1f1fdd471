"""The publisher: watches a member's nodes, pods and devices from inside and writes one summary of them, the hub's only view of these.

It writes soon after a change, and once an interval anyway: that is its heartbeat. While one of its watches does not work it writes
nothing, so that a hub takes no old picture for a new one. It never creates or deletes anything and reads no Secret.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Never

from sampan.kube.access import Access
from sampan.kube.errors import KubeError
from sampan.kube.objects import dra, quotas, workloads
from sampan.kube.objects.meta import PartialObject
from sampan.kube.objects.quotas import ApiGroups
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.objects.summary import NAME, SCHEMA, BadSummary, Summary, pack
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import API_GROUPS, resource_path
from sampan.kube.transport.served import served_in
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import Reflector, Tuning
from sampan.member.summarise import summarise_pods, trim_claim, trim_node, trim_pod, trim_runtime_class
from sampan.member.watch_cache import WatchCache

log = logging.getLogger(__name__)

UNFINISHED: Final = "status.phase!=Succeeded,status.phase!=Failed"
DRA: Final = "resource.k8s.io/v1"
KUEUE: Final = "kueue.x-k8s.io"
NODE: Final = "node.k8s.io/v1"
RUNTIME_CLASSES: Final = "runtimeclasses"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSettings:
    """Where and how often. Times are in seconds."""

    namespace: str
    interval: int = 10
    settle: float = 1.0
    """How long changes are gathered before they are written."""
    tuning: Tuning | None = None
    stuck_after: float = 120.0
    """A turn that takes longer, interval and all, is taken for one that never ends."""


class Publisher:
    """The publisher of one member. `clock` gives milliseconds since the epoch; it only has to grow."""

    def __init__(self, client: Client, settings: PublisherSettings, clock: Callable[[], int]) -> None:
        """Nothing is watched before `run`."""
        self._client, self._settings, self._clock = client, settings, clock
        self._changed = asyncio.Event()
        self._nodes = WatchCache[workloads.Node](trim_node, self._changed.set)
        self._pods = WatchCache[workloads.Pod](trim_pod, self._changed.set)
        self._slices = WatchCache[dra.ResourceSlice](lambda each: each, self._changed.set)
        self._claims = WatchCache[quotas.ResourceClaim](trim_claim, self._changed.set)
        self._queues = WatchCache[quotas.ClusterQueue](lambda each: each, self._changed.set)
        self._runtimes = WatchCache[RuntimeClass](trim_runtime_class, self._changed.set)
        self._sees_runtimes = False
        self._watches: list[Reflector[Any]] = []
        self._sequence = 0
        self._trouble = ""
        self._turned: float | None = None
        """The event loop's time at which it last began to write; None: it waits for the first lists."""

    @property
    def alive(self) -> bool:
        """Tell whether it turns, whether or not it can write: an API server that is away is nothing that a new start would mend."""
        settings = self._settings
        return self._turned is None or asyncio.get_running_loop().time() - self._turned <= settings.interval + settings.stuck_after

    async def run(self) -> Never:
        """Watch and write until cancelled. Raises KubeError where the member does not say what it serves."""
        pods = Collection(path=resource_path("v1", "pods"), into=workloads.Pod, field_selector=UNFINISHED)
        nodes = Collection(path=resource_path("v1", "nodes"), into=workloads.Node)
        optional = await self._optional()
        async with asyncio.TaskGroup() as group:
            self._watch(group, nodes, self._nodes)
            self._watch(group, pods, self._pods)
            for what, shelf in optional:
                self._watch(group, what, shelf)
            group.create_task(self._write_always(), name="write")
        raise AssertionError("watches end by cancellation only")

    def _watch(self, group: asyncio.TaskGroup, what: Collection[Any], shelf: WatchCache[Any]) -> None:
        watch = Reflector[Any](self._client, what, sink=shelf, tuning=self._settings.tuning)
        self._watches.append(watch)
        group.create_task(watch.run(), name=f"watch {what.path.resource}")

    async def _optional(self) -> list[tuple[Collection[Any], WatchCache[Any]]]:
        """Return what more there is to watch: what the member serves and lets us list."""
        groups = (await self._client.get(API_GROUPS, into=ApiGroups)).groups
        kueue = await served_in(self._client, groups, group=KUEUE, resource="clusterqueues")
        served = {each.group_version for group in groups for each in group.versions}
        known: list[tuple[str, str, type[Any], WatchCache[Any]]] = [
            (DRA, "resourceslices", dra.ResourceSlice, self._slices),
            (DRA, "resourceclaims", quotas.ResourceClaim, self._claims),
            (kueue, "clusterqueues", quotas.ClusterQueue, self._queues),
            (NODE, RUNTIME_CLASSES, RuntimeClass, self._runtimes),
        ]
        there = [(version, name, into, shelf) for version, name, into, shelf in known if version in served]
        asked = {name: Access(verb="watch", resource=name, group=version.partition("/")[0]) for version, name, _, _ in there}
        allowed = await self._client.review(asked.values())
        self._sees_runtimes = RUNTIME_CLASSES in asked and allowed[asked[RUNTIME_CLASSES]]
        return [
            (Collection(path=resource_path(version, name), into=into), shelf)
            for version, name, into, shelf in there
            if allowed[asked[name]]
        ]

    async def _write_always(self) -> Never:
        for watch in self._watches:
            await watch.synced.wait()
        while True:
            self._changed.clear()
            self._turned = asyncio.get_running_loop().time()
            await self._write()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.interval):
                    await self._changed.wait()
                    await asyncio.sleep(self._settings.settle)

    async def _write(self) -> None:
        """Write the summary, or say once why not."""
        broken = [watch.last_error for watch in self._watches if watch.last_error]
        trouble = f"a watch does not work: {broken[0]}" if broken else ""
        if not broken:
            trouble = await self._try_to_write()
        if trouble and trouble != self._trouble:
            log.warning("publisher.write_failed", extra={"reason": trouble})
        elif self._trouble and not trouble:
            log.info("publisher.write_recovered")
        self._trouble = trouble

    async def _try_to_write(self) -> str:
        path = resource_path("v1", "configmaps", namespace=self._settings.namespace, name=NAME)
        try:
            body = {"binaryData": pack(self.summary())}
            await self._client.patch(path, body, into=PartialObject)
        except (KubeError, BadSummary) as error:
            return f"ConfigMap {NAME} in {self._settings.namespace}: {error}"
        return ""

    def summary(self) -> Summary:
        """Return the summary as it is now, with the next heartbeat."""
        self._sequence = max(self._clock(), self._sequence + 1)
        return Summary(
            schema=SCHEMA,
            sequence=self._sequence,
            interval_seconds=self._settings.interval,
            nodes=self._nodes.items,
            pods=summarise_pods(self._pods.items, namespace=self._settings.namespace),
            slices=self._slices.items,
            claims=self._claims.items,
            cluster_queues=self._queues.items,
            runtime_classes=self._runtimes.items if self._sees_runtimes else None,
        )
