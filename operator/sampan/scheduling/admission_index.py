"""Which waiting jobs may still find a place in this cycle, and which are let in to be refused, for a place may be kept for them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Book
from sampan.scheduling.queueing.equivalence import Like
from sampan.scheduling.queueing.pending import Lane

NOBODY: Final = -(2**62)
"""Below every priority."""
EVERYBODY: Final = 2**62
"""Above every priority."""


class Doors:
    """Open or shut, by what jobs share. What is shut stays shut: free only shrinks inside a cycle."""

    def __init__(self, book: Book, snapshot: Snapshot) -> None:
        self._book, self._snapshot = book, snapshot
        self.hopeless = NOBODY
        """Greatest priority for which no place could be kept if a job found none."""
        self._by_slot: dict[int, list[int]] = {}
        self.slots: list[tuple[int, ...]] = []
        """By number: of the demands that are ripe."""
        self.open = bytearray()
        """By number: a place may still be found."""
        self.seen = bytearray()
        """By number: one was refused."""
        reach = book.openings.reach.tolist()
        for like in book.yard.likes.live():
            self._add(like, reach)

    def of(self, job: Job) -> Like:
        """Return what a job shares with others."""
        like = self._book.yard.likes.of(job, self._snapshot.now)
        if like.number >= len(self.open) or not self.slots[like.number]:
            self._add(like, self._book.openings.reach.tolist())
        return like

    def is_open(self, like: Like) -> bool:
        """Tell whether a place may still be found."""
        return bool(self.open[like.number])

    def admits(self, number: int, priority: int) -> bool:
        """Tell whether a job is let in: to find a place, or to be the first of its like that is refused while that can be of use."""
        return bool(self.open[number]) or (priority > self.hopeless and not self.seen[number])

    def candidates(self, lanes: Sequence[Lane]) -> list[list[int]]:
        """Return the places of each lane that are let in as things stand."""
        if not lanes:
            return []
        numbers = np.concatenate([lane.array() for lane in lanes])
        ends = np.cumsum([len(lane.buckets) for lane in lanes])
        which = np.frombuffer(self.open, dtype=bool)[numbers]
        hopeful = np.array([lane.priority > self.hopeless for lane in lanes], dtype=bool)
        if hopeful.any():
            lengths = np.diff(ends, prepend=0)
            which |= np.repeat(hopeful, lengths) & ~np.frombuffer(self.seen, dtype=bool)[numbers]
        found = np.flatnonzero(which)
        cuts = np.searchsorted(found, ends).tolist()
        starts = [0, *ends.tolist()]
        return [(found[low:high] - start).tolist() for low, high, start in zip([0, *cuts], cuts, starts, strict=False)]

    def numbered(self, number: int) -> Like:
        """Return what jobs share by its number."""
        return self._book.yard.likes.numbered(number)

    def shut(self, like: Like) -> bool:
        """No place was found; tells whether that is the first time."""
        first = not self.seen[like.number]
        self.open[like.number], self.seen[like.number] = False, True
        return first

    def follow(self) -> None:
        """Shut what has no opening any more."""
        slots = self._book.openings.follow(self._book.tables)
        reach = self._book.openings.reach
        for slot in slots:
            for number in self._by_slot.get(slot, ()):
                if not any(reach[each] for each in self.slots[number]):
                    self.open[number] = False

    def _add(self, like: Like, reach: Sequence[int]) -> None:
        rows = self._book.rows_of(like.shape, self._snapshot).rows
        slots = tuple(rows[index].slot for index in like.allowed)
        more = max(like.number + 1 - len(self.open), 0)  # none where a number is used again
        self.open += bytes(more)
        self.seen += bytes(more)
        self.slots += [()] * more
        self.slots[like.number] = slots
        self.open[like.number] = any(reach[slot] for slot in slots)
        for slot in slots:
            self._by_slot.setdefault(slot, []).append(like.number)
