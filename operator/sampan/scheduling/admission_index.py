"""Which waiting jobs may still find a place in this cycle, and which are let in to be refused, for a place may be kept for them."""

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


class AdmissionIndex:
    """Open or shut, by what jobs share. What is shut stays shut: free only shrinks inside a cycle."""

    def __init__(self, cache: SchedulerCache, snapshot: Snapshot) -> None:
        self._cache, self._snapshot = cache, snapshot
        self.reservation_floor = MIN_PRIORITY
        """Greatest priority for which no place could be kept if a job found none."""
        self._by_row: dict[int, list[int]] = {}
        self.rows: list[tuple[int, ...]] = []
        """By number: of the demands that are ripe."""
        self.feasible = bytearray()
        """By number: a place may still be found."""
        self.refused = bytearray()
        """By number: one was refused."""
        reach = cache.feasible.feasible_count.tolist()
        for equivalence in cache.pending.classes.live():
            self._add(equivalence, reach)

    def class_of(self, job: Job) -> EquivalenceClass:
        """Return what a job shares with others."""
        equivalence = self._cache.pending.classes.of(job, self._snapshot.now)
        if equivalence.number >= len(self.feasible) or not self.rows[equivalence.number]:
            self._add(equivalence, self._cache.feasible.feasible_count.tolist())
        return equivalence

    def is_feasible(self, equivalence: EquivalenceClass) -> bool:
        """Tell whether a place may still be found."""
        return bool(self.feasible[equivalence.number])

    def is_candidate(self, number: int, priority: int) -> bool:
        """Tell whether a job is let in: to find a place, or to be the first of its like that is refused while that can be of use."""
        return bool(self.feasible[number]) or (priority > self.reservation_floor and not self.refused[number])

    def candidates(self, queues: Sequence[NamespaceQueue]) -> list[list[int]]:
        """Return the places of each lane that are let in as things stand."""
        if not queues:
            return []
        numbers = np.concatenate([queue.array() for queue in queues])
        ends = np.cumsum([len(queue.buckets) for queue in queues])
        which = np.frombuffer(self.feasible, dtype=bool)[numbers]
        hopeful = np.array([queue.priority > self.reservation_floor for queue in queues], dtype=bool)
        if hopeful.any():
            lengths = np.diff(ends, prepend=0)
            which |= np.repeat(hopeful, lengths) & ~np.frombuffer(self.refused, dtype=bool)[numbers]
        found = np.flatnonzero(which)
        cuts = np.searchsorted(found, ends).tolist()
        starts = [0, *ends.tolist()]
        return [(found[low:high] - start).tolist() for low, high, start in zip([0, *cuts], cuts, starts, strict=False)]

    def by_number(self, number: int) -> EquivalenceClass:
        """Return what jobs share by its number."""
        return self._cache.pending.classes.by_number(number)

    def close(self, equivalence: EquivalenceClass) -> bool:
        """No place was found; tells whether that is the first time."""
        first = not self.refused[equivalence.number]
        self.feasible[equivalence.number], self.refused[equivalence.number] = False, True
        return first

    def refresh(self) -> None:
        """Shut what has no opening any more."""
        slots = self._cache.feasible.update_columns(self._cache.matrix)
        reach = self._cache.feasible.feasible_count
        for slot in slots:
            for number in self._by_row.get(slot, ()):
                if not any(reach[each] for each in self.rows[number]):
                    self.feasible[number] = False

    def _add(self, equivalence: EquivalenceClass, reach: Sequence[int]) -> None:
        rows = self._cache.verdicts_of(equivalence.shape, self._snapshot).rows
        slots = tuple(rows[index].feasible_row for index in equivalence.eligible)
        more = max(equivalence.number + 1 - len(self.feasible), 0)  # none where a number is used again
        self.feasible += bytes(more)
        self.refused += bytes(more)
        self.rows += [()] * more
        self.rows[equivalence.number] = slots
        self.feasible[equivalence.number] = any(reach[slot] for slot in slots)
        for slot in slots:
            self._by_row.setdefault(slot, []).append(equivalence.number)
