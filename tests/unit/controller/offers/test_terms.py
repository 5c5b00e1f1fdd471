"""What a desk needs not be told."""

from sampan.controller.offers.render import OfferUse
from sampan.controller.offers.terms import DeskEvents, DeskSettings
from sampan.model.offer import OfferKey
from unit.controller.link_harness import SETTINGS


def test_a_desk_alone_runs_nothing_and_counts_in_the_default_currency() -> None:
    events = DeskEvents(
        changed=lambda: None,
        job_changed=lambda cluster, job: None,
        member_changed=lambda cluster: None,
        flights=lambda cluster: (),
        use=OfferUse(in_use=lambda offer: False),
    )
    assert events.use.running("c-1") == {}, "nothing of ours counts against the offers' caps"
    assert events.use.reserved(OfferKey("a", "b")) == {}, "nothing is kept"
    assert DeskSettings(provider_namespaces=(), home_origins=frozenset(), link=SETTINGS).currency == "CNY"
