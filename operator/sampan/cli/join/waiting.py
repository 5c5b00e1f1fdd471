"""Following an offer until jobs can go there, and saying what is missing and who can mend it.

What must never live here: a call to a server, and a decision of the operator: its conditions are told as they are.
"""

from dataclasses import dataclass
from typing import Any, Final

from sampan.cli.lib.conditions import conditions_of
from sampan.kube.text import clean_text
from sampan.model.members.offer_reasons import OfferConditionType, OfferReason

PLATFORM_TEAM: Final = "the hub's platform team"
PROVIDER: Final = "you"
_WHO: Final = {
    OfferConditionType.APPROVED: PLATFORM_TEAM,
    OfferConditionType.CONNECTED: PROVIDER,
    OfferConditionType.PERMISSIONS_SUFFICIENT: PROVIDER,
    OfferConditionType.SCHEDULABLE: PROVIDER,
}
"""Who can mend what keeps a condition from being true."""
_OF_PLATFORM_TEAM: Final = frozenset({OfferReason.SECRET_NOT_READABLE, OfferReason.DUPLICATE_CLUSTER})
_BY_ITSELF: Final = frozenset({
    OfferReason.CONNECTING, OfferReason.SYNCING, OfferReason.NOT_REVIEWED, OfferReason.FINALIZER_MISSING, OfferReason.NOT_FOLLOWED,
})  # fmt: skip
NOT_SEEN: Final = "the hub's operator has not looked at the offer yet: if that stays so, it does not run (ask the platform team)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How an offer stands. `missing` is empty once jobs can go there with the kubeconfig that was handed over."""

    missing: str
    seen: str = ""
    """What the operator found, for the last line."""


def standing_of(offer: dict[str, Any], *, fingerprint: str) -> Standing:
    """How an offer stands that was handed over with a kubeconfig of this fingerprint."""
    status = offer.get("status") or {}
    conditions = conditions_of(offer)
    if not conditions or (status.get("observedGeneration") or 0) < offer["metadata"].get("generation", 0):
        return Standing(missing=NOT_SEEN)
    for kind, who in _WHO.items():
        condition = conditions.get(kind)
        if condition is None or condition.get("status") != "True":
            return Standing(missing=_words(kind, condition or {}, who))
    if not fingerprint.startswith(status.get("kubeconfigFingerprint") or "-"):
        connected = conditions[OfferConditionType.CONNECTED]
        said = clean_text(connected.get("message") or "", 512)
        return Standing(missing=f"the hub still uses the kubeconfig that it had{f': {said}' if said else ''}")
    pools = status.get("pools") or []
    devices = sum(int(pool.get("devices") or 0) for pool in pools)
    return Standing(missing="", seen=f"Kubernetes {status.get('kubernetesVersion')}, {len(pools)} pools with {devices} devices")


def _words(kind: str, condition: dict[str, Any], who: str) -> str:
    """A condition that is not true: in the operator's words, and who can mend it."""
    reason, message = str(condition.get("reason") or ""), clean_text(str(condition.get("message") or ""), 512)
    said = f"{kind} is {condition.get('status', 'Unknown')}" + (f" ({reason})" if reason else "") + (f": {message}" if message else "")
    if not reason or reason in _BY_ITSELF:
        return said
    mender = PLATFORM_TEAM if reason in _OF_PLATFORM_TEAM else who
    return f"{said} [{mender} can mend that]"
