"""Defaults of what the OfferManager is given."""

from sampan.controller.offers.render import OfferUsage
from sampan.controller.offers.terms import OfferSettings
from sampan.model.members.offer import OfferKey
from unit.controller.link_harness import SETTINGS


def test_a_manager_alone_runs_nothing_and_counts_in_the_default_currency() -> None:
    usage = OfferUsage(in_use=lambda offer: False)
    assert usage.running("c-1") == {}, "nothing of ours counts against the offers' caps"
    assert usage.reserved(OfferKey("a", "b")) == {}, "nothing is kept"
    assert OfferSettings(provider_namespaces=(), home_origins=frozenset(), link=SETTINGS).currency == "CNY"
