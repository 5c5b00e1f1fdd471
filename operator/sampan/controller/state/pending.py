"""Which of the jobs that wait for a place the scheduler sees, and what excludes one of them from the backlog for a while.

Backoff, cool-downs, and plans that are being bound. No I/O and no clock: the moment is an argument.
"""

from collections.abc import Callable
from typing import Final

from sampan.controller.state.backlog import BacklogCache, Visibility
from sampan.controller.state.entry import ANY_VERSION, BIND, DEPENDENCIES, JobEntry, RetryState
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.record import MAX_BACKOFF, JobRecord
from sampan.controller.state.table import JobTable
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
QUARANTINE: Final = 60_000
"""Milliseconds for which a job is left alone that raised an error which nobody foresaw."""
_MIN_SWEPT: Final = 64
"""Shapes that cool down, before those are looked for that do so no longer."""


class PendingJobs:
    """The backlog that the scheduler sees of the jobs in a table."""

    def __init__(self, table: JobTable, queues: QueueRegistry, *, cooldown: int) -> None:
        """`cooldown` in milliseconds."""
        self._table, self._queues, self._cooldown = table, queues, cooldown
        self._backlog = BacklogCache(self._visibility)
        self._cooling: dict[NamespacedShape, dict[CellId, int]] = {}
        """By namespace: a tenant who gives too short deadlines must not close a pool to the others."""
        self._most_cooling = _MIN_SWEPT
        self.on_fault: list[Callable[[str, Exception], None]] = []
        """Called with the UID of a job that cannot be shown to the scheduler, and with what that raised."""

    def changed(self, entry: JobEntry) -> None:
        """Hear that a job waits, waits no more, or is to be looked at again."""
        self._backlog.invalidate(entry.uid)

    def add(self, entry: JobEntry) -> None:
        """Hear of a newer picture of a job that waits."""
        self._cool(entry.record)
        self._backlog.invalidate(entry.uid)

    def back_off(self, entry: JobEntry, *, until: int, version: str | None = None) -> None:
        """Exclude a job until then (milliseconds since the epoch), or only at this resourceVersion."""
        known = entry.retries.get(BIND)
        since, times = (known.since, known.times) if known is not None else (until, 0)
        target = ANY_VERSION if version is None else version
        entry.retries[BIND] = RetryState(target=target, times=times, since=since, not_before=until)
        self._backlog.invalidate(entry.uid)

    def queues_changed(self) -> None:
        """Hear that any job may be in another queue now."""
        self._backlog.invalidate_all(self._table.waiting)

    def namespace_changed(self, namespace: str) -> None:
        """Hear that the labels of a namespace changed."""
        self._backlog.invalidate_all(uid for uid, entry in self._table.waiting.items() if entry.record.namespace == namespace)

    def backlog(self, now: int) -> Backlog:
        """Return what may be placed at this moment (milliseconds since the epoch)."""
        if len(self._cooling) > self._most_cooling:  # of jobs that are gone, and whose like never came again
            self._cooling = {key: cells for key, cells in self._cooling.items() if any(self._cools(until, now) for until in cells.values())}
            self._most_cooling = max(2 * len(self._cooling), _MIN_SWEPT)
        return self._backlog.backlog(now)

    def scheduler_view(self, record: JobRecord, now: int) -> Job:
        """Return a waiting job as the scheduler sees it, or would once nothing excludes it any more."""
        assert record.shape is not None
        assert record.spec is not None
        placement = self._queues.place(record.namespace, record.spec, record.shape)
        return record.to_job(frozenset(self._cooling_for(record, record.shape, now)), placement)

    def not_before(self, entry: JobEntry, now: int) -> int:
        """Return until when (milliseconds since the epoch) a job is excluded; a moment that is past: it is not.

        A pause that is longer than any can be stems from a clock that was set back, and is over.
        """
        tried = (entry.retries[kind] for kind in (BIND, DEPENDENCIES) if kind in entry.retries)
        left = (each.remaining(now) for each in tried if each.target in (ANY_VERSION, entry.record.resource_version))
        return max((_unless_set_back(entry.record.not_before(), now, longest=MAX_BACKOFF * 1000), *(now + each for each in left)))

    def cooling_cells(self, namespace: str, shape: Shape, now: int) -> dict[CellId, int]:
        """Return the cells that cool down for every job of a namespace and a shape as submitted, each with the end of that."""
        return {cell: until for cell, until in self._cooling.get((namespace, shape), {}).items() if self._cools(until, now)}

    def _cool(self, record: JobRecord) -> None:
        """Leave a cell where a job was not started, for no reason of its own, out for the jobs of its shape and namespace for a while."""
        assert record.shape is not None
        key = record.namespace, record.shape
        for cell, until in record.cooling(self._cooldown, reasons=MEMBER_REASONS).items():
            cooling = self._cooling.setdefault(key, {})
            if until > cooling.get(cell, 0):
                cooling[cell] = until
                self._backlog.invalidate_all(entry.uid for entry in self._table.like(*key))

    def _visibility(self, uid: str, now: int) -> Visibility:
        entry = self._table.waiting.get(uid)
        if entry is None or entry.assumed:
            return Visibility(None)
        assert entry.record.shape is not None
        later = self.not_before(entry, now)
        if later > now:
            return Visibility(None, later)
        try:
            cells = self._cooling_for(entry.record, entry.record.shape, now)
            return Visibility(self.scheduler_view(entry.record, now), min(cells.values(), default=None))
        except Exception as error:  # noqa: BLE001  one job that cannot be shown must not hide the others
            for listener in self.on_fault:
                listener(uid, error)
            return Visibility(None, now + QUARANTINE)

    def _cools(self, until: int, now: int) -> bool:
        return _unless_set_back(until, now, longest=self._cooldown) > now

    def _cooling_for(self, record: JobRecord, shape: Shape, now: int) -> dict[CellId, int]:
        """Return the cells that cool down for a job, each with the end of that."""
        cells = self.cooling_cells(record.namespace, shape, now)
        if cells:
            self._cooling[record.namespace, shape] = dict(cells)
        else:
            self._cooling.pop((record.namespace, shape), None)
        for cell, until in record.cooling(self._cooldown).items():
            if self._cools(until, now):
                cells[cell] = max(until, cells.get(cell, 0))
        return cells


def _unless_set_back(until: int, now: int, *, longest: int) -> int:
    """Return a moment up to which something is left alone; 0 where that is farther away than it ever is, because the clock was set back."""
    return until if until - now <= longest else 0
