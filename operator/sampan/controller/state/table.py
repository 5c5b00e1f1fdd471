"""Every job that the hub has, by UID, and what is derived from that: who is bound where, who waits, for whom a place is kept.

One index, worked out from an entry by `_keys_of` and by nothing else: whoever changes an entry calls `changed`. No I/O, no clock.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sampan.controller.state.entry import JobEntry
from sampan.controller.state.record import JobRecord
from sampan.model.job import Shape
from sampan.model.lifecycle import Phase
from sampan.model.members.offer import OfferKey

_WAITING: Final = "waiting"
_ASSUMED: Final = "assumed"
_RESERVED: Final = "reserved"
_UNKNOWN_START: Final = "start unknown"


class JobTable(Mapping[str, JobEntry]):
    """Entries by UID. To forget a job is to delete its entry."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[str, JobEntry] = {}
        self._index: dict[object, dict[str, JobEntry]] = {}
        self._open: dict[str, list[JobEntry]] = {}
        """Those with an attempt under way on a member, kept in order of UID."""
        self.records: Mapping[str, JobRecord] = _Records(self._entries)
        """The hub's objects alone, by UID: a live view."""
        self.on_delete: list[Callable[[str], None]] = []
        """Called with the UID of a job after it was forgotten."""
        self.on_change: list[Callable[[JobRecord | None, JobRecord | None], None]] = []
        """Called with two pictures of a job: the one that was known, None for a new job, and the newer one, None for one that is gone."""

    def __getitem__(self, uid: str) -> JobEntry:
        """Return the entry of a job."""
        return self._entries[uid]

    def __iter__(self) -> Iterator[str]:
        """Yield the UIDs."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return how many jobs there are."""
        return len(self._entries)

    def put(self, record: JobRecord) -> JobEntry:
        """Take in a job, or a newer picture of it. A record that cannot be read raises before anything is kept of it."""
        entry, before = self._entries.get(record.uid), None
        if entry is None:
            entry = JobEntry(record=record)
            keys = tuple(_keys_of(entry))
            self._entries[record.uid] = entry
        else:
            before, entry.record = entry.record, record
            try:
                keys = tuple(_keys_of(entry))
            except Exception:
                entry.record = before
                raise
        self._file(entry, keys)
        for listener in self.on_change:
            listener(before, record)
        return entry

    def changed(self, entry: JobEntry) -> None:
        """Hear that an entry of the table was changed."""
        self._file(entry, tuple(_keys_of(entry)))

    def __delitem__(self, uid: str) -> None:
        """Forget a job."""
        entry = self._entries.pop(uid)
        self._file(entry, ())
        for listener in self.on_delete:
            listener(uid)
        for changed in self.on_change:
            changed(entry.record, None)

    def of_member(self, cluster_uid: str) -> tuple[JobEntry, ...]:
        """Return the jobs with a binding to a member, ended ones included, in order of their binding."""
        return self._found("member", cluster_uid)

    def of_offer(self, offer: OfferKey) -> tuple[JobEntry, ...]:
        """Return the jobs with a binding by an offer, ended ones included, in order of their binding."""
        return self._found("offer", offer)

    def open_on(self, cluster_uid: str) -> tuple[JobEntry, ...]:
        """Return the jobs with an attempt under way on a member, by UID."""
        return tuple(self._open.get(cluster_uid, ()))

    @property
    def by_phase(self) -> Mapping[str, int]:
        """Return how many jobs are in each phase that any is in."""
        counts = ((str(phase), len(self._index.get(("phase", phase), ()))) for phase in Phase)
        return {phase: count for phase, count in counts if count}

    def like(self, namespace: str, shape: Shape) -> tuple[JobEntry, ...]:
        """Return the waiting jobs of a namespace and a shape as submitted."""
        return self._found("like", (namespace, shape))

    @property
    def waiting(self) -> Mapping[str, JobEntry]:
        """Return the jobs that wait for a place, those being bound included: a live view."""
        return self._index.get(_WAITING, {})

    @property
    def assumed(self) -> Mapping[str, JobEntry]:
        """Return the jobs whose binding is being written: a live view."""
        return self._index.get(_ASSUMED, {})

    @property
    def reserved(self) -> tuple[JobEntry, ...]:
        """Return the jobs for which a place is kept."""
        return tuple(self._index.get(_RESERVED, {}).values())

    @property
    def start_unknown(self) -> tuple[JobEntry, ...]:
        """Return the jobs of which the newest plan says that no start is known."""
        return tuple(self._index.get(_UNKNOWN_START, {}).values())

    def _begin(self, entry: JobEntry, key: object) -> None:
        if isinstance(key, tuple) and key[0] == "open":
            insort(self._open.setdefault(key[1], []), entry, key=_uid_of)

    def _end(self, entry: JobEntry, key: object) -> None:
        if isinstance(key, tuple) and key[0] == "open":
            there = self._open[key[1]]
            del there[bisect_left(there, entry.uid, key=_uid_of)]
            if not there:
                del self._open[key[1]]

    def _found(self, kind: str, key: object) -> tuple[JobEntry, ...]:
        return tuple(self._index.get((kind, key), {}).values())

    def _file(self, entry: JobEntry, keys: tuple[object, ...]) -> None:
        if keys == entry.keys:
            return
        for key in entry.keys:
            if key not in keys:
                del self._index[key][entry.uid]
                self._end(entry, key)
                if not self._index[key]:
                    del self._index[key]
        for key in keys:
            if key not in entry.keys:
                self._index.setdefault(key, {})[entry.uid] = entry
                self._begin(entry, key)
        entry.keys = keys


class _Records(Mapping[str, JobRecord]):
    """The records of entries."""

    def __init__(self, entries: Mapping[str, JobEntry]) -> None:
        self._entries = entries

    def __getitem__(self, uid: str) -> JobRecord:
        return self._entries[uid].record

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _uid_of(entry: JobEntry) -> str:
    return entry.uid


def _keys_of(entry: JobEntry) -> Iterator[object]:
    """Yield under what a job is found."""
    record = entry.record
    binding = record.binding
    yield "phase", record.phase
    if binding is not None:
        yield "member", binding.cluster_uid
        yield "offer", binding.offer
        if record.attempt_open:
            yield "open", binding.cluster_uid
    elif record.waits:
        yield _WAITING
        yield "like", (record.namespace, record.shape)
    if entry.assumed:
        yield _ASSUMED
    if entry.reservation is not None:
        yield _RESERVED
    if entry.start_unknown is not None:
        yield _UNKNOWN_START
