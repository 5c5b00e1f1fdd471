"""A member's capacity as its publisher tells it: the summary in place of nodes and pods, and our own pods on top. No watch, no clock.

Each pod counts once. The summary tells the pods of each hub apart, and those of this hub are left out of it: they are counted from
our own watch on the namespace of the jobs, and replicas that have no pod yet by what was planned for them. Neither of the two
pictures has to be the newer one for that: nothing is counted twice, and nothing not at all. What a claim gives a pod is told by the
summary alone.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sampan.controller.device_slices import to_slice
from sampan.controller.inventory import Inventory
from sampan.kube.meta import ConfigMap
from sampan.kube.summary import BadSummary, Summary, unpack
from sampan.kube.workloads import Pod
from sampan.model.names import LABEL_HUB

MISSED: Final = 3
"""Intervals without a heartbeat after which a summary is stale."""


class Published:
    """The summary of one member in one inventory. `clock` gives monotonic seconds: the publisher's own clock is never compared."""

    def __init__(self, inventory: Inventory, *, hub_id: str, namespace: str, clock: Callable[[], float]) -> None:
        """Nothing was heard yet."""
        self.namespace = namespace
        self._inventory, self._hub_id, self._clock = inventory, hub_id, clock
        self._sequence: int | None = None
        self._interval, self._heard = 0, 0.0
        self._trouble = ""
        self._foreign: tuple[Pod, ...] = ()
        self._own: dict[str, Pod] = {}

    @property
    def fresh(self) -> bool:
        """Tell whether a good summary was heard of within three of its intervals; the first one counts as new."""
        return self._sequence is not None and self._clock() - self._heard <= MISSED * self._interval

    @property
    def told(self) -> str:
        """Return in words how it stands."""
        if self.fresh:
            return "capacity is published by the member"
        if self._sequence is None:
            missing = f"ConfigMap sampan-capacity in {self.namespace} is missing: the member chart with capacity=published makes it"
            return self._trouble or missing
        why = self._trouble or "the publisher (sampan publish) does not write"
        return f"no new summary of the member's capacity for {MISSED} times {self._interval} seconds: {why}"

    def replace(self, holders: Iterable[ConfigMap]) -> None:
        """Take the full list: one ConfigMap, or none."""
        found = tuple(holders)
        for holder in found:
            self.take(holder)
        if not found:
            self.lose()

    def take(self, holder: ConfigMap) -> None:
        """Take the ConfigMap as it is now. What cannot be believed is no heartbeat, and the last good summary stands until it is stale."""
        try:
            summary = unpack(holder)
        except BadSummary as error:
            self._trouble = str(error)
            return
        self._trouble = ""
        if summary.sequence == self._sequence:
            return  # the same once more, after a gap of the watch
        self._sequence, self._interval, self._heard = summary.sequence, summary.interval_seconds, self._clock()
        self._show(summary)

    def lose(self) -> None:
        """Hear that the ConfigMap is not there."""
        self._trouble = f"ConfigMap sampan-capacity in {self.namespace} is gone" if self._sequence is not None else ""

    def _show(self, summary: Summary) -> None:
        inventory = self._inventory
        slices = [made for each in summary.slices if (made := to_slice(each)) is not None]
        if slices or inventory.has_slices:
            inventory.replace_slices(slices)
        inventory.replace_nodes(summary.nodes)
        inventory.layers.replace_claims(summary.claims)
        if summary.cluster_queues or inventory.layers.queueing:
            inventory.layers.replace_cluster(summary.cluster_queues)
        self._foreign = tuple(pod for pod in summary.pods if pod.metadata.labels.get(LABEL_HUB) != self._hub_id)
        inventory.replace_pods((*self._foreign, *self._own.values()))

    def replace_own(self, pods: Iterable[Pod], unreadable: Iterable[str] = ()) -> None:
        """Take the full list of our own pods; `unreadable` are UIDs of those whose last reading stands."""
        kept = {uid: self._own[uid] for uid in unreadable if uid in self._own}
        self._own = kept | {pod.metadata.uid: pod for pod in pods}
        self._inventory.replace_pods((*self._foreign, *self._own.values()))

    def put_own(self, pod: Pod) -> None:
        """Take one of our own pods."""
        self._own[pod.metadata.uid] = pod
        self._inventory.put_pod(pod)

    def drop_own(self, uid: str) -> None:
        """Forget one of our own pods."""
        self._own.pop(uid, None)
        self._inventory.drop_pod(uid)


def through(namespace: str, before: Published | None, *, inventory: Inventory, hub_id: str, clock: Callable[[], float]) -> Published | None:
    """Return what a member is looked at through: the summary in this namespace, with what was heard of it before; None: directly."""
    if not namespace or (before is not None and before.namespace == namespace):
        return before if namespace else None
    return Published(inventory, hub_id=hub_id, namespace=namespace, clock=clock)
