"""How often values of which size came: what a histogram of Prometheus shows."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

SECONDS_OF_CALLS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for what takes as long as a call (Prometheus' own default buckets)."""
SECONDS_OF_WAITS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 43200.0, 86400.0, 604800.0)
"""Upper bounds for what a job waits for."""


class Distribution:
    """Counts by upper bound, and the sum."""

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are upper bounds, ascending; a value is counted in the first that it does not exceed."""
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        """Sum of all values."""

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def take(self, other: "Distribution") -> None:
        """Count all that another one of the same bounds counted."""
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        self.total += other.total

    @property
    def cumulative(self) -> list[tuple[float, int]]:
        """Return how many values did not exceed each bound; the last bound is infinite."""
        found, sum_so_far = list[tuple[float, int]](), 0
        for bound, count in zip((*self.bounds, float("inf")), self._counts, strict=True):
            sum_so_far += count
            found.append((bound, sum_so_far))
        return found
