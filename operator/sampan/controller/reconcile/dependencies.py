"""What the reconciler's parts work with, and what they count. Values only."""

from collections.abc import Callable
from dataclasses import dataclass

from sampan.controller.hub.client import HubClient
from sampan.controller.logs.keeper import KeepsOutput
from sampan.controller.reconcile.job_specs import JobSpecs
from sampan.controller.reconcile.member_calls import Members
from sampan.controller.reconcile.view.member_view import MemberView
from sampan.controller.runtime.settings import Settings
from sampan.controller.state.store import State


@dataclass(slots=True)
class ReconcileCounters:
    """What was done since the start; metrics read it."""

    bound: int = 0
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
