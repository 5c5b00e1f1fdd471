"""The member's guard on a real API server: what the hub's own token may create and delete there, and what it is refused."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.charts.support import JOBS_NS, MEMBER_VALUES, Hub
from integration.support import ROOT, wait_for

pytestmark = pytest.mark.integration

LABELS = {"sampan.dev/hub": "hub-1", "sampan.dev/job-uid": "uid-1", "sampan.dev/attempt": "1"}
SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def member_job(name: str) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.example/sleep", "securityContext": copy.deepcopy(SECURITY)}
    pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    return {
        "metadata": {"name": name, "labels": dict(LABELS)},
        "spec": {"suspend": True, "template": {"metadata": {"labels": dict(LABELS)}, "spec": pod}},
    }


def change(path: str, value: Any) -> Any:
    """A function that sets one field of a member Job, or drops it (value None)."""

    def apply(body: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        node: Any = body
        for part in parents:
            node = node[int(part)] if part.isdigit() else node[part]
        if value is None:
            del node[last]
        else:
            node[last] = value

    return apply


def refusal(call: Callable[[], Any]) -> str:
    """The server's words for a refused call; nothing where it was carried out."""
    try:
        call()
    except ApiException as error:
        return str(error.body)
    return ""


POD = "spec.template.spec"
SHAPES = {
    "no labels of ours": (change("metadata.labels", {"app": "x"}), "metadata.labels"),
    "hostNetwork": (change(f"{POD}.hostNetwork", True), "hostNetwork"),
    "hostPID": (change(f"{POD}.hostPID", True), "hostNetwork, hostPID"),
    "token mounted": (change(f"{POD}.automountServiceAccountToken", None), "automountServiceAccountToken"),
    "identity of its own": (change(f"{POD}.serviceAccountName", "sampan-hub"), "serviceAccountName"),
    "node chosen": (change(f"{POD}.nodeName", "n1"), "nodeName"),
    "hostPath": (change(f"{POD}.volumes", [{"name": "h", "hostPath": {"path": "/"}}]), "volumes"),
    "folder of the node, writable": (
        lambda body: (
            change(f"{POD}.volumes", [{"name": "h", "hostPath": {"path": "/opt/hyhal"}}])(body),
            change(f"{POD}.containers.0.volumeMounts", [{"name": "h", "mountPath": "/h"}])(body),
        ),
        "read-only",
    ),
    "projected token": (
        change(f"{POD}.volumes", [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]),
        "volumes",
    ),
    "privileged": (change(f"{POD}.containers.0.securityContext", {"privileged": True}), "unprivileged"),
    "capabilities": (change(f"{POD}.containers.0.securityContext.capabilities", {"add": ["SYS_ADMIN"], "drop": ["ALL"]}), "unprivileged"),
    "no security context": (change(f"{POD}.containers.0.securityContext", None), "unprivileged"),
    "privileged init container": (
        change(f"{POD}.initContainers", [{"name": "i", "image": "x", "securityContext": {"privileged": True}}]),
        "unprivileged",
    ),
}


@pytest.mark.parametrize(("spoil", "want"), SHAPES.values(), ids=SHAPES.keys())
def test_a_job_of_another_shape_is_refused(hub: Hub, spoil: Any, want: str) -> None:
    body = member_job("shape")
    spoil(body)
    with pytest.raises(ApiException) as refused:
        client.BatchV1Api(hub.member_hub()).create_namespaced_job(JOBS_NS, body)
    assert refused.value.status == 403
    assert "member.sampan.dev" in refused.value.body
    assert want in refused.value.body


