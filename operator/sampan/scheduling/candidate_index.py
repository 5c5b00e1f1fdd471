"""Which waiting jobs are candidates in this cycle: those that may still find room, and the first of a class that could get a reservation.

What has no feasible cell is found for whole equivalence classes at once, and again with every assignment at the cost of the cells
that it changed. What is not feasible stays so: free amounts only shrink inside a cycle.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import INFINITE
from sampan.scheduling.cache import SchedulerCache
from sampan.scheduling.queueing.equivalence import EquivalenceClass
from sampan.scheduling.queueing.pending import NamespaceQueue

MIN_PRIORITY: Final = -INFINITE
"""Below every priority."""
MAX_PRIORITY: Final = INFINITE
"""Above every priority."""


class CandidateIndex:
    """Feasible or refused, by number of the equivalence class."""

    def __init__(self, cache: SchedulerCache, snapshot: Snapshot) -> None:
        self._cache, self._snapshot = cache, snapshot
        self.reservation_floor = MIN_PRIORITY
        """Greatest priority at which a job that finds no room could get no reservation either."""
        self._by_row: defaultdict[int, list[int]] = defaultdict(list)
        self.rows: list[tuple[int, ...]] = []
        """By number: the rows of its eligible demands in the feasible index."""
        self.feasible = bytearray()
        """By number: some cell may have room."""
        self.refused = bytearray()
        """By number: a job of it was refused."""
        self.dropped: list[int] = []
        """Numbers of the classes that were refused or ceased to be feasible, in the order in which that happened."""
        counts = cache.feasible.feasible_count.tolist()
        for equivalence in cache.pending.classes.live():
            self._add(equivalence, counts)

    def class_of(self, job: Job) -> EquivalenceClass:
        """Return the class of a job; one that came up in the cycle, as a bucket's head moved on, is added."""
        equivalence = self._cache.pending.classes.of(job, self._snapshot.now)
        if equivalence.number >= len(self.feasible) or not self.rows[equivalence.number]:
            self._add(equivalence, self._cache.feasible.feasible_count.tolist())
        return equivalence

    def is_feasible(self, equivalence: EquivalenceClass) -> bool:
        """Tell whether some cell may have room for the class."""
        return bool(self.feasible[equivalence.number])

    def is_candidate(self, number: int, priority: int) -> bool:
        """Tell whether a job is to be looked at: to find room, or as the first of its class that is refused and could get a reservation."""
        return bool(self.feasible[number]) or (priority > self.reservation_floor and not self.refused[number])

    def places(self, queues: Sequence[NamespaceQueue]) -> list[list[int]]:
        """Return by queue the places of the buckets that are candidates as things stand: one pass over all queues at once."""
        if not queues:
            return []
        numbers = np.concatenate([queue.array() for queue in queues])
        ends = np.cumsum([len(queue.buckets) for queue in queues])
        which = np.frombuffer(self.feasible, dtype=bool)[numbers]
        may_reserve = np.array([queue.priority > self.reservation_floor for queue in queues], dtype=bool)
        if may_reserve.any():
            lengths = np.diff(ends, prepend=0)
            which |= np.repeat(may_reserve, lengths) & ~np.frombuffer(self.refused, dtype=bool)[numbers]
        found = np.flatnonzero(which)
        cuts = np.searchsorted(found, ends).tolist()
        starts = [0, *ends.tolist()]
        return [(found[low:high] - start).tolist() for low, high, start in zip([0, *cuts], cuts, starts, strict=False)]

    def by_number(self, number: int) -> EquivalenceClass:
        """Return the class of a number."""
        return self._cache.pending.classes.by_number(number)

    def drop(self, equivalence: EquivalenceClass) -> bool:
        """Refuse the class; tells whether that is the first time."""
        first = not self.refused[equivalence.number]
        self.feasible[equivalence.number], self.refused[equivalence.number] = False, True
        self.dropped.append(equivalence.number)
        return first

    def refresh(self) -> None:
        """Take over what an assignment changed: classes without a feasible cell are feasible no more."""
        rows = self._cache.feasible.update_columns()
        counts = self._cache.feasible.feasible_count
        for row in rows:
            for number in self._by_row.get(row, ()):
                if not any(map(counts.__getitem__, self.rows[number])):
                    self.feasible[number] = False
                    self.dropped.append(number)

    def _add(self, equivalence: EquivalenceClass, counts: Sequence[int]) -> None:
        number = equivalence.number
        demands = self._cache.verdicts_of(equivalence.shape, self._snapshot).rows
        rows = tuple(demands[index].feasible_row for index in equivalence.eligible)
        more = number + 1 - len(self.feasible)
        if more > 0:  # else a number is used again
            self.feasible += bytes(more)
            self.refused += bytes(more)
            self.rows += [()] * more
        self.rows[number] = rows
        self.feasible[number] = any(map(counts.__getitem__, rows))
        for row in rows:
            self._by_row[row].append(number)
