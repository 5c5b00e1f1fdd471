"""Taints of nodes and tolerations of pods. Which keys nobody may tolerate is in `catalog.taints`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Taint:
    """A taint that keeps pods away unless they tolerate it (effects NoSchedule and NoExecute)."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        """Return the taint as `kubectl taint` writes it."""
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, slots=True, order=True)
class Toleration:
    """As of `v1.Toleration`, without a time after which it no longer holds."""

    key: str
    """Empty: any, which only a RuntimeClass of the member may say."""
    value: str | None = None
    """None: any value (operator Exists)."""
    effect: str = ""
    """NoSchedule or NoExecute; empty: both."""

    def tolerates(self, taint: Taint) -> bool:
        """Tell whether a pod with this toleration may go to a node with the taint."""
        return self.key in ("", taint.key) and self.value in (None, taint.value) and self.effect in ("", taint.effect)
