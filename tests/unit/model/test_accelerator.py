"""Count rules: which device counts a class hands out."""

import pytest

from sampan.model.accelerator import CountRule


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
