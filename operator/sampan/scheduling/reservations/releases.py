"""When our own running jobs give back what they hold, by their declared ends. Nothing about who gets it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sampan.model.members.cluster import Cluster, Running
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.resources import ResourceIndex
from sampan.scheduling.capacity.topology import Numbers

Release = tuple[int, str, int, tuple[tuple[str, int], ...]]
"""When, the job's UID, the place of the node in the column, and what is given back there."""


@dataclass(frozen=True, slots=True)
class Releases:
    """What our own running jobs give back on the nodes of a column, by declared end; jobs without one give nothing back."""

    at: Numbers
    """Milliseconds since the epoch, ascending."""
    places: Numbers
    """Of the node in the column."""
    by_resource: Mapping[int, Numbers]
    """By resource column: amounts."""
    entries: tuple[Release, ...]
    """The same by job, in the same order."""


def releases_of(column: CellColumn, cluster: Cluster, names: ResourceIndex) -> Releases:
    """Return the declared ends on the nodes of a column."""
    return _releases(sorted(_released(column, cluster.running.items())), names)


def releases_after(
    known: Releases, column: CellColumn, *, before: Mapping[str, Running], after: Mapping[str, Running], names: ResourceIndex
) -> Releases:
    """Return the ends of a column once other jobs run in its cluster: the very same value where that is nothing to the column."""
    gone = {uid for uid, running in before.items() if after.get(uid) is not running}
    came = list(_released(column, ((uid, running) for uid, running in after.items() if before.get(uid) is not running)))
    kept = [end for end in known.entries if end[1] not in gone]
    if not came and len(kept) == len(known.entries):
        return known
    return _releases(sorted(kept + came), names)


def _released(column: CellColumn, running: Iterable[tuple[str, Running]]) -> Iterator[Release]:
    places = {name: place for place, name in enumerate(column.names)}
    for uid, each in running:
        if each.ends is not None:
            for node, replicas in each.nodes:
                place = places.get(node)
                if place is not None:
                    yield each.ends, uid, place, each.per_replica.times(replicas).amounts


def _releases(given: list[Release], names: ResourceIndex) -> Releases:
    rows = [dict(amounts) for _, _, _, amounts in given]
    resources = sorted({name for row in rows for name in row})
    by_line = {names.position(name): np.array([row.get(name, 0) for row in rows], dtype=np.int64) for name in resources}
    at = np.array([end for end, _, _, _ in given], dtype=np.int64)
    return Releases(at, np.array([place for _, _, place, _ in given], dtype=np.int64), by_line, tuple(given))
