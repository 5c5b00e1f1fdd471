"""What all our kinds share at the border: the base models, cross-field rules, references, conditions. No kind lives here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails

from sampan.api.fields.quantities import SUCH_AS
from sampan.api.fields.scalars import CamelCase, DnsLabel, DnsSubdomain, Int, Message, Timestamp

Json = dict[str, Any]
LIST_TYPE: Final = "x-kubernetes-list-type"
MAP_KEYS: Final = "x-kubernetes-list-map-keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One cross-field rule, twice: in CEL for the API server, in Python for the operator. A test holds them against each other."""

    message: str
    cel: str | None = None
    """None for what only the operator checks, because CEL would have to visit every text at each write."""
    is_met: Callable[[Any], bool] | None = None
    """None for rules about a change (`oldSelf`), which only the API server can check."""
    words: str | None = None
    """CEL expression for the message, where it must name what differs."""
    unless: str | None = None
    """Condition in CEL under which the rule holds whatever `cel` says; rules side by side with the same one have it asked once."""

    @property
    def whole(self) -> str:
        """Return the rule in CEL with its condition."""
        return f"{self.unless} || ({self.cel})" if self.unless else str(self.cel)


def validations(rules: Iterable[Rule], *, field: str | None = None, unless: str | None = None) -> list[Json]:
    """Return the entries of `x-kubernetes-validations` for the rules of one object: one for its state, one for its changes.

    An API server runs each entry at each write, status included, at about 0.1 ms of its CPU; so rules are joined into one entry
    whose message is that of the first that fails. Each field that a rule names costs a copy of the schema of all its neighbours, some
    10 µs in a spec: what most objects do not have should be asked first, and once. `unless` is a condition under which a change needs
    no further look.
    """
    stated = [rule for rule in rules if rule.cel is not None]
    changes = [rule for rule in stated if "oldSelf" in str(rule.cel)]
    groups = ([rule for rule in stated if rule not in changes], None), (changes, unless)
    return [_joined(group, field=field, unless=condition) for group, condition in groups if group]


def _joined(rules: list[Rule], *, field: str | None, unless: str | None) -> Json:
    whole = _conjunction(rules) if len(rules) > 1 else rules[0].whole
    entry: Json = {"rule": f"{unless} || ({whole})" if unless else whole, "message": "; ".join(rule.message for rule in rules)}
    words = [rule.words or f"'{rule.message}'" for rule in rules]
    if len(rules) > 1 or rules[0].words:
        chosen = [f"!({rule.whole}) ? {text} : " for rule, text in zip(rules[:-1], words[:-1], strict=True)]
        entry["messageExpression"] = "".join(chosen) + words[-1]
    if field is not None:
        entry["fieldPath"] = field
    return entry


def _conjunction(rules: list[Rule]) -> str:
    parts: list[str] = []
    for condition, group in groupby(rules, key=lambda rule: rule.unless):
        stated = [f"({rule.cel})" for rule in group]
        parts += [f"({condition} || ({' && '.join(stated)}))"] if condition else stated
    return " && ".join(parts)


def _key(item: Any, extra: Json) -> Any:
    """Return what tells an item of a set or map list apart: itself, or its key field."""
    keys = extra.get(MAP_KEYS)
    return item if keys is None else next(getattr(item, n) for n, f in type(item).model_fields.items() if f.alias == keys[0])


class ApiModel(BaseModel):
    """Base of everything a user writes: camelCase outside, frozen, and a field that we do not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)
    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra
            if isinstance(extra, dict) and extra.get(LIST_TYPE) in ("set", "map"):
                keys = [_key(item, extra) for item in getattr(self, name)]
                if len(set(keys)) != len(keys):
                    raise ValueError(f"{field.alias} must not hold the same entry twice")
        return self

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for rule in self.RULES:
            if rule.is_met is not None and not rule.is_met(self):
                raise ValueError(rule.message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        """Return the JSON schema with the rules attached as CEL."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        if entries := validations(cls.RULES):
            handler.resolve_ref_schema(schema)["x-kubernetes-validations"] = entries
        return schema

    def as_json(self) -> Json:
        """Return the object as the API server stores it: camelCase, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Observed(ApiModel):
    """Base of everything the operator writes into status; a field of a newer version is left alone."""

    model_config = ConfigDict(extra="ignore")


def as_set(max_items: int, *, min_items: int = 0) -> FieldInfo:
    """Return the constraints of a list whose items differ: server-side apply merges it item by item."""
    return _listing("set", max_items=max_items, min_items=min_items)


def as_map(key: str, max_items: int) -> FieldInfo:
    """Return the constraints of a list of objects told apart by one field."""
    return _listing("map", max_items=max_items, extra={MAP_KEYS: [key]})


def as_atomic(max_items: int, *, min_items: int = 0) -> FieldInfo:
    """Return the constraints of a list that is replaced as a whole."""
    return _listing("atomic", max_items=max_items, min_items=min_items)


def _listing(kind: str, *, max_items: int, min_items: int = 0, extra: Json | None = None) -> FieldInfo:
    field: FieldInfo = Field(max_length=max_items, min_length=min_items or None, json_schema_extra={LIST_TYPE: kind, **(extra or {})})
    return field


def first_error(error: ValidationError, *, root: str = "spec") -> str:
    """Return the first error as `field: what is wrong`, without the value: it may be long, hostile or secret."""
    return every_error(error, root=root)[0][:256]


def every_error(error: ValidationError, *, root: str = "spec") -> list[str]:
    """Return every error as `field: what is wrong`, in plain words and without the value."""
    return [
        f"{root}{''.join(f'[{part}]' if isinstance(part, int) else f'.{part}' for part in each['loc'])}: {_worded(each)}"
        for each in error.errors(include_url=False, include_input=False)
    ]


def _worded(detail: ErrorDetails) -> str:
    """Return what is wrong; a pattern is told by what it stands for, as nobody reads one."""
    if detail["type"] == "string_pattern_mismatch":
        example = SUCH_AS.get((detail.get("ctx") or {}).get("pattern", ""))
        return f"should be an amount such as {example}" if example else "should be written as kubectl explain tells"
    return _WORDS.get(detail["type"]) or detail["msg"].removeprefix("Value error, ").replace("Input should", "should")


_WORDS: Final = {
    "extra_forbidden": "unknown field",
    "missing": "is required",
    "string_type": "should be a string, in quotes",
    "int_type": "should be a whole number",
}
"""Plain words for what pydantic says of common mistakes, by its type."""


class LocalReference(ApiModel):
    """Names an object of the same namespace."""

    name: DnsSubdomain = Field(description="Name of the object; it lies in the same namespace, no other can be named.")


class ObjectKey(Observed):
    """Namespace and name of an object."""

    namespace: DnsLabel = Field(description="Namespace of the object.")
    name: DnsSubdomain = Field(description="Name of the object.")


class Condition(Observed):
    """One observed aspect of the object's state, as in other Kubernetes kinds."""

    type: CamelCase = Field(description="Which aspect this condition is about.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the condition holds: True, False or Unknown.")
    observed_generation: Int | None = Field(None, ge=0, le=2**53, description="metadata.generation that the condition was set upon.")
    last_transition_time: Timestamp = Field(description="When status last changed from one value to another.")
    reason: CamelCase = Field(description="Machine-readable word that tells why the condition has this status.")
    message: Message = Field("", description="Sentence for people that tells what happened and what to do next.")
