"""The pod template: restricted security, the pool's nodes, devices, volumes."""

from dataclasses import replace
from typing import Any

import pytest

from remote_specs import CASES, cpu_only, dra, gang, hami_share, hygon, one_gpu, remote_spec, travelling, volumes
from sampan.api.launch.pod import pod_template
from sampan.api.launch.travelling import TravelKind
from sampan.model.launch import Launch, PodSecurity
from sampan.model.values.vector import Vector

ALLOWED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
HOST_FIELDS = {"hostNetwork", "hostPID", "hostIPC", "hostAliases", "nodeName", "serviceAccountName", "priorityClassName"}


RESTRICTED = [name for name, c in CASES.items() if c.launch.pod_security is PodSecurity.RESTRICTED]


@pytest.mark.parametrize("name", RESTRICTED)
def test_restricted_pod_security_to_the_letter(name: str) -> None:
    spec = pod_template(CASES[name])["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["securityContext"]["runAsUser"] > 0
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert not HOST_FIELDS & set(spec)
    assert all(set(volume) - {"name"} <= ALLOWED_VOLUMES for volume in spec.get("volumes", ()))


@pytest.mark.parametrize("name", CASES)
def test_no_recipe_gives_a_container_the_node(name: str) -> None:
    spec = pod_template(CASES[name])["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert not HOST_FIELDS & set(spec)
    folders = {volume["name"] for volume in spec.get("volumes", ()) if "hostPath" in volume}
    assert all(mount.get("readOnly") for mount in container.get("volumeMounts", ()) if mount["name"] in folders)


@pytest.mark.parametrize("name", CASES)
def test_every_pod_is_one_of_linux_and_kept_to_nodes_of_linux(name: str) -> None:
    """`os` lets a kubelet refuse it, the selector keeps kube-scheduler from giving it one that would."""
    spec = pod_template(CASES[name])["spec"]
    assert (spec["os"], spec["nodeSelector"]) == ({"name": "linux"}, {"kubernetes.io/os": "linux"})
    assert "windowsOptions" not in str(spec)


@pytest.mark.parametrize("name", CASES)
def test_pod_gets_no_credential_of_the_member(name: str) -> None:
    spec = pod_template(CASES[name])["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


@pytest.mark.parametrize(
    ("users", "asked", "want"),
    [((1000, 3000), 2000, 2000), ((2000, 3000), None, 2000), ((0, 3000), 0, 0)],
)
def test_all_containers_run_as_the_user_that_job_and_offer_agree_on(users: tuple[int, int], asked: int | None, want: int) -> None:
    context = {} if asked is None else {"securityContext": {"runAsUser": asked}}
    c = remote_spec({"template": {"image": "a:1", **context}}, launch=Launch(users=users))
    security = pod_template(c)["spec"]["securityContext"]
    assert [security[name] for name in ("runAsUser", "runAsGroup", "fsGroup")] == [want] * 3
    assert security.get("runAsNonRoot", False) is (want != 0)
    assert "runAsUser" not in str(pod_template(c)["spec"]["containers"])


def test_devices_are_request_and_limit_beside_the_rest() -> None:
    resources = _container(gang())["resources"]
    assert resources["requests"] == {"cpu": "32", "memory": "256Gi", "nvidia.com/gpu": "8"}
    assert resources["limits"] == {"nvidia.com/gpu": "8"}
    assert "nvidia.com/gpu" not in str(_container(cpu_only()))


def test_a_recipes_resources_come_on_top() -> None:
    resources = _container(CASES["nvidia-rdma"])["resources"]
    assert resources["limits"] == {"nvidia.com/gpu": "8", "rdma/hca": "1"}
    both = replace(gang(), launch=Launch(extra_resources=Vector.of({"nvidia.com/gpu": 1})))
    assert _container(both)["resources"]["limits"] == {"nvidia.com/gpu": "9"}


def test_a_share_is_asked_for_by_its_companions() -> None:
    assert _container(hami_share())["resources"]["limits"] == {
        "nvidia.com/gpu": "1",
        "nvidia.com/gpumem": "8192",
        "nvidia.com/gpucores": "20",
    }


def test_a_share_nobody_can_ask_for_is_refused_rather_than_sent_as_a_whole_card() -> None:
    with pytest.raises(ValueError, match=r"cambricon\.com/vmlu is not handed out in such shares"):
        pod_template(replace(hami_share(), device=("cambricon.com/vmlu", 1)))


def test_claimed_devices_are_claimed_and_not_requested() -> None:
    spec = pod_template(dra())["spec"]
    assert spec["resourceClaims"] == [{"name": "devices", "resourceClaimTemplateName": dra().claim_template}]
    assert spec["containers"][0]["resources"] == {"claims": [{"name": "devices"}]}


def test_pool_is_required_and_the_plans_nodes_preferred() -> None:
    affinity = pod_template(gang())["spec"]["affinity"]["nodeAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert {e["key"]: e["values"] for e in term["matchExpressions"]} == {
        "kubernetes.io/arch": ["amd64"],
        "nvidia.com/gpu.product": ["NVIDIA-H100-80GB-HBM3"],
    }
    (preferred,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["weight"] == 100
    assert preferred["preference"]["matchExpressions"] == [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["gpu-1", "gpu-2"]}
    ]


def test_no_preference_without_host_names() -> None:
    affinity = pod_template(remote_spec(_spec(), preferred_hostnames=("",)))["spec"]["affinity"]["nodeAffinity"]
    assert "preferredDuringSchedulingIgnoredDuringExecution" not in affinity


def test_exactly_the_pools_taints_are_tolerated() -> None:
    assert pod_template(hygon())["spec"]["tolerations"] == [
        {"key": "hygon.com/dcu", "operator": "Equal", "value": "", "effect": "NoSchedule"},
        {"key": "dedicated", "operator": "Equal", "value": "ai", "effect": "NoExecute"},
    ]
    assert "tolerations" not in pod_template(one_gpu())["spec"]


def test_only_gangs_have_a_subdomain() -> None:
    assert pod_template(gang())["spec"]["subdomain"] == gang().service
    assert "subdomain" not in pod_template(one_gpu())["spec"]


def test_volumes_point_at_what_travelled_and_claims_at_themselves() -> None:
    c = volumes()
    by_name = {volume["name"]: volume for volume in pod_template(c)["spec"]["volumes"]}
    assert by_name["login"]["secret"] == {"secretName": f"{c.name}-{c.attempt}-s0"}
    assert by_name["extra"]["configMap"] == {"name": f"{c.name}-{c.attempt}-c0", "optional": True}
    assert by_name["ckpt"]["persistentVolumeClaim"] == {"claimName": "llama-ckpt"}
    assert by_name["fast"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Gi"}


def test_shared_memory_is_mounted_where_asked_for() -> None:
    spec = pod_template(gang())["spec"]
    assert {"name": "sampan-shm", "emptyDir": {"medium": "Memory", "sizeLimit": "64Gi"}} in spec["volumes"]
    assert {"name": "sampan-shm", "mountPath": "/dev/shm"} in spec["containers"][0]["volumeMounts"]
    assert "/dev/shm" not in str(pod_template(cpu_only()))


def test_mount_keeps_read_only_and_sub_path() -> None:
    mounts = {mount["name"]: mount for mount in _container(volumes())["volumeMounts"]}
    assert mounts["login"]["readOnly"] is True
    assert mounts["ckpt"]["subPath"] == "llama"
    assert "readOnly" not in mounts["ckpt"]


def test_arguments_reach_the_program_as_written() -> None:
    container = _container(remote_spec({"template": {"image": "a:1", "command": ["sh", "-c", "echo $(date) $$ $HOME"], "args": ["$(X)"]}}))
    assert container["command"][2] == "echo $$(date) $$$ $HOME"
    assert container["args"] == ["$$(X)"]


def test_last_words_come_from_the_log() -> None:
    assert _container(one_gpu())["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_pull_secrets_of_the_offer() -> None:
    assert pod_template(one_gpu())["spec"]["imagePullSecrets"] == [{"name": "registry-login"}]
    assert "imagePullSecrets" not in pod_template(gang())["spec"]


def test_the_tenants_pull_secrets_come_beside_the_offers() -> None:
    c = travelling()
    names = [each["name"] for each in pod_template(c)["spec"]["imagePullSecrets"]]
    assert names == ["registry-login", c.renamed(TravelKind.SECRET, "registry")]


def test_init_containers_have_the_ranks_environment_and_no_devices() -> None:
    c = travelling()
    spec = pod_template(c)["spec"]
    main, (fetch, proxy) = spec["containers"][0], spec["initContainers"]
    assert [each["name"] for each in (main, fetch, proxy)] == ["main", "fetch", "proxy"]
    assert main["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert (fetch["resources"], "resources" in proxy) == ({"requests": {"cpu": "2"}}, False)
    assert ("restartPolicy" in fetch, proxy["restartPolicy"]) == (False, "Always")
    for each in (fetch, proxy):
        assert each["securityContext"] == main["securityContext"]
        assert {"SAMPAN_JOB_NAME", "FENCE_TOKEN", "PET_NPROC_PER_NODE"} <= {variable["name"] for variable in each["env"]}
    assert fetch["command"] == ["fetch", "$$(TOKEN)"]


def test_an_init_container_that_names_no_amounts_has_those_of_the_main_one_without_its_devices() -> None:
    template = {
        "image": "a:1",
        "resources": {"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}},
        "initContainers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "a:1", "restartPolicy": "Always"}],
    }
    spec = pod_template(remote_spec({"template": template}, device=("nvidia.com/gpu", 1)))["spec"]
    assert spec["containers"][0]["resources"]["limits"] == {"memory": "1Gi", "nvidia.com/gpu": "1"}
    assert spec["initContainers"][0]["resources"] == template["resources"]
    assert "resources" not in spec["initContainers"][1]


def test_a_secret_in_the_environment_is_a_reference_to_the_copy_and_never_a_value() -> None:
    c = travelling()
    main = pod_template(c)["spec"]["containers"][0]
    copy = c.renamed(TravelKind.SECRET, "hub-token")
    token = next(each for each in main["env"] if each["name"] == "TOKEN")
    assert token["valueFrom"] == {"secretKeyRef": {"name": copy, "key": "token"}}
    assert main["envFrom"][1] == {"prefix": "S_", "secretRef": {"name": copy}}
    (volume,) = pod_template(c)["spec"]["volumes"]
    assert volume["secret"] == {"secretName": copy, "items": [{"key": "token", "path": "sub/t", "mode": 0o400}], "defaultMode": 0o440}


def _container(c: Any) -> dict[str, Any]:
    container: dict[str, Any] = pod_template(c)["spec"]["containers"][0]
    return container


def _spec() -> dict[str, Any]:
    return {"template": {"image": "registry.example/a:1"}}
