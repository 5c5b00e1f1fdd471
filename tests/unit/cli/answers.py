"""Answers of the query API with good defaults, for tests of the verbs. No assertion here."""

from typing import Any

from sampan.client.access.hub import Object

OFFER = {"namespace": "prov-a", "name": "lingang"}
USABLE: Object = {
    "offer": OFFER,
    "pool": "h100-x8",
    "acceleratorClass": "nvidia-h100-sxm-80gb",
    "alternative": 1,
    "score": 70,
    "parts": {"cost": 40, "packing": 30, "green": 0},
    "pricePerHour": "96.00",
    "priceExpected": "144.00",
    "room": 2,
}
PLACE = {"offer": OFFER, "pool": "h100-x8"}


def refused(name: str, *reasons: str, change: bool = False) -> Object:
    """A pool that refuses for these reasons."""
    told = [{"reason": reason, "needed": f"{reason} needed", "present": f"{reason} present"} for reason in reasons]
    changes = [{"field": "spec.replicas", "before": "4", "after": ""}] if change else []
    return {"offer": {"namespace": "prov-b", "name": name}, "pool": "p", "parts": {}, "objections": told, "smallestChange": changes}


def explanation(*pools: Object, **status: Any) -> Object:
    """An Explanation of team-a/train."""
    told = {"phase": "Pending", "message": "in short", "observedAt": "2026-03-01T12:00:00Z", "currency": "CNY", "pools": list(pools)}
    return {"kind": "Explanation", "metadata": {"namespace": "team-a", "name": "train"}, "status": {**told, **status}}


def quotation(*pools: Object, after: list[Object] | None = None, **status: Any) -> Object:
    """A Quote for team-a/train that starts now."""
    start = {"atLatest": "2026-03-01T12:00:00Z", "likely": "2026-03-01T12:00:00Z", "sample": 0, "reserved": False}
    told: Object = {"currency": "CNY", "queue": "default", "now": {"pools": list(pools), "startsIn": PLACE, "start": start}, **status}
    if after is not None:
        told["whatIf"] = {"pools": after, "start": {"sample": 0, "reserved": False, "unknown": "no pool could run it"}}
    return {"kind": "Quote", "metadata": {"namespace": "team-a", "name": "train"}, "status": told}
