"""Selectors: what Kubernetes means by each operator, and an algebra that agrees with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.model.values.selector import Expression, Operator, Selector

KEYS, VALUES = ("tier", "zone"), ("a", "b", "c")
LABELS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
EXPRESSIONS = st.builds(
    Expression, st.sampled_from(KEYS), st.sampled_from(tuple(Operator)), st.lists(st.sampled_from(VALUES), max_size=2).map(tuple)
)
SELECTORS = st.lists(EXPRESSIONS, max_size=3).map(lambda expressions: Selector(tuple(expressions)))


@pytest.mark.parametrize(
    ("operator", "values", "labels", "want"),
    [
        (Operator.IN, ("a",), {"tier": "a"}, True),
        (Operator.IN, ("a",), {}, False),
        (Operator.NOT_IN, ("a",), {"tier": "a"}, False),
        (Operator.NOT_IN, ("a",), {}, True),
        (Operator.EXISTS, (), {"tier": ""}, True),
        (Operator.EXISTS, (), {"zone": "a"}, False),
        (Operator.DOES_NOT_EXIST, (), {"zone": "a"}, True),
        (Operator.DOES_NOT_EXIST, (), {"tier": "a"}, False),
    ],
)
def test_operators(operator: Operator, values: tuple[str, ...], labels: dict[str, str], want: bool) -> None:
    assert Expression("tier", operator, values).matches(labels) is want


def test_the_empty_selector_matches_everything() -> None:
    assert Selector().matches({})


@given(SELECTORS, SELECTORS, LABELS)
def test_both_is_the_conjunction(a: Selector, b: Selector, labels: dict[str, str]) -> None:
    assert (a & b).matches(labels) == (a.matches(labels) and b.matches(labels))


@given(SELECTORS, SELECTORS)
def test_both_is_canonical(a: Selector, b: Selector) -> None:
    assert a & b == b & a
    assert (a & b) & a == a & b


def test_exact_pairs_hold_wherever_the_selector_matches() -> None:
    mixed = Selector(
        (Expression("tier", Operator.IN, ("a",)), Expression("zone", Operator.IN, ("a", "b")), Expression("x", Operator.EXISTS))
    )
    assert mixed.exact == (("tier", "a"),)
