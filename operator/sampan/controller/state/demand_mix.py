"""What jobs ask for lately, counted: those that wait and those that were placed. What is made of it is the scheduler's affair."""

from collections import Counter
from typing import Final

from sampan.model.backlog import Backlog
from sampan.model.job import Demand, Shape

MAX_DEMANDS: Final = 32
"""Demands in a mix."""
MIX_LIFETIME: Final = 60_000
"""Milliseconds that a mix stands: what follows from it is kept by the scheduler for as long as it is the same."""
MAX_PLACED: Final = 2**14
"""Replicas that are remembered as placed; beyond, all counts are halved, so that the old fade."""

Mix = tuple[tuple[Demand, int], ...]


class DemandHistogram:
    """Counts replicas by demand. After a restart it knows the waiting jobs only, and learns the rest as jobs are placed."""

    def __init__(self) -> None:
        self._placed: Counter[Demand] = Counter()
        self._mix: Mix = ()
        self._counted: int | None = None

    def count_placed(self, demand: Demand, replicas: int) -> None:
        """Count an assignment."""
        if demand.requirement is not None:
            self._placed[canonical(demand)] += replicas
            if self._placed.total() > MAX_PLACED:
                self._placed = Counter({each: count // 2 for each, count in self._placed.items() if count > 1})

    def mix(self, backlog: Backlog, now: int) -> Mix:
        """Return the demands with devices seen most, each job by its first alternative, with their counts rounded down to powers of two."""
        if self._counted is None or not 0 <= now - self._counted < MIX_LIFETIME:
            self._counted = now
            counts = self._placed.copy()
            for shape, replicas in _by_shape(backlog):
                demand = shape.demands[0]
                if demand.requirement is not None:
                    counts[canonical(demand)] += demand.replicas * replicas
            ranked = sorted(((demand, 1 << count.bit_length() - 1) for demand, count in counts.items()), key=lambda e: (-e[1], repr(e[0])))
            fresh = tuple(ranked[:MAX_DEMANDS])
            self._mix = self._mix if fresh == self._mix else fresh
        return self._mix


def _by_shape(backlog: Backlog) -> list[tuple[Shape, int]]:
    """Return how many jobs wait of each shape. Told apart by identity: tens of thousands of buckets share a few hundred shapes."""
    found: dict[int, tuple[Shape, int]] = {}
    for bucket in backlog:
        shape = bucket.key.shape
        found[id(shape)] = shape, found.get(id(shape), (shape, 0))[1] + len(bucket)
    return list(found.values())


def canonical(demand: Demand) -> Demand:
    """Return what a demand takes of a node, without times and how often."""
    return Demand(
        alternative=0,
        requirement=demand.requirement,
        replicas=1,
        least_replicas=1,
        per_replica=demand.per_replica,
        architectures=demand.architectures,
    )
