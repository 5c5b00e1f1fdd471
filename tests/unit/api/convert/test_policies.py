"""Policies and queues of the API as values, in micro-units and canonical order."""

import pytest

from sampan.api.convert.offers import InvalidObjectError
from sampan.api.convert.policies import policy_of, queue_of


def test_a_policy_has_weights_and_a_reference_in_micro_units() -> None:
    weights = {"cost": 60, "packing": 30, "domestic": 10}
    policy = policy_of({"metadata": {"name": "thrifty"}, "spec": {"weights": weights, "references": {"pricePerDeviceHour": "2.5"}}})
    assert (policy.name, policy.cost, policy.packing, policy.domestic, policy.reference_price) == ("thrifty", 60, 30, 10, 2_500_000)


def test_a_queue_says_whose_jobs_compete_and_how() -> None:
    spec = {
        "namespaces": ["b", "a"],
        "weight": "2.5",
        "parent": "city",
        "highestPriority": 10,
        "policies": ["pack"],
        "defaultRunSeconds": 600,
    }
    queue = queue_of({"metadata": {"name": "research"}, "spec": spec})
    assert (queue.name, queue.namespaces, queue.weight, queue.parent) == ("research", ("a", "b"), 2_500_000, "city")
    assert (queue.highest_priority, queue.policies, queue.default_run_seconds) == (10, ("pack",), 600)


def test_a_queue_without_weight_would_never_have_a_turn() -> None:
    with pytest.raises(InvalidObjectError, match=r"research: spec\.weight: .*above 0"):
        queue_of({"metadata": {"name": "research"}, "spec": {"weight": "0"}})
