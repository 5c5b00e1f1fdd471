"""PlacementPolicy.spec: weights in percent that sum to 100, and reference points that are never zero by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from integration.crd_objects import POLICY
from sampan.api.kinds.placementpolicy import PlacementPolicySpec, Weights
from sampan.model.policy import BALANCED
from sampan.model.values.quantity import parse_micro
from unit.api.rule_check import accepts, refuses


def test_a_good_policy() -> None:
    accepts(PlacementPolicySpec, POLICY["spec"])


@given(st.tuples(*[st.integers(-5, 105)] * 3))
def test_weights_sum_to_100(weights: tuple[int, int, int]) -> None:
    good = sum(weights) == 100 and all(0 <= w <= 100 for w in weights)
    raw = dict(zip(("cost", "packing", "domestic"), weights, strict=True))
    if good:
        accepts(Weights, raw)
    else:
        with pytest.raises(ValidationError):
            Weights.model_validate(raw)


def test_the_default_reference_is_the_model_s() -> None:
    spec = PlacementPolicySpec.model_validate(POLICY["spec"])
    assert parse_micro(spec.references.price_per_device_hour) == BALANCED.reference_price


def test_a_part_that_nobody_reads_yet_is_refused() -> None:
    refuses(Weights, {"cost": 40, "packing": 30, "domestic": 20, "preference": 10}, "spec.preference: unknown field")
