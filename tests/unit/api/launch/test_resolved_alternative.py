"""Overriding: what an alternative names replaces the template's, env is merged, the rest stays."""

from typing import Any

import pytest

from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.resolved_alternative import manifest_field, resolve_alternative

TEMPLATE: dict[str, Any] = {
    "image": "base:1",
    "command": ["run"],
    "args": ["--base"],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "5Gi"}, "limits": {"memory": "2Gi"}},
    "architectures": ["amd64"],
}


def _spec(**alternative: Any) -> ComputeJobSpec:
    chosen = {"accelerator": {"stack": "cuda", "count": 8}, **alternative}
    return ComputeJobSpec.model_validate(
        {"replicas": 4, "template": TEMPLATE, "alternatives": [chosen], "expectedSeconds": 60, "activeDeadlineSeconds": 90}
    )


def test_template_alone_has_no_devices() -> None:
    got = resolve_alternative(_spec(), None)
    assert (got.image, got.command, got.args, got.devices, got.replicas) == ("base:1", ("run",), ("--base",), 0, 4)
    assert got.requests == {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "5Gi"}
    assert got.limits == {"memory": "2Gi"}
    assert (got.expected_seconds, got.active_deadline_seconds) == (60, 90)


def test_silent_alternative_adds_devices_only() -> None:
    base, got = resolve_alternative(_spec(), None), resolve_alternative(_spec(), 0)
    assert got.devices == 8
    same = ("image", "command", "args", "env", "requests", "limits", "architectures", "replicas", "expected_seconds")
    assert all(getattr(got, field) == getattr(base, field) for field in same)


@pytest.mark.parametrize(
    ("override", "field", "want"),
    [
        ({"image": "npu:1"}, "image", "npu:1"),
        ({"command": ["other"]}, "command", ("other",)),
        ({"command": ["other"]}, "args", ("--base",)),
        ({"args": ["--npu"]}, "args", ("--npu",)),
        ({"env": [{"name": "B", "value": "9"}, {"name": "C", "value": "3"}]}, "env", (("A", "1"), ("B", "9"), ("C", "3"))),
        ({"resources": {"requests": {"cpu": "64"}}}, "requests", {"cpu": "64"}),
        ({"resources": {"requests": {"cpu": "64"}}}, "limits", {}),
        ({"architectures": ["arm64"]}, "architectures", ("arm64",)),
        ({"replicas": 2}, "replicas", 2),
        ({"expectedSeconds": 30}, "expected_seconds", 30),
        ({"activeDeadlineSeconds": 30}, "active_deadline_seconds", 30),
    ],
)
def test_named_field_replaces_the_templates(override: dict[str, Any], field: str, want: Any) -> None:
    got = getattr(resolve_alternative(_spec(**override), 0), field)
    assert (tuple((each.name, each.value) for each in got) if field == "env" else got) == want


def test_unknown_alternative_is_an_error() -> None:
    with pytest.raises(IndexError):
        resolve_alternative(_spec(), 1)


CPU = "resources.requests.cpu"


@pytest.mark.parametrize(
    ("own", "field", "want"),
    [
        ({}, f"spec.alternatives[0].{CPU}", f"spec.template.{CPU}"),
        ({}, "spec.alternatives[0].architectures", "spec.template.architectures"),
        ({}, "spec.alternatives[0].replicas", "spec.replicas"),
        ({}, "spec.alternatives[0].activeDeadlineSeconds", "spec.activeDeadlineSeconds"),
        ({"resources": {"limits": {"cpu": "1"}}}, f"spec.alternatives[0].{CPU}", f"spec.alternatives[0].{CPU}"),
        ({"replicas": 2}, "spec.alternatives[0].replicas", "spec.alternatives[0].replicas"),
        ({"replicas": 2}, f"spec.alternatives[0].{CPU}", f"spec.template.{CPU}"),
        ({}, "spec.alternatives[0].accelerator.count", "spec.alternatives[0].accelerator.count"),
        ({}, "spec.alternatives[0].image", "spec.alternatives[0].image"),
        ({}, "spec.alternatives[7].replicas", "spec.alternatives[7].replicas"),
        ({}, "spec.placement.regions", "spec.placement.regions"),
    ],
)
def test_a_field_is_named_where_the_manifest_has_it(own: dict[str, Any], field: str, want: str) -> None:
    assert manifest_field(_spec(**own), field) == want
