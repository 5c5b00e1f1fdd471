"""Conditions: every type and reason can be written, foreign words included."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sampan.api.fields import conditions
from sampan.api.fields.common import Condition
from sampan.api.fields.conditions import JobReason, OfferReason, as_reason, find_condition, invalid_kubeconfig
from sampan.api.fields.scalars import CamelCase
from sampan.model.reason import Reason

THEN = "2026-01-01T00:00:00Z"


def _condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": "Because", "message": "", "lastTransitionTime": THEN, **more}


def test_an_absent_condition_is_none() -> None:
    assert find_condition([], "Complete") is None


@pytest.mark.parametrize("reason", [*JobReason, *OfferReason, *Reason, invalid_kubeconfig("ExecNotAllowed")])
def test_every_reason_can_be_written(reason: str) -> None:
    assert TypeAdapter(CamelCase).validate_python(str(reason)) == reason


@given(st.text(max_size=300))
def test_foreign_text_becomes_a_reason_that_can_be_written(text: str) -> None:
    assert TypeAdapter(CamelCase).validate_python(as_reason(text)) == as_reason(text)


def test_a_clean_word_stays_itself() -> None:
    assert as_reason("ImagePullBackOff") == "ImagePullBackOff"
    assert as_reason("\x1b[31m evil\n") == "31mevil"[2:]
    assert as_reason("", default="Error") == "Error"


def test_condition_types_are_words_and_few() -> None:
    of_jobs = (conditions.SCHEDULED, conditions.RUNNING, conditions.COMPLETE, conditions.FAILED, conditions.SUSPENDED)
    kinds = (*of_jobs, *conditions.HOLD_UPS, *conditions.OFFER_CONDITIONS)
    assert len(set(kinds)) == len(kinds)
    for kind in kinds:
        Condition.model_validate(_condition(kind))
