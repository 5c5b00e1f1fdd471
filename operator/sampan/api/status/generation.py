"""Which spec a ComputeJob's status is about: `observedGeneration`, of the status and of each condition.

`kubectl wait` and GitOps tools believe a condition only where its generation is the object's. Pure: who writes when is the controller's.
"""

from collections.abc import Mapping
from typing import Any, Final

from sampan.api.fields.conditions import find_condition
from sampan.model.reason import Reason
from sampan.model.status.reasons import AttemptReason, JobConditionType, JobReason

Status = dict[str, Any]

REFUSALS: Final = frozenset(
    {
        *map(str, Reason),
        *map(str, (JobReason.NO_OFFERS, JobReason.INVALID_SPEC, AttemptReason.CONFIG_MAP_NOT_FOUND, AttemptReason.SECRET_NOT_SHARED)),
    }
)
"""Reasons for which a job waits that are about its spec: after an edit they hold only once somebody has looked again."""


def is_outdated(status: Mapping[str, Any], generation: int) -> bool:
    """Tell whether a status is about an older spec; one that nobody has written yet is about the first."""
    return bool(status.get("observedGeneration", 1) != generation)


def is_refusal_outdated(status: Mapping[str, Any], generation: int) -> bool:
    """Tell whether a status gives a reason for waiting that was found on an older spec."""
    told = find_condition(status.get("conditions") or (), JobConditionType.SCHEDULED)
    return told is not None and _is_refusal(told) and told.get("observedGeneration", status.get("observedGeneration", 1)) != generation


def with_observed_generation(status: Status, before: Mapping[str, Any], generation: int) -> Status:
    """Return the status to write over `before` as one about this generation.

    All conditions hold for it, but a refusal that is merely carried over (the very object of `before`): nobody has looked again.
    """
    new = {**status, "observedGeneration": generation}
    if status.get("conditions"):
        carried = {id(condition) for condition in before.get("conditions") or () if _is_refusal(condition)}
        waits = status.get("phase") in (None, "Pending")
        new["conditions"] = [
            condition if waits and id(condition) in carried else {**condition, "observedGeneration": generation}
            for condition in status["conditions"]
        ]
    return new


def _is_refusal(condition: Mapping[str, Any]) -> bool:
    return condition["type"] == JobConditionType.SCHEDULED and condition["status"] == "False" and condition["reason"] in REFUSALS
