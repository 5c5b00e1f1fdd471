"""Waiting times between attempts.

Lives here: decorrelated jitter as arithmetic.
Must never live here: sleeping, a clock, a source of randomness of its own.
"""

from collections.abc import Callable

Uniform = Callable[[float, float], float]
"""``uniform(low, high)``: a random number between the two, as random.Random.uniform."""


class Backoff:
    """Decorrelated jitter: each delay is between ``base`` and three times the last one, at most ``cap`` (seconds)."""

    def __init__(self, uniform: Uniform, *, base: float = 0.2, cap: float = 30.0) -> None:
        """Start at ``base``."""
        self._uniform = uniform
        self._base = base
        self._cap = cap
        self._last = base

    def next(self) -> float:
        """The next delay in seconds, from ``base`` to ``cap``."""
        self._last = min(self._cap, self._uniform(self._base, self._last * 3))
        return self._last

    def reset(self) -> None:
        """Something worked."""
        self._last = self._base
