"""The pods of one attempt, counted as they come, change and go: a look at them costs the same for one pod as for thousands.

Pure. What an attempt's counts mean is told in `attempt`, what is wrong with single pods in `presence`.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sampan.controller.observation.failure import Cause, Failure, Indexes, failure_of
from sampan.controller.observation.presence import is_suspect
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Pod
from sampan.model.members.cluster import Node
from sampan.model.values.names import LABEL_INDEX

_WAITS: Final = frozenset({PodReason.CONTAINER_CREATING, PodReason.POD_INITIALIZING, ""})
"""Container waiting reasons that only say that it takes a moment."""
Words = tuple[str, str]
"""Reason and message, as the member wrote them."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one pod adds to the counts."""

    pod: Pod
    ready: bool
    at_work: bool
    waits_for: Words | None
    """What a container of a pending pod waits for."""
    unscheduled: Words | None
    """Why a pending pod has no node."""


class PodTally:
    """The pods of one attempt by UID, and what they come to. `version` moves with each change."""

    def __init__(self) -> None:
        """Start without any."""
        self.version = 0
        self.ready = 0
        """Running and ready, and not about to go."""
        self.at_work = 0
        """Neither ended nor about to go."""
        self.placed = 0
        """Given a node."""
        self.phases: Counter[str] = Counter()
        self._facts: dict[str, _Facts] = {}
        self._failures: dict[str, tuple[str, Failure]] = {}
        """The failed ones, each with its completion index."""
        self._first: dict[str | None, Failure | None] = {}
        """The first failure by the failed indexes that were asked about, until another pod fails."""
        self._waiting: list[tuple[str, str]] = []
        self._unscheduled: list[tuple[str, str]] = []
        """Names and UIDs of pending pods that say what they wait for, in order."""
        self._on: dict[str, set[str]] = {}
        """Those that have a node and have not ended, by node."""
        self._suspects: set[str] = set()

    @classmethod
    def of(cls, pods: Iterable[Pod]) -> "PodTally":
        """Count these."""
        made = cls()
        for pod in pods:
            made.put(pod)
        return made

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._facts)

    def put(self, pod: Pod) -> None:
        """Take a pod, or a newer picture of it."""
        self.drop(pod.metadata.uid)
        uid, phase, node = pod.metadata.uid, pod.status.phase, pod.spec.node_name
        facts = self._facts[uid] = _facts_of(pod)
        self.ready += facts.ready
        self.at_work += facts.at_work
        self.placed += bool(node)
        self.phases[phase] += 1
        if facts.waits_for is not None:
            insort(self._waiting, (pod.metadata.name, uid))
        if facts.unscheduled is not None:
            insort(self._unscheduled, (pod.metadata.name, uid))
        if node and phase not in ("Succeeded", "Failed"):
            self._on.setdefault(node, set()).add(uid)
        if is_suspect(pod):
            self._suspects.add(uid)
        failure = failure_of(pod)
        if failure is not None:
            self._failures[uid] = pod.metadata.labels.get(LABEL_INDEX, ""), failure
            self._first.clear()
        self.version += 1

    def drop(self, uid: str) -> None:
        """Forget a pod, if it is known."""
        facts = self._facts.pop(uid, None)
        if facts is None:
            return
        self.ready -= facts.ready
        self.at_work -= facts.at_work
        self.placed -= bool(facts.pod.spec.node_name)
        self.phases[facts.pod.status.phase] -= 1
        for names in (self._waiting, self._unscheduled):
            place = bisect_left(names, (facts.pod.metadata.name, uid))
            if place < len(names) and names[place][1] == uid:
                del names[place]
        on = self._on.get(facts.pod.spec.node_name)
        if on is not None:
            on.discard(uid)
            if not on:
                del self._on[facts.pod.spec.node_name]
        self._suspects.discard(uid)
        if self._failures.pop(uid, None) is not None:
            self._first.clear()
        self.version += 1

    @property
    def stall(self) -> Words | None:
        """Return what the first pending pod says that says why: image pulls and the like before a full cluster."""
        if self._waiting:
            return self._facts[self._waiting[0][1]].waits_for
        return self._facts[self._unscheduled[0][1]].unscheduled if self._unscheduled else None

    def first_failure(self) -> Failure | None:
        """Return the failure that came first."""
        if None not in self._first:
            self._first[None] = earliest(failure for _, failure in self._failures.values())
        return self._first[None]

    def first_failure_of(self, failed_indexes: str) -> Failure | None:
        """Return the first failure of an index that failed for good, of its own doing if there is one; others were made good."""
        if failed_indexes in self._first:
            return self._first[failed_indexes]
        lost = Indexes(failed_indexes)
        found = [failure for index, failure in self._failures.values() if index in lost]
        known = bool(found) or not lost
        if not found and not (lost and any(each.pod.metadata.labels.get(LABEL_INDEX, "") in lost for each in self._facts.values())):
            found = [failure for _, failure in self._failures.values()]
        first = earliest([failure for failure in found if failure.cause is Cause.PROGRAM] or found)
        if known:  # else it rests on pods that have not failed, too
            self._first[failed_indexes] = first
        return first

    def suspects(self, nodes: Mapping[str, Node]) -> list[Pod]:
        """Return the pods with which something may be wrong: by what they say, or because their node is lost; `nodes` are the member's."""
        lost = (uids for name, uids in self._on.items() if _is_lost(name, nodes))
        return [self._facts[uid].pod for uid in sorted(self._suspects.union(*lost))]


def earliest(failures: Iterable[Failure]) -> Failure | None:
    """Return the failure that came first, None where there is none."""
    return min(failures, key=lambda failure: failure.order, default=None)


def _facts_of(pod: Pod) -> _Facts:
    status, going, waits_for, unscheduled = pod.status, bool(pod.metadata.deletion_timestamp), None, None
    if status.phase == "Pending":
        waits = (each.state.waiting for each in (*status.init_container_statuses, *status.container_statuses))
        waits_for = next(((wait.reason, wait.message) for wait in waits if wait is not None and wait.reason not in _WAITS), None)
        refused = (each for each in status.conditions if each.type == "PodScheduled" and each.status == "False")
        unscheduled = next(((each.reason, each.message) for each in refused), None)
    ready = status.phase == "Running" and not going and any(c.type == "Ready" and c.status == "True" for c in status.conditions)
    return _Facts(pod, ready, status.phase in ("Pending", "Running") and not going, waits_for, unscheduled)


def _is_lost(name: str, nodes: Mapping[str, Node]) -> bool:
    node = nodes.get(name)
    return bool(nodes) if node is None else not node.ready
