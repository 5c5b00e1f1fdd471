"""Delays grow, are bounded, and start over."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.watch.backoff import Backoff


def test_grows_to_the_cap_and_starts_over() -> None:
    backoff = Backoff(lambda _, high: high, base=0.2, cap=30)
    delays = [backoff.next() for _ in range(7)]
    assert delays == sorted(delays)
    assert delays[-1] == 30
    backoff.reset()
    assert backoff.next() < 1


@given(st.integers())
def test_stays_within_bounds(seed: int) -> None:
    backoff = Backoff(random.Random(seed).uniform, base=0.2, cap=30)
    assert all(0.2 <= backoff.next() <= 30 for _ in range(50))
