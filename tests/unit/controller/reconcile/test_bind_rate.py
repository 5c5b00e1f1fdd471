"""A fast hub is given full cycles, a slow one no more than it takes in two seconds, and a dead one still a try."""

import pytest

from sampan.controller.reconcile.bind_rate import MAX_IN_FLIGHT, BindRate


@pytest.mark.parametrize(
    ("name", "took", "in_flight", "want"),
    [
        ("nothing measured", [], 0, MAX_IN_FLIGHT),
        ("fast", [10] * 20, 0, MAX_IN_FLIGHT),
        ("fast, some in flight", [10] * 20, 60, MAX_IN_FLIGHT - 60),
        ("full", [10], MAX_IN_FLIGHT, 0),
        ("more than full", [10], MAX_IN_FLIGHT + 5, 0),
        ("two seconds a bind", [2_000] * 20, 0, 32),
        ("two seconds a bind, some in flight", [2_000] * 20, 30, 2),
        ("ten seconds a bind", [10_000] * 20, 0, 6),
        ("worse than any deadline", [600_000] * 20, 0, 1),
        ("worse than any deadline, one in flight", [600_000] * 20, 1, 0),
    ],
)
def test_what_may_be_planned(name: str, took: list[int], in_flight: int, want: int) -> None:
    rate = BindRate(32)
    for each in took:
        rate.record(each)
    assert rate.allowance(in_flight) == want, name


def test_one_slow_bind_does_not_stop_a_fast_hub_and_a_recovered_one_is_trusted_again() -> None:
    rate = BindRate(32)
    for _ in range(20):
        rate.record(10)
    rate.record(5_000)
    assert rate.allowance(0) == MAX_IN_FLIGHT
    for _ in range(50):
        rate.record(10_000)
    assert rate.allowance(0) == 6
    for _ in range(50):
        rate.record(10)
    assert rate.allowance(0) == MAX_IN_FLIGHT
