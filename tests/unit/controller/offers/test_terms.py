"""Defaults of what the OfferManager is given."""

from sampan.controller.offers.render import OfferUsage
from sampan.controller.offers.terms import OfferCallbacks, OfferSettings
from sampan.model.members.offer import OfferKey
from unit.controller.link_harness import SETTINGS


def test_a_desk_alone_runs_nothing_and_counts_in_the_default_currency() -> None:
    events = OfferCallbacks(
        changed=lambda: None,
        job_changed=lambda cluster, job: None,
        member_changed=lambda cluster: None,
        in_flight=lambda cluster: (),
        usage=OfferUsage(in_use=lambda offer: False),
    )
    assert events.usage.running("c-1") == {}, "nothing of ours counts against the offers' caps"
    assert events.usage.reserved(OfferKey("a", "b")) == {}, "nothing is kept"
    assert OfferSettings(provider_namespaces=(), home_origins=frozenset(), link=SETTINGS).currency == "CNY"
