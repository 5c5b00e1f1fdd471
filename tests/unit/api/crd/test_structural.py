"""The rewriting from pydantic's schema to a structural one: each of the shapes an API server refuses, and the limits we demand."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, WithJsonSchema

from sampan.api.crd.structural import NotStructuralError, structural_schema
from sampan.api.fields.common import ApiModel, Rule, as_map, as_set
from sampan.api.fields.quantities import Amount, Units
from sampan.api.fields.scalars import Count, DnsLabel, Int


class Inner(ApiModel):
    """Words of the class."""

    RULES = (Rule(cel="self.count > 0", message="more", is_met=lambda i: i.count > 0),)
    name: DnsLabel = Field(description="A name.")
    count: Count = Field(1, description="A count.")


class Outer(ApiModel):
    """All shapes at once."""

    inner: Inner = Field(description="Words of the field.")
    maybe: Inner | None = Field(None, description="Optional.")
    word: Literal["Only"] = Field("Only", description="A constant.")
    above: Int = Field(5, gt=0, lt=10, description="Exclusive bounds.")
    wide: Int = Field(0, ge=0, le=2**40, description="More than 32 bits.")
    names: Annotated[tuple[DnsLabel, ...], as_set(4, min_items=1)] = Field(description="A set.")
    inners: Annotated[tuple[Inner, ...], as_map("name", 4)] = Field((), description="A map list.")
    size: Amount | None = Field(None, description="A quantity.")
    units: Units = Field(1, description="A count.")
    table: Annotated[dict[DnsLabel, DnsLabel], Field(max_length=3)] = Field({}, description="A map.")


SCHEMA = structural_schema(Outer)
PROPERTIES = SCHEMA["properties"]


def test_references_are_inlined_and_the_field_s_words_win() -> None:
    assert PROPERTIES["inner"]["description"] == "Words of the field."
    assert PROPERTIES["inner"]["properties"]["name"]["maxLength"] == 63
    assert "$ref" not in str(SCHEMA)
    assert "$defs" not in SCHEMA


def test_optional_means_absent_not_null() -> None:
    assert PROPERTIES["maybe"]["type"] == "object"
    assert "default" not in PROPERTIES["maybe"]
    assert SCHEMA["required"] == ["inner", "names"]
    assert "anyOf" not in str(SCHEMA)
    assert "null" not in str(SCHEMA)


def test_constants_become_enums() -> None:
    assert PROPERTIES["word"]["enum"] == ["Only"]
    assert PROPERTIES["word"]["default"] == "Only"


def test_integers_have_inclusive_bounds_and_a_width() -> None:
    above, wide = PROPERTIES["above"], PROPERTIES["wide"]
    assert (above["minimum"], above["maximum"], above["format"]) == (1, 9, "int32")
    assert wide["format"] == "int64"
    count = PROPERTIES["inner"]["properties"]["count"]
    assert (count["minimum"], count["maximum"]) == (0, 1_000_000)


def test_list_types_maps_and_quantities() -> None:
    names, inners, size = PROPERTIES["names"], PROPERTIES["inners"], PROPERTIES["size"]
    assert (names["x-kubernetes-list-type"], names["minItems"], names["maxItems"]) == ("set", 1, 4)
    assert inners["x-kubernetes-list-map-keys"] == ["name"]
    assert size["x-kubernetes-preserve-unknown-fields"] is True
    assert PROPERTIES["units"]["x-kubernetes-int-or-string"] is True
    assert "type" not in size
    assert PROPERTIES["table"]["maxProperties"] == 3
    assert PROPERTIES["table"]["additionalProperties"]["maxLength"] == 63


def test_a_default_inside_a_list_is_the_operator_s_alone() -> None:
    assert PROPERTIES["maybe"]["properties"]["count"]["default"] == 1
    assert "default" not in PROPERTIES["inners"]["items"]["properties"]["count"]


def test_rules_are_kept_wherever_the_model_is_used() -> None:
    for place in (PROPERTIES["inner"], PROPERTIES["maybe"], PROPERTIES["inners"]["items"]):
        assert place["x-kubernetes-validations"] == [{"rule": "self.count > 0", "message": "more"}]


def test_words_that_no_api_server_knows_are_gone() -> None:
    for word in ("title", "additionalProperties': False", "exclusiveMinimum", "'const'", "patternProperties"):
        assert word not in str(SCHEMA)


def _model(annotation: Any) -> type[ApiModel]:
    return type("Bad", (ApiModel,), {"__annotations__": {"field": annotation}, "__module__": __name__})


@pytest.mark.parametrize(
    ("annotation", "want"),
    [
        (float, "type number"),
        (str, "maxLength"),
        (tuple[DnsLabel, ...], "maxItems"),
        (dict[str, DnsLabel], "maxProperties"),
        (DnsLabel | Int, "union"),
        (Annotated[str, WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True, "maxLength": 4})], "pattern"),
    ],
    ids=["a float", "a string without end", "a list without end", "a map without end", "a union", "anything"],
)
def test_what_is_not_bounded_or_not_exact_is_refused(annotation: Any, want: str) -> None:
    with pytest.raises(NotStructuralError, match=want):
        structural_schema(_model(annotation))
