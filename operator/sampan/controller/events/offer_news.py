"""What is told of an offer when its conditions change. Pure: two statuses in, news out."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sampan.api.status.conditions import conditions_from
from sampan.controller.events.news import News, Regarding
from sampan.model.members.offer_reasons import OfferConditionType, OfferReason
from sampan.model.status.condition import IS_FALSE, IS_TRUE, Condition
from sampan.model.status.event_reasons import EventReason

KIND: Final = "ClusterOffer"
CREDENTIAL: Final = frozenset(
    {
        *(OfferReason.UNAUTHORIZED, OfferReason.FORBIDDEN, OfferReason.SECRET_NOT_READABLE, OfferReason.SECRET_NOT_FOUND),
        *(OfferReason.KEY_MISSING, OfferReason.INVALID_KUBECONFIG),
    }
)
"""Reasons why an offer is not connected that only another kubeconfig ends."""
_TOLD_ELSEWHERE: Final = frozenset(
    {
        *(OfferReason.NOT_APPROVED, OfferReason.NOT_CONNECTED, OfferReason.PERMISSIONS_MISSING, OfferReason.DRAINING),
        *(OfferReason.NOT_ACCEPTING, OfferReason.FINALIZER_MISSING),
    }
)
"""Reasons why an offer is not schedulable that another condition tells, or that its provider chose."""
_PASSING: Final = frozenset({OfferReason.CONNECTING, OfferReason.SYNCING, OfferReason.NOT_REVIEWED})


class _Words(NamedTuple):
    """What is told when a condition turns bad, and when it is well again; None: nothing."""

    bad: str
    """The status that is bad."""
    turned_bad: EventReason
    well: EventReason | None


_TABLE: Final[Mapping[str, _Words]] = {
    OfferConditionType.APPROVED: _Words(IS_FALSE, EventReason.NOT_APPROVED, EventReason.APPROVED),
    OfferConditionType.CONNECTED: _Words(IS_FALSE, EventReason.MEMBER_AWAY, EventReason.MEMBER_CONNECTED),
    OfferConditionType.PERMISSIONS_SUFFICIENT: _Words(IS_FALSE, EventReason.PERMISSIONS_MISSING, EventReason.PERMISSIONS_GRANTED),
    OfferConditionType.SCHEDULABLE: _Words(IS_FALSE, EventReason.NOT_SCHEDULABLE, EventReason.SCHEDULABLE),
    OfferConditionType.OVERCOMMITTED: _Words(IS_TRUE, EventReason.OVERCOMMITTED, None),
    OfferConditionType.DRAINING: _Words(IS_TRUE, EventReason.DRAINING, None),
    OfferConditionType.CREDENTIAL_EXPIRING: _Words(IS_TRUE, EventReason.CREDENTIAL_PROBLEM, None),
}


def offer_news(regarding: Regarding, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[News]:
    """Yield what happened to an offer between two of its statuses."""
    if after.get("conditions") == before.get("conditions"):
        return
    known = {each.type: each for each in conditions_from(before.get("conditions") or ())}
    shown = {each.type: each for each in conditions_from(after.get("conditions") or ())}
    for kind, words in _TABLE.items():
        told = _told(words, known.get(kind), shown.get(kind))
        if told is not None:
            reason, condition = told
            note = f"{condition.reason}: {condition.message}" if condition.message else condition.reason
            yield News(regarding=regarding, reason=reason, note=note, about=condition.reason)


def _told(words: _Words, before: Condition | None, now: Condition | None) -> tuple[EventReason, Condition] | None:
    if now is None or now.reason in _PASSING or now.reason in _TOLD_ELSEWHERE:
        return None
    if now.status == words.bad:
        same = before is not None and (before.status, before.reason) == (now.status, now.reason)
        return None if same else (_bad_reason(words, now), now)
    was_bad = before is not None and before.status == words.bad and before.reason not in _TOLD_ELSEWHERE
    well = words.well
    if well is None or (before is not None and before.status == now.status) or (well is EventReason.SCHEDULABLE and not was_bad):
        return None
    if well is EventReason.MEMBER_CONNECTED and was_bad and before is not None and before.reason not in _PASSING:
        well = EventReason.MEMBER_BACK
    return well, now


def _bad_reason(words: _Words, now: Condition) -> EventReason:
    """Tell a credential that is not taken from a member that is away: another of them must act."""
    if words.turned_bad is EventReason.MEMBER_AWAY and now.reason.partition("/")[0] in CREDENTIAL:
        return EventReason.CREDENTIAL_PROBLEM
    return words.turned_bad
