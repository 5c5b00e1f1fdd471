"""What a launch recipe may change of a pod, and what it may not."""

from dataclasses import replace

from remote_specs import ascend_volcano, cambricon, gang, hygon_recipe, one_gpu, sweep
from sampan.api.launch.recipe import container_security, host_mounts, host_volumes, job_annotations, pod_metadata, pod_security
from sampan.model.launch import Launch
from sampan.model.values.names import LABEL_JOB_UID


def test_without_a_recipe_nothing_is_added() -> None:
    assert pod_metadata(one_gpu()) == {"labels": one_gpu().labels}
    assert (job_annotations(one_gpu()), host_volumes(one_gpu()), host_mounts(one_gpu())) == ({}, [], [])


def test_our_labels_cannot_be_replaced() -> None:
    forged = replace(gang(), launch=Launch(pod_labels=((LABEL_JOB_UID, "another"), ("a", "b"))))
    assert pod_metadata(forged)["labels"] == {**gang().labels, "a": "b"}


def test_restricted_has_our_user_and_above_it_the_images_own() -> None:
    assert pod_security(gang())["runAsNonRoot"] is True
    for c in (cambricon(), hygon_recipe()):
        assert "runAsUser" not in pod_security(c)
        assert pod_security(c)["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container_security() == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}, "at every level"


def test_host_folders_are_read_only_and_must_exist() -> None:
    assert host_volumes(hygon_recipe()) == [{"name": "sampan-host-0", "hostPath": {"path": "/opt/hyhal", "type": "Directory"}}]
    assert host_mounts(hygon_recipe()) == [{"name": "sampan-host-0", "mountPath": "/opt/hyhal", "readOnly": True}]
    assert pod_security(hygon_recipe())["supplementalGroups"] == [39, 44]


def test_only_volcanos_gangs_are_told_their_width() -> None:
    volcano = ascend_volcano().launch
    assert job_annotations(ascend_volcano()) == {"scheduling.volcano.sh/group-min-member": "2"}
    assert job_annotations(replace(sweep(), launch=volcano)) == {}
    assert "huawei.com/schedule_minAvailable" not in pod_metadata(replace(gang(), launch=volcano))["annotations"], "not Ascend's devices"
