"""Finds which jobs of a snapshot break the core, alone or only together, and plans the others. Decides nothing about those."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sampan.faults import log_fault
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.plan import Plan
from sampan.model.snapshot import Snapshot

log = logging.getLogger(__name__)

TRIALS: Final = 40
"""Plans that are tried at most, each from nothing: enough to find one faulty job among half a million."""


@dataclass(frozen=True, slots=True)
class Isolated:
    """What can be planned of a snapshot that breaks the core."""

    plan: Plan
    faulty: tuple[Job, ...]
    """Jobs without which the others can be planned, as far as was tried."""


def plan_without_faulty(snapshot: Snapshot, plan: Callable[[Snapshot], Plan], *, trials: int = TRIALS) -> Isolated:
    """Halve what breaks the core until single jobs are left, each tried beside those that were found to be sound.

    So one that breaks it only beside others is found as well, and what is returned was planned, and not merely hoped for. Jobs that were
    not tried when the trials are used up are not in the plan: they are left to the next cycle.
    """
    sound: list[Job] = []
    faulty: list[Job] = []
    found = Plan()
    groups = [list(snapshot.jobs)]
    while groups and trials:
        trials -= 1
        group = groups.pop()
        try:
            found = plan(replace(snapshot, backlog=Backlog.of([*sound, *group])))
        except Exception as error:  # noqa: BLE001  one object that breaks the core must not end the operator
            half = len(group) // 2
            if half:
                groups += [group[half:], group[:half]]
            else:
                log_fault(log, "job.quarantined", error, uid=group[0].uid)
                faulty += group
        else:
            sound += group
    return Isolated(found, tuple(faulty))
