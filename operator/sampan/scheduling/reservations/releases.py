"""When our own running jobs give back what they hold, by their declared ends: to nodes of a column, or to a limit. Not who gets it."""

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import is_
from typing import Final

import numpy as np

from sampan.model.members.cluster import Cluster, Running
from sampan.model.values.quantity import INFINITE
from sampan.scheduling.capacity.cells import CellColumn, CellIndex
from sampan.scheduling.capacity.limits import LimitKey
from sampan.scheduling.capacity.topology import Numbers

MAX_DIFFERENCES: Final = 256
"""Differences of running jobs that are kept."""
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
        return cls(at, places, _given(by_resource), tuple(ordered))

    def by(self, moment: int, resource: str) -> int:
        """Return how much of a resource is back at a moment."""
        given = self.by_resource.get(resource)
        return 0 if given is None else int(given[: int(np.searchsorted(self.at, moment, side="right"))].sum())

    def when(self, amount: int, resource: str) -> int | None:
        """Return the moment at which so much of a resource, more than nothing, is back; None: not foreseen."""
        given = np.cumsum(self.by_resource[resource]) if resource in self.by_resource else np.zeros(0, dtype=np.int64)
        place = int(np.searchsorted(given, amount))
        return int(self.at[place]) if place < len(given) else None

    def having(self, came: Iterable[Release], *, without: Set[str]) -> "Releases":
        """Return the releases with others beside them, and without those of some jobs: as `of` puts them in order."""
        kept, at, places, by_resource = self.entries, self.at, self.places, self.by_resource
        if without:
            stay = np.array([each[1] not in without for each in kept], dtype=bool)
            kept = tuple(each for each in kept if each[1] not in without)
            at, places = at[stay], places[stay]
            by_resource = {name: given[stay] for name, given in by_resource.items()}
        fresh = sorted(came)
        if not fresh:
            return Releases(at, places, _given(by_resource), kept)
        where = [bisect_left(kept, each) for each in fresh]
        rows = [dict(amounts) for _, _, _, amounts in fresh]
        nothing = np.zeros(len(kept), dtype=np.int64)
        names = sorted({*by_resource, *(name for row in rows for name in row)})
        with_fresh = {name: np.insert(by_resource.get(name, nothing), where, [row.get(name, 0) for row in rows]) for name in names}
        at, places = np.insert(at, where, [each[0] for each in fresh]), np.insert(places, where, [each[2] for each in fresh])
        return Releases(at, places, _given(with_fresh), tuple(sorted((*kept, *fresh))))


def _given(by_resource: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Return the amounts of the resources of which anything is given back."""
    return {name: amounts for name, amounts in by_resource.items() if amounts.any()}


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


@dataclass(frozen=True, slots=True)
class _Difference:
    """What runs in one picture of a cluster and not in another. Holds both, so that identity tells them."""

    before: Mapping[str, Running]
    now: Mapping[str, Running]
    gone: Set[str]
    came: tuple[tuple[str, Running], ...]

    @classmethod
    def of(cls, before: Mapping[str, Running], now: Mapping[str, Running]) -> "_Difference":
        """Return the difference; a job that runs otherwise is gone and came."""
        gone = {uid for uid, running in before.items() if now.get(uid) is not running}
        return cls(before, now, gone, tuple((uid, running) for uid, running in now.items() if before.get(uid) is not running))


class ReleaseCache:
    """Releases from cycle to cycle, each kept up while what they are asked of is the very same value."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._known: dict[object, tuple[Sequence[object], Mapping[str, Running], Releases]] = {}
        self._differences: dict[tuple[int, int], _Difference] = {}
        """By identity of both pictures: what many keys of one cluster ask for in a cycle."""

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._known)

    def get(self, key: object, source: Sequence[object], *, running: Mapping[str, Running], released: Callable[[], ReleasedBy]) -> Releases:
        """Return the releases of what `key` names, made by `released`; the same value while nothing of it changed.

        They are made anew where one of `source`, all that `released` reads, is not the very same value.
        """
        known = self._known.get(key)
        same = known is not None and len(known[0]) == len(source) and all(map(is_, known[0], source))
        if known is not None and same and known[1] is running:
            return known[2]
        if known is None or not same:
            by = released()
            releases = Releases.of(each for uid, run in running.items() for each in by(uid, run))
        else:
            releases = self._after(known[2], self._difference(known[1], running), released)
        self._known[key] = source, running, releases
        return releases

    def keep(self, keys: Container[object]) -> None:
        """Forget what others name: it is gone."""
        self._known = {key: known for key, known in self._known.items() if key in keys}

    def _after(self, releases: Releases, difference: _Difference, released: Callable[[], ReleasedBy]) -> Releases:
        came: list[Release] = []
        if difference.came:
            by = released()
            came = [each for uid, running in difference.came for each in by(uid, running)]
        gone = difference.gone
        if not came and (not gone or all(each[1] not in gone for each in releases.entries)):
            return releases
        return releases.having(came, without=gone)

    def _difference(self, before: Mapping[str, Running], now: Mapping[str, Running]) -> _Difference:
        known = self._differences.get((id(before), id(now)))
        if known is None:
            if len(self._differences) >= MAX_DIFFERENCES:
                self._differences.clear()
            known = self._differences[id(before), id(now)] = _Difference.of(before, now)
        return known


class FirstEnds:
    """The earliest declared end of what runs in each cluster, kept while that is the very same value."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._known: dict[str, tuple[Mapping[str, Running], int]] = {}

    def __len__(self) -> int:
        """Return of how many clusters it is kept."""
        return len(self._known)

    def of(self, cluster: Cluster) -> int:
        """Return it in milliseconds since the epoch; `INFINITE`: nothing that runs there has a declared end."""
        known = self._known.get(cluster.uid)
        if known is None or known[0] is not cluster.running:
            first = min((run.ends for run in cluster.running.values() if run.ends is not None), default=INFINITE)
            known = self._known[cluster.uid] = cluster.running, first
        return known[1]

    def keep(self, clusters: Container[str]) -> None:
        """Forget clusters that are gone."""
        self._known = {uid: known for uid, known in self._known.items() if uid in clusters}


@dataclass(slots=True)
class BackfillCache:
    """What backfill keeps from cycle to cycle."""

    first_ends: FirstEnds = field(default_factory=FirstEnds)
    nodes: ReleaseCache = field(default_factory=ReleaseCache)
    limits: ReleaseCache = field(default_factory=ReleaseCache)
    no_earlier: dict[str, tuple[object, ...]] = field(default_factory=dict)
    """Reservations, by job UID, with all that an earlier start was looked for from, and not found."""

    def keep(self, cells: CellIndex, limits: Container[LimitKey]) -> None:
        """Forget what is known of cells, clusters and limits that are gone."""
        self.first_ends.keep(cells.by_cluster)
        self.nodes.keep(cells.by_id)
        self.limits.keep(limits)
