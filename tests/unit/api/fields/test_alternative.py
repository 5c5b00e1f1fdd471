"""Alternatives: a requirement says what the image is built for, and deadlines fit expectations."""

import pytest

from sampan.api.fields.alternative import Accelerator, Alternative, Capability
from unit.api.rule_check import accepts, refuses


@pytest.mark.parametrize("by", ["class", "family", "vendor", "stack"])
def test_one_word_for_the_devices_is_enough(by: str) -> None:
    accepts(Accelerator, {by: "x", "count": 8})
    accepts(Accelerator, {by: "x", "count": 8, "capability": {"memoryPerDevice": "64Gi", "fp16TFLOPS": "250"}})


def test_capability_alone_is_refused() -> None:
    refuses(
        Accelerator, {"count": 8, "capability": {"fp16TFLOPS": "250"}}, "one of class, family, vendor, stack and resource must be given"
    )
    refuses(Accelerator, {"count": 8}, "an image does not run on every device")


def test_a_capability_says_something() -> None:
    accepts(Capability, {"memoryPerDevice": "64Gi"})
    accepts(Capability, {"precisions": ["FP8"], "minDriver": "550.54", "minComputeCapability": "8.0"})
    refuses(Capability, {}, "at least one figure must be given")


def test_a_part_of_a_device_is_one_and_of_one_kind() -> None:
    accepts(Accelerator, {"vendor": "nvidia", "count": 1, "partition": {"profile": "1g.10gb"}})
    accepts(Accelerator, {"stack": "cuda", "count": 1, "share": {"memory": "8Gi", "computePercent": 25}})
    refuses(Accelerator, {"stack": "cuda", "count": 2, "share": {"memory": "8Gi"}}, "a partition or share has count 1")
    both = {"partition": {"profile": "1g.10gb"}, "share": {"memory": "8Gi"}}
    refuses(Accelerator, {"stack": "cuda", "count": 1, **both}, "partition and share exclude each other")


@pytest.mark.parametrize("count", [0, -1, 1025, "8", True, 1.5])
def test_counts(count: object) -> None:
    refuses(Accelerator, {"class": "x", "count": count}, "spec.count")


def test_deadlines_fit_expectations() -> None:
    device = {"accelerator": {"stack": "cuda", "count": 1}}
    accepts(Alternative, {**device, "expectedSeconds": 10, "activeDeadlineSeconds": 10})
    refuses(Alternative, {**device, "expectedSeconds": 11, "activeDeadlineSeconds": 10}, "expectedSeconds must not be above")
