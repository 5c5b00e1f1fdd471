"""`sampan catalog`: built in without a hub, with the hub's objects where one is named, and names that nobody knows."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, api_error

H100 = (
    "nvidia-h100-sxm-80gb       nvidia      nvidia-hopper      cuda          80Gi           989     3350   US"
    "       any                            built-in"
)


def a_class(name: str = "acme-a1-64gb", **spec: Any) -> dict[str, Any]:
    least = {"vendor": "acme", "family": "a1", "stack": "acme", "origin": "CN", "resourceNames": ["acme.example/npu"]}
    return {"metadata": {"name": name, "namespace": None}, "spec": {**least, **spec}}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub is named anywhere."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def at_hub(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The surroundings name a hub; it has no classes yet."""
    monkeypatch.setenv("KUBECONFIG", "named")
    api.objects["acceleratorclasses"] = []
    return api


@pytest.mark.usefixtures("alone")
def test_the_built_in_classes_are_listed_without_a_hub(sampan: Sampan) -> None:
    shown = sampan("catalog")
    assert (shown.exit_code, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["CLASS", "VENDOR", "FAMILY", "STACK", "MEMORY", "FP16", "TFLOPS", "GB/S", "ORIGIN", "COUNTS", "FROM"]
    assert H100.split() in [line.split() for line in lines]
    assert len({line.split()[1] for line in lines[1:]}) >= 15


@pytest.mark.usefixtures("alone")
def test_one_class_is_shown_whole(sampan: Sampan) -> None:
    shown = " ".join(sampan("catalog", "huawei-910c-64gb").stdout.split())
    for words in (
        "multiples of 2",
        "FP16 376 TFLOPS (752 per package) medium yes CloudMatrix384 paper",
        "with Volcano schedulerName volcano",
        "ring-controller.atlas=ascend-910b",
        "node.kubernetes.io/npu.chip.name",
    ):
        assert words in shown


@pytest.mark.usefixtures("alone")
def test_json_has_null_for_what_is_not_known(sampan: Sampan) -> None:
    found = {each["name"]: each for each in json.loads(sampan("catalog", "-o", "json").stdout)}
    assert found["cambricon-mlu590-80gb"]["memory"] is None
    assert found["nvidia-h100-sxm-80gb"]["throughput"]["FP16"] == "989"
    assert yaml.safe_load(sampan("catalog", "-o", "yaml").stdout) == list(found.values())
    one = json.loads(sampan("catalog", "nvidia-h100-sxm-80gb", "-o", "json").stdout)
    assert yaml.safe_load(sampan("catalog", "nvidia-h100-sxm-80gb", "-o", "yaml").stdout) == one
    assert {"figures", "toldBy", "launch"} <= set(one)


@pytest.mark.usefixtures("alone")
def test_an_unknown_name_says_the_nearest(sampan: Sampan) -> None:
    shown = sampan("catalog", "nvidia-h200")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr == "Error: no accelerator class is named nvidia-h200; nearest: nvidia-h200-nvl-141gb, nvidia-h200-sxm-141gb\n"
    assert "sampan catalog lists all of them" in sampan("catalog", "xyzzy").stderr


def test_objects_of_the_hub_are_merged_and_marked(sampan: Sampan, at_hub: FakeApi) -> None:
    at_hub.objects["acceleratorclasses"] = [a_class(memory="64Gi"), a_class("nvidia-l4-24gb", fp16TFLOPS="120")]
    lines = {line.split()[0]: line.split() for line in sampan("catalog").stdout.splitlines()}
    assert (lines["acme-a1-64gb"][4], lines["acme-a1-64gb"][-1]) == ("64Gi", "declared")
    assert (lines["nvidia-l4-24gb"][5], lines["nvidia-l4-24gb"][-1]) == ("120", "corrected")
    assert "acme.example/npu" in sampan("catalog", "acme-a1-64gb").stdout
    before = at_hub.lists
    assert "acme" not in sampan("catalog", "--built-in").stdout
    assert at_hub.lists == before, "no hub is asked"


def test_an_object_that_does_not_parse_is_named_and_left_out(sampan: Sampan, at_hub: FakeApi) -> None:
    at_hub.objects["acceleratorclasses"] = [a_class(memory="much"), a_class("acme-a2")]
    shown = sampan("catalog")
    assert "AcceleratorClass acme-a1-64gb: spec.memory" in shown.stderr
    assert "acme-a2" in shown.stdout
    assert "acme-a1-64gb" not in shown.stdout


def test_a_hub_that_is_only_near_may_fail_and_one_that_is_meant_may_not(sampan: Sampan, at_hub: FakeApi) -> None:
    at_hub.list_error = api_error(403, "acceleratorclasses is forbidden")
    shown = sampan("catalog")
    assert (shown.exit_code, H100.split() in [line.split() for line in shown.stdout.splitlines()]) == (0, True)
    assert "objects of the hub are not shown: not allowed: acceleratorclasses is forbidden" in shown.stderr
    meant = sampan("catalog", "--context", "hub")
    assert (meant.exit_code, meant.stdout) == (1, "")
