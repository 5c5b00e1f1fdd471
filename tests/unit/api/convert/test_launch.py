"""Launch recipes of the API in canonical order."""

from sampan.api.convert.launch import launch_of, tolerations_of
from sampan.api.fields.launch_spec import OfferLaunchSpec, RecipeSpec
from sampan.model.launch import NO_LAUNCH, HostPath, PodSecurity
from sampan.model.members.taint import Toleration


def test_no_recipe_adds_nothing() -> None:
    assert launch_of(None) is NO_LAUNCH
    assert launch_of(RecipeSpec()) == NO_LAUNCH


def test_every_field_arrives_in_one_order_however_it_was_written() -> None:
    spec = {
        "schedulerName": "volcano",
        "runtimeClassName": "ascend",
        "podLabels": {"ring-controller.atlas": "ascend-910b", "a": "1"},
        "podAnnotations": {"huawei.com/schedule_policy": "chip8-node8"},
        "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        "hostPaths": [{"path": "/opt/hyhal", "mountPath": "/opt/hyhal"}],
        "extraResources": {"rdma/hca": 1},
        "supplementalGroups": [44, 39],
        "podSecurityLevel": "privileged",
        "backend": "hccl",
    }
    launch = launch_of(RecipeSpec.model_validate(spec))
    assert (launch.scheduler_name, launch.runtime_class, launch.backend) == ("volcano", "ascend", "hccl")
    assert launch.pod_labels == (("a", "1"), ("ring-controller.atlas", "ascend-910b"))
    assert launch.pod_annotations == (("huawei.com/schedule_policy", "chip8-node8"),)
    assert launch.env == (("A", "1"), ("B", "2"))
    assert launch.host_paths == (HostPath(path="/opt/hyhal", mount_path="/opt/hyhal"),)
    assert (launch.extra_resources["rdma/hca"], launch.supplemental_groups) == (1, (39, 44))
    assert launch.pod_security is PodSecurity.PRIVILEGED


def test_tolerations_of_sets_and_of_its_own_are_one_list() -> None:
    assert tolerations_of(None) == ()
    own = [{"key": "a", "operator": "Exists"}, {"key": "b", "value": "1", "effect": "NoExecute"}, {"key": "c"}]
    spec = OfferLaunchSpec.model_validate({"tolerationSets": ["Arm64"], "tolerations": own})
    assert tolerations_of(spec) == (
        Toleration("a", None, ""),
        Toleration("b", "1", "NoExecute"),
        Toleration("c", "", ""),
        Toleration("kubernetes.io/arch", "arm64", ""),
    )
