"""Since when and why a member cannot be worked with, from what is known of its link. Pure."""

from dataclasses import dataclass

from sampan.controller.members.facts import LinkFacts
from sampan.model.members.offer_reasons import OfferReason, OfferStatedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A member that cannot be worked with."""

    since: int
    """Milliseconds since the epoch by the hub's clock: when it was last heard."""
    reason: OfferStatedReason
    """That of the offer's condition Connected, or MissingPermissions or NamespaceMissing."""


def outage_after(facts: LinkFacts, before: Outage | None, *, heard: int) -> Outage | None:
    """Return the outage that these facts mean; None where there is none.

    `heard` is when the member was last heard (milliseconds since the epoch), for one that begins now. A connection that is only
    being made changes nothing: it neither begins an outage nor ends one. A member that publishes no capacity is there.
    """
    working = facts.connected or facts.reason == OfferReason.CAPACITY_STALE
    gone = bool(facts.absent and facts.behind)
    if working and not facts.missing and not gone:
        return None
    if not working and facts.joining:
        return before
    reason = (OfferReason.NAMESPACE_MISSING if gone else OfferReason.MISSING_PERMISSIONS) if working else facts.reason
    return Outage(since=heard if before is None else before.since, reason=reason)
