"""Good objects of every kind, and how to put one mistake into them. No test lives here."""

import copy
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DOCS = Path(__file__).resolve().parents[2] / "docs"

JOB: Json = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "ComputeJob",
    "metadata": {"name": "good", "namespace": "default"},
    "spec": {
        "replicas": 2,
        "template": {
            "image": "registry.example/train:1",
            "command": ["sleep", "5"],
            "args": ["x"],
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "c", "optional": True}}},
            ],
            "envFrom": [{"prefix": "P_", "secretRef": {"name": "s"}}, {"configMapRef": {"name": "cfg", "optional": True}}],
            "imagePullSecrets": [{"name": "registry"}],
            "securityContext": {"runAsUser": 2000},
            "initContainers": [
                {"name": "fetch", "image": "registry.example/fetch:1", "volumeMounts": [{"name": "cfg", "mountPath": "/cfg"}]},
                {"name": "proxy", "image": "registry.example/proxy:1", "restartPolicy": "Always"},
            ],
            "resources": {"requests": {"cpu": "4", "memory": "16Gi"}},
            "volumes": [{"name": "cfg", "configMap": {"name": "cfg"}}],
            "volumeMounts": [{"name": "cfg", "mountPath": "/etc/cfg"}],
        },
        "alternatives": [{"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 8}}],
        "placement": {"regions": ["cn-east"], "maxPricePerDeviceHour": "15.00"},
        "retry": {"maxRestarts": 2},
        "expectedSeconds": 100,
        "activeDeadlineSeconds": 200,
    },
}
SWEEP: Json = copy.deepcopy(JOB) | {
    "spec": {"gang": False, "completions": 8, "parallelism": 2, "template": {"image": "registry.example/sweep:1"}},
}
OFFER: Json = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "ClusterOffer",
    "metadata": {"name": "good", "namespace": "default"},
    "spec": {
        "kubeconfigSecretRef": {"name": "member"},
        "region": "cn-east",
        "jurisdiction": "CN",
        "terms": "OnDemand",
        "validity": {"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
        "tenants": {"matchLabels": {"tier": "gold"}},
        "limits": {"maxRunSeconds": 604800, "maxDevicesPerJob": 256},
        "memberQueue": {"kueue": "gpu"},
        "energy": {"pue": "1.25", "renewableShare": "0.42", "gCO2PerKWh": 410, "source": "grid", "asOf": "2026-01-01T00:00:00Z"},
        "launch": {
            "schedulerName": "volcano",
            "podAnnotations": {"huawei.com/schedule_policy": "chip8-node8"},
            "env": [{"name": "NCCL_IB_HCA", "value": "mlx5"}],
            "hostPaths": [{"path": "/opt/hyhal", "mountPath": "/opt/hyhal"}],
            "extraResources": {"rdma/hca": 1},
            "podSecurityLevel": "privileged",
            "tolerationSets": ["GPUNodes", "Arm64"],
            "runAsUser": {"min": 1000, "max": 65535},
            "tolerations": [
                {"key": "dedicated", "value": "ml", "effect": "NoSchedule"},
                {"key": "example.com/held", "operator": "Exists"},
            ],
        },
        "pools": [{"nodeSelector": {"matchLabels": {"rack": "r7"}}, "maxDevices": 64}],
        "prices": [
            {
                "id": "p1",
                "resource": {"acceleratorClass": "nvidia-h100-sxm-80gb"},
                "price": "12.50",
                "currency": "CNY",
                "validFrom": "2026-01-01T00:00:00Z",
            }
        ],
    },
}
PROVIDER: Json = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "Provider",
    "metadata": {"name": "good"},
    "spec": {"namespaces": ["prov-a"], "displayName": "Lingang 临港"},
}
ACCEL: Json = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "AcceleratorClass",
    "metadata": {"name": "acme-x1-32gb"},
    "spec": {
        "vendor": "acme",
        "family": "x",
        "stack": "cuda",
        "generation": "sm_80",
        "origin": "CN",
        "memory": "32Gi",
        "resourceNames": ["acme.example/x1"],
        "countRule": {"allowed": [1, 2, 4, 8], "multipleOf": 1, "groupSize": 4, "span": "Never"},
        "fp16TFLOPS": "256",
        "int8TOPS": "512",
        "shareRateMilli": 700,
        "launch": {"podLabels": {"acme.example/ring": "x1"}, "hostPaths": [{"path": "/opt/acme", "mountPath": "/opt/acme"}]},
    },
}
POLICY: Json = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "PlacementPolicy",
    "metadata": {"name": "cheap"},
    "spec": {"weights": {"cost": 80, "packing": 10, "domestic": 10}},
}
QUEUE: Json = {
    "apiVersion": "sampan.dev/v1alpha1",
    "kind": "Queue",
    "metadata": {"name": "research"},
    "spec": {"namespaces": ["team-a"], "weight": "2.5", "parent": "city", "highestPriority": 100, "policies": ["balanced"]},
}
SHARED: Json = copy.deepcopy(JOB)
SHARED["spec"] |= {
    "replicas": 1,
    "queue": "research",
    "alternatives": [
        {"accelerator": {"stack": "cuda", "count": 1, "share": {"memory": "8Gi", "computePercent": 25}}},
        {"accelerator": {"vendor": "nvidia", "count": 1, "partition": {"profile": "1g.10gb"}}},
        {"accelerator": {"stack": "cuda", "count": 1, "capability": {"precisions": ["FP8"], "minDriver": "550.54", "fp64TFLOPS": "30"}}},
    ],
}
SHARED["spec"]["placement"] |= {"interconnect": "SameDomain"}
GOOD = {
    "job": JOB,
    "sweep": SWEEP,
    "shared": SHARED,
    "offer": OFFER,
    "provider": PROVIDER,
    "accel": ACCEL,
    "policy": POLICY,
    "queue": QUEUE,
}
PLURALS = {
    "ComputeJob": "computejobs",
    "ClusterOffer": "clusteroffers",
    "Provider": "providers",
    "AcceleratorClass": "acceleratorclasses",
    "Queue": "queues",
    "PlacementPolicy": "placementpolicies",
}


def _parts(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]


def holds(obj: Any, path: str) -> bool:
    """Tell whether there is a value at the path."""
    for part in _parts(path):
        if isinstance(part, str) and part not in obj:
            return False
        obj = obj[part]
    return True


def with_value(base: Json, path: str, value: Any) -> Json:
    """Return a copy with one value set; `None` removes it. Path parts are `.name` and `[0]`."""
    out = copy.deepcopy(base)
    parts = _parts(path)
    node: Any = out
    for part, following in pairwise(parts):
        if isinstance(part, str) and part not in node:
            node[part] = [] if isinstance(following, int) else {}
        node = node[part]
    if value is None:
        del node[parts[-1]]
    elif isinstance(node, list) and parts[-1] == len(node):
        node.append(value)
    else:
        node[parts[-1]] = value
    return out


def documented(page: str, language: str) -> list[str]:
    """The blocks of a language, such as yaml, that a page of docs/ shows."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
