"""What to do next about one job: a pure function of its record, of what its member is known to hold, and of the time.

Level-triggered: it is asked again after every action and every change, so that nothing rests on having seen an event. Which action is
next stands in the table of rules (lifecycle); here an action that was tried already and did not help is held back for a while, and told.
No I/O here; the executor carries the answers out. The protocol is docs/decisions/0006: an attempt that was seen once is never created
again, and a finalizer leaves only after the remote copy was proved gone.
"""

from typing import Final

from sampan.controller.reconcile.actions import Action, Patch, Times, Wait
from sampan.controller.reconcile.lifecycle.situation import Situation
from sampan.controller.reconcile.lifecycle.table import rule_of
from sampan.controller.reconcile.mirror import blocked_removal, with_failure
from sampan.controller.reconcile.retries import ON_HUB, key_of
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.record import JobRecord

BLOCKED_MILLIS: Final = 5_000
"""How long to wait before a copy that is deleted and stays is looked at again."""


def decide(job: JobRecord, remote: RemoteState, times: Times) -> Action:
    """Return the one next action, or the pause before it where it was tried already and did not help."""
    situation = Situation(job, remote, times)
    action = rule_of(situation).does(situation)
    blocked = blocked_removal(job, remote, times) if isinstance(action, Wait) else None
    if blocked is not None:
        told = with_failure(job, blocked, times)
        return Patch(told) if told is not None else Wait(BLOCKED_MILLIS)
    key = key_of(action, attempt=job.binding.attempt if job.binding else 0, version=job.resource_version)
    tried = remote.tried(*key) if key else None
    if key is None or tried is None:
        return action
    left = tried.remaining(times.now)
    if key[0] in ON_HUB or not left:
        return Wait(left) if left else action
    told = with_failure(job, tried, times)
    return Patch(told) if told is not None else Wait(left)
