"""ClusterOffer.status as it should be, and the smallest patch from what it is. Pure; the writer is `writer.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sampan.api.status.conditions import conditions_from, conditions_manifest
from sampan.api.status.merge_patch import merge_difference
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.assessment import AssessedOffer
from sampan.inventory.pools.summary import ExcludedNodes, PoolSummary
from sampan.kube.text import clean_text
from sampan.model.members.offer_reasons import OfferConditionType
from sampan.model.status.condition import Condition, Fact, find_condition, set_condition
from sampan.model.values.quantity import format_bytes
from sampan.model.values.timestamp import to_rfc3339

MAX_POOLS: Final = 256
MAX_MISSING: Final = 64
MAX_EXCLUDED: Final = 32
MAX_EVIDENCE: Final = 8
WORD: Final = 128
DETAIL: Final = 1024
COUNT: Final = 1_000_000
"""The schema's largest count; a larger one is shown as this."""
_ORDER: Final = tuple(map(str, OfferConditionType))
_VOLATILE: Final = "lastProbeSuccess"
"""Written only together with something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """All that a status shows."""

    generation: int
    assessed: AssessedOffer
    facts: LinkFacts
    conditions: tuple[Fact, ...]
    """Every condition that applies."""
    pools: tuple[PoolSummary, ...] = field(default=())
    excluded_nodes: tuple[ExcludedNodes, ...] = ()
    queueing: tuple[str, ...] = ()


def status_of(view: OfferView, previous: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Return the status to show at the moment (milliseconds since the epoch). `known` lends the times of conditions that stay."""
    cluster_uid = previous.get("clusterUID") or (view.assessed.offer.cluster_uid if view.assessed.approved.is_true else None)
    answered = view.facts.connected
    status: dict[str, Any] = {
        "observedGeneration": view.generation,
        "clusterUID": cluster_uid,
        "kubernetesVersion": clean_text(view.facts.version, WORD) or previous.get("kubernetesVersion"),
        "workloads": ["batch/v1"] if answered or "workloads" in previous else None,
        "pools": [_pool(pool) for pool in view.pools[:MAX_POOLS]] or None,
        "excludedNodes": [_excluded(each) for each in view.excluded_nodes[:MAX_EXCLUDED]] or None,
        "queueing": list(view.queueing) or None,
        "missingPermissions": [text[:WORD] for text in (view.facts.missing or ())[:MAX_MISSING]] or None,
        "kubeconfigFingerprint": view.facts.credential.fingerprint or previous.get("kubeconfigFingerprint"),
        _VOLATILE: to_rfc3339(now) if answered else previous.get(_VOLATILE),
        "conditions": _conditions(view, previous.get("conditions") or (), now=now),
    }
    return {key: value for key, value in status.items() if value is not None}


def difference(previous: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch from one status to another; empty where nothing worth a write differs."""
    patch: dict[str, Any] = merge_difference(dict(previous), dict(wanted))
    return {} if patch.keys() <= {_VOLATILE} else patch


def is_urgent(patch: Mapping[str, Any]) -> bool:
    """Tell whether a patch says more than counts: conditions and identity are written at once."""
    return bool(patch.keys() - {_VOLATILE, "pools", "excludedNodes"})


def _conditions(view: OfferView, known: Sequence[Mapping[str, Any]], *, now: int) -> list[dict[str, Any]]:
    """Return the conditions that apply, in order; those that apply no more are dropped."""
    before, shown = conditions_from(known), list[Condition]()
    for fact in sorted(view.conditions, key=lambda fact: _ORDER.index(fact.type)):
        old = find_condition(before, fact.type)
        shown += set_condition((old,) if old is not None else (), fact, at=now, generation=view.generation)
    return conditions_manifest(shown)


def _count(amount: int) -> int:
    return max(min(amount, COUNT), 0)


def _pool(pool: PoolSummary) -> dict[str, Any]:
    gang = pool.largest_gang
    shown = {
        "name": pool.name[:WORD],
        "acceleratorClass": pool.accelerator_class,
        "vendor": pool.vendor or None,
        "domestic": pool.domestic if pool.accelerator_class else None,
        "sharing": str(pool.sharing) if pool.resource_name else None,
        "resourceName": clean_text(pool.resource_name, WORD) or None,
        "architecture": clean_text(pool.architecture, WORD) or None,
        "nodes": _count(pool.nodes),
        "devices": _count(pool.devices),
        "cards": None if pool.cards is None else _count(pool.cards),
        "free": _count(pool.free),
        "schedulable": _count(pool.schedulable),
        "reserved": _count(pool.reserved),
        "largestGang": {"perReplica": _count(gang[0]), "replicas": _count(gang[1])} if gang else None,
        "profile": clean_text(pool.profile, WORD) or None,
        "publisher": clean_text(pool.publisher, WORD) or None,
        "fabric": pool.fabric or None,
        "domains": _count(pool.domains),
        "variantUnknown": pool.variant_unknown,
        "contended": _count(pool.contended),
        "taints": [clean_text(taint, 400) for taint in pool.taints[:16]] or None,
        "evidence": [clean_text(text, WORD) for text in pool.identifying[:MAX_EVIDENCE]] or None,
        "memoryPerDevice": None if pool.memory_per_device is None else format_bytes(pool.memory_per_device),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _excluded(each: ExcludedNodes) -> dict[str, Any]:
    shown = {
        "cause": each.cause,
        "vendor": each.vendor or None,
        "nodes": _count(each.nodes),
        "devices": _count(each.devices),
        "example": clean_text(each.example, WORD),
        "detail": clean_text(each.detail, DETAIL) or None,
    }
    return {key: value for key, value in shown.items() if value is not None}
