"""ComputeJob.spec: the operator refuses what the API server refuses, and the rules on change cover every field."""

from typing import Any

import pytest

from integration.crd_objects import GOOD
from integration.crd_rows import REFUSED, WARNED, Row
from sampan.api.crd.structural import structural_schema
from sampan.api.kinds.computejob import CHANGEABLE, MAX_TEXT, OBJECT_RULES, ComputeJobSpec
from unit.api.rule_check import accepts, refuses

TEMPLATE = {"image": "busybox"}
GPU: dict[str, Any] = {"alternatives": [{"accelerator": {"stack": "cuda", "count": 1}}]}
CAPPED = {"placement": {"maxPricePerDeviceHour": "1"}}
NEAR = {"placement": {"interconnect": "SameDomain"}}
ROWS = [row for row in (*REFUSED, *WARNED) if row.base in ("job", "sweep") and row.path.startswith("spec")]


@pytest.mark.parametrize("base", ["job", "sweep"])
def test_good_jobs(base: str) -> None:
    accepts(ComputeJobSpec, GOOD[base]["spec"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_bad_job_is_refused_by_the_operator_too(row: Row) -> None:
    refuses(ComputeJobSpec, row.build()["spec"], "spec")


@pytest.mark.parametrize(
    ("good", "bad", "want"),
    [
        ({"gang": False, "completions": 4}, {"completions": 4}, "completions and parallelism need gang: false"),
        ({"replicas": 2}, {"gang": False, "replicas": 2}, "replicas cannot be given with gang: false"),
        (
            {"gang": False, "completions": 4, "parallelism": 4},
            {"gang": False, "completions": 4, "parallelism": 5},
            "parallelism needs completions",
        ),
        (
            {"expectedSeconds": 5, "activeDeadlineSeconds": 5},
            {"expectedSeconds": 6, "activeDeadlineSeconds": 5},
            "expectedSeconds must not be",
        ),
        ({**GPU, "placement": {"domestic": "Required"}}, {"placement": {"domestic": "Required"}}, "use placement.jurisdictions"),
        ({"placement": {"domestic": "Any"}}, {"placement": {"domestic": "Preferred"}}, "placement.domestic is about the origin"),
        ({**GPU, **CAPPED}, CAPPED, "has none to pay for"),
        ({**GPU, "replicas": 2, **NEAR}, {"replicas": 2, **NEAR}, "SameDomain needs gang: true and alternatives"),
        ({**GPU, **NEAR}, {**GPU, "gang": False, **NEAR}, "SameDomain needs gang: true and alternatives"),
        (
            {"alternatives": [GPU["alternatives"][0], {**GPU["alternatives"][0], "waitSeconds": 5}]},
            {"alternatives": [{**GPU["alternatives"][0], "waitSeconds": 5}]},
            "no alternative comes before the first",
        ),
    ],
)
def test_each_rule_passes_and_refuses(good: dict[str, Any], bad: dict[str, Any], want: str) -> None:
    accepts(ComputeJobSpec, {"template": TEMPLATE, **good})
    refuses(ComputeJobSpec, {"template": TEMPLATE, **bad}, want)


def test_text_of_a_job_is_bounded_as_a_whole() -> None:
    piece = "x" * (MAX_TEXT // 8)
    accepts(ComputeJobSpec, {"template": {**TEMPLATE, "args": [piece] * 8}})
    device = {"accelerator": {"stack": "cuda", "count": 1}, "env": [{"name": "A", "value": "x"}]}
    refuses(ComputeJobSpec, {"template": {**TEMPLATE, "args": [piece] * 8}, "alternatives": [device]}, "put long text in a ConfigMap")


def test_defaults_are_those_of_the_schema() -> None:
    schema = structural_schema(ComputeJobSpec)["properties"]
    spec = ComputeJobSpec.model_validate({"template": TEMPLATE}).as_json()
    differing = {
        name: (node["default"], spec[name]) for name, node in schema.items() if node.get("default", spec.get(name)) != spec.get(name)
    }
    assert differing == {"retry": ({}, {"maxRestarts": 0, "backoffSeconds": 10, "maxRejected": 3})}, (
        "the API server fills the default in from its fields"
    )


def test_the_rule_on_bound_jobs_covers_every_field() -> None:
    """A field that is added later must not be changeable by mistake."""
    fixed = [name for name in structural_schema(ComputeJobSpec)["properties"] if name not in CHANGEABLE]
    assert fixed
    for name in fixed:
        assert f"self.spec.{name} == oldSelf.spec.{name}" in str(OBJECT_RULES[0].cel)
    for name in CHANGEABLE:
        assert f"self.spec.{name}" not in str(OBJECT_RULES[0].cel)
