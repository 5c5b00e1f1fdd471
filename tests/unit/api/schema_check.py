"""A small reader of structural schemas for tests: does a value fit, and what values fit? Knows no CEL and no pydantic."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
SAMPLES = ("", "a", "cn-east", "CN", "x.example/y", "nvidia.com/gpu", "8", "1.50", "64Gi", "500m", "amd64", "/data", "Abc", "A_B", "*")
AMOUNTS: list[Any] = ["64Gi", "500m", "1.5", 1.5, ".5", "+4", "04", 4, 8.0, 0, 0.25, "0", "1e3", "64GB", True, [], {}, -1]
TIMES = ("2026-01-01T00:00:00Z", "2027-06-30T23:59:59.123456Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "now")


def walk(schema: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every node of a schema with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from walk(schema["additionalProperties"], f"{path}{{}}")


def fits(schema: Json, value: Any) -> bool:
    """Tell whether an API server's schema accepts the value; rules in CEL are not looked at."""
    if schema.get("x-kubernetes-int-or-string"):
        return _fits_integer(schema, value) if isinstance(value, int | float) else _fits_string(schema, value)
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return _fits_number(schema, value) if isinstance(value, int | float) else _fits_string(schema, value)
    check = {"string": _fits_string, "integer": _fits_integer, "boolean": _fits_boolean, "array": _fits_array, "object": _fits_object}
    return check[schema["type"]](schema, value)


def _fits_string(schema: Json, value: Any) -> bool:
    if not isinstance(value, str) or not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if schema.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return False
    return "pattern" not in schema or _regex(schema["pattern"]).search(value) is not None


def _regex(pattern: str) -> "re.Pattern[str]":
    r"""Return RE2's pattern for Python: `$` is the very end, \x{...} is \u...."""
    python = re.sub(r"\\x\{([0-9A-F]{4})\}", r"\\u\1", pattern)
    return re.compile(re.sub(r"\$(?=$|\|)", r"\\Z", python), re.ASCII)


def _fits_integer(schema: Json, value: Any) -> bool:
    whole = not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    return whole and schema.get("minimum", value) <= value <= schema.get("maximum", value)


def _fits_number(schema: Json, value: Any) -> bool:
    low = value > schema["minimum"] if schema.get("exclusiveMinimum") else value >= schema["minimum"]
    return not isinstance(value, bool) and bool(low and value <= schema["maximum"])


def _fits_boolean(_: Json, value: Any) -> bool:
    return isinstance(value, bool)


def _fits_array(schema: Json, value: Any) -> bool:
    if not isinstance(value, list) or not schema.get("minItems", 0) <= len(value) <= schema["maxItems"]:
        return False
    if not all(fits(schema["items"], item) for item in value):
        return False
    kind = schema.get("x-kubernetes-list-type")
    keys = [[item.get(k) for k in schema["x-kubernetes-list-map-keys"]] if kind == "map" else item for item in value]
    return kind == "atomic" or all(key not in keys[:i] for i, key in enumerate(keys))


def _fits_object(schema: Json, value: Any) -> bool:
    if not isinstance(value, dict) or not set(schema.get("required", [])) <= set(value):
        return False
    if "additionalProperties" in schema:
        return len(value) <= schema["maxProperties"] and all(fits(schema["additionalProperties"], v) for v in value.values())
    return all(name in schema["properties"] and fits(schema["properties"][name], v) for name, v in value.items())


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Return a strategy of values that mostly fit the schema, with edges on both sides of every limit."""
    if schema.get("x-kubernetes-int-or-string"):
        return st.sampled_from([1, "1", "8", 8.0, 4, 0, "0", "1k", True])
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return st.sampled_from([*(each for each in AMOUNTS if fits(schema, each))] * 6 + AMOUNTS)
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], *schema["enum"], schema["enum"][0].lower()])
    kind = schema["type"]
    if kind == "string":
        return st.sampled_from(TIMES) if schema.get("format") else _strings(schema)
    if kind == "integer":
        low, high = schema["minimum"], schema["maximum"]
        return st.one_of(st.integers(low, min(high, low + 8)), st.sampled_from([low, high, high + 1, low - 1, float(low), True, "1"]))
    if kind == "boolean":
        return st.booleans()
    if kind == "array":
        return st.lists(values(schema["items"]), max_size=2)
    if "additionalProperties" in schema:
        return st.dictionaries(st.sampled_from(["a", "x.example/tier", "not a key"]), values(schema["additionalProperties"]), max_size=2)
    required = {name: values(child) for name, child in schema["properties"].items() if name in schema.get("required", [])}
    optional = {name: values(child) for name, child in schema["properties"].items() if name not in required}
    return st.fixed_dictionaries(required, optional={name: optional[name] for name in optional})


def _strings(schema: Json) -> st.SearchStrategy[str]:
    good = [sample for sample in SAMPLES if _fits_string(schema, sample)]
    junk = st.sampled_from([*SAMPLES, "a\n", "\u202e", "x" * (schema["maxLength"] + 1)])
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(good), junk) if good else junk
