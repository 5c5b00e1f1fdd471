"""When the end of a credential is told, and in which words."""

import pytest

from sampan.model.members.credential_end import SOON, Renewal, ending
from sampan.model.members.offer_reasons import OfferReason

NOW = 1_800_000_000_000


@pytest.mark.parametrize("renewal", Renewal)
def test_nothing_is_told_before_seven_days_or_of_what_never_ends(renewal: Renewal) -> None:
    assert ending(0, renewal=renewal, now=NOW) is None
    assert ending(NOW + SOON + 1, renewal=renewal, now=NOW) is None


@pytest.mark.parametrize(
    ("renewal", "want"),
    [
        (Renewal.UNKNOWN, None),
        (Renewal.POSSIBLE, None),
        (Renewal.NOT_OURS, OfferReason.NOT_RENEWED),
        (Renewal.NOT_ALLOWED, OfferReason.NOT_RENEWED),
        (Renewal.NOT_KEPT, OfferReason.NOT_RENEWED),
        (Renewal.FAILED, OfferReason.RENEWAL_FAILED),
    ],
)
def test_what_nobody_renews_is_told_seven_days_before(renewal: Renewal, want: OfferReason | None) -> None:
    told = ending(NOW + SOON, renewal=renewal, now=NOW)
    assert (None if told is None else told.reason) == want
    if told is not None:
        assert "ends at 2027-01-22T08:00:00Z" in told.message
        assert "run sampan join again" in told.message


@pytest.mark.parametrize("renewal", Renewal)
def test_what_has_ended_is_always_told(renewal: Renewal) -> None:
    told = ending(NOW, renewal=renewal, now=NOW)
    assert told is not None
    assert "ended at 2027-01-15T08:00:00Z" in told.message
