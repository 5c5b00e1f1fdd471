"""Operator and API server read the same objects: random ones, half of them wrong, get the same verdict from both."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from integration.crd_objects import GOOD, Json
from integration.crd_server import Server
from sampan.api.crd.structural import structural_schema
from sampan.api.fields.common import first_error
from sampan.api.fields.template import Resources, Template
from sampan.api.fields.volumes import KeyToPath
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.kinds.table import KINDS, Kind
from unit.api.schema_check import values

pytestmark = pytest.mark.integration

OPERATOR_ONLY = [rule.message for model in (ComputeJobSpec, Template, KeyToPath, Resources) for rule in model.RULES if rule.cel is None]
"""What no schema can say: the operator tells it in the status, or a policy of the chart refuses it."""
BASES = {str(obj["kind"]): obj for obj in GOOD.values()}


@pytest.fixture(scope="module")
def server(bare_api: Any) -> Server:
    """Return the API server with our CRDs."""
    return Server(bare_api.client())


def mutated(schema: Json, base: Any, *, keep: int) -> st.SearchStrategy[Any]:
    """Return a strategy that keeps `keep` of `keep` + 1 fields of a good object and draws the rest anew from the schema."""
    if not isinstance(base, dict) or "properties" not in schema:
        return st.one_of(*[st.just(base)] * keep, values(schema))
    kept = {name: mutated(child, base[name], keep=keep) for name, child in schema["properties"].items() if name in base}
    added = {name: values(child) for name, child in schema["properties"].items() if name not in base}
    rare = {name: st.one_of(*[st.just(None)] * keep, added[name]) for name in added}
    drawn = st.fixed_dictionaries({**kept, **rare})
    return drawn.map(lambda obj: {name: value for name, value in obj.items() if value is not None})


def fields(schema: Json) -> int:
    """Return how many fields an object may have, those of its objects counted as well."""
    return sum(fields(child) or 1 for child in schema.get("properties", {}).values())


def _operator_reads(kind: Kind, spec: Json) -> str:
    """Return an empty text where the operator accepts the spec, else its error."""
    try:
        kind.spec.model_validate(spec)
    except ValidationError as error:
        return first_error(error)
    return ""


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_operator_and_server_agree(server: Server, kind: Kind) -> None:
    base = BASES[kind.name]
    verdicts: list[bool] = []
    schema = structural_schema(kind.spec)
    keep = max(3, fields(schema) // 8)  # the more fields there are, the more often one of them comes out bad

    @settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(mutated(schema, base["spec"], keep=keep))
    def agree(spec: Json) -> None:
        answer = server.create({**base, "spec": spec}, query="dryRun=All&fieldValidation=Strict")
        assert answer.status in (201, 422), answer
        verdicts.append(answer.status == 201)
        word = _operator_reads(kind, spec)
        if any(word.endswith(message) for message in OPERATOR_ONLY):
            return
        if "invalid data, expect" in answer.message:
            return  # an integer sent as 8.0, which only raw clients do: fine by the schema, but no rule in CEL can read it
        assert (word == "") == verdicts[-1], (answer.message, word, spec)
        if verdicts[-1]:
            read_back = kind.spec.model_validate(answer.body["spec"])
            again = server.create({**base, "spec": read_back.as_json()}, query="dryRun=All&fieldValidation=Strict")
            assert again.status == 201, again.message

    agree()
    assert verdicts.count(True) >= 3, "too few good objects: the test says nothing"
    assert verdicts.count(False) >= 3, "too few bad objects: the test says nothing"


@pytest.mark.parametrize("kind", [k for k in KINDS if k.status], ids=lambda k: k.name)
def test_every_status_the_operator_can_build_is_accepted(server: Server, kind: Kind) -> None:
    """A status that the server refused would leave a job stuck; what the models accept must be writable."""
    assert kind.status is not None
    base, model = BASES[kind.name], kind.status
    made = server.create(base)
    assert made.status == 201, made.message
    written: list[bool] = []

    @settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(values(structural_schema(model)))
    def writable(raw: Json) -> None:
        try:
            status = model.model_validate(raw).as_json()
        except ValidationError:
            return
        answer = server.replace({**base, "status": status}, part="/status", query="dryRun=All")
        assert answer.status == 200, (answer.message, status)
        written.append(True)

    try:
        writable()
        assert len(written) >= 10, "too few statuses: the test says nothing"
    finally:
        server.remove(base)
