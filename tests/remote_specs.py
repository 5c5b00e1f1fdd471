"""Specs of Jobs on members that unit and integration tests share: one per kind of job that the demo and the docs show."""

from dataclasses import replace
from typing import Any

from remote_content import PRIVATE
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.model.job import Share
from sampan.model.launch import HostPath, Launch, PodSecurity
from sampan.model.members.device import ClaimSource
from sampan.model.members.taint import Taint
from sampan.model.values.vector import Vector


def remote_spec(spec: dict[str, Any], **changes: Any) -> RemoteJobSpec:
    """Return what is sent to a member, attempt 1 with defaults that a test can change."""
    defaults: dict[str, Any] = {
        "hub_id": "hub-0001",
        "job_namespace": "team-a",
        "job_name": "llama-sft",
        "job_uid": "7c8a1c5e-2f7d-4a53-9d0e-3b0a4b1f0c11",
        "attempt": 1,
        "remote_namespace": "sampan-jobs",
        "alternative": None,
        "replicas": 1,
    }
    return RemoteJobSpec(spec=ComputeJobSpec.model_validate(spec), **{**defaults, **changes})


def cpu_only() -> RemoteJobSpec:
    """A single pod without devices."""
    return remote_spec(
        {
            "template": {
                "image": "registry.example/etl:1",
                "command": ["python", "etl.py"],
                "resources": {"requests": {"cpu": "4", "memory": "8Gi"}},
            }
        },
        job_name="etl",
    )


