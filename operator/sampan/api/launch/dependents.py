"""Objects that a job needs beside its Job on the member: the gang's Service and NetworkPolicy, its claim on devices, what travels with it.

Lives here: their bodies, named after the Job and owned by it.
Must never live here: reading from the hub; metadata of a tenant's object (its labels may mean something on the member).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sampan.api.launch.environment import MASTER_PORT
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.api.launch.travelling import TravelKind, Travelling
from sampan.model.members.device import ClaimSource

DOCKER_CONFIG_TYPE: Final = "kubernetes.io/dockerconfigjson"
"""Type of Secrets with which kubelets pull images."""
RESOURCE_API: Final = "resource.k8s.io/v1"
"""Group and version of DRA claims, served since Kubernetes 1.34."""

NETWORKING_API: Final = "networking.k8s.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What is in a ConfigMap or a Secret of the hub. It does not show its content."""

    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As on the wire: plain text of a ConfigMap, base64 of a Secret."""
    binary_data: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Base64; only ConfigMaps have it."""
    type: str = ""
    """Of a Secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """One object to create after the Job and before its start."""

    resource: str
    """Plural: services, networkpolicies, configmaps, secrets or resourceclaimtemplates."""
    api_version: str = "v1"
    name: str
    body: Mapping[str, Any] = field(repr=False)
    """Without its owner, which has no UID before it is created; see `owned`."""


def dependents(c: RemoteJobSpec, payloads: Mapping[Travelling, Payload]) -> tuple[Dependent, ...]:
    """Return the dependents in the order of creation: what travels as far as it is given.

    None where `c.has_dependents` is false; also none where the only one is optional and not there, and the Job, created suspended,
    must be started all the same.
    """
    made = [_copy(c, each, payloads[each]) for each in c.travelling if each in payloads]
    network = [_service(c), *([_network_policy(c)] if c.isolated else [])] if c.networked else []
    return (*network, *([_claims(c, c.claim)] if c.claim else []), *made)


def owned(dependent: Dependent, *, owner_name: str, owner_uid: str) -> dict[str, Any]:
    """Return the body owned by the member's Job: it goes with the Job, and a foreground delete of the Job waits for it."""
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": owner_name,
        "uid": owner_uid,
        "controller": True,
    }
    body = dict(dependent.body)
    return {**body, "metadata": {**body["metadata"], "ownerReferences": [owner]}}


def _service(c: RemoteJobSpec) -> Dependent:
    """Gives each pod a DNS name before it is ready: ranks must find each other in order to become ready."""
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": c.labels,
        "ports": [{"name": "master", "port": MASTER_PORT, "protocol": "TCP"}],
    }
    return Dependent(resource="services", name=c.service, body=_body(c, "Service", c.service) | {"spec": spec})


def _network_policy(c: RemoteJobSpec) -> Dependent:
    """Lets the gang's own pods reach each other where nobody else may. What they reach outside is the provider's to say."""
    own = {"podSelector": {"matchLabels": c.pod_labels}}
    body = _body(c, "NetworkPolicy", c.service) | {
        "apiVersion": NETWORKING_API,
        "spec": {**own, "policyTypes": ["Ingress"], "ingress": [{"from": [own]}]},
    }
    return Dependent(resource="networkpolicies", name=c.service, api_version=NETWORKING_API, body=body)


def _claims(c: RemoteJobSpec, source: ClaimSource) -> Dependent:
    """Gives each pod a claim of its own on as many devices as a replica needs (resource.k8s.io/v1)."""
    exactly: dict[str, Any] = {"deviceClassName": source.device_class, "allocationMode": "ExactCount", "count": c.alternative_spec.devices}
    if source.selectors:
        exactly["selectors"] = [{"cel": {"expression": expression}} for expression in source.selectors]
    inner = {"devices": {"requests": [{"name": "devices", "exactly": exactly}]}}
    body = _body(c, "ResourceClaimTemplate", c.claim_template) | {
        "apiVersion": RESOURCE_API,
        "spec": {"metadata": {"labels": c.labels}, "spec": inner},
    }
    return Dependent(resource="resourceclaimtemplates", name=c.claim_template, api_version=RESOURCE_API, body=body)


def _copy(c: RemoteJobSpec, each: Travelling, payload: Payload) -> Dependent:
    """The keys that the job names. A Secret is Opaque whatever it was, but for registry credentials, which kubelets know by their type."""
    name, sealed = c.renamed(each.kind, each.name), each.kind is TravelKind.SECRET
    data, binary = _named(payload.data, each), _named(payload.binary_data, each)
    content = {"data": data} | ({"binaryData": binary} if binary else {})
    kind = {"type": DOCKER_CONFIG_TYPE if each.pulls else "Opaque"} if sealed else {}
    return Dependent(
        resource="secrets" if sealed else "configmaps",
        name=name,
        body=_body(c, each.kind, name) | {"immutable": True} | kind | content,
    )


def _named(data: Mapping[str, str], each: Travelling) -> dict[str, str]:
    return {key: value for key, value in data.items() if each.keys is None or key in each.keys}


def _body(c: RemoteJobSpec, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": c.remote_namespace, "labels": c.labels}}
