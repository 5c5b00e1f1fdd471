"""From pydantic's JSON schema to the structural schema that an API server demands. Pure rewriting; no kinds and no files here.

pydantic's schema has `$defs`, `anyOf` with null, `title`, `default: null` and `additionalProperties: false`, exclusive bounds
and `const`; an API server refuses each of them, or gives it another meaning.
"""

from typing import Any, Final

from pydantic import BaseModel

Json = dict[str, Any]

_DROPPED: Final = frozenset(
    {"$defs", "title", "additionalProperties", "const", "exclusiveMinimum", "exclusiveMaximum", "patternProperties", "propertyNames"}
)
_ORDER: Final = ("description", "type", "format", "default", "enum", "required", "properties", "additionalProperties", "items")
_INT32: Final = 2**31 - 1
_LIMITS_OF_ANY: Final = ("pattern", "maxLength", "minimum", "maximum", "maxItems", "maxProperties", "not")
"""What a field of no type needs: a text has a pattern, a number a range, and lists, objects and booleans are shut out."""


class NotStructuralError(ValueError):
    """A model has a shape that no structural schema can express; the message names the field."""


def structural_schema(model: type[BaseModel]) -> Json:
    """Return the structural schema of a model, as it goes under `properties.spec` or `properties.status` of a CRD."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _rewrite(schema, schema.get("$defs", {}), model.__name__)


def _rewrite(schema: Json, definitions: Json, where: str) -> Json:
    """Return one node rewritten; `where` names it in errors."""
    node = _without_null(_inline(schema, definitions), where)
    node = _inline(node, definitions)
    out = {key: value for key, value in node.items() if key not in _DROPPED}
    if "const" in node:
        out["enum"] = [node["const"]]
    if out.get("default", ...) in (None, [], "") or (out.get("default") == {} and out.get("type") == "object" and "properties" not in out):
        del out["default"]
    if "[]" in where:  # a default inside a list item: clients that replace whole lists would see their own list changed for ever
        out.pop("default", None)
    if node.get("exclusiveMinimum") is True:  # an API server's own form, not that of pydantic
        out["exclusiveMinimum"] = True
    _bound_integers(out, node)
    if "properties" in out:
        out["properties"] = {name: _rewrite(child, definitions, f"{where}.{name}") for name, child in out["properties"].items()}
    if "items" in out:
        out["items"] = _rewrite(out["items"], definitions, f"{where}[]")
    values = _map_values(node)
    if values is not None:
        out["additionalProperties"] = _rewrite(values, definitions, f"{where}{{}}")
    return _checked(_ordered(out), where)


def _inline(schema: Json, definitions: Json) -> Json:
    """Replace a reference by what it names; words beside the reference win."""
    while "$ref" in schema:
        target = definitions[schema["$ref"].removeprefix("#/$defs/")]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _map_values(node: Json) -> Json | None:
    """Return the schema of a map's values. Patterns on keys cannot be kept: a CEL rule beside the map checks them."""
    for values in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
        if isinstance(values, dict):
            return values
    return None


def _without_null(schema: Json, where: str) -> Json:
    """Turn `X or null` into X: an absent field says null at an API server."""
    if "anyOf" not in schema:
        return schema
    options = [option for option in schema["anyOf"] if option.get("type") != "null"]
    if len(options) != 1:
        raise NotStructuralError(f"{where}: a union of {len(options)} types cannot be a structural schema")
    return {**options[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _bound_integers(out: Json, node: Json) -> None:
    """Give integers inclusive bounds and the width that these need. Behind a validator pydantic calls bounds `ge` and `le`."""
    if out.get("type") != "integer":
        return
    for ours, theirs in (("minimum", "ge"), ("maximum", "le")):
        if theirs in out:
            out[ours] = out.pop(theirs)
    if "exclusiveMinimum" in node:
        out["minimum"] = node["exclusiveMinimum"] + 1
    if "exclusiveMaximum" in node:
        out["maximum"] = node["exclusiveMaximum"] - 1
    narrow = out.get("minimum", -_INT32 - 2) >= -_INT32 - 1 and out.get("maximum", _INT32 + 1) <= _INT32
    out["format"] = "int32" if narrow else "int64"


def _ordered(out: Json) -> Json:
    """Put keys in one order, words for people first, so that generated files read well and never flap."""
    known = [key for key in _ORDER if key in out]
    return {key: out[key] for key in (*known, *sorted(set(out) - set(known)))}


def _checked(out: Json, where: str) -> Json:
    """Refuse what is not bounded or not exact: a float, a list, map or string without a maximum."""
    kind = out.get("type")
    limit = {"string": "maxLength", "array": "maxItems"}.get(str(kind))
    if kind == "object" and "additionalProperties" in out:
        limit = "maxProperties"
    if kind is None and out.get("x-kubernetes-preserve-unknown-fields"):
        limit = next((key for key in _LIMITS_OF_ANY if key not in out), None)
    elif kind == "number" or (kind is None and not out.get("x-kubernetes-int-or-string")):
        raise NotStructuralError(f"{where}: type {kind} is not allowed")
    if limit is not None and limit not in out and "enum" not in out:
        raise NotStructuralError(f"{where}: {limit} is missing")
    return out