def test_the_life_of_a_job_is_allowed(hub: Hub) -> None:
    api = hub.member_hub()
    batch, core = client.BatchV1Api(api), client.CoreV1Api(api)
    made = batch.create_namespaced_job(JOBS_NS, member_job("life"))
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "life", "uid": made.metadata.uid}
    meta = {"name": "life", "labels": LABELS, "ownerReferences": [owner]}
    core.create_namespaced_service(
        JOBS_NS, {"metadata": meta, "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": LABELS}}
    )
    core.create_namespaced_config_map(JOBS_NS, {"metadata": meta, "data": {"a": "b"}})
    core.create_namespaced_secret(JOBS_NS, {"metadata": meta, "stringData": {"a": "b"}})
    batch.patch_namespaced_job("life", JOBS_NS, {"spec": {"suspend": False}})
    for kind in ("config_map", "secret", "pod", "service"):
        sweep: Any = getattr(core, f"delete_collection_namespaced_{kind}")
        sweep(JOBS_NS, label_selector="sampan.dev/job-uid=uid-1")
    options = client.V1DeleteOptions(propagation_policy="Background", preconditions={"uid": made.metadata.uid})
    batch.delete_namespaced_job("life", JOBS_NS, body=options)
    admin = client.BatchV1Api(hub.admin)
    wait_for(lambda: not admin.list_namespaced_job(JOBS_NS, field_selector="metadata.name=life").items, "the Job is gone")
    assert not client.CoreV1Api(hub.admin).list_namespaced_secret(JOBS_NS, label_selector="sampan.dev/job-uid=uid-1").items


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "golden" / "manifests").glob("*.yaml")), ids=lambda path: path.stem)
def test_what_the_operator_sends_passes(hub: Hub, path: Path) -> None:
    api = hub.member_hub()
    creates: dict[str, Any] = {
        "Job": client.BatchV1Api(api).create_namespaced_job,
        "Service": client.CoreV1Api(api).create_namespaced_service,
        "ConfigMap": client.CoreV1Api(api).create_namespaced_config_map,
        "Secret": client.CoreV1Api(api).create_namespaced_secret,
        "NetworkPolicy": client.NetworkingV1Api(api).create_namespaced_network_policy,
        "ResourceClaimTemplate": client.ResourceV1Api(api).create_namespaced_resource_claim_template,
    }
    manifests = [manifest for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")) if manifest]
    assert manifests
    for manifest in manifests:
        made = creates[manifest["kind"]](JOBS_NS, manifest, dry_run="All")
        assert made.metadata.name == manifest["metadata"]["name"]


def test_what_is_not_the_hubs_is_not_deleted(hub: Hub) -> None:
    admin, api = client.CoreV1Api(hub.admin), hub.member_hub()
    admin.create_namespaced_config_map(JOBS_NS, {"metadata": {"name": "theirs"}, "data": {"a": "b"}})
    admin.create_namespaced_secret(JOBS_NS, {"metadata": {"name": "theirs"}, "stringData": {"a": "b"}})
    foreign = member_job("theirs")
    foreign["metadata"]["labels"] = foreign["spec"]["template"]["metadata"]["labels"] = {"app": "theirs"}
    client.BatchV1Api(hub.admin).create_namespaced_job(JOBS_NS, foreign)
    core, batch = client.CoreV1Api(api), client.BatchV1Api(api)
    attempts: dict[str, Callable[[], Any]] = {
        "delete all ConfigMaps": lambda: core.delete_collection_namespaced_config_map(JOBS_NS, field_selector="metadata.name=theirs"),
        "delete all Secrets": lambda: core.delete_collection_namespaced_secret(JOBS_NS),
        "delete a Job": lambda: batch.delete_namespaced_job("theirs", JOBS_NS),
        "claim a Job": lambda: batch.patch_namespaced_job("theirs", JOBS_NS, {"metadata": {"labels": LABELS}}),
    }
    for what, attempt in attempts.items():
        assert "is not the hub's" in refusal(attempt), what
    assert admin.read_namespaced_secret("theirs", JOBS_NS).metadata.name == "theirs"
    admin.delete_namespaced_config_map("theirs", JOBS_NS)
    admin.delete_namespaced_secret("theirs", JOBS_NS)
    client.BatchV1Api(hub.admin).delete_namespaced_job("theirs", JOBS_NS, propagation_policy="Background")


@pytest.mark.parametrize(
    ("kind", "extra", "want"),
    [
        ("secret", {"type": "kubernetes.io/service-account-token"}, "never tokens"),
        ("service", {"spec": {"ports": [{"port": 80}], "selector": LABELS}}, "headless"),
        ("service", {"spec": {"clusterIP": "None", "externalIPs": ["203.0.113.7"], "ports": [{"port": 80}]}}, "headless"),
    ],
    ids=["token of a ServiceAccount", "Service with an address", "Service with external addresses"],
)
def test_dependents_of_another_kind_are_refused(hub: Hub, kind: str, extra: dict[str, Any], want: str) -> None:
    meta = {"name": "dependent", "labels": LABELS, "annotations": {"kubernetes.io/service-account.name": "sampan-hub"}}
    call = getattr(client.CoreV1Api(hub.member_hub()), f"create_namespaced_{kind}")
    with pytest.raises(ApiException) as refused:
        call(JOBS_NS, {"metadata": meta, **extra})
    assert refused.value.status == 403
    assert want in refused.value.body


OWN = {key: LABELS[key] for key in ("sampan.dev/hub", "sampan.dev/job-uid")}
WIDER: dict[str, dict[str, Any]] = {
    "pods of all jobs": {"podSelector": {}},
    "pods of another job": {"podSelector": {"matchLabels": {**OWN, "sampan.dev/job-uid": "uid-2"}}},
    "what they reach": {"policyTypes": ["Ingress", "Egress"], "egress": [{}]},
    "open to all": {"ingress": [{}]},
    "open to a namespace": {"ingress": [{"from": [{"podSelector": {"matchLabels": OWN}, "namespaceSelector": {}}]}]},
    "open to addresses": {"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]},
    "open to another job": {"ingress": [{"from": [{"podSelector": {"matchLabels": {"sampan.dev/hub": "hub-1"}}}]}]},
}


@pytest.mark.parametrize("change", WIDER.values(), ids=WIDER.keys())
def test_the_hub_opens_a_job_to_its_own_pods_and_to_nobody_else(hub: Hub, change: dict[str, Any]) -> None:
    own = {"podSelector": {"matchLabels": OWN}}
    spec = {**own, "policyTypes": ["Ingress"], "ingress": [{"from": [own]}]}
    create = client.NetworkingV1Api(hub.member_hub()).create_namespaced_network_policy
    assert create(JOBS_NS, {"metadata": {"name": "gang", "labels": LABELS}, "spec": spec}, dry_run="All").metadata.name == "gang"
    with pytest.raises(ApiException) as refused:
        create(JOBS_NS, {"metadata": {"name": "gang", "labels": LABELS}, "spec": {**spec, **change}}, dry_run="All")
    assert "networks.member.sampan.dev" in refused.value.body


def test_the_charts_own_policies_are_not_the_hubs_to_delete(hub: Hub) -> None:
    network = client.NetworkingV1Api(hub.member_hub())
    assert "is not the hub's" in refusal(lambda: network.delete_collection_namespaced_network_policy(JOBS_NS))


def test_nobody_else_is_hindered(hub: Hub) -> None:
    core = client.CoreV1Api(hub.admin)
    core.create_namespaced_secret(JOBS_NS, {"metadata": {"name": "plain"}, "stringData": {"a": "b"}})
    core.delete_namespaced_secret("plain", JOBS_NS)
    assert core.read_namespace(JOBS_NS).metadata.labels["pod-security.kubernetes.io/enforce"] == MEMBER_VALUES["namespace.podSecurity"]
