"""What is known of a link that several offers share, as it stands for each of them."""

from dataclasses import dataclass, field

import pytest

from sampan.controller.members.facts import LinkFacts
from sampan.model.members.offer_reasons import OfferReason

SHARED = "list nodes", "get namespaces kube-system"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a link found, and what of it concerns an offer whose jobs run in namespace `a`."""

    name: str
    facts: LinkFacts
    want_connected: bool = True
    want_reason: str = "Connected"
    want_missing: tuple[str, ...] = field(default=())


CASES = (
    Case(name="all is well", facts=LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=())),
    Case(
        name="rights lack in another namespace",
        facts=LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=("create jobs.batch in b", "get configmaps x in b")),
    ),
    Case(
        name="rights lack here and in all",
        facts=LinkFacts(
            connected=True, reason=OfferReason.CONNECTED, missing=(*SHARED, "create jobs.batch in a", "create jobs.batch in ab")
        ),
        want_missing=(*SHARED, "create jobs.batch in a"),
    ),
    Case(
        name="another namespace is not followed",
        facts=LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=(), behind=(("b", OfferReason.NOT_FOLLOWED, "x"),)),
    ),
    Case(
        name="this one is not followed",
        facts=LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=(), behind=(("a", OfferReason.NOT_FOLLOWED, "x"),)),
        want_connected=False,
        want_reason="NotFollowed",
    ),
    Case(
        name="this one is not followed for want of a right: the right is what is told",
        facts=LinkFacts(
            connected=True, reason=OfferReason.CONNECTED, missing=("watch jobs.batch in a",), behind=(("a", OfferReason.NOT_FOLLOWED, "x"),)
        ),
        want_missing=("watch jobs.batch in a",),
    ),
    Case(
        name="nothing is followed, because the member is silent",
        facts=LinkFacts(reason=OfferReason.UNREACHABLE, missing=(), behind=(("a", OfferReason.SYNCING, "x"),)),
        want_connected=False,
        want_reason="Unreachable",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_offer_has_the_troubles_of_its_own_namespace_only(case: Case) -> None:
    found = case.facts.of("a")
    assert (found.connected, str(found.reason), found.missing) == (case.want_connected, case.want_reason, case.want_missing)


def test_namespaces_that_are_gone_are_told_to_who_uses_them() -> None:
    facts = LinkFacts(connected=True, reason=OfferReason.CONNECTED, missing=None, absent=(("a", "gone"), ("b", "going")))
    assert facts.of("a").absent == (("a", "gone"),)
    assert facts.of("").absent == ()
    assert facts.of("a").missing is None, "not asked yet"
