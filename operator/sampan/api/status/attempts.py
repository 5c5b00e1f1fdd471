"""A job's binding and its attempts between manifests and values."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from sampan.api.status.conditions import REMEMBERED, unknown_fields
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Attempt, Binding, ChargedUse, Rejections
from sampan.model.status.reasons import stated_reason
from sampan.model.values.quantity import format_micro, parse_micro
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

_OF_ATTEMPTS: Final = frozenset(
    {"number", "offer", "pool", "clusterUID", "startedAt", "endedAt", "outcome", "reason", "exitCode", "message"}
)
_OF_REJECTIONS: Final = frozenset({"alternative", "reason", "attempts"})


def offer_from(raw: Mapping[str, Any]) -> OfferKey:
    """Return the name of an offer."""
    return OfferKey(raw["namespace"], raw["name"])


def offer_manifest(offer: OfferKey) -> dict[str, Any]:
    """Return the name of an offer as the API has it."""
    return {"namespace": offer.namespace, "name": offer.name}


def present(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is there of a manifest: None stands for what is not known."""
    return {key: value for key, value in manifest.items() if value is not None}


def binding_from(raw: Mapping[str, Any]) -> Binding:
    """Return a binding. Raises KeyError or TypeError for one that nobody of us wrote."""
    offer, remote, use, get = raw["offer"], raw["remote"], raw.get("use"), raw.get
    what = get("acceleratorClass"), get("alternative"), int(get("replicas", 1))
    where = offer["namespace"], offer["name"], raw["clusterUID"], raw["pool"]
    copy = remote["namespace"], remote["name"], remote.get("uid")
    charged = (use["unitHours"], use["seconds"]) if use else None
    return _binding((int(raw["attempt"]), get("boundAt")), where, what=what, copy=copy, charged=charged)


@lru_cache(maxsize=REMEMBERED)
def _binding(
    attempt: tuple[int, str | None],
    where: tuple[str, str, str, str],
    *,
    what: tuple[str | None, int | None, int],
    copy: tuple[str, str, str | None],
    charged: tuple[str, int] | None,
) -> Binding:
    return Binding(
        offer=OfferKey(where[0], where[1]),
        cluster_uid=where[2],
        attempt=attempt[0],
        pool=where[3],
        accelerator_class=what[0],
        alternative=what[1],
        replicas=what[2],
        namespace=copy[0],
        name=copy[1],
        remote_uid=copy[2],
        bound_at=from_rfc3339(attempt[1]) or 0,
        use=ChargedUse(amount=parse_micro(charged[0]), seconds=int(charged[1])) if charged else None,
    )


def binding_manifest(binding: Binding) -> dict[str, Any]:
    """Return a binding as the API has it; what is unknown is left out."""
    use = binding.use
    shown = {
        "offer": offer_manifest(binding.offer),
        "clusterUID": binding.cluster_uid,
        "attempt": binding.attempt,
        "pool": binding.pool,
        "acceleratorClass": binding.accelerator_class,
        "alternative": binding.alternative,
        "replicas": binding.replicas,
        "remote": present({"namespace": binding.namespace, "name": binding.name, "uid": binding.remote_uid or None}),
        "boundAt": to_rfc3339(binding.bound_at),
        "use": None if use is None else {"unitHours": format_micro(use.amount), "seconds": use.seconds},
    }
    return present(shown)


def attempt_from(raw: Mapping[str, Any]) -> Attempt:
    """Return an attempt that ended. Raises KeyError for one without a number, which nobody of us wrote."""
    get = raw.get
    offer, times = get("offer"), (get("startedAt"), get("endedAt"))
    where = offer["namespace"] if offer else None, offer["name"] if offer else "", get("pool"), get("clusterUID")
    end = get("outcome", ""), get("reason", ""), get("message", ""), get("exitCode")
    attempt, later = _attempt(int(raw["number"]), where, times=times, end=end), unknown_fields(raw, _OF_ATTEMPTS)
    return attempt if later is None else replace(attempt, later=later)


@lru_cache(maxsize=REMEMBERED)
def _attempt(
    number: int,
    where: tuple[str | None, str, str | None, str | None],
    *,
    times: tuple[str | None, str | None],
    end: tuple[str, str, str, int | None],
) -> Attempt:
    return Attempt(
        number=number,
        outcome=end[0],
        offer=OfferKey(where[0], where[1]) if where[0] is not None else None,
        pool=where[2],
        cluster_uid=where[3],
        started_at=from_rfc3339(times[0]),
        ended_at=from_rfc3339(times[1]),
        reason=stated_reason(end[1]),
        message=end[2],
        exit_code=end[3],
    )


def attempt_manifest(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as the API has it."""
    shown = {
        "number": attempt.number,
        "offer": offer_manifest(attempt.offer) if attempt.offer else None,
        "pool": attempt.pool,
        "clusterUID": attempt.cluster_uid,
        "startedAt": None if attempt.started_at is None else to_rfc3339(attempt.started_at),
        "endedAt": None if attempt.ended_at is None else to_rfc3339(attempt.ended_at),
        "outcome": str(attempt.outcome) or None,
        "reason": str(attempt.reason) or None,
        "message": attempt.message or None,
        "exitCode": attempt.exit_code,
        **(attempt.later or {}),
    }
    return present(shown)


def rejections_from(raw: Mapping[str, Any]) -> Rejections:
    """Return how often an alternative was rejected for one reason. Raises KeyError for an entry that nobody of us wrote."""
    return Rejections(
        alternative=raw.get("alternative"),
        reason=stated_reason(raw["reason"]),
        attempts=raw["attempts"],
        later=unknown_fields(raw, _OF_REJECTIONS),
    )


def rejections_manifest(entry: Rejections) -> dict[str, Any]:
    """Return such an entry as the API has it."""
    return present({"alternative": entry.alternative, "reason": str(entry.reason), "attempts": entry.attempts, **(entry.later or {})})
