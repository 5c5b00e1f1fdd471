"""Which hub is meant. Nothing that reads a file or connects lives here."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Which hub and which namespaces a verb speaks of; None stands for what the kubeconfig says."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False
