"""Policies: the built-in one is usable as it is."""

from sampan.model.policy import BALANCED


def test_weights_sum_to_a_hundred() -> None:
    assert BALANCED.cost + BALANCED.packing + BALANCED.domestic == 100
    assert BALANCED.reference_price > 0
