"""Scores: exact integers whose order follows price, time and wishes."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import A100, ASCEND, H100, HYGON, NOW, demand, offer, pool, price, requirement, shape
from sampan.catalog import load
from sampan.model.job import Domestic, Placement, Requirement, Shape
from sampan.model.members.accelerator import AcceleratorClass
from sampan.model.members.offer import Energy
from sampan.model.policy import BALANCED, Policy
from sampan.model.values.quantity import MICRO
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.scores import (
    SCORERS,
    ScoreContext,
    cost,
    domestic,
    expected_seconds,
    green,
    log_part,
    performance,
    weighted,
)

AMOUNT = st.integers(1, 10**24)


def facts(name: str) -> AcceleratorClass:
    found = load().get(name)
    assert found is not None
    return found


def rating(wanted: Shape, *, index: int = 0, on: str = H100, amount: int | None = 10 * MICRO) -> ScoreContext:
    prices = () if amount is None else (price(on, amount),)
    context = FilterContext(
        demand=wanted.demands[index],
        placement=wanted.placement,
        offer=offer(prices=prices),
        pool=pool(accelerator=facts(on)),
        now=NOW,
        currency="CNY",
    )
    return ScoreContext(context=context, shape=wanted, policy=BALANCED, classes=load().classes)


@pytest.mark.parametrize(
    ("ratio", "want"), [((1, 1), 50), ((1, 2), 62), ((2, 1), 37), ((1, 16), 100), ((0, 1), 100), ((1, 17), 100), ((16, 1), 1)]
)
def test_log_part(ratio: tuple[int, int], want: int) -> None:
    assert log_part(ratio[0] * 1000, ratio[1] * 1000) == want


@given(AMOUNT, AMOUNT)
def test_log_part_is_the_formula(amount: int, reference: int) -> None:
    exact = min(max(50 - 12.5 * (math.log2(amount) - math.log2(reference)), 1), 100)
    assert abs(log_part(amount, reference) - math.floor(exact)) <= (1 if abs(exact - round(exact)) < 1e-6 else 0)


@given(AMOUNT, AMOUNT, AMOUNT)
def test_less_never_scores_lower(a: int, b: int, reference: int) -> None:
    low, high = sorted((a, b))
    assert 1 <= log_part(high, reference) <= log_part(low, reference) <= 100


def test_a_job_without_times_is_compared_by_price() -> None:
    wanted = shape(demand(requirement()))
    assert [cost(rating(wanted, amount=amount * MICRO)) for amount in (5, 10, 20)] == [62, 50, 37]


def test_unknown_prices_earn_nothing() -> None:
    assert cost(rating(shape(demand(requirement())), amount=None)) == 0
    assert cost(rating(shape(demand()))) == 0


def test_a_dearer_but_faster_chip_may_be_cheaper_per_job() -> None:
    fast = demand(requirement(H100), expected_seconds=3600)
    slow = demand(requirement(A100), alternative=1, expected_seconds=4 * 3600)
    wanted = shape(fast, slow)
    dear = cost(rating(wanted, index=0, on=H100, amount=20 * MICRO))
    cheap = cost(rating(wanted, index=1, on=A100, amount=8 * MICRO))
    assert dear > cheap


@pytest.mark.parametrize(
    ("wanted", "index", "on", "want"),
    [
        (shape(demand(requirement(), expected_seconds=60), expected_seconds=999), 0, H100, 60),
        (shape(demand(requirement())), 0, H100, 3600),
        (shape(demand(requirement(H100)), expected_seconds=1000), 0, H100, 1000),
        (shape(demand(requirement(H100)), demand(requirement(A100)), expected_seconds=1000), 1, A100, 3169),  # 989 / 312
        (shape(demand(requirement(H100)), demand(requirement("hygon-bw1000-64gb")), expected_seconds=1000), 1, "hygon-bw1000-64gb", None),
        (shape(demand(Requirement(count=8, stack="cuda")), expected_seconds=1000), 0, A100, 1000),
        (shape(demand(Requirement(count=8, stack="cuda")), demand(requirement(ASCEND)), expected_seconds=1000), 1, ASCEND, None),
        (shape(demand(requirement(H100), expected_seconds=60), demand(requirement(A100))), 1, A100, None),
    ],
)
def test_expected_time_on_a_class(wanted: Shape, index: int, on: str, want: int | None) -> None:
    assert expected_seconds(wanted, wanted.demands[index], on=facts(on), classes=load().classes) == want


def test_domestic_devices_please_who_prefers_them() -> None:
    wishes = shape(demand(requirement()), placement=Placement(domestic=Domestic.PREFERRED))
    assert domestic(rating(wishes, on=HYGON)) == 100
    assert domestic(rating(wishes, on=H100)) == 1
    assert domestic(rating(shape(demand(requirement())), on=H100)) == 100


def test_a_policy_may_prefer_domestic_devices_for_everybody() -> None:
    plain = rating(shape(demand(requirement())), on=H100)
    assert domestic(replace(plain, policy=replace(BALANCED, prefers_domestic=True))) == 1


def test_faster_devices_perform_better_and_unknown_ones_earn_nothing() -> None:
    wanted = shape(demand(requirement(H100)), demand(requirement(A100), alternative=1), expected_seconds=1000)
    assert performance(rating(wanted, on=H100)) == 50
    assert performance(rating(wanted, index=1, on=A100)) == 29  # 3.17 times as long
    unknown = shape(demand(requirement(H100)), demand(requirement("hygon-bw1000-64gb"), alternative=1), expected_seconds=1000)
    assert performance(rating(unknown, index=1, on="hygon-bw1000-64gb")) == 0


YEAR = 365 * 86_400_000


def told(**figures: int | None) -> Energy:
    """Figures of the reference grid, of a year ago, with others in their place."""
    return Energy(**{"grams_co2_per_kwh": 400, "pue": MICRO, "as_of": NOW - YEAR, **figures})


@pytest.mark.parametrize(
    ("energy", "want"),
    [
        (told(), 50),
        (told(renewable_share=MICRO // 2), 62),
        (told(renewable_share=MICRO), 100),
        (told(grams_co2_per_kwh=800), 37),
        (told(pue=None), 0),
        (told(pue=0), 0),
        (told(pue=MICRO - 1), 0),
        (told(grams_co2_per_kwh=None, renewable_share=MICRO), 0),
        (told(as_of=None), 0),
        (told(as_of=NOW - 3 * YEAR + 1), 50),
        (told(as_of=NOW - 3 * YEAR), 0),
        (told(as_of=NOW + 1), 0),
        (Energy(renewable_share=MICRO), 0),
        (Energy(), 0),
    ],
    ids=[
        "reference",
        "half renewable",
        "all renewable",
        "dirty",
        "no PUE",
        "no power at all",
        "less power than the computers",
        "no grid",
        "no date",
        "nearly too old",
        "too old",
        "of tomorrow",
        "renewables alone",
        "nothing",
    ],
)
def test_green_counts_grid_pue_and_renewables_of_the_last_three_years(energy: Energy, want: int) -> None:
    plain = rating(shape(demand(requirement())))
    assert green(replace(plain, context=replace(plain.context, offer=replace(plain.context.offer, energy=energy)))) == want


def test_weights_are_the_policys() -> None:
    thrifty = Policy(name="thrifty", cost=90, packing=5, domestic=5)
    assert weighted(thrifty, "cost", 50) == 45
    assert weighted(thrifty, "packing", 50) == 2
    r = rating(shape(demand(requirement())))
    parts = [(name, weighted(r.policy, name, part(r))) for name, part in SCORERS]
    assert parts == [("cost", 25), ("performance", 0), ("domestic", 25), ("green", 0)]
