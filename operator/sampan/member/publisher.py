"""The publisher: watches a member's nodes, pods and devices from inside and writes one summary of them, the hub's only view of these.

It writes soon after a change, and once an interval anyway: that is its heartbeat. While one of its watches does not work it writes
nothing, so that a hub takes no old picture for a new one. It never creates or deletes anything and reads no Secret.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Never

from sampan.kube.errors import KubeError
from sampan.kube.objects.meta import PartialObject
from sampan.kube.objects.summary import NAME, SCHEMA, BadSummary, Summary, pack
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.kube.watch.reflector import Tuning
from sampan.member.informers import MemberInformers
from sampan.member.summarise import headline, summarise_pods

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSettings:
    """Where and how often. Times are in seconds."""

    namespace: str
    tenant_namespaces: tuple[str, ...] = ()
    interval: int = 10
    settle: float = 1.0
    """How long changes are gathered before they are written."""
    tuning: Tuning | None = None
    stuck_after: float = 120.0
    """A turn that takes longer, interval and all, is taken for one that never ends."""

    @property
    def job_namespaces(self) -> frozenset[str]:
        """Return the namespaces of jobs: only pods there can be a hub's."""
        return frozenset((self.namespace, *self.tenant_namespaces))


class Publisher:
    """The publisher of one member. `clock` gives milliseconds since the epoch; it only has to grow."""

    def __init__(self, client: Client, settings: PublisherSettings, clock: Callable[[], int]) -> None:
        """Nothing is watched before `run`."""
        self._client, self._settings, self._clock = client, settings, clock
        self._changed = asyncio.Event()
        self._informers = MemberInformers(client, settings.tuning, self._changed.set)
        self._sequence = 0
        self._trouble = ""
        self._said: Mapping[str, object] = {}
        """What the log says last is published."""
        self._turned: float | None = None
        """The event loop's time at which it last began to write; None: it waits for the first lists."""

    @property
    def alive(self) -> bool:
        """Tell whether it turns, whether or not it can write: an API server that is away is nothing that a new start would mend."""
        settings = self._settings
        return self._turned is None or asyncio.get_running_loop().time() - self._turned <= settings.interval + settings.stuck_after

    async def run(self) -> Never:
        """Watch and write until cancelled. Raises KubeError where the member does not say what it serves."""
        log.info("publisher.started", extra={"namespace": self._settings.namespace, "interval": self._settings.interval})
        async with asyncio.TaskGroup() as group:
            await self._informers.start(group)
            group.create_task(self._write_always(), name="write")
        raise AssertionError("watches end by cancellation only")

    async def _write_always(self) -> Never:
        await self._informers.wait_synced()
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
        broken = self._informers.trouble
        trouble = f"a watch does not work: {broken}" if broken else ""
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
            summary = self.summary()
            body = {"binaryData": pack(summary)}
            await self._client.patch(path, body, into=PartialObject)
        except (KubeError, BadSummary) as error:
            return f"ConfigMap {NAME} in {self._settings.namespace}: {error}"
        self._say(summary)
        return ""

    def _say(self, summary: Summary) -> None:
        """Log what is published where nodes or devices have changed: not each pod that comes or goes, and no heartbeat."""
        told = headline(summary)
        if told != self._said:
            log.info("publisher.published", extra={"namespace": self._settings.namespace, **told})
            self._said = told

    def summary(self) -> Summary:
        """Return the summary as it is now, with the next heartbeat."""
        seen = self._informers
        self._sequence = max(self._clock(), self._sequence + 1)
        return Summary(
            schema=SCHEMA,
            sequence=self._sequence,
            interval_seconds=self._settings.interval,
            nodes=seen.nodes.items,
            pods=summarise_pods(seen.pods.items, namespaces=self._settings.job_namespaces),
            slices=seen.slices.items,
            claims=seen.claims.items,
            cluster_queues=seen.queues.items,
            runtime_classes=seen.runtimes.items if seen.sees_runtimes else None,
        )
