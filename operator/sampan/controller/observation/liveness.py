"""Whether a member still answers, from what was heard of it and from probes that failed. Pure: times are the caller's, in seconds.

A server that refuses is believed after a few seconds, one that is silent only after many: an API server that is busy, or changes its
leader, must not look as if it were gone. What a watch still says does not outweigh probes that go on failing.
"""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Liveness:
    """The probes of one connection since the last that was answered."""

    refused_after: float
    """How long refusals go on before they are believed."""
    mute_after: float
    """How long silence goes on before it is believed."""
    answered_at: float = float("-inf")
    """When a probe was last answered."""
    failing_since: float | None = None
    """When the first probe began that failed since; None where the last one was answered."""
    _refused_since: float | None = None
    _failures: int = 0

    def answered(self, now: float) -> None:
        """A probe was answered."""
        self.answered_at = now
        self.failing_since, self._refused_since, self._failures = None, None, 0

    def failed(self, began: float, *, silent: bool) -> None:
        """A probe that began then failed: with silence, or with a refusal of the connection."""
        self._failures += 1
        if self.failing_since is None:
            self.failing_since = began
        if not silent and self._refused_since is None:
            self._refused_since = began

    def alive(self, now: float, heard: float) -> bool:
        """Tell whether it counts as there; `heard` is when any watch last brought something."""
        if self._refused_since is not None and self._failures > 1 and now - self._refused_since >= self.refused_after:
            return False
        if self.failing_since is not None and now - self.failing_since >= self.mute_after:
            return False
        return now - max(heard, self.answered_at) < self.mute_after
