"""Conditions: every type can be written, and one that is not there is none."""

import pytest

from sampan.api.fields.common import Condition
from sampan.api.fields.conditions import find_condition
from sampan.model.members.offer_reasons import OfferConditionType
from sampan.model.status.reasons import JobConditionType


def test_an_absent_condition_is_none() -> None:
    assert find_condition([], "Complete") is None


@pytest.mark.parametrize("kinds", [JobConditionType, OfferConditionType])
def test_condition_types_are_words_and_few(kinds: type[JobConditionType] | type[OfferConditionType]) -> None:
    assert len(kinds) <= 16, "the schema's most"
    for kind in kinds:
        then = "2026-01-01T00:00:00Z"
        Condition.model_validate({"type": str(kind), "status": "True", "reason": "Because", "message": "", "lastTransitionTime": then})
