"""A distribution counts every value once, and is cumulative as Prometheus wants it."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from sampan.model.values.distribution import SECONDS_OF_CALLS, SECONDS_OF_WAITS, Distribution

VALUES = st.lists(st.integers(0, 2_000_000).map(float), max_size=30)


@given(VALUES)
def test_each_bound_counts_what_does_not_exceed_it(values: list[float]) -> None:
    spread = Distribution(SECONDS_OF_WAITS)
    for value in values:
        spread.add(value)
    assert spread.cumulative == [(bound, sum(value <= bound for value in values)) for bound in (*SECONDS_OF_WAITS, inf)]
    assert spread.total == sum(values)


@given(VALUES, VALUES)
def test_two_together_are_as_if_one_had_counted_all(first: list[float], second: list[float]) -> None:
    parts = Distribution(SECONDS_OF_CALLS), Distribution(SECONDS_OF_CALLS)
    whole = Distribution(SECONDS_OF_CALLS)
    for part, values in zip(parts, (first, second), strict=True):
        for value in values:
            part.add(value)
            whole.add(value)
    parts[0].take(parts[1])
    assert (parts[0].cumulative, parts[0].total) == (whole.cumulative, whole.total)
