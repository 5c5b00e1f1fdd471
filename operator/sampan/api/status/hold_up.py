"""The conditions of a ComputeJob that say what holds it up: Degraded and Deleting. Pure; whether something does is the controller's."""

from collections.abc import Mapping
from typing import Any

from sampan.api.fields.conditions import find_condition
from sampan.model.status.reasons import HOLD_UPS, JobConditionType, JobReason

Status = dict[str, Any]


def current_hold_up(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the condition that says what holds the job up now; None where nothing does."""
    conditions = status.get("conditions") or ()
    found = (find_condition(conditions, kind) for kind in HOLD_UPS)
    return next((condition for condition in found if condition is not None and condition["status"] == "True"), None)


def with_hold_up(status: Mapping[str, Any], kind: str, *, reason: str, message: str, at: str) -> Status:
    """Return the status with what holds the job up; it is also the newest word. `at` is an RFC 3339 time."""
    new = without_hold_up(status, at, but=kind)
    before = find_condition(new.get("conditions") or (), kind)
    since = before["lastTransitionTime"] if before is not None and before["status"] == "True" else at
    entry = {**(before or {}), "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since}
    new["conditions"] = [*(c for c in new.get("conditions") or () if c["type"] != kind), entry]
    return {**new, "reason": reason, "message": message}


def without_hold_up(status: Mapping[str, Any], at: str, *, but: str = "") -> Status:
    """Return the status in which nothing holds the job up, `but` left as it is; the newest word is what was said before."""
    new, now = dict(status), current_hold_up(status)
    if now is None:
        return new
    over = {"status": "False", "reason": str(JobReason.RECOVERED), "message": "", "lastTransitionTime": at}
    new["conditions"] = [
        {**c, **over} if c["type"] in HOLD_UPS and c["type"] != but and c["status"] == "True" else c for c in status["conditions"]
    ]
    told = [
        c
        for c in (find_condition(new["conditions"], kind) for kind in (JobConditionType.RUNNING, JobConditionType.SCHEDULED))
        if c is not None
    ]
    newest = next((c for c in told if c["status"] == "True"), told[0] if told else None)
    if newest is not None and (new.get("reason"), new.get("message")) == (now["reason"], now["message"]):
        new |= {"reason": newest["reason"], "message": newest["message"]}
    return new
