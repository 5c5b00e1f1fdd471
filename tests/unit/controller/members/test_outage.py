"""Since when a member cannot be worked with, from what is known of its link."""

from dataclasses import dataclass

import pytest

from sampan.controller.members.facts import LinkFacts
from sampan.controller.members.outage import Outage, outage_after
from sampan.model.members.offer_reasons import OfferReason, invalid_kubeconfig

BEFORE = Outage(since=100, reason=OfferReason.UNREACHABLE)


@dataclass(frozen=True)
class Case:
    """What is known of a link, the outage so far, and what follows; the member was last heard at 200."""

    name: str
    facts: LinkFacts
    before: Outage | None
    want: Outage | None


CASES = (
    Case("connected", LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=()), None, None),
    Case("connected again", LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=()), BEFORE, None),
    Case("silent", LinkFacts(reason=OfferReason.UNREACHABLE), None, Outage(since=200, reason=OfferReason.UNREACHABLE)),
    Case("silent still", LinkFacts(reason=OfferReason.UNREACHABLE), BEFORE, BEFORE),
    Case(
        "refused where it was silent",
        LinkFacts(reason=OfferReason.UNAUTHORIZED),
        BEFORE,
        Outage(since=100, reason=OfferReason.UNAUTHORIZED),
    ),
    Case("another connection is being made", LinkFacts(reason=OfferReason.CONNECTING), BEFORE, BEFORE),
    Case("its lists are being read", LinkFacts(reason=OfferReason.SYNCING), BEFORE, BEFORE),
    Case("the first connection is being made", LinkFacts(reason=OfferReason.CONNECTING), None, None),
    Case("no kubeconfig", LinkFacts(reason=OfferReason.SECRET_NOT_FOUND), None, Outage(since=200, reason=OfferReason.SECRET_NOT_FOUND)),
    Case("another cluster", LinkFacts(reason=OfferReason.IDENTITY_CHANGED), None, Outage(since=200, reason=OfferReason.IDENTITY_CHANGED)),
    Case(
        "there, but without a right",
        LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=("watch jobs.batch in x",)),
        None,
        Outage(since=200, reason=OfferReason.MISSING_PERMISSIONS),
    ),
    Case(
        "there, but the namespace is gone",
        LinkFacts(
            connected=True,
            reason=OfferReason.CONNECTED,
            missing=(),
            absent=(("x", "gone"),),
            behind=(("x", OfferReason.NOT_FOLLOWED, "y"),),
        ),
        None,
        Outage(since=200, reason=OfferReason.NAMESPACE_MISSING),
    ),
    Case("a namespace is going, and followed", LinkFacts(connected=True, missing=(), absent=(("x", "going"),)), None, None),
    Case("there, but it publishes no capacity", LinkFacts(reason=OfferReason.CAPACITY_STALE, missing=()), None, None),
    Case(
        "a bad new kubeconfig beside a good one", LinkFacts(connected=True, reason=invalid_kubeconfig("NoServer"), missing=()), None, None
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_facts_of_a_link_mean(case: Case) -> None:
    assert outage_after(case.facts, case.before, heard=200) == case.want
