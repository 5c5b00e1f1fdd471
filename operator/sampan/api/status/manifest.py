"""`ComputeJob.status` between manifests and values: read, written whole, and written as the patch of what differs. Nothing else.

A patch names only what this version knows and changed: fields of a later version stay, in the entries of lists too.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from sampan.api.status.attempts import (
    attempt_from,
    attempt_manifest,
    binding_from,
    binding_manifest,
    offer_from,
    offer_manifest,
    present,
    rejections_from,
    rejections_manifest,
)
from sampan.api.status.conditions import REMEMBERED, conditions_from, conditions_manifest
from sampan.api.status.merge_patch import merge_difference
from sampan.api.status.verdicts import StoredVerdicts, verdicts_manifest
from sampan.model.lifecycle import Phase
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import stated_reason
from sampan.model.status.remote import PodCounts, RemoteStatus, ReservedPlace
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

UNTOUCHED: Final = JobStatus()
"""The status of a job that nobody has looked at yet."""
_PHASES: Final = {str(phase): phase for phase in Phase}
_COUNTS: Final = ("active", "ready", "succeeded", "failed", "pending")


def from_manifest(raw: Mapping[str, Any]) -> JobStatus:
    """Return a status as a value. Raises KeyError, TypeError or ValueError for one that nobody of us wrote."""
    if not raw:
        return UNTOUCHED
    binding, verdicts, reservation, remote = raw.get("binding"), raw.get("verdicts"), raw.get("reservation"), raw.get("remote")
    attempts, rejections, phase = raw.get("attempts"), raw.get("rejections"), raw.get("phase")
    return JobStatus(
        conditions=conditions_from(raw.get("conditions") or ()),
        reason=raw.get("reason"),
        message=raw.get("message"),
        phase=(_PHASES.get(phase) or Phase(phase)) if phase else Phase.PENDING,
        observed_generation=raw.get("observedGeneration"),
        binding=binding_from(binding) if binding else None,
        attempts=tuple(sorted(map(attempt_from, attempts), key=attrgetter("number"))) if attempts else (),
        restarts=int(raw.get("restarts") or 0),
        rejections=tuple(map(rejections_from, rejections)) if rejections else (),
        verdicts=None if verdicts is None else StoredVerdicts(verdicts),
        reservation=_place_from(reservation) if reservation else None,
        remote=None if remote is None else _remote_from(remote),
        started_at=from_rfc3339(raw.get("startedAt")),
        finished_at=from_rfc3339(raw.get("finishedAt")),
    )


def to_manifest(status: JobStatus) -> dict[str, Any]:
    """Return a status as the API has it; what is not known is left out."""
    return present({key: render(getattr(status, name)) for name, key, render in _FIELDS})


def merge_patch(before: JobStatus, after: JobStatus) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) from one status to another; empty where the API would show no difference."""
    changed = [field for field in _FIELDS if getattr(before, field[0]) is not getattr(after, field[0])]
    old, new = (present({key: render(getattr(status, name)) for name, key, render in changed}) for status in (before, after))
    return merge_difference(old, new)


def _remote_from(raw: Mapping[str, Any]) -> RemoteStatus:
    counted = not raw.keys().isdisjoint(_COUNTS)
    return RemoteStatus(
        counts=_counts(tuple([raw.get(key, 0) for key in _COUNTS])) if counted else None,
        reason=stated_reason(raw.get("reason") or ""),
        message=raw.get("message") or "",
        exit_code=raw.get("exitCode"),
        observed_at=from_rfc3339(raw.get("observedAt")),
    )


@lru_cache(maxsize=REMEMBERED)
def _counts(numbers: tuple[int, ...]) -> PodCounts:
    active, ready, succeeded, failed, pending = numbers
    return PodCounts(active=active, ready=ready, succeeded=succeeded, failed=failed, pending=pending)


def _remote(remote: RemoteStatus | None) -> dict[str, Any] | None:
    if remote is None:
        return None
    counts = {} if remote.counts is None else {key: getattr(remote.counts, key) for key in _COUNTS}
    words = {"reason": str(remote.reason) or None, "message": remote.message or None, "exitCode": remote.exit_code}
    return present({**counts, **words, "observedAt": _time(remote.observed_at)})


def _place_from(raw: Mapping[str, Any]) -> ReservedPlace:
    return ReservedPlace(
        offer=offer_from(raw["offer"]),
        pool=raw["pool"],
        alternative=raw.get("alternative"),
        start_at_latest=from_rfc3339(raw.get("startAtLatest")),
        made_at=from_rfc3339(raw.get("madeAt")),
    )


def _place(place: ReservedPlace | None) -> dict[str, Any] | None:
    if place is None:
        return None
    where = {"offer": offer_manifest(place.offer), "pool": place.pool, "alternative": place.alternative}
    return present({**where, "startAtLatest": _time(place.start_at_latest), "madeAt": _time(place.made_at)})


def _time(millis: int | None) -> str | None:
    return None if millis is None else to_rfc3339(millis)


_FIELDS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    ("phase", "phase", str),
    ("reason", "reason", lambda word: None if word is None else str(word)),
    ("message", "message", lambda words: words),
    ("observed_generation", "observedGeneration", lambda number: number),
    ("binding", "binding", lambda binding: None if binding is None else binding_manifest(binding)),
    ("attempts", "attempts", lambda attempts: [attempt_manifest(each) for each in attempts] or None),
    ("restarts", "restarts", lambda count: count or None),
    ("rejections", "rejections", lambda entries: [rejections_manifest(each) for each in entries] or None),
    ("verdicts", "verdicts", lambda verdicts: None if verdicts is None else verdicts_manifest(verdicts)),
    ("reservation", "reservation", _place),
    ("remote", "remote", _remote),
    ("started_at", "startedAt", _time),
    ("finished_at", "finishedAt", _time),
    ("conditions", "conditions", lambda conditions: conditions_manifest(conditions) or None),
)
"""Attribute, field, and how the one is written as the other; None: not at all."""
