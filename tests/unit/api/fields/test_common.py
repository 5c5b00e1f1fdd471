"""The base models: unknown fields, rules, list keys, and error texts that name a field and never a value."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from sampan.api.crd.structural import structural_schema
from sampan.api.fields.common import ApiModel, Condition, ObjectKey, Observed, Rule, as_map, as_set, first_error, validations
from sampan.api.fields.scalars import DnsLabel, Int
from sampan.api.kinds.table import KINDS
from unit.api.schema_check import fits, values, walk


class Item(ApiModel):
    """An item."""

    item_name: DnsLabel = Field(description="Its name.")


class Thing(ApiModel):
    """A thing."""

    RULES = (Rule(cel="self.low <= self.high", message="low must not be above high", is_met=lambda t: t.low <= t.high),)
    low: Int = Field(0, ge=0, le=9, description="Low.")
    high: Int = Field(9, ge=0, le=9, description="High.")
    words: Annotated[tuple[DnsLabel, ...], as_set(3)] = Field((), description="Words.")
    items_by_name: Annotated[tuple[Item, ...], as_map("itemName", 3)] = Field((), description="Items.")


class Seen(Observed):
    """Something seen."""

    value: Int = Field(0, ge=0, le=9, description="A value.")


def _error(raw: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Thing.model_validate(raw)
    return first_error(caught.value)


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({"low": 5, "high": 2}, "spec: low must not be above high"),
        ({"words": ["a", "a"]}, "spec: words must not hold the same entry twice"),
        ({"itemsByName": [{"itemName": "a"}, {"itemName": "a"}]}, "spec: itemsByName must not hold the same entry twice"),
        ({"itemsByName": [{"itemName": "a"}, {"itemName": "A"}]}, "spec.itemsByName[1].itemName: "),
        ({"other": 1}, "spec.other: unknown field"),
        ({"low": "x"}, "spec.low: should be a whole number"),
        ({"low": -1}, "spec.low: should be greater than or equal to 0"),
        ({"words": [1]}, "spec.words[0]: should be a string, in quotes"),
        ({"words": ["A"]}, "spec.words[0]: should be written as kubectl explain tells"),
        ({"itemsByName": [{}]}, "spec.itemsByName[0].itemName: is required"),
        ("text", "spec: "),
        (None, "spec: "),
    ],
)
def test_errors_name_the_field(raw: object, want: str) -> None:
    assert _error(raw).startswith(want)


def test_errors_never_hold_the_value() -> None:
    assert "s3cret" not in _error({"words": ["s3cret!"]})
    assert len(_error({"x" * 5000: 1})) <= 256


def test_observed_objects_leave_alone_what_a_newer_version_wrote() -> None:
    assert Seen.model_validate({"value": 3, "later": True}).as_json() == {"value": 3}


def test_values_are_frozen_and_equal_by_content() -> None:
    thing = Thing.model_validate({"words": ["a"]})
    assert thing == Thing(words=("a",))
    with pytest.raises(ValidationError):
        thing.low = 3  # type: ignore[misc]


@given(values(structural_schema(Thing)))
def test_what_the_model_accepts_the_schema_accepts_too(raw: dict[str, object]) -> None:
    try:
        thing = Thing.model_validate(raw)
    except ValidationError:
        return
    assert fits(structural_schema(Thing), thing.as_json())


@given(st.text(max_size=20))
def test_any_text_as_condition_reason_is_read_or_refused(text: str) -> None:
    raw = {"type": "Complete", "status": "True", "reason": text, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    try:
        assert Condition.model_validate(raw).as_json()["reason"] == text
    except ValidationError:
        assert not fits(structural_schema(Condition), raw)


def test_object_keys_are_local_names() -> None:
    with pytest.raises(ValidationError):
        ObjectKey.model_validate({"namespace": "a/b", "name": "c"})


CHANGE = Rule(cel="self.a == oldSelf.a", message="a stays")


def test_one_rule_is_one_entry() -> None:
    assert validations([Rule(cel="self.a", message="a")]) == [{"rule": "self.a", "message": "a"}]


def test_rules_are_joined_and_the_first_that_fails_speaks() -> None:
    (entry,) = validations([Rule(cel="self.a", message="no a"), Rule(cel="self.b || self.c", message="no b"), Rule(message="Python only")])
    assert entry == {
        "rule": "(self.a) && (self.b || self.c)",
        "message": "no a; no b",
        "messageExpression": "!(self.a) ? 'no a' : 'no b'",
    }


def test_rules_under_one_condition_have_it_asked_once() -> None:
    narrow = [Rule(cel=f"self.{name}", unless="!has(self.x)", message=f"no {name}") for name in ("b", "c")]
    (entry,) = validations([Rule(cel="self.a", message="no a"), *narrow, Rule(cel="self.d", message="no d")])
    assert entry["rule"] == "(self.a) && (!has(self.x) || ((self.b) && (self.c))) && (self.d)"
    assert entry["messageExpression"] == (
        "!(self.a) ? 'no a' : !(!has(self.x) || (self.b)) ? 'no b' : !(!has(self.x) || (self.c)) ? 'no c' : 'no d'"
    )
    assert validations(narrow[:1]) == [{"rule": "!has(self.x) || (self.b)", "message": "no b"}]


def test_rules_on_changes_stay_apart_for_they_do_not_run_at_create() -> None:
    state, change = validations([Rule(cel="self.a", message="a"), CHANGE], field=".spec", unless="self == oldSelf")
    assert state == {"rule": "self.a", "message": "a", "fieldPath": ".spec"}
    assert change == {"rule": "self == oldSelf || (self.a == oldSelf.a)", "message": "a stays", "fieldPath": ".spec"}


def test_no_message_breaks_the_expression_it_stands_in() -> None:
    for kind in KINDS:
        for model in (kind.spec, kind.status):
            for path, node in walk(structural_schema(model)) if model else ():
                for entry in node.get("x-kubernetes-validations", []):
                    assert entry.get("messageExpression", "").count("'") % 2 == 0, path
