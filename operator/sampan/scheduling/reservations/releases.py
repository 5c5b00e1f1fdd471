"""When our own running jobs give back what they hold, by their declared ends: to nodes of a column, or to a limit. Not who gets it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sampan.model.members.cluster import Running
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.topology import Numbers

Release = tuple[int, str, int, tuple[tuple[str, int], ...]]
"""When, the job's UID, the place of the node in the column (0 in a limit), and what is given back there."""
ReleasedBy = Callable[[str, Running], Iterable[Release]]
"""What one running job, with its UID, gives back."""


@dataclass(frozen=True, slots=True)
class Releases:
    """What our own running jobs give back, by declared end; jobs without one give nothing back."""

    at: Numbers
    """Milliseconds since the epoch, ascending."""
    places: Numbers
    """Of the node in the column."""
    by_resource: Mapping[str, Numbers]
    """Amounts."""
    entries: tuple[Release, ...]
    """The same by job, in the same order."""

    @classmethod
    def of(cls, entries: Iterable[Release]) -> "Releases":
        """Put releases in order."""
        ordered = sorted(entries)
        rows = [dict(amounts) for _, _, _, amounts in ordered]
        names = sorted({name for row in rows for name in row})
        by_resource = {name: np.array([row.get(name, 0) for row in rows], dtype=np.int64) for name in names}
        at, places = (np.array(numbers, dtype=np.int64) for numbers in ([each[0] for each in ordered], [each[2] for each in ordered]))
        return cls(at, places, by_resource, tuple(ordered))

    def by(self, moment: int, resource: str) -> int:
        """Return how much of a resource is back at a moment."""
        given = self.by_resource.get(resource)
        return 0 if given is None else int(given[: int(np.searchsorted(self.at, moment, side="right"))].sum())

    def when(self, amount: int, resource: str) -> int | None:
        """Return the moment at which so much of a resource, more than nothing, is back; None: not foreseen."""
        given = np.cumsum(self.by_resource[resource]) if resource in self.by_resource else np.zeros(0, dtype=np.int64)
        place = int(np.searchsorted(given, amount))
        return int(self.at[place]) if place < len(given) else None

    def after(self, released: ReleasedBy, *, before: Mapping[str, Running], now: Mapping[str, Running]) -> "Releases":
        """Return what is given back once other jobs run: the very same value where that is nothing to what is asked about."""
        gone = {uid for uid, running in before.items() if now.get(uid) is not running}
        came = [each for uid, running in now.items() if before.get(uid) is not running for each in released(uid, running)]
        kept = [each for each in self.entries if each[1] not in gone]
        return self if not came and len(kept) == len(self.entries) else Releases.of(kept + came)


def released_on(column: CellColumn) -> ReleasedBy:
    """Return what jobs give back on the nodes of a column."""
    places = {name: place for place, name in enumerate(column.names)}

    def released(uid: str, running: Running) -> Iterable[Release]:
        if running.ends is not None:
            for node, replicas in running.nodes:
                place = places.get(node)
                if place is not None:
                    yield running.ends, uid, place, running.per_replica.times(replicas).amounts

    return released


@dataclass(slots=True)
class ReleaseCache:
    """Releases from cycle to cycle, each kept up while what they are asked of is the very same value."""

    _known: dict[object, tuple[object, Mapping[str, Running], Releases]]

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._known = {}

    def get(self, key: object, source: object, *, running: Mapping[str, Running], released: Callable[[], ReleasedBy]) -> Releases:
        """Return the releases of what `key` names and `source` is, made by `released`."""
        known = self._known.get(key)
        if known is None or known[0] is not source:
            by = released()
            releases = Releases.of(each for uid, run in running.items() for each in by(uid, run))
        elif known[1] is not running:
            releases = known[2].after(released(), before=known[1], now=running)
        else:
            return known[2]
        self._known[key] = source, running, releases
        return releases


@dataclass(slots=True)
class BackfillCache:
    """What backfill keeps from cycle to cycle."""

    nodes: ReleaseCache = field(default_factory=ReleaseCache)
    limits: ReleaseCache = field(default_factory=ReleaseCache)
    no_earlier: dict[str, tuple[object, ...]] = field(default_factory=dict)
    """Reservations, by job UID, with all that an earlier start was looked for from, and not found."""
