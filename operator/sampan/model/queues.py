"""A Queue as the scheduler sees it: whose jobs, with what weight, and what it has used so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DEFAULT_QUEUE: Final = "default"
"""The queue of every namespace that no other one names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Namespaces that share a turn."""

    name: str
    namespaces: tuple[str, ...] = ()
    weight: int = 1_000_000
    """Micro-units: twice the weight may use twice as much before it is another's turn."""
    parent: str | None = None
    """Queue whose share this one divides with its siblings; None: the hub's."""
    highest_priority: int | None = None
    policies: tuple[str, ...] = ()
    """Placement policies that its jobs may name; empty: all."""
    default_run_seconds: int | None = None
    """Run limit of jobs that declare none; None: they count as endless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueUse:
    """What a queue has used, decayed forward: amounts grow by 2^((t - t0) / half-life), so that idle queues need no update."""

    total: int = 0
    """Micro-units of common-unit hours, inflated as above."""
    namespaces: Mapping[str, int] = field(default_factory=dict)
    """The same by namespace: they take turns inside the queue."""
