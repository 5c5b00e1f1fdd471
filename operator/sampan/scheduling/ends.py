"""When our own running jobs give back what they hold, by their declared ends. Nothing about who gets it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sampan.model.cluster import Cluster
from sampan.scheduling.groups import Numbers
from sampan.scheduling.stock import Names
from sampan.scheduling.tables import Column


@dataclass(frozen=True, slots=True)
class Ends:
    """What our own running jobs give back on the nodes of a column, by declared end; jobs without one give nothing back."""

    at: Numbers
    """Milliseconds since the epoch, ascending."""
    places: Numbers
    """Of the node in the column."""
    lines: Mapping[int, Numbers]
    """By resource column: amounts."""


def ends_of(column: Column, cluster: Cluster, names: Names) -> Ends:
    """Return the declared ends on the nodes of a column."""
    places = {name: place for place, name in enumerate(column.names)}
    given: list[tuple[int, str, int, tuple[tuple[str, int], ...]]] = []
    for uid, running in cluster.running.items():
        if running.ends is not None:
            given += [
                (running.ends, uid, places[node], running.per_replica.times(replicas).amounts)
                for node, replicas in running.nodes
                if node in places
            ]
    given.sort(key=lambda each: each[:3])
    resources = sorted({name for _, _, _, amounts in given for name, _ in amounts})
    rows = [dict(amounts) for _, _, _, amounts in given]
    by_line = {names.column(name): np.array([row.get(name, 0) for row in rows], dtype=np.int64) for name in resources}
    at = np.array([end for end, _, _, _ in given], dtype=np.int64)
    return Ends(at, np.array([place for _, _, place, _ in given], dtype=np.int64), by_line)