def one_gpu() -> RemoteJobSpec:
    """One H100 with a deadline, at the second attempt."""
    return remote_spec(
        {
            "template": {"image": "registry.example/eval:1", "args": ["--suite", "mmlu"], "workingDir": "/app"},
            "alternatives": [{"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 1}}],
            "activeDeadlineSeconds": 14_400,
        },
        job_name="eval",
        attempt=2,
        alternative=0,
        device=("nvidia.com/gpu", 1),
        required_labels=(("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3"),),
        preferred_hostnames=("gpu-3",),
        image_pull_secrets=("registry-login",),
    )


_GANG: dict[str, Any] = {
    "replicas": 2,
    "template": {
        "image": "registry.example/llama:1",
        "command": ["torchrun", "train.py"],
        "env": [{"name": "NCCL_DEBUG", "value": "WARN"}],
        "resources": {"requests": {"cpu": "32", "memory": "256Gi"}},
        "volumes": [{"name": "cfg", "configMap": {"name": "llama"}}, {"name": "tmp", "emptyDir": {"sizeLimit": "200Gi"}}],
        "volumeMounts": [{"name": "cfg", "mountPath": "/etc/llama", "readOnly": True}, {"name": "tmp", "mountPath": "/scratch"}],
        "shmSize": "64Gi",
        "terminationGracePeriodSeconds": 120,
    },
    "alternatives": [
        {"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 8}},
        {
            "accelerator": {"family": "ascend-910b", "count": 8},
            "image": "registry.example/llama-cann:1",
            "command": ["torchrun", "train_npu.py"],
            "env": [{"name": "HCCL_CONNECT_TIMEOUT", "value": "1200"}, {"name": "NCCL_DEBUG", "value": ""}],
            "resources": {"requests": {"cpu": "96", "memory": "512Gi"}, "limits": {"memory": "768Gi"}},
            "activeDeadlineSeconds": 28_800,
        },
    ],
    "activeDeadlineSeconds": 14_400,
}


def gang() -> RemoteJobSpec:
    """Two pods of eight H100 under torchrun, with a ConfigMap."""
    return remote_spec(
        _GANG,
        alternative=0,
        replicas=2,
        device=("nvidia.com/gpu", 8),
        required_labels=(("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3"),),
        preferred_hostnames=("gpu-2", "gpu-1", ""),
    )


def isolated_gang() -> RemoteJobSpec:
    """The same where pods reach each other only by a NetworkPolicy."""
    return replace(gang(), isolated=True)


def ascend() -> RemoteJobSpec:
    """The same gang on its second alternative, with everything that one overrides."""
    return remote_spec(
        _GANG,
        alternative=1,
        replicas=2,
        device=("huawei.com/Ascend910", 8),
        required_labels=(("node.kubernetes.io/npu.chip.name", "910B3"),),
        architecture="arm64",
        preferred_hostnames=("npu-1", "npu-2"),
    )


def hygon() -> RemoteJobSpec:
    """One pod on tainted Hygon nodes."""
    return remote_spec(
        {"template": {"image": "registry.example/infer:dtk"}, "alternatives": [{"accelerator": {"vendor": "hygon", "count": 4}}]},
        job_name="infer",
        alternative=0,
        device=("hygon.com/dcu", 4),
        tolerated=(Taint("hygon.com/dcu", "", "NoSchedule"), Taint("dedicated", "ai", "NoExecute")),
        preferred_hostnames=("dcu-1",),
    )


def sweep() -> RemoteJobSpec:
    """Twenty independent members, five at once, each with two restarts."""
    return remote_spec(
        {
            "gang": False,
            "completions": 20,
            "parallelism": 8,
            "template": {"image": "registry.example/sweep:1", "command": ["sh", "-c", "echo $(date) $JOB_COMPLETION_INDEX"]},
            "alternatives": [{"accelerator": {"class": "nvidia-a100-sxm-80gb", "count": 1}}],
            "retry": {"maxRestarts": 2},
        },
        job_name="sweep",
        alternative=0,
        replicas=5,
        device=("nvidia.com/gpu", 1),
    )


def volumes() -> RemoteJobSpec:
    """Secrets, claims, an optional ConfigMap and shared memory."""
    return remote_spec(
        {
            "template": {
                "image": "registry.example/tune:1",
                "volumes": [
                    {"name": "login", "secret": {"secretName": "hub-token"}},
                    {"name": "ckpt", "persistentVolumeClaim": {"claimName": "llama-ckpt"}},
                    {"name": "extra", "configMap": {"name": "extra", "optional": True}},
                    {"name": "fast", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
                ],
                "volumeMounts": [
                    {"name": "login", "mountPath": "/run/login", "readOnly": True},
                    {"name": "ckpt", "mountPath": "/ckpt", "subPath": "llama"},
                    {"name": "extra", "mountPath": "/etc/extra"},
                    {"name": "fast", "mountPath": "/fast"},
                ],
                "shmSize": "16Gi",
            }
        },
        job_name="tune",
    )


def travelling() -> RemoteJobSpec:
    """All that may travel: variables of Secrets and ConfigMaps, files of some keys, registry credentials; in init containers too."""
    return remote_spec(
        {
            "template": PRIVATE,
            "alternatives": [{"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 1}}],
        },
        job_name="private",
        alternative=0,
        device=("nvidia.com/gpu", 1),
        image_pull_secrets=("registry-login",),
    )


GIB = 1 << 30
ASCEND_VOLCANO = Launch(
    scheduler_name="volcano",
    pod_labels=(("ring-controller.atlas", "ascend-910b"),),
    pod_annotations=(("huawei.com/schedule_policy", "chip8-node8"),),
    backend="hccl",
)
HYGON = Launch(
    host_paths=(HostPath(path="/opt/hyhal", mount_path="/opt/hyhal"),),
    supplemental_groups=(39, 44),
    pod_security=PodSecurity.PRIVILEGED,
    backend="nccl",
)


def _with(accelerator: dict[str, Any], name: str, **changes: Any) -> RemoteJobSpec:
    """One pod on the devices of one alternative."""
    spec = {"template": {"image": f"registry.example/{name}:1"}, "alternatives": [{"accelerator": accelerator}]}
    return remote_spec(spec, job_name=name, alternative=0, **changes)


def nvidia() -> RemoteJobSpec:
    """A gang on NVIDIA nodes whose provider names a runtime class, an RDMA resource and NCCL's interface."""
    launch = Launch(runtime_class="nvidia", env=(("NCCL_IB_HCA", "mlx5"),), extra_resources=Vector.of({"rdma/hca": 1}), backend="nccl")
    return remote_spec(_GANG, alternative=0, replicas=2, device=("nvidia.com/gpu", 8), launch=launch)


def amd() -> RemoteJobSpec:
    """Eight MI300X; the device files belong to groups of the node."""
    launch = Launch(supplemental_groups=(44, 109), backend="nccl")
    return _with({"class": "amd-mi300x-oam-192gb", "count": 8}, "rocm", device=("amd.com/gpu", 8), launch=launch)


def ascend_plain() -> RemoteJobSpec:
    """An Ascend gang where the device plugin alone hands out devices."""
    return remote_spec(
        _GANG, alternative=1, replicas=2, device=("huawei.com/Ascend910", 8), architecture="arm64", launch=Launch(backend="hccl")
    )


def ascend_volcano() -> RemoteJobSpec:
    """The same where the plugin follows Volcano's choice."""
    return remote_spec(_GANG, alternative=1, replicas=2, device=("huawei.com/Ascend910", 8), architecture="arm64", launch=ASCEND_VOLCANO)


def hygon_recipe() -> RemoteJobSpec:
    """Hygon nodes, whose images need the driver's folder of the host."""
    return _with({"stack": "dtk", "count": 4}, "infer", device=("hygon.com/hcu", 4), launch=HYGON)


def cambricon() -> RemoteJobSpec:
    """Cambricon nodes whose plugin names the resource after the model."""
    launch = Launch(env=(("CNCL_MLULINK_DISABLE", "0"),), backend="cncl", pod_security=PodSecurity.BASELINE)
    return _with({"vendor": "cambricon", "count": 2}, "mlu", device=("cambricon.com/mlu370", 2), launch=launch)


def hami_share() -> RemoteJobSpec:
    """A fifth of a card that HAMi hands out in parts."""
    wanted = {"stack": "cuda", "share": {"memory": "8Gi", "computePercent": 20}, "count": 1}
    share = Share(memory=8 * GIB, compute_percent=20)
    return _with(wanted, "notebook", device=("nvidia.com/gpu", 1), share=share, launch=Launch(scheduler_name="hami-scheduler"))


def mig() -> RemoteJobSpec:
    """One MIG partition under the mixed strategy."""
    wanted = {"stack": "cuda", "partition": {"profile": "1g.10gb"}, "count": 1}
    return _with(wanted, "small", device=("nvidia.com/mig-1g.10gb", 1))


def dra() -> RemoteJobSpec:
    """Two devices by claim, on a member without a device plugin."""
    product = "device.attributes['gpu.nvidia.com'].productName == 'NVIDIA H100 80GB HBM3'"
    claim = ClaimSource(device_class="gpu.nvidia.com", driver="gpu.nvidia.com", selectors=(product,))
    return _with({"class": "nvidia-h100-sxm-80gb", "count": 2}, "claimed", claim=claim)


def kueue() -> RemoteJobSpec:
    """One device in a queue of the member's, which starts the Job."""
    return _with({"stack": "cuda", "count": 1}, "queued", device=("nvidia.com/gpu", 1), queue="gpu")


CASES = {
    "cpu-only": cpu_only(),
    "one-gpu": one_gpu(),
    "gang-2x8-torchrun": gang(),
    "gang-isolated": isolated_gang(),
    "ascend-alternative": ascend(),
    "hygon-taints": hygon(),
    "sweep": sweep(),
    "secrets-claims-shm": volumes(),
    "nvidia-rdma": nvidia(),
    "amd-groups": amd(),
    "ascend-plain": ascend_plain(),
    "ascend-volcano": ascend_volcano(),
    "hygon-host-folder": hygon_recipe(),
    "cambricon-baseline": cambricon(),
    "hami-share": hami_share(),
    "mig-partition": mig(),
    "dra-claim": dra(),
    "kueue-queue": kueue(),
    "travelling": travelling(),
}
