"""Questions and answers at the border: what is posted is strict, what is not known is left out."""

import json

import pytest
from pydantic import ValidationError

from integration.crd_objects import documented
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.kinds.query_kinds import Answer, QuoteRequest, QuoteStatus, QuoteView, StartView, WhatIf

KEY = {"namespace": "prov-a", "name": "lingang"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"addNodes": {"offer": KEY, "pool": "p", "count": 1}, "withoutOffer": KEY},
        {"addNodes": {"offer": KEY, "pool": "p", "count": 0}},
        {"addNodes": {"offer": KEY, "pool": "p", "count": 5000}},
        {"without": KEY},
    ],
    ids=["neither", "both", "no nodes", "too many nodes", "unknown field"],
)
def test_a_change_is_one_thing_within_bounds(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WhatIf.model_validate(wrong)


def test_a_request_is_of_this_version() -> None:
    with pytest.raises(ValidationError):
        QuoteRequest.model_validate({"apiVersion": "query.sampan.dev/v2", "kind": "Quote", "spec": {"job": {}}})


def test_an_answer_is_an_object_and_leaves_out_what_is_not_known() -> None:
    view = QuoteView(pools=(), start=StartView(sample=0, reserved=False))
    status = QuoteStatus(observed_at="2026-01-01T00:00:00Z", currency="CNY", queue="default", now=view)
    assert Answer(kind="Quote", metadata={"name": "x"}, status=status).as_json() == {
        "apiVersion": "query.sampan.dev/v1alpha1",
        "kind": "Quote",
        "metadata": {"name": "x"},
        "status": {
            "observedAt": "2026-01-01T00:00:00Z",
            "currency": "CNY",
            "queue": "default",
            "now": {"pools": [], "start": {"sample": 0, "reserved": False}},
        },
    }


def test_the_quote_of_the_docs_is_one() -> None:
    (shown,) = documented("questions.md", "json")
    asked = QuoteRequest.model_validate(json.loads(shown)).spec
    assert ComputeJobSpec.model_validate(asked.job["spec"]).alternatives
    assert asked.what_if is not None
