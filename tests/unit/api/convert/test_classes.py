"""AcceleratorClass objects become facts in base units, and what tells such devices."""

import re
from typing import Any

import pytest
import yaml

from places import ROOT
from sampan.api.convert.classes import class_of
from sampan.api.convert.offers import InvalidObjectError
from sampan.model.launch import HostPath, Launch, PodSecurity
from sampan.model.members.accelerator import CountRule, Precision, Span

LEAST: dict[str, Any] = {"vendor": "acme", "family": "a1", "stack": "acme", "origin": "CN", "resourceNames": ["acme.com/npu"]}


def declared(**more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "acme-a1"}, "spec": {**LEAST, **more}}


def test_a_class_becomes_facts_and_what_tells_it() -> None:
    spec = {
        "vendor": "acme",
        "family": "a1",
        "stack": "acme",
        "origin": "CN",
        "memory": "64Gi",
        "resourceNames": ["acme.com/npu"],
        "unitsPerDevice": 2,
        "countRule": {"allowed": [4, 2], "multipleOf": 2},
        "fp16TFLOPS": "313.5",
        "memoryBandwidthGBps": 1600,
    }
    found = class_of({"metadata": {"name": "acme-a1"}, "spec": spec})
    facts = found.accelerator
    assert (facts.memory, facts.fp16_tflops, facts.memory_bandwidth) == (64 * 2**30, 313_500_000, 1_600_000_000_000)
    assert (facts.units_per_device, facts.count_rule.allowed, found.resource_names) == (2, (2, 4), ("acme.com/npu",))


def test_throughput_is_kept_by_precision_and_nothing_is_made_up() -> None:
    facts = class_of(declared(fp64TFLOPS="9.7", fp32TFLOPS="19.5", fp16TFLOPS="312", fp8TFLOPS="0.5", int8TOPS="624")).accelerator
    assert facts.throughput == (
        (Precision.FP64, 9_700_000),
        (Precision.FP32, 19_500_000),
        (Precision.FP16, 312_000_000),
        (Precision.FP8, 500_000),
        (Precision.INT8, 624_000_000),
    )
    bare = class_of(declared()).accelerator
    assert (bare.throughput, bare.memory, bare.share_rate, bare.launch, bare.count_rule) == ((), None, None, None, CountRule())


def test_rings_rate_and_generation_are_facts() -> None:
    rule = {"allowed": [8, 4, 2, 1], "groupSize": 4}
    facts = class_of(declared(countRule=rule, shareRateMilli=700, generation="ascend910")).accelerator
    assert facts.count_rule == CountRule(allowed=(1, 2, 4, 8), group_size=4, span=Span.WHOLE)
    assert (facts.share_rate, facts.generation) == (700, "ascend910")


def test_a_launch_recipe_with_a_folder_of_the_node_needs_a_privileged_namespace() -> None:
    launch = {"hostPaths": [{"path": "/opt/acme", "mountPath": "/opt/acme"}], "env": [{"name": "ACME_LOG", "value": "1"}], "backend": "acl"}
    assert class_of(declared(launch=launch)).accelerator.launch == Launch(
        env=(("ACME_LOG", "1"),),
        host_paths=(HostPath(path="/opt/acme", mount_path="/opt/acme"),),
        pod_security=PodSecurity.PRIVILEGED,
        backend="acl",
    )


def test_an_object_that_does_not_parse_is_named_with_its_field() -> None:
    with pytest.raises(InvalidObjectError, match=r"AcceleratorClass acme-a1: spec.int8TOPS"):
        class_of(declared(int8TOPS="0"))


def test_the_example_of_the_documentation_is_a_good_class() -> None:
    page = (ROOT / "docs" / "accelerators.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    facts = class_of(yaml.safe_load(example)).accelerator
    assert (facts.name, facts.fp16_tflops, facts.count_rule.group_size) == ("acme-a1-64gb", 280_000_000, 4)
    assert facts.launch is not None
    assert facts.launch.backend == "acl"
