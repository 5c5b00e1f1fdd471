"""How many jobs may be planned in one cycle: no more than the hub takes in two seconds, so that no plan grows stale in a queue.

No I/O and no clock: durations are told.
"""

from typing import Final

MAX_IN_FLIGHT: Final = 64
"""Binds in flight at most, however fast the hub is."""
MAX_AHEAD_MILLIS: Final = 2_000
"""Milliseconds' worth of binds that may be in flight."""
WEIGHT: Final = 8
"""One in so many parts of the mean is the newest bind's."""


class BindRate:
    """The mean duration of a bind, and what follows from it."""

    def __init__(self, workers: int) -> None:
        """`workers`: binds that are worked on at the same time. Until one is measured, the hub counts as fast."""
        self._workers = workers
        self._mean = 0
        """Microseconds."""

    def record(self, milliseconds: int) -> None:
        """Hear how long a bind took, successful or not."""
        newest = max(milliseconds, 0) * 1000
        self._mean = newest if self._mean == 0 else (self._mean * (WEIGHT - 1) + newest) // WEIGHT

    def allowance(self, in_flight: int) -> int:
        """Return how many more jobs may be bound now; one at least where none is in flight, or nothing would be measured again."""
        ahead = self._workers * MAX_AHEAD_MILLIS * 1000 // max(self._mean, 1)
        return max(min(MAX_IN_FLIGHT, max(ahead, 1)) - in_flight, 0)
