"""A member's capacity as its publisher tells it: the summary in place of nodes and pods, and our own pods on top. No watch, no clock.

Each pod counts once. The summary tells the pods of each hub apart, and those of this hub are left out of it: they are counted from
our own watch on the namespace of the jobs, and replicas that have no pod yet by what was planned for them. Neither of the two
pictures has to be the newer one for that: nothing is counted twice, and nothing not at all. What a claim gives a pod is told by the
summary alone.

Summaries are unpacked in a thread, the newest only, and the more seldom the longer it takes: whatever a member publishes, the others'
work goes on.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Never

from sampan.faults import log_fault
from sampan.inventory.member import Inventory
from sampan.inventory.slices import to_slice
from sampan.kube.objects.meta import ConfigMap
from sampan.kube.objects.summary import BadSummary, PackedSummary, Summary, parse_packed
from sampan.kube.objects.workloads import Pod
from sampan.model.values.names import LABEL_HUB

log = logging.getLogger(__name__)

MISSED: Final = 3
"""Intervals without a heartbeat after which a summary is stale."""
REST: Final = 0.5
"""Least seconds between two summaries of a member that are looked at."""
REST_PER_WORK: Final = 4
"""The same, as a multiple of what the last one took."""


class _Heartbeat(NamedTuple):
    """The last good summary."""

    sequence: int
    interval: int
    """Seconds."""
    at: float
    """When it was heard of."""
    content: bytes


class PublishedCapacity:
    """The summary of one member in one inventory. `clock` gives monotonic seconds: the publisher's own clock is never compared."""

    def __init__(self, inventory: Inventory, *, hub_id: str, namespace: str, clock: Callable[[], float]) -> None:
        """Nothing was heard yet."""
        self.namespace = namespace
        self.namespaces = frozenset({namespace})
        """Where the publisher takes pods with our label for ours, and leaves them to us to count."""
        self._inventory, self._hub_id, self._clock = inventory, hub_id, clock
        self._last: _Heartbeat | None = None
        self._problem = ""
        self._newest: ConfigMap | None = None
        self._arrived = asyncio.Event()
        self._foreign_pods: tuple[Pod, ...] = ()
        self._own_pods: dict[str, Pod] = {}

    @property
    def fresh(self) -> bool:
        """Tell whether a good summary was heard of within three of its intervals; the first one counts as new."""
        return self._last is not None and self._clock() - self._last.at <= MISSED * self._last.interval

    @property
    def looked(self) -> bool:
        """Tell whether anything is known by now: a summary was heard of, or what is there was looked at in vain."""
        return self._last is not None or self._newest is None

    @property
    def description(self) -> str:
        """Return in words how it stands."""
        if self.fresh:
            return "capacity is published by the member"
        if self._last is None:
            missing = f"ConfigMap sampan-capacity in {self.namespace} is missing: the member chart with capacity=published makes it"
            return self._problem or missing
        why = self._problem or "the publisher (sampan publish) does not write"
        return f"no new summary of the member's capacity for {MISSED} times {self._last.interval} seconds: {why}"

    def replace(self, holders: Iterable[ConfigMap]) -> None:
        """Take the full list: one ConfigMap, or none."""
        found = tuple(holders)
        for holder in found:
            self.apply(holder)
        if not found:
            self.clear()

    def apply(self, holder: ConfigMap) -> None:
        """Take the ConfigMap as it is now; `listen` looks at it."""
        self._newest = holder
        self._arrived.set()

    async def run(self) -> Never:
        """Look at what comes, the newest only, until cancelled. What cannot be taken is told by `told`, and never ends this."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            began, holder = self._clock(), self._newest
            if holder is not None:
                await self._process(holder)
                self._newest = None if self._newest is holder else self._newest
            await asyncio.sleep(rest_after(self._clock() - began))

    async def _process(self, holder: ConfigMap) -> None:
        try:
            self.update(*await asyncio.to_thread(_unpack, holder, self._last.content if self._last is not None else b""))
        except BadSummary as error:
            self._problem = str(error)
        except Exception as error:  # noqa: BLE001  whatever a summary holds, the newest one is looked at
            self._problem = f"the summary could not be taken ({type(error).__name__})"
            log_fault(log, "capacity.apply_failed", error, namespace=self.namespace)

    def update(self, parcel: PackedSummary, summary: Summary | None) -> None:
        """Take in a summary, None: the objects are those that were heard of last.

        What cannot be believed is no heartbeat, and the last good summary stands until it is stale.
        """
        self._problem = ""
        if self._last is not None and parcel.sequence == self._last.sequence:
            return  # the same once more, after a gap of the watch
        if summary is not None:
            self._apply_summary(summary)
        self._last = _Heartbeat(parcel.sequence, parcel.interval_seconds, self._clock(), parcel.content)

    def clear(self) -> None:
        """Hear that the ConfigMap is not there."""
        self._newest = None
        self._problem = f"ConfigMap sampan-capacity in {self.namespace} is gone" if self._last is not None else ""

    def _apply_summary(self, summary: Summary) -> None:
        inventory = self._inventory
        slices = [made for each in summary.slices if (made := to_slice(each)) is not None]
        if slices or inventory.has_slices:
            inventory.replace_slices(slices)
        inventory.replace_nodes(summary.nodes)
        inventory.quotas.replace_claims(summary.claims)
        if summary.cluster_queues or inventory.quotas.queueing:
            inventory.quotas.kueue.replace_cluster(summary.cluster_queues)
        if summary.runtime_classes is None:
            inventory.runtime_classes.forget()
        else:
            inventory.runtime_classes.replace(summary.runtime_classes)
        self._foreign_pods = tuple(pod for pod in summary.pods if pod.metadata.labels.get(LABEL_HUB) != self._hub_id)
        inventory.replace_pods((*self._foreign_pods, *self._own_pods.values()))

    def replace_own(self, namespace: str, pods: Iterable[Pod], unreadable: Iterable[str] = ()) -> None:
        """Take the full list of our own pods in a namespace; `unreadable` are UIDs of those whose last reading stands."""
        stand = frozenset(unreadable)
        kept = {uid: pod for uid, pod in self._own_pods.items() if uid in stand or pod.metadata.namespace != namespace}
        self._own_pods = kept | {pod.metadata.uid: pod for pod in pods}
        self._inventory.replace_pods((*self._foreign_pods, *self._own_pods.values()))

    def put_own(self, pod: Pod) -> None:
        """Take one of our own pods."""
        self._own_pods[pod.metadata.uid] = pod
        self._inventory.put_pod(pod)

    def drop_own(self, uid: str) -> None:
        """Forget one of our own pods."""
        self._own_pods.pop(uid, None)
        self._inventory.drop_pod(uid)


def rest_after(seconds: float) -> float:
    """Return how long a member's next summary waits after one that took so long."""
    return max(REST, REST_PER_WORK * seconds)


def _unpack(holder: ConfigMap, known: bytes) -> tuple[PackedSummary, Summary | None]:
    """Return a summary, and its objects where they are not those that are known. Raises BadSummary. Runs in a thread: reads values only."""
    parcel = parse_packed(holder)
    return parcel, None if parcel.content == known else parcel.summary()


def choose_source(
    namespace: str, before: PublishedCapacity | None, *, inventory: Inventory, hub_id: str, clock: Callable[[], float]
) -> PublishedCapacity | None:
    """Return what a member is looked at through: the summary in this namespace, with what was heard of it before; None: directly."""
    if not namespace or (before is not None and before.namespace == namespace):
        return before if namespace else None
    return PublishedCapacity(inventory, hub_id=hub_id, namespace=namespace, clock=clock)
