"""The records of jobs that wait for a place, and what excludes one of them from the backlog for a while.

Backoff, cool-downs, and plans that are being bound. No I/O and no clock: the moment is an argument.
"""

from collections.abc import Iterator
from typing import Final

from sampan.controller.state.backlog import BacklogCache, Visibility
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.reasons import PodReason, ServerReason
from sampan.model.backlog import Backlog
from sampan.model.job import Job, Shape
from sampan.model.members.offer import OfferKey
from sampan.model.status.reasons import AttemptReason

CellId = tuple[OfferKey, str]
NamespacedShape = tuple[str, Shape]
"""Namespace and shape as it was submitted."""

MEMBER_REASONS: Final = frozenset(
    {
        *(AttemptReason.START_DEADLINE_EXCEEDED, AttemptReason.WEBHOOK_FAILED, AttemptReason.LABELS_REMOVED),
        *(AttemptReason.NAMESPACE_NOT_FOUND, AttemptReason.NAMESPACE_TERMINATING),
        *(AttemptReason.PERMISSION_MISSING, AttemptReason.SUSPENDED_BY_MEMBER),
        *ServerReason,
        *(PodReason.NODE_AFFINITY, PodReason.TOPOLOGY_AFFINITY_ERROR, PodReason.UNEXPECTED_ADMISSION_ERROR),
        *(PodReason.OUT_OF_CPU, PodReason.OUT_OF_MEMORY, PodReason.OUT_OF_PODS),
    }
)
"""Reasons that say something about a pool or its member, and not about one job."""
_MIN_SWEPT: Final = 64
"""Shapes that cool down, before those are looked for that do so no longer."""


class PendingJobs:
    """Waiting records by UID, and the backlog that the scheduler sees of them."""

    def __init__(self, queues: QueueRegistry, *, cooldown: int) -> None:
        """`cooldown` in milliseconds."""
        self.records: dict[str, JobRecord] = {}
        self._queues, self._cooldown = queues, cooldown
        self._backlog = BacklogCache(self._visibility)
        self._excluded: set[str] = set()
        self._backed_off: dict[str, tuple[int, str | None]] = {}
        self._by_shape: dict[NamespacedShape, dict[str, None]] = {}
        self._cooling: dict[NamespacedShape, dict[CellId, int]] = {}
        """By namespace: a tenant who gives too short deadlines must not close a pool to the others."""
        self._most_cooling = _MIN_SWEPT

    def add(self, record: JobRecord) -> None:
        """Take in a record that waits, in place of an older one of the same job. It must have a shape."""
        assert record.shape is not None
        self._ungroup(record.uid)
        self.records[record.uid] = record
        self._by_shape.setdefault((record.namespace, record.shape), {})[record.uid] = None
        self._cool(record)
        self._backlog.invalidate(record.uid)

    def remove(self, uid: str) -> None:
        """Take out a job that waits no more."""
        self._ungroup(uid)
        if self.records.pop(uid, None) is not None:
            self._backlog.invalidate(uid)

    def delete(self, uid: str) -> None:
        """Forget all about a job that is gone."""
        self.remove(uid)
        self._excluded.discard(uid)
        self._backed_off.pop(uid, None)

    def exclude(self, uid: str) -> None:
        """Exclude a job from the backlog while a plan for it is being bound."""
        self._excluded.add(uid)
        self._backlog.invalidate(uid)

    def include(self, uid: str) -> None:
        """Let an excluded job into the backlog again."""
        self._excluded.discard(uid)
        self._backlog.invalidate(uid)

    def back_off(self, uid: str, *, until: int, version: str | None) -> None:
        """Exclude a job until then, or only at this resourceVersion."""
        self._backed_off[uid] = until, version
        self._backlog.invalidate(uid)

    def queues_changed(self) -> None:
        """Hear that any job may be in another queue now."""
        self._backlog.invalidate_all(self.records)

    def namespace_changed(self, namespace: str) -> None:
        """Hear that the labels of a namespace changed."""
        self._backlog.invalidate_all(uid for uid, record in self.records.items() if record.namespace == namespace)

    def backlog(self, now: int) -> Backlog:
        """Return what may be placed at this moment (milliseconds since the epoch)."""
        if len(self._cooling) > self._most_cooling:  # of jobs that are gone, and whose like never came again
            self._cooling = {key: cells for key, cells in self._cooling.items() if max(cells.values()) > now}
            self._most_cooling = max(2 * len(self._cooling), _MIN_SWEPT)
        return self._backlog.backlog(now)

    def scheduler_view(self, record: JobRecord, now: int) -> Job:
        """Return a waiting job as the scheduler sees it, or would once nothing excludes it any more."""
        assert record.shape is not None
        assert record.spec is not None
        placement = self._queues.place(record.namespace, record.spec, record.shape)
        return record.to_job(frozenset(self._cooling_for(record, record.shape, now)), placement)

    def not_before(self, record: JobRecord) -> int:
        """Return until when (milliseconds since the epoch) a job is excluded; a moment that is past: it is not."""
        return max(self._not_before(record))

    def cooling_cells(self, namespace: str, shape: Shape, now: int) -> dict[CellId, int]:
        """Return the cells that cool down for every job of a namespace and a shape as submitted, each with the end of that."""
        return {cell: until for cell, until in self._cooling.get((namespace, shape), {}).items() if until > now}

    def _ungroup(self, uid: str) -> None:
        known = self.records.get(uid)
        if known is None or known.shape is None:
            return
        key = known.namespace, known.shape
        group = self._by_shape.get(key, {})
        group.pop(uid, None)
        if not group:
            self._by_shape.pop(key, None)

    def _cool(self, record: JobRecord) -> None:
        """Leave a cell where a job was not started, for no reason of its own, out for the jobs of its shape and namespace for a while."""
        assert record.shape is not None
        key = record.namespace, record.shape
        for cell, until in record.cooling(self._cooldown, reasons=MEMBER_REASONS).items():
            cooling = self._cooling.setdefault(key, {})
            if until > cooling.get(cell, 0):
                cooling[cell] = until
                self._backlog.invalidate_all(self._by_shape.get(key, ()))

    def _visibility(self, uid: str, now: int) -> Visibility:
        record = self.records.get(uid)
        if record is None or uid in self._excluded:
            return Visibility(None)
        assert record.shape is not None
        assert record.spec is not None
        later = self.not_before(record)
        if later > now:
            return Visibility(None, later)
        cells = self._cooling_for(record, record.shape, now)
        return Visibility(self.scheduler_view(record, now), min(cells.values(), default=None))

    def _not_before(self, record: JobRecord) -> Iterator[int]:
        yield record.not_before()
        until, version = self._backed_off.get(record.uid, (0, None))
        if version in (None, record.resource_version):
            yield until

    def _cooling_for(self, record: JobRecord, shape: Shape, now: int) -> dict[CellId, int]:
        """Return the cells that cool down for a job, each with the end of that."""
        cells = self.cooling_cells(record.namespace, shape, now)
        if cells:
            self._cooling[record.namespace, shape] = dict(cells)
        else:
            self._cooling.pop((record.namespace, shape), None)
        for cell, until in record.cooling(self._cooldown).items():
            if until > now:
                cells[cell] = max(until, cells.get(cell, 0))
        return cells
