"""AcceleratorClass.spec: facts without floats, and names that jobs can use."""

import pytest

from integration.crd_objects import ACCEL
from sampan.api.kinds.acceleratorclass import AcceleratorClassSpec
from unit.api.rule_check import accepts, refuses

SPEC = ACCEL["spec"]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"fp16TFLOPS": "989.5", "memoryBandwidthGBps": 3350, "unitsPerDevice": 1, "devicesPerPackage": 2},
        {"countRule": {"allowed": [1, 2, 4, 8], "multipleOf": 1}, "resourceNames": ["acme.example/*", "acme.example/x1"]},
        {
            "nodeSelector": {"matchExpressions": [{"key": "acme.example/product", "operator": "In", "values": ["X1"]}]},
            "sources": ["data sheet"],
        },
        {"fp64TFLOPS": "0.5", "fp32TFLOPS": "67", "fp8TFLOPS": "1979", "int8TOPS": "1979", "generation": "sm_90", "shareRateMilli": 2900},
        {"countRule": {"allowed": [1, 2, 4, 8], "groupSize": 4, "span": "Whole"}},
        {"countRule": {"groupSize": 4, "span": "Never"}},
        {"launch": {"schedulerName": "volcano", "podLabels": {"ring-controller.atlas": "ascend-910b"}, "backend": "hccl"}},
    ],
)
def test_good_classes(more: dict[str, object]) -> None:
    accepts(AcceleratorClassSpec, {**SPEC, **more})


@pytest.mark.parametrize(
    ("more", "want"),
    [
        ({"fp16TFLOPS": 0}, "spec.fp16TFLOPS"),
        ({"memoryBandwidthGBps": 3350.5}, "spec.memoryBandwidthGBps"),
        ({"resourceNames": []}, "spec.resourceNames"),
        ({"resourceNames": ["gpu"]}, "spec.resourceNames[0]"),
        ({"countRule": {"allowed": [0]}}, "spec.countRule.allowed[0]"),
        ({"origin": "China"}, "spec.origin"),
        ({"sources": ["\u202e"]}, "spec.sources[0]"),
        ({"fp64TFLOPS": "0"}, "spec.fp64TFLOPS"),
        ({"int8TOPS": "0.0"}, "spec.int8TOPS"),
        ({"shareRateMilli": 0}, "spec.shareRateMilli"),
        ({"generation": "gfx 942"}, "spec.generation"),
        ({"countRule": {"allowed": [2, 3], "multipleOf": 2}}, "multiple of multipleOf"),
        ({"countRule": {"span": "Never"}}, "span Never needs groupSize"),
        ({"countRule": {"span": "Half"}}, "spec.countRule.span"),
        ({"launch": {"podSpec": {}}}, "spec.launch.podSpec: unknown field"),
        ({"launch": {"podLabels": {"sampan.dev/job-uid": "x"}}}, "podLabels must lie outside sampan.dev"),
    ],
)
def test_bad_classes(more: dict[str, object], want: str) -> None:
    refuses(AcceleratorClassSpec, {**SPEC, **more}, want)
