"""The records of jobs that wait for a place, and what keeps one of them out of the scheduler's sight for a while.

Backoff, cool-downs, plans being enacted, and jobs held back. No I/O and no clock: the moment is an argument.
"""

from collections.abc import Iterator
from typing import Final

from sampan.controller.state.backlog import Sight, Waiting
from sampan.controller.state.pauses import NOT_STARTED
from sampan.controller.state.queues import QueueBook
from sampan.controller.state.record import JobRecord
from sampan.model.backlog import Backlog
from sampan.model.job import Job, Shape
from sampan.model.offer import OfferKey

CellId = tuple[OfferKey, str]
Alike = tuple[str, Shape]
"""Namespace and shape as it was submitted."""

OF_THE_MEMBER: Final = frozenset(
    {
        NOT_STARTED,
        *("InternalError", "ServiceUnavailable", "Timeout", "TooManyRequests", "WebhookFailed"),
        *("LabelsRemoved", "NamespaceNotFound", "NamespaceTerminating", "PermissionMissing", "SuspendedByMember"),
        *("NodeAffinity", "TopologyAffinityError", "UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory", "OutOfpods"),
    }
)
"""Reasons that say something about a pool or its member, and not about one job."""
_FEW: Final = 64
"""Shapes that cool down, before those are looked for that do so no longer."""


class WaitingRoom:
    """Waiting records by UID, and the backlog that the scheduler sees of them."""

    def __init__(self, book: QueueBook, *, cooldown: int) -> None:
        """`cooldown` in milliseconds."""
        self.records: dict[str, JobRecord] = {}
        self._book, self._cooldown = book, cooldown
        self._waiting = Waiting(self._look)
        self._hidden: set[str] = set()
        self._held_back: dict[str, tuple[int, str | None]] = {}
        self._alike: dict[Alike, dict[str, None]] = {}
        self._cooling: dict[Alike, dict[CellId, int]] = {}
        """By namespace: a tenant who gives too short deadlines must not close a pool to the others."""
        self._most_cooling = _FEW

    def put(self, record: JobRecord) -> None:
        """Take in a record that waits, in place of an older one of the same job. It must have a shape."""
        assert record.shape is not None
        self._ungroup(record.uid)
        self.records[record.uid] = record
        self._alike.setdefault((record.namespace, record.shape), {})[record.uid] = None
        self._cool(record)
        self._waiting.touch(record.uid)

    def take_out(self, uid: str) -> None:
        """Forget that a job waits."""
        self._ungroup(uid)
        if self.records.pop(uid, None) is not None:
            self._waiting.touch(uid)

    def forget(self, uid: str) -> None:
        """Forget all about a job that is gone."""
        self.take_out(uid)
        self._hidden.discard(uid)
        self._held_back.pop(uid, None)

    def hide(self, uid: str) -> None:
        """Keep a job out of sight while a plan for it is enacted."""
        self._hidden.add(uid)
        self._waiting.touch(uid)

    def show(self, uid: str) -> None:
        """Let a hidden job be seen again."""
        self._hidden.discard(uid)
        self._waiting.touch(uid)

    def hold_back(self, uid: str, *, until: int, version: str | None) -> None:
        """Keep a job out of sight until then, or only at this resourceVersion."""
        self._held_back[uid] = until, version
        self._waiting.touch(uid)

    def queues_changed(self) -> None:
        """Hear that any job may be in another queue now."""
        self._waiting.touch_all(self.records)

    def namespace_changed(self, namespace: str) -> None:
        """Hear that the labels of a namespace changed."""
        self._waiting.touch_all(uid for uid, record in self.records.items() if record.namespace == namespace)

    def backlog(self, now: int) -> Backlog:
        """Return what may be placed at this moment (milliseconds since the epoch)."""
        if len(self._cooling) > self._most_cooling:  # of jobs that are gone, and whose like never came again
            self._cooling = {key: cells for key, cells in self._cooling.items() if max(cells.values()) > now}
            self._most_cooling = max(2 * len(self._cooling), _FEW)
        return self._waiting.backlog(now)

    def seen(self, record: JobRecord, now: int) -> Job:
        """Return a waiting job as the scheduler sees it, or would once nothing keeps it out of sight any more."""
        assert record.shape is not None
        assert record.spec is not None
        seat = self._book.seat(record.namespace, record.spec, record.shape)
        return record.to_job(frozenset(self._closed(record, record.shape, now)), seat)

    def not_before(self, record: JobRecord) -> int:
        """Return until when (milliseconds since the epoch) a job is kept out of sight; a moment that is past: it is not."""
        return max(self._not_before(record))

    def cooling(self, namespace: str, shape: Shape, now: int) -> dict[CellId, int]:
        """Return the cells that cool down for every job of a namespace and a shape as submitted, each with the end of that."""
        return {cell: until for cell, until in self._cooling.get((namespace, shape), {}).items() if until > now}

    def _ungroup(self, uid: str) -> None:
        known = self.records.get(uid)
        if known is None or known.shape is None:
            return
        key = known.namespace, known.shape
        group = self._alike.get(key, {})
        group.pop(uid, None)
        if not group:
            self._alike.pop(key, None)

    def _cool(self, record: JobRecord) -> None:
        """Leave a cell where a job was not started, for no reason of its own, out for the jobs of its shape and namespace for a while."""
        assert record.shape is not None
        key = record.namespace, record.shape
        for cell, until in record.cooling(self._cooldown, reasons=OF_THE_MEMBER).items():
            cooling = self._cooling.setdefault(key, {})
            if until > cooling.get(cell, 0):
                cooling[cell] = until
                self._waiting.touch_all(self._alike.get(key, ()))

    def _look(self, uid: str, now: int) -> Sight:
        record = self.records.get(uid)
        if record is None or uid in self._hidden:
            return Sight(None)
        assert record.shape is not None
        assert record.spec is not None
        later = self.not_before(record)
        if later > now:
            return Sight(None, later)
        cells = self._closed(record, record.shape, now)
        return Sight(self.seen(record, now), min(cells.values(), default=None))

    def _not_before(self, record: JobRecord) -> Iterator[int]:
        yield record.not_before()
        until, version = self._held_back.get(record.uid, (0, None))
        if version in (None, record.resource_version):
            yield until

    def _closed(self, record: JobRecord, shape: Shape, now: int) -> dict[CellId, int]:
        """Return the cells that cool down for a job, each with the end of that."""
        cells = self.cooling(record.namespace, shape, now)
        if cells:
            self._cooling[record.namespace, shape] = dict(cells)
        else:
            self._cooling.pop((record.namespace, shape), None)
        for cell, until in record.cooling(self._cooldown).items():
            if until > now:
                cells[cell] = max(until, cells.get(cell, 0))
        return cells
