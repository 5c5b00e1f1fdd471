"""What is told of an offer when a condition turns: who must act, once, and what other conditions tell already is not told again."""

from typing import Any

import pytest

from sampan.controller.events.news import Regarding
from sampan.controller.events.offer_news import offer_news
from sampan.model.members.offer_reasons import OfferConditionType as Type
from sampan.model.members.offer_reasons import OfferReason, OfferStatedReason, invalid_kubeconfig
from sampan.model.status.event_reasons import EventReason

ABOUT = Regarding("ClusterOffer", "prov-a", "lingang", "o1")
UP = (Type.CONNECTED, "True", OfferReason.CONNECTED)
Told = tuple[Type, str, OfferStatedReason]


def status(*conditions: Told) -> dict[str, Any]:
    """Return a status with these conditions."""
    return {"conditions": [{"type": str(t), "status": s, "reason": str(r), "message": "words"} for t, s, r in conditions]}


def told(before: dict[str, Any], after: dict[str, Any]) -> list[EventReason]:
    """Return the reasons of what is told."""
    return [news.reason for news in offer_news(ABOUT, before, after)]


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        ((), UP, EventReason.MEMBER_CONNECTED),
        (UP, (Type.CONNECTED, "False", OfferReason.UNREACHABLE), EventReason.MEMBER_AWAY),
        (UP, (Type.CONNECTED, "False", OfferReason.CAPACITY_STALE), EventReason.MEMBER_AWAY),
        ((Type.CONNECTED, "False", OfferReason.UNREACHABLE), UP, EventReason.MEMBER_BACK),
        ((Type.CONNECTED, "False", OfferReason.CONNECTING), UP, EventReason.MEMBER_CONNECTED),
        (UP, (Type.CONNECTED, "False", OfferReason.UNAUTHORIZED), EventReason.CREDENTIAL_PROBLEM),
        (UP, (Type.CONNECTED, "False", invalid_kubeconfig("ExecNotAllowed")), EventReason.CREDENTIAL_PROBLEM),
        ((), (Type.CONNECTED, "False", OfferReason.CONNECTING), None),
        ((), (Type.APPROVED, "True", OfferReason.GRANTED), EventReason.APPROVED),
        ((), (Type.APPROVED, "False", OfferReason.NO_PROVIDER), EventReason.NOT_APPROVED),
        ((), (Type.PERMISSIONS_SUFFICIENT, "False", OfferReason.MISSING_PERMISSIONS), EventReason.PERMISSIONS_MISSING),
        ((), (Type.PERMISSIONS_SUFFICIENT, "Unknown", OfferReason.NOT_REVIEWED), None),
        ((), (Type.SCHEDULABLE, "False", OfferReason.NO_POOLS), EventReason.NOT_SCHEDULABLE),
        ((), (Type.SCHEDULABLE, "False", OfferReason.NOT_CONNECTED), None),
        ((Type.SCHEDULABLE, "False", OfferReason.NO_POOLS), (Type.SCHEDULABLE, "True", OfferReason.SCHEDULABLE), EventReason.SCHEDULABLE),
        ((Type.SCHEDULABLE, "False", OfferReason.NOT_CONNECTED), (Type.SCHEDULABLE, "True", OfferReason.SCHEDULABLE), None),
        ((), (Type.SCHEDULABLE, "True", OfferReason.SCHEDULABLE), None),
        ((), (Type.OVERCOMMITTED, "True", OfferReason.OVERCOMMITTED), EventReason.OVERCOMMITTED),
        ((), (Type.DRAINING, "True", OfferReason.JOBS_BOUND), EventReason.DRAINING),
        ((), (Type.CREDENTIAL_EXPIRING, "True", OfferReason.NOT_RENEWED), EventReason.CREDENTIAL_PROBLEM),
    ],
)
def test_a_condition_that_turns_is_told(before: Told | tuple[()], after: Told, want: EventReason | None) -> None:
    earlier = status(before) if before else {}
    assert told(earlier, status(after)) == ([] if want is None else [want])


def test_another_reason_for_the_same_trouble_is_news_and_the_same_one_is_not() -> None:
    away, refused = (status((Type.CONNECTED, "False", reason)) for reason in (OfferReason.UNREACHABLE, OfferReason.UNAUTHORIZED))
    assert told(away, refused) == [EventReason.CREDENTIAL_PROBLEM]
    later = status((Type.CONNECTED, "False", OfferReason.UNREACHABLE))
    later["conditions"][0]["message"] = "for longer"
    assert told(away, later) == []


def test_the_note_has_reason_and_words() -> None:
    (news,) = offer_news(ABOUT, {}, status((Type.CONNECTED, "False", OfferReason.UNREACHABLE)))
    assert (news.note, news.about, news.regarding) == ("Unreachable: words", "Unreachable", ABOUT)
