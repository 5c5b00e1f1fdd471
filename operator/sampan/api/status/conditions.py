"""Conditions between manifests and values: of every kind that has any."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from sampan.model.status.condition import UNCLEAR, Condition
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

_KNOWN: Final = frozenset({"type", "status", "reason", "message", "lastTransitionTime", "observedGeneration"})
REMEMBERED: Final = 4096
"""Values of each sort that are remembered: each write of a status brings all of it back, and what is equal is the same object then."""


def conditions_from(manifests: Iterable[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Return the conditions of a status; fields that a later version wrote are kept."""
    return tuple(map(_condition_from, manifests))


def conditions_manifest(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """Return conditions as the API has them."""
    return [_manifest(condition) for condition in conditions]


def unknown_fields(manifest: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any] | None:
    """Return what a later version of ours wrote into an entry of a list, so that it is written back with the list; None: nothing."""
    if known.issuperset(manifest):
        return None
    return {key: value for key, value in manifest.items() if key not in known}


def _condition_from(raw: Mapping[str, Any]) -> Condition:
    get = raw.get
    texts = get("type", ""), get("status", UNCLEAR), get("reason", ""), get("message", ""), get("lastTransitionTime")
    condition, later = _condition(texts, get("observedGeneration")), unknown_fields(raw, _KNOWN)
    return condition if later is None else replace(condition, later=later)


@lru_cache(maxsize=REMEMBERED)
def _condition(texts: tuple[str, str, str, str, str | None], generation: int | None) -> Condition:
    kind, status, reason, message, time = texts
    return Condition(type=kind, status=status, reason=reason, message=message, since=from_rfc3339(time), generation=generation)


def _manifest(condition: Condition) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        **(condition.later or {}),
    }
    if condition.since is not None:
        shown["lastTransitionTime"] = to_rfc3339(condition.since)
    if condition.generation is not None:
        shown["observedGeneration"] = condition.generation
    return shown
