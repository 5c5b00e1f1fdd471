"""Reasons: a closed list in which worse comes first."""

import re

from sampan.model.reason import Reason


def test_reasons_are_condition_reasons_of_kubernetes() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Za-z]{2,40}", reason) for reason in Reason)


def test_severity_is_the_order_of_the_list() -> None:
    assert [reason.severity for reason in Reason] == list(range(len(Reason)))


def test_waiting_lifts_no_limit_that_the_tenant_set() -> None:
    assert Reason.INSUFFICIENT_CAPACITY.passing
    assert not Reason.REGION_EXCLUDED.passing
    assert not Reason.TOO_LARGE.passing


def test_what_a_job_is_not_for_is_its_own_word_about_offers() -> None:
    """Prices and devices are not: there the job would run if it could."""
    assert Reason.OFFER_SELECTOR_MISMATCH.unchosen
    assert not Reason.PRICE_ABOVE_CAP.unchosen
    assert not Reason.ACCELERATOR_MISMATCH.unchosen
    assert not any(reason.unchosen and reason.passing for reason in Reason)
