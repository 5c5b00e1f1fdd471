"""Which spec a ComputeJob's status is about: `observedGeneration`, of the status and of each condition.

`kubectl wait` and GitOps tools believe a condition only where its generation is the object's. Pure: who writes when is the controller's.
"""

from dataclasses import replace
from typing import Final

from sampan.model.lifecycle import Phase
from sampan.model.reason import Reason
from sampan.model.status.condition import IS_FALSE, Condition
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import OF_WHAT_TRAVELS, JobConditionType, JobReason

REFUSALS: Final = frozenset(
    {
        *map(str, Reason),
        *map(str, (JobReason.NO_OFFERS, JobReason.INVALID_SPEC, *OF_WHAT_TRAVELS)),
    }
)
"""Reasons for which a job waits that are about its spec: after an edit they hold only once somebody has looked again."""


def is_outdated(status: JobStatus, generation: int) -> bool:
    """Tell whether a status is about an older spec; one that nobody has written yet is about the first."""
    return _seen(status) != generation


def is_refusal_outdated(status: JobStatus, generation: int) -> bool:
    """Tell whether a status gives a reason for waiting that was found on an older spec."""
    told = status.condition(JobConditionType.SCHEDULED)
    if told is None or not _is_refusal(told):
        return False
    return (_seen(status) if told.generation is None else told.generation) != generation


def with_observed_generation(status: JobStatus, before: JobStatus, generation: int) -> JobStatus:
    """Return the status to write over `before` as one about this generation.

    All conditions hold for it, but a refusal that is merely carried over (the very object of `before`): nobody has looked again.
    """
    carried = {id(condition) for condition in before.conditions if _is_refusal(condition)} if status.phase is Phase.PENDING else ()
    conditions = tuple(
        each if id(each) in carried or each.generation == generation else replace(each, generation=generation) for each in status.conditions
    )
    return replace(status, observed_generation=generation, conditions=conditions)


def _seen(status: JobStatus) -> int:
    return 1 if status.observed_generation is None else status.observed_generation


def _is_refusal(condition: Condition) -> bool:
    if condition.type == JobConditionType.NEVER_FITS:
        return condition.is_true
    return condition.type == JobConditionType.SCHEDULED and condition.status == IS_FALSE and condition.reason in REFUSALS
