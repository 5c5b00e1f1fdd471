"""When our own running jobs give back what they hold, by their declared ends. Nothing about who gets it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sampan.model.cluster import Cluster, Running
from sampan.scheduling.capacity.fit_matrix import Column
from sampan.scheduling.capacity.resources import Names
from sampan.scheduling.capacity.topology import Numbers

End = tuple[int, str, int, tuple[tuple[str, int], ...]]
"""When, the job's UID, the place of the node in the column, and what is given back there."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What our own running jobs give back on the nodes of a column, by declared end; jobs without one give nothing back."""

    at: Numbers
    """Milliseconds since the epoch, ascending."""
    places: Numbers
    """Of the node in the column."""
    lines: Mapping[int, Numbers]
    """By resource column: amounts."""
    given: tuple[End, ...]
    """The same by job, in the same order."""


def ends_of(column: Column, cluster: Cluster, names: Names) -> Ends:
    """Return the declared ends on the nodes of a column."""
    return _ends(sorted(_given(column, cluster.running.items())), names)


def ends_after(known: Ends, column: Column, *, before: Mapping[str, Running], after: Mapping[str, Running], names: Names) -> Ends:
    """Return the ends of a column once other jobs run in its cluster: the very same value where that is nothing to the column."""
    gone = {uid for uid, running in before.items() if after.get(uid) is not running}
    came = list(_given(column, ((uid, running) for uid, running in after.items() if before.get(uid) is not running)))
    kept = [end for end in known.given if end[1] not in gone]
    if not came and len(kept) == len(known.given):
        return known
    return _ends(sorted(kept + came), names)


def _given(column: Column, running: Iterable[tuple[str, Running]]) -> Iterator[End]:
    places = {name: place for place, name in enumerate(column.names)}
    for uid, each in running:
        if each.ends is not None:
            for node, replicas in each.nodes:
                place = places.get(node)
                if place is not None:
                    yield each.ends, uid, place, each.per_replica.times(replicas).amounts


def _ends(given: list[End], names: Names) -> Ends:
    rows = [dict(amounts) for _, _, _, amounts in given]
    resources = sorted({name for row in rows for name in row})
    by_line = {names.column(name): np.array([row.get(name, 0) for row in rows], dtype=np.int64) for name in resources}
    at = np.array([end for end, _, _, _ in given], dtype=np.int64)
    return Ends(at, np.array([place for _, _, place, _ in given], dtype=np.int64), by_line, tuple(given))
