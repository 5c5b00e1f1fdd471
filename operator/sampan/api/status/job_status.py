"""ComputeJob.status as values: read it once, derive the next one, patch only the difference.

Every function returns a new mapping and changes nothing; what did not change is shared.
No I/O, no clock, no decision about what should happen next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sampan.api.status.charged_use import corrected
from sampan.api.status.hold_up import without_hold_up
from sampan.api.status.rejections import forgotten
from sampan.model.lifecycle import Event, Outcome, Phase, follow
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Verdict
from sampan.model.status.reasons import JobConditionType, JobReason
from sampan.model.values.quantity import format_micro, parse_micro
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

Status = dict[str, Any]

MAX_ATTEMPTS = 16
MAX_VERDICTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which attempt of a job belongs to which member: `status.binding`."""

    offer: OfferKey
    cluster_uid: str
    attempt: int
    pool: str
    accelerator_class: str | None
    alternative: int | None
    replicas: int
    namespace: str
    name: str
    bound_at: int
    remote_uid: str | None = None
    charge: int = 0
    """Micro-units of common-unit hours that its queue is charged for `charged_seconds`."""
    charged_seconds: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the binding as the API has it; what is unknown is left out."""
        remote = {"namespace": self.namespace, "name": self.name} | ({"uid": self.remote_uid} if self.remote_uid else {})
        optional = {"acceleratorClass": self.accelerator_class, "alternative": self.alternative}
        return {
            "offer": {"namespace": self.offer.namespace, "name": self.offer.name},
            "clusterUID": self.cluster_uid,
            "attempt": self.attempt,
            "pool": self.pool,
            **{key: value for key, value in optional.items() if value is not None},
            "replicas": self.replicas,
            "remote": remote,
            "boundAt": to_rfc3339(self.bound_at),
            **({"use": {"unitHours": format_micro(self.charge), "seconds": self.charged_seconds}} if self.charge else {}),
        }

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> "Binding | None":
        """Return the binding in a status, None where there is none. Raises KeyError or TypeError for one that nobody of us wrote."""
        raw = status.get("binding")
        if not raw:
            return None
        return cls(
            offer=OfferKey(raw["offer"]["namespace"], raw["offer"]["name"]),
            cluster_uid=raw["clusterUID"],
            attempt=int(raw["attempt"]),
            pool=raw["pool"],
            accelerator_class=raw.get("acceleratorClass"),
            alternative=raw.get("alternative"),
            replicas=int(raw.get("replicas", 1)),
            namespace=raw["remote"]["namespace"],
            name=raw["remote"]["name"],
            remote_uid=raw["remote"].get("uid"),
            bound_at=from_rfc3339(raw.get("boundAt")) or 0,
            charge=parse_micro(use["unitHours"]) if (use := raw.get("use")) else 0,
            charged_seconds=int(use["seconds"]) if use else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ended."""

    outcome: Outcome
    reason: str
    message: str = ""
    exit_code: int | None = None
    ended_at: int = 0
    counted: bool = True
    """A rejection that counts against `retry.maxRejected`."""


def phase_of(status: Mapping[str, Any]) -> Phase:
    """Return the phase; a job that nobody has looked at yet is Pending."""
    return Phase(status.get("phase") or Phase.PENDING)


