"""The pod template: an allow-list, each rule with an object that passes and one that does not."""

from typing import Any

import pytest

from sampan.api.fields.template import Resources, Template, Volume, VolumeMount
from unit.api.rule_check import accepts, refuses

VOLUMES = [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "cfg"}}]
ESCALATIONS = (
    "securityContext",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "serviceAccountName",
    "nodeName",
    "nodeSelector",
    "tolerations",
    "runtimeClassName",
    "priorityClassName",
    "initContainers",
    "envFrom",
    "lifecycle",
    "volumeDevices",
)


@pytest.mark.parametrize(
    "raw",
    [
        {"image": "busybox"},
        {"image": "x", "volumes": VOLUMES, "volumeMounts": [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}]},
        {"image": "x", "shmSize": "64Gi", "env": [{"name": "A"}, {"name": "B", "value": "line\nline"}]},
    ],
)
def test_good_templates(raw: dict[str, Any]) -> None:
    accepts(Template, raw)


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({}, "spec.image"),
        ({"image": "x", "volumeMounts": [{"name": "a", "mountPath": "/a"}]}, "every volumeMount must name one of the volumes"),
        (
            {"image": "x", "shmSize": "1Gi", "volumes": VOLUMES, "volumeMounts": [{"name": "a", "mountPath": "/dev/shm"}]},
            "shmSize already mounts /dev/shm",
        ),
        ({"image": "x", "env": [{"name": "A"}, {"name": "A"}]}, "env must not hold the same entry twice"),
        ({"image": "x", "command": "sleep 5"}, "spec.command"),
    ],
)
def test_bad_templates(raw: dict[str, Any], want: str) -> None:
    refuses(Template, raw, want)


@pytest.mark.parametrize("field", ESCALATIONS)
def test_no_field_of_a_pod_that_gives_power_exists(field: str) -> None:
    refuses(Template, {"image": "x", field: {}}, f"spec.{field}: unknown field")


@pytest.mark.parametrize(
    "source", [{"emptyDir": {"medium": "Memory"}}, {"secret": {"secretName": "s"}}, {"persistentVolumeClaim": {"claimName": "c"}}]
)
def test_a_volume_has_one_source(source: dict[str, Any]) -> None:
    accepts(Volume, {"name": "a", **source})
    refuses(Volume, {"name": "a"}, "exactly one of")
    refuses(Volume, {"name": "a", **source, "configMap": {"name": "x"}}, "exactly one of")
    refuses(Volume, {"name": "sampan-shm", **source}, "reserved")
    refuses(Volume, {"name": "a", "hostPath": {"path": "/"}}, "unknown field")


def test_sub_paths_stay_inside() -> None:
    accepts(VolumeMount, {"name": "a", "mountPath": "/a", "subPath": "x/..y"})
    for bad in ("..", "a/..", "../a", "/a"):
        refuses(VolumeMount, {"name": "a", "mountPath": "/a", "subPath": bad}, "subPath must be relative")


@pytest.mark.parametrize(("name", "low", "high"), [("cpu", "500m", "1"), ("memory", "1Gi", "2G"), ("ephemeral-storage", "1.5Gi", "2Gi")])
def test_requests_stay_within_limits(name: str, low: str, high: str) -> None:
    accepts(Resources, {"requests": {name: low}, "limits": {name: high}})
    accepts(Resources, {"requests": {name: high}, "limits": {name: high}})
    accepts(Resources, {"requests": {name: high}, "limits": {}})
    refuses(Resources, {"requests": {name: high}, "limits": {name: low}}, f"requests.{name} must not be above limits.{name}")


def test_devices_are_not_asked_for_by_resource_name() -> None:
    refuses(Resources, {"requests": {"nvidia.com/gpu": "8"}}, "unknown field")
