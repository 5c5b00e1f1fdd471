"""The pod template: an allow-list, each rule with an object that passes and one that does not."""

from typing import Any

import pytest

from sampan.api.fields.environment import EnvFrom, EnvVar
from sampan.api.fields.template import Resources, Template
from sampan.api.fields.volumes import KeyToPath, Volume, VolumeMount
from unit.api.rule_check import accepts, refuses

VOLUMES = [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "cfg"}}]
ESCALATIONS = (
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "serviceAccountName",
    "nodeName",
    "nodeSelector",
    "tolerations",
    "runtimeClassName",
    "priorityClassName",
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


def test_of_the_pods_security_a_job_says_only_as_whom_it_runs() -> None:
    accepts(Template, {"image": "x", "securityContext": {"runAsUser": 0}})
    refuses(Template, {"image": "x", "securityContext": {"runAsUser": -1}}, "runAsUser")
    refuses(Template, {"image": "x", "initContainers": [{"name": "a", "image": "x", "securityContext": {}}]}, "unknown field")
    for field in ("privileged", "capabilities", "allowPrivilegeEscalation", "runAsNonRoot", "seccompProfile", "procMount", "sysctls"):
        refuses(Template, {"image": "x", "securityContext": {field: {}}}, "unknown field")


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


def test_a_variable_has_one_value_and_one_source() -> None:
    key = {"name": "s", "key": "token"}
    accepts(EnvVar, {"name": "A", "valueFrom": {"secretKeyRef": key}})
    accepts(EnvVar, {"name": "A", "valueFrom": {"configMapKeyRef": {**key, "optional": True}}})
    refuses(EnvVar, {"name": "A", "value": "x", "valueFrom": {"secretKeyRef": key}}, "exclude each other")
    refuses(EnvVar, {"name": "A", "valueFrom": {}}, "exactly one of configMapKeyRef and secretKeyRef")
    refuses(EnvVar, {"name": "A", "valueFrom": {"secretKeyRef": key, "configMapKeyRef": key}}, "exactly one of")
    refuses(EnvVar, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}, "unknown field")
    accepts(EnvFrom, {"prefix": "P_", "secretRef": {"name": "s"}})
    refuses(EnvFrom, {"secretRef": {"name": "s"}, "configMapRef": {"name": "s"}}, "exactly one of configMapRef and secretRef")
    refuses(EnvFrom, {"prefix": "P_"}, "exactly one of")


INIT = {"name": "fetch", "image": "x"}


def test_init_containers_are_of_the_same_allow_list_and_named_apart() -> None:
    mounted = {**INIT, "volumeMounts": [{"name": "a", "mountPath": "/a"}], "restartPolicy": "Always"}
    accepts(Template, {"image": "x", "volumes": VOLUMES, "initContainers": [mounted, {**INIT, "name": "other"}]})
    refuses(Template, {"image": "x", "initContainers": [mounted]}, "every volumeMount of an init container")
    refuses(Template, {"image": "x", "initContainers": [{**INIT, "name": "main"}]}, "cannot be named main")
    refuses(Template, {"image": "x", "initContainers": [{**INIT, "name": "sampan-x"}]}, "nor begin with sampan-")
    refuses(Template, {"image": "x", "initContainers": [INIT, INIT]}, "same entry twice")
    refuses(Template, {"image": "x", "initContainers": [{**INIT, "restartPolicy": "Never"}]}, "restartPolicy")
    shm = [{"name": "a", "mountPath": "/dev/shm"}]
    refuses(Template, {"image": "x", "shmSize": "1Gi", "volumes": VOLUMES, "initContainers": [{**INIT, "volumeMounts": shm}]}, "shmSize")
    for field in ESCALATIONS:
        refuses(Template, {"image": "x", "initContainers": [{**INIT, field: {}}]}, "unknown field")


def test_keys_become_files_below_the_mount() -> None:
    accepts(KeyToPath, {"key": "a", "path": "x/..y", "mode": 0o400})
    for bad in ("..", "a/..", "/a"):
        refuses(KeyToPath, {"key": "a", "path": bad}, "path must be relative")
    refuses(KeyToPath, {"key": "a", "path": "a", "mode": 0o4755}, "mode")


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
