"""Amounts as people write them."""

import pytest

from sampan.scheduling.feasibility.amount_words import amount_words


@pytest.mark.parametrize(
    ("name", "amount", "want"),
    [
        ("cpu", 1500, "1.5 cpu"),
        ("cpu", 4000, "4 cpu"),
        ("memory", 2**30, "1Gi memory"),
        ("pods", 1, "1 pods"),
        ("limits.cpu", 500, "limit of 0.5 cpu"),
        ("limits.memory", 2**30, "limit of 1Gi memory"),
        ("count/jobs.batch", 0, "0 jobs"),
        ("count/configmaps", 3, "3 configmaps"),
    ],
)
def test_amounts_are_written_as_people_do(name: str, amount: int, want: str) -> None:
    assert amount_words(name, amount) == want
