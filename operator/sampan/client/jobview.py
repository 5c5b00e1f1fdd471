"""What a person wants to know of a ComputeJob, read from the object as the API server returned it. Pure: no clock, no printing, no calls.

Every field may be missing: a job that the operator has not met yet has no status.
"""

from typing import Any

from sampan.api.status.conditions import conditions_from
from sampan.client.access.hub import Object
from sampan.model.status.reasons import JobConditionType, JobReason
from sampan.model.status.stated import StatedConditions

ENDED = frozenset({"Succeeded", "Failed"})
REJECTED_REASONS = frozenset({JobReason.INVALID_SPEC})
"""Reasons that end a job for good before it ever ran."""


def status(job: Object) -> Object:
    """The status, empty where there is none."""
    found = job.get("status")
    return found if isinstance(found, dict) else {}


def key(job: Object) -> str:
    """`namespace/name`."""
    return f"{job['metadata'].get('namespace', '')}/{job['metadata']['name']}"


def phase(job: Object) -> str:
    """`status.phase`, Pending before the operator has written any."""
    return str(status(job).get("phase") or "Pending")


def binding(job: Object) -> Object:
    """The binding in force, or the last attempt where the job is bound no more; empty where there was none."""
    bound = status(job).get("binding")
    if isinstance(bound, dict):
        return bound
    attempts = status(job).get("attempts") or []
    return attempts[-1] if attempts and phase(job) in ENDED else {}


def offer(job: Object) -> str:
    """`namespace/name` of the offer that the job is or was bound to; empty where none."""
    found = binding(job).get("offer") or {}
    return f"{found.get('namespace', '')}/{found.get('name', '')}" if found else ""


def place(job: Object) -> str:
    """Offer and pool, `ns/offer pool`; empty where the job is bound nowhere."""
    return " ".join(word for word in (offer(job), str(binding(job).get("pool") or "")) if word)


def devices(job: Object) -> int:
    """Accelerator devices over all replicas: of the bound alternative, else of the first; 0 for CPU only."""
    spec = job.get("spec") or {}
    alternatives = spec.get("alternatives") or []
    if not alternatives:
        return 0
    index = binding(job).get("alternative") or 0
    chosen = alternatives[index] if isinstance(index, int) and 0 <= index < len(alternatives) else alternatives[0]
    replicas = chosen.get("replicas") or spec.get("replicas") or spec.get("parallelism") or spec.get("completions") or 1
    return int((chosen.get("accelerator") or {}).get("count", 0)) * int(replicas)


def condition(job: Object, kind: str) -> Object:
    """The condition of that type, empty where there is none."""
    return next((found for found in status(job).get("conditions") or [] if found.get("type") == kind), {})


def reason(job: Object) -> str:
    """Why the job is where it is, `Reason: message`; may be empty.

    What stalls it, else why it failed, else why it waits, else the member's own words.
    """
    now, held = phase(job), StatedConditions(conditions=conditions_from(status(job).get("conditions") or ())).stall
    if held is not None:
        return _joined(held.reason, held.message)
    told = {"Failed": "Failed", "Pending": "Scheduled", "Suspended": "Suspended"}.get(now)
    remote = status(job).get("remote") or {}
    found = condition(job, told) if told else {}
    if found:
        return _joined(found.get("reason"), found.get("message"))
    if now in ("Bound", "Failed", "Running"):
        return _joined(remote.get("reason"), remote.get("message"))
    return ""


def rejected(job: Object) -> bool:
    """Tell whether the job was refused for good rather than tried: an invalid spec, no pool that would take it, or Failed and never ran."""
    if phase(job) != "Failed":
        never = phase(job) == "Pending" and condition(job, JobConditionType.NEVER_FITS).get("status") == "True"
        return never or any(found.get("reason") in REJECTED_REASONS for found in status(job).get("conditions") or [])
    attempts = status(job).get("attempts") or []
    ran = bool(status(job).get("startedAt")) or any(tried.get("outcome") not in (None, "Rejected") for tried in attempts)
    named = condition(job, "Failed").get("reason") in REJECTED_REASONS
    return named or not ran


def _joined(name: Any, message: Any) -> str:
    """`Name: message`, either may be missing."""
    return ": ".join(str(word) for word in (name, message) if word)
