"""Count rules: which device counts a class hands out."""

import pytest

from sampan.model.members.accelerator import CountRule


@pytest.mark.parametrize(
    ("rule", "accepted", "refused"),
    [
        (CountRule(), (1, 3, 16), (0, -1)),
        (CountRule(multiple_of=2), (2, 16), (1, 3, 0)),
        (CountRule(allowed=(1, 2, 4, 8)), (1, 8), (3, 16)),
        (CountRule(allowed=(1, 2, 4), multiple_of=2), (2, 4), (1, 8)),
    ],
)
def test_count_rules(rule: CountRule, accepted: tuple[int, ...], refused: tuple[int, ...]) -> None:
    assert all(rule.accepts(count) for count in accepted)
    assert not any(rule.accepts(count) for count in refused)


@pytest.mark.parametrize(
    ("rule", "at_most", "want"),
    [
        (CountRule(), 7, 7),
        (CountRule(), 0, 0),
        (CountRule(), -3, 0),
        (CountRule(multiple_of=8), 23, 16),
        (CountRule(multiple_of=8), 7, 0),
        (CountRule(allowed=(1, 2, 4, 8)), 10**18, 8),
        (CountRule(allowed=(1, 2, 4, 8)), 7, 4),
        (CountRule(allowed=(8,)), 7, 0),
        (CountRule(allowed=(1, 2, 4), multiple_of=2), 3, 2),
        (CountRule(), 10**18, 10**18),
    ],
)
def test_the_largest_accepted_count(rule: CountRule, at_most: int, want: int) -> None:
    assert rule.largest(at_most) == want
    assert want == 0 or rule.accepts(want)
