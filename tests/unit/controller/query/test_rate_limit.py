"""One user cannot ask without end, and does not spend what is another's."""

import pytest

from sampan.controller.query import rate_limit
from sampan.controller.query.rate_limit import Budget, RateLimited


def test_a_burst_then_an_even_rate() -> None:
    budget = Budget(milliseconds=1000, burst=2)
    budget.spend("alice", 0)
    budget.spend("alice", 0)
    with pytest.raises(RateLimited) as told:
        budget.spend("alice", 500)
    assert told.value.seconds == 1
    budget.spend("bob", 500)
    budget.spend("alice", 1000)


def test_a_refused_question_costs_nothing() -> None:
    budget = Budget(milliseconds=1000, burst=1)
    budget.spend("alice", 0)
    for _ in range(10):
        with pytest.raises(RateLimited):
            budget.spend("alice", 999)
    budget.spend("alice", 1000)


def test_who_asked_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_USERS", 2)
    budget = Budget(milliseconds=1000, burst=1)
    for user in ("alice", "bob", "carol"):
        budget.spend(user, 0)
    budget.spend("alice", 0)
    with pytest.raises(RateLimited):
        budget.spend("carol", 0)
