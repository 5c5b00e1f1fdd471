"""What the reconciler's parts work with, and what they count. Values only."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sampan.controller.hub.client import HubClient
from sampan.controller.logs.keeper import KeepsOutput
from sampan.controller.reconcile.job_specs import JobSpecs
from sampan.controller.reconcile.member_calls import Members
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.runtime.settings import Settings
from sampan.controller.state.store import State


class BindResult(StrEnum):
    """What becomes of the binding of a plan."""

    WRITTEN = "Written"
    CONFLICT = "Conflict"
    DROPPED = "Dropped"
    FAILED = "Failed"


@dataclass(slots=True)
class ReconcileCounters:
    """What was done since the start; metrics read it."""

    binds: Counter[str] = field(default_factory=Counter)
    """Plans, by what became of their binding."""
    created: int = 0
    adopted: int = 0
    conflicts: int = 0
    errors: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilerDeps:
    """What a job's reconciliation needs."""

    state: State
    members: Members
    hub: HubClient
    specs: JobSpecs
    view: MemberView
    outputs: KeepsOutput
    settings: Settings
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