def last_attempt(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the newest entry of `status.attempts`: the newest attempt that has ended."""
    attempts = status.get("attempts") or []
    return max(attempts, key=lambda a: a["number"], default=None)


def attempts_seen(status: Mapping[str, Any]) -> int:
    """Return the highest attempt number ever used; the next attempt has this plus one."""
    binding = status.get("binding") or {}
    newest = last_attempt(status)
    return max(int(binding.get("attempt", 0)), int(newest["number"]) if newest else 0)


def attempt_is_open(status: Mapping[str, Any]) -> bool:
    """Tell whether the bound attempt has no recorded end yet."""
    binding, newest = status.get("binding"), last_attempt(status)
    if not binding or phase_of(status).ended:
        return False
    return newest is None or bool(newest["number"] < binding["attempt"])


def bound(status: Status, binding: Binding, verdicts: Sequence[Verdict], *, generation: int) -> Status:
    """Return the status with the intent: phase Bound, the binding and the verdicts of this moment."""
    new = _moved(status, Event.INTENT)
    new["binding"] = binding.to_dict()
    new["verdicts"] = [_verdict(v) for v in verdicts[:MAX_VERDICTS]]
    new["observedGeneration"] = generation
    for gone in ("remote", "startedAt", "reservation"):
        new.pop(gone, None)
    if _stated(new, JobConditionType.RUNNING):
        new = with_condition(new, Fact(JobConditionType.RUNNING, False, JobReason.NOT_STARTED), at=binding.bound_at)
    where = f"Bound to {binding.offer} pool {binding.pool}, attempt {binding.attempt}."
    return with_condition(new, Fact(JobConditionType.SCHEDULED, True, JobReason.BOUND, where), at=binding.bound_at)


def running(status: Status, *, at: int) -> Status:
    """Return the status of a job whose pods run."""
    new = forgotten(_moved(status, Event.STARTED), (status.get("binding") or {}).get("alternative"))
    new["startedAt"] = to_rfc3339(at)
    return with_condition(new, Fact(JobConditionType.RUNNING, True, JobReason.PODS_RUNNING), at=at)


def with_remote(status: Status, remote: Mapping[str, Any], remote_uid: str | None, *, at: int) -> Status:
    """Return the status with what was last seen on the member, and while the job is bound with what holds up its start."""
    new = {**status, "remote": {key: value for key, value in remote.items() if value is not None}}
    binding = status.get("binding")
    if remote_uid and binding:
        new["binding"] = {**binding, "remote": {**binding["remote"], "uid": remote_uid}}
    reason, message = new["remote"].get("reason"), new["remote"].get("message", "")
    if attempt_is_open(status) and phase_of(status) is Phase.BOUND and (reason or _stated(new, JobConditionType.RUNNING)):
        return with_condition(new, Fact(JobConditionType.RUNNING, False, reason or JobReason.NOT_STARTED, message), at=at)
    return told(new, reason, message) if reason else new


def attempt_ended(status: Status, ending: Ending) -> Status:
    """Return the status with the bound attempt's end recorded; the binding stays until the remote copy is proved gone."""
    new = without_hold_up(status, to_rfc3339(ending.ended_at))
    began = from_rfc3339(new["binding"].get("boundAt")) or ending.ended_at
    binding = new["binding"] = corrected(new["binding"], (ending.ended_at - began) // 1000)
    optional = {"message": ending.message or None, "exitCode": ending.exit_code}
    entry = {
        "number": binding["attempt"],
        "offer": binding["offer"],
        "pool": binding["pool"],
        "clusterUID": binding["clusterUID"],
        "startedAt": binding.get("boundAt"),
        "endedAt": to_rfc3339(ending.ended_at),
        "outcome": str(ending.outcome),
        "reason": ending.reason,
        **{key: value for key, value in optional.items() if value is not None},
    }
    kept = [a for a in new.get("attempts") or [] if a["number"] != binding["attempt"]]
    new["attempts"] = [*kept, entry][-MAX_ATTEMPTS:]
    if _stated(new, JobConditionType.RUNNING):
        new = with_condition(new, Fact(JobConditionType.RUNNING, False, ending.reason, ending.message), at=ending.ended_at)
    if ending.outcome is Outcome.LOST:
        new.pop("remote", None)  # what was last seen there is no longer so
    return told(new, ending.reason, ending.message)


def finished(status: Status, event: Event, *, reason: str, message: str, at: int) -> Status:
    """Return the status of a job that has ended for good: Succeeded, Failed or Cancelled."""
    new = _moved(status, event)
    new["finishedAt"] = to_rfc3339(at)
    condition = JobConditionType.COMPLETE if event is Event.SUCCEEDED else JobConditionType.FAILED
    return with_condition(new, Fact(condition, True, reason, message), at=at)


def released(status: Status, event: Event, *, reason: str, message: str, at: int) -> Status:
    """Return the status after the remote copy was proved gone: no binding, Pending (REQUEUED) or Suspended (SUSPENDED)."""
    new = without_hold_up(_moved(status, event), to_rfc3339(at))
    newest = last_attempt(status)
    if event is Event.REQUEUED and newest and newest["outcome"] in (Outcome.APP_FAILED, Outcome.LOST):
        new["restarts"] = int(new.get("restarts", 0)) + 1
    for gone in ("binding", "remote", "startedAt"):
        new.pop(gone, None)
    if event is Event.SUSPENDED:
        new = with_condition(new, Fact(JobConditionType.SUSPENDED, True, reason, message), at=at)
    return with_condition(new, Fact(JobConditionType.SCHEDULED, False, reason, message), at=at)


def suspended(status: Status, *, at: int) -> Status:
    """Return the status of a waiting job whose user suspended it."""
    new = _moved(status, Event.SUSPENDED)
    new.pop("reservation", None)
    return with_condition(new, Fact(JobConditionType.SUSPENDED, True, JobReason.SUSPENDED_BY_USER, "spec.suspend is true."), at=at)


def resumed(status: Status, *, at: int) -> Status:
    """Return the status of a job that its user lets go on."""
    new = _moved(status, Event.RESUMED)
    return with_condition(new, Fact(JobConditionType.SUSPENDED, False, JobReason.RESUMED), at=at)


def refused(status: Status, *, reason: str, message: str, at: int) -> Status:
    """Return the status of a waiting job with the one reason why it waits."""
    return with_condition(status, Fact(JobConditionType.SCHEDULED, False, reason, message), at=at)


def reserved(status: Status, reservation: Mapping[str, Any] | None) -> Status:
    """Return the status of a waiting job with the place that is kept for it; None: none is."""
    new = dict(status)
    new.pop("reservation", None)
    return new if reservation is None else {**new, "reservation": dict(reservation)}


def told(status: Status, reason: str, message: str) -> Status:
    """Return the status with the one word and the one sentence that `kubectl get` shows."""
    return {**status, "reason": reason, "message": message}


@dataclass(frozen=True, slots=True)
class Fact:
    """One condition as it is now."""

    kind: str
    value: bool
    reason: str
    message: str = ""


def with_condition(status: Status, fact: Fact, *, at: int) -> Status:
    """Return the status with one condition set, which is its newest word; the transition time moves only when the value does."""
    new = dict(status)
    conditions = list(new.get("conditions") or [])
    old = next((c for c in conditions if c["type"] == fact.kind), None)
    truth = "True" if fact.value else "False"
    since = old["lastTransitionTime"] if old and old["status"] == truth else to_rfc3339(at)
    entry = {
        "type": str(fact.kind),
        "status": truth,
        "reason": str(fact.reason) or JobReason.UNKNOWN,
        "message": fact.message,
        "lastTransitionTime": since,
    }
    if old and "observedGeneration" in old:
        entry["observedGeneration"] = old["observedGeneration"]  # whoever writes it sets the one it was found on
    new["conditions"] = [entry if c is old else c for c in conditions] if old else [*conditions, entry]
    return told(new, entry["reason"], fact.message)


def _stated(status: Mapping[str, Any], kind: str) -> bool:
    return any(c["type"] == kind for c in status.get("conditions") or [])


def merge_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that turns `old` into `new`; empty where they are equal."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if inner := merge_difference(before, value):
                patch[key] = inner
        elif before != value:
            patch[key] = value
    return patch


def _moved(status: Status, event: Event) -> Status:
    new = dict(status)
    new["phase"] = str(follow(phase_of(status), event))
    return new


def _verdict(verdict: Verdict) -> dict[str, Any]:
    entry: dict[str, Any] = {"offer": {"namespace": verdict.offer.namespace, "name": verdict.offer.name}, "pool": verdict.pool}
    if verdict.score is None:
        return entry | {"reasons": [str(r) for r in verdict.reasons]}
    return entry | {"score": verdict.score, "parts": dict(verdict.parts)}
