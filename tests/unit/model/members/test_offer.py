"""Offers: the price in force and the time of validity."""

from dataclasses import replace

import pytest

from builders import H100, NOW, offer, price
from sampan.model.members.offer import ENERGY_AGE, Energy, OfferKey
from sampan.model.values.quantity import MICRO


def test_the_latest_price_that_has_begun_is_in_force() -> None:
    prices = [price(amount=1, since=NOW - 20, id_="a"), price(amount=2, since=NOW - 10, id_="b"), price(amount=3, since=NOW + 1, id_="c")]
    made = offer(prices=prices)
    found = [made.price_at(H100, at) for at in (NOW - 30, NOW - 15, NOW, NOW + 1)]
    assert [each.amount if each else None for each in found] == [None, 1, 2, 3]


def test_prices_that_begin_together_are_told_by_id() -> None:
    made = offer(prices=[price(amount=5, id_="z"), price(amount=4, id_="a")])
    found = made.price_at(H100, NOW)
    assert found is not None
    assert found.id == "z"


def test_a_class_without_a_price_has_none() -> None:
    assert offer().price_at("nvidia-t4-16gb", NOW) is None


@pytest.mark.parametrize(("at", "want"), [(9, False), (10, True), (19, True), (20, False)])
def test_validity_ends_before_its_end(at: int, want: bool) -> None:
    assert offer(valid_from=10, valid_until=20).valid_at(at) is want


def test_no_validity_is_always() -> None:
    assert offer().valid_at(0)


def test_keys_read_as_kubectl_prints_them() -> None:
    assert str(OfferKey("prov", "o1")) == "prov/o1"
    assert OfferKey("a", "z") < OfferKey("b", "a")


def test_figures_of_power_count_for_three_years_where_all_that_is_needed_is_told() -> None:
    whole = Energy(pue=MICRO, grams_co2_per_kwh=1, as_of=NOW)
    assert whole.span == (NOW, NOW + ENERGY_AGE)
    assert whole.lacks == ()
    for field, name in (("pue", "pue"), ("grams_co2_per_kwh", "gCO2PerKWh"), ("as_of", "asOf")):
        part = replace(whole, **{field: None})
        assert (part.span, part.lacks) == (None, (name,))
    for pue in (0, 1, MICRO - 1):
        below = replace(whole, pue=pue)
        assert (below.span, below.lacks, below.possible) == (None, (), False)


def test_moments_are_those_at_which_something_changes_by_itself() -> None:
    made = replace(offer(prices=[price(since=1)], valid_from=2, valid_until=3), energy=Energy(pue=MICRO, grams_co2_per_kwh=1, as_of=4))
    assert sorted(made.moments()) == [1, 2, 3, 4, 4 + ENERGY_AGE]
