"""Nodes, pods, Jobs, offers and Providers as API servers give them. Only tests use this."""

from typing import Any

import msgspec

from sampan.kube.objects.workloads import Job, Node, Pod
from sampan.model.values.names import FINALIZER, remote_labels, remote_name

Json = dict[str, Any]
HUB = "11111111-1111-4111-8111-111111111111"
MEMBER = "22222222-2222-4222-8222-222222222222"
JOB = "33333333-3333-4333-8333-333333333333"
NAMESPACE = "sampan-jobs"
H100_LABELS = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559", "nvidia.com/gpu.count": "8"}


def node_body(name: str = "n1", *, gpus: int = 8, ready: bool = True, version: int = 1, **spec: Any) -> Json:
    """A node with H100s, or a plain one."""
    allocatable = {"cpu": "64", "memory": "512Gi", "pods": "110"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/arch": "amd64"} | (H100_LABELS if gpus else {})
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version), "labels": labels},
        "spec": spec,
        "status": {
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "nodeInfo": {"architecture": "amd64"},
        },
    }


def pod_body(
    name: str = "p1",
    *,
    node: str = "n1",
    gpus: int = 1,
    phase: str = "Running",
    ours: str = "",
    namespace: str = "default",
    version: int = 1,
) -> Json:
    """A pod on a node; `ours` is the UID of the ComputeJob it belongs to."""
    labels = remote_labels(hub_id=HUB, job_uid=ours, attempt=1) if ours else {}
    requests = {"cpu": "4", "memory": "8Gi"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    meta = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version), "labels": labels}
    return {
        "metadata": meta,
        "spec": {"nodeName": node, "containers": [{"name": "main", "resources": {"requests": requests}}]},
        "status": {"phase": phase},
    }


def job_body(uid: str = JOB, *, attempt: int = 1, hub: str = HUB, name: str = "", version: int = 1, **status: Any) -> Json:
    """A Job that is the copy of a ComputeJob."""
    meta = {
        "name": name or remote_name(hub, uid),
        "namespace": NAMESPACE,
        "uid": f"remote-{uid}-{attempt}",
        "resourceVersion": str(version),
        "labels": remote_labels(hub_id=hub, job_uid=uid, attempt=attempt),
    }
    return {"metadata": meta, "spec": {}, "status": status}


def as_node(body: Json) -> Node:
    """The node as the link decodes it."""
    return msgspec.convert(body, Node)


def as_pod(body: Json) -> Pod:
    """The pod as the link decodes it."""
    return msgspec.convert(body, Pod)


def as_job(body: Json) -> Job:
    """The Job as the link decodes it."""
    return msgspec.convert(body, Job)


def offer_body(name: str = "one", *, namespace: str = "prov-a", version: int = 5, **over: Any) -> Json:
    """A ClusterOffer; `meta`, `status` and fields of spec may be given."""
    meta = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{namespace}-{name}",
        "resourceVersion": str(version),
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": [FINALIZER],
        **over.pop("meta", {}),
    }
    status = over.pop("status", None)
    spec = {"kubeconfigSecretRef": {"name": "kc"}, "region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand", **over}
    return {"metadata": meta, "spec": spec} | ({} if status is None else {"status": status})


def provider_body(name: str = "alpha", *, namespaces: tuple[str, ...] = ("prov-a",), **spec: Any) -> Json:
    """A Provider that grants what `offer_body` claims."""
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    granted = {"namespaces": list(namespaces), "jurisdictions": ["CN"], "regions": ["cn-east"], "terms": ["OnDemand"], **spec}
    return {"metadata": meta, "spec": granted}
