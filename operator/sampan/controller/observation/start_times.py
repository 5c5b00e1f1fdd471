"""How long a member takes at present to have a bound job run: what is slower than that is worth a word. Asks nobody."""

from typing import Final

from sampan.model.status.attempt import Binding

RECENT_MILLIS: Final = 30_000
"""For how long the last start says something of the next."""
WEIGHT: Final = 4
"""Of the starts before the last one, which counts as one of so many."""


class StartTimes:
    """By member, from the binding until the hub was told that the job runs."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._known: dict[str, tuple[int, int]] = {}

    def add(self, binding: Binding, *, now: int) -> None:
        """Hear that a job runs now."""
        took = max(now - binding.bound_at, 0)
        before = self.usual(binding.cluster_uid, now=now) or took
        self._known[binding.cluster_uid] = ((WEIGHT - 1) * before + took) // WEIGHT, now

    def usual(self, cluster_uid: str, *, now: int) -> int:
        """Return the milliseconds that a start took lately; 0 where none did, so that nothing excuses a job that waits."""
        usual, since = self._known.get(cluster_uid, (0, 0))
        return usual if now - since < RECENT_MILLIS else 0
