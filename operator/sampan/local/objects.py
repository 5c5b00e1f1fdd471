"""Pure: the Kubernetes objects of a scenario, as plain dictionaries. Never here: any call."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sampan.local.scenario import MemberPlan, NodeGroup, OfferPlan, ProviderPlan, Scenario

API_VERSION = "sampan.dev/v1alpha1"
TENANT_ACCOUNT = "tenant"
PROVIDER_ACCOUNT = "provider"

Manifest = dict[str, Any]


def nodes(member: MemberPlan) -> list[Manifest]:
    """All Node objects of a member, with capacity and labels as their plugins publish them."""
    return [_node(group, number) for group in member.nodes for number in range(1, group.count + 1)]


def _node(group: NodeGroup, number: int) -> Manifest:
    name = group.name.format(number)
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, **group.labels}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": group.annotations},
        "spec": {"taints": group.taints},
        "status": {"capacity": group.capacity, "allocatable": group.capacity},
    }


def volumes(folders: Mapping[str, Path]) -> list[Manifest]:
    """A default StorageClass, and a volume on each of these nodes, in a folder of it; nobody else makes volumes there."""
    metadata = {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/no-provisioner"}
    return [{**kind, "metadata": metadata, "volumeBindingMode": "WaitForFirstConsumer"}, *(_volume(*each) for each in folders.items())]


def _volume(node: str, folder: Path) -> Manifest:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "local",
        "local": {"path": str(folder)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": node}, "spec": spec}


def namespaces(scenario: Scenario) -> list[Manifest]:
    """Namespaces of the providers and tenants on the hub."""
    names = [provider.namespace for provider in scenario.providers] + [tenant.namespace for tenant in scenario.tenants]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in dict.fromkeys(names)]


def identities(scenario: Scenario) -> list[Manifest]:
    """A ServiceAccount with its rights for each tenant (`edit` in its namespace) and each provider (`sampan-provider` in its)."""
    found: list[Manifest] = []
    for tenant in scenario.tenants:
        found += _identity(TENANT_ACCOUNT, tenant.namespace, role="edit")
    for provider in scenario.providers:
        found += _identity(PROVIDER_ACCOUNT, provider.namespace, role="sampan-provider")
    return found


def _identity(account: str, namespace: str, *, role: str) -> list[Manifest]:
    metadata = {"name": account, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        },
    ]


def platform(scenario: Scenario) -> list[Manifest]:
    """What the platform team says: providers with their grants, placement policies, queues, accelerator classes."""
    found: list[Manifest] = [_provider(provider) for provider in scenario.providers]
    said = {"PlacementPolicy": scenario.policies, "Queue": scenario.queues, "AcceleratorClass": scenario.accelerator_classes}
    for kind, items in said.items():
        found += [{"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": item.name}, "spec": item.spec} for item in items]
    return found


def _provider(provider: ProviderPlan) -> Manifest:
    spec = {**provider.spec, "namespaces": [provider.namespace]}
    return {"apiVersion": API_VERSION, "kind": "Provider", "metadata": {"name": provider.name}, "spec": spec}


def secret_name(offer: OfferPlan) -> str:
    """Name of the Secret with the offer's kubeconfig."""
    return f"{offer.name}-kubeconfig"


def offer_objects(offer: OfferPlan, *, namespace: str, kubeconfig: str) -> list[Manifest]:
    """The Secret with the member's kubeconfig and the ClusterOffer that names it."""
    name = secret_name(offer)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": {"kubeconfig": base64.b64encode(kubeconfig.encode()).decode()},
    }
    spec = {**offer.spec, "kubeconfigSecretRef": {"name": name, "key": "kubeconfig"}}
    metadata = {"name": offer.name, "namespace": namespace, "labels": offer.labels}
    return [secret, {"apiVersion": API_VERSION, "kind": "ClusterOffer", "metadata": metadata, "spec": spec}]
