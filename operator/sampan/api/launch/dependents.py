"""Objects that a job needs beside its Job on the member: the gang's Service and NetworkPolicy, its claim on devices, what travels with it.

Lives here: their bodies, named after the Job and owned by it.
Must never live here: reading from the hub; metadata of a tenant's object (its labels may mean something on the member).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sampan.api.launch.environment import MASTER_PORT
from sampan.api.launch.remote_job import RemoteJobSpec, optional_config_maps, referenced_objects
from sampan.model.members.device import ClaimSource

__all__ = ["Dependent", "MissingDependency", "Payload", "dependents", "owned", "referenced_objects"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """One object to create after the Job and before its start."""

    resource: str
    """Plural: services, networkpolicies, configmaps, secrets or resourceclaimtemplates."""
    api_version: str = "v1"
    name: str
    body: Mapping[str, Any] = field(repr=False)
    """Without its owner, which has no UID before it is created; see `owned`."""


class MissingDependency(LookupError):  # noqa: N818  (a fact about the tenant's namespace, for a condition)
    """A ConfigMap or Secret that the job needs is not at hand."""

    def __init__(self, kind: str, name: str) -> None:
        """`kind` is ConfigMap or Secret, `name` the tenant's."""
        super().__init__(f"{kind} {name} is not in the job's namespace, or may not be read there")
        self.kind, self.name = kind, name


def dependents(c: RemoteJobSpec, *, config_maps: Mapping[str, Payload], secrets: Mapping[str, Payload]) -> tuple[Dependent, ...]:
    """Return the dependents in the order of creation.

    None where `c.has_dependents` is false; also none where the only one is optional and not there, and the Job, created suspended,
    must be started all the same. The mappings go by the tenant's names and may hold more than is needed. Raises MissingDependency
    where one is not there that the job does not call optional.
    """
    wanted_maps, wanted_secrets = referenced_objects(c.spec)
    may_lack = optional_config_maps(c.spec)
    maps = [
        _config_map(c, name, _find("ConfigMap", name, config_maps)) for name in wanted_maps if name in config_maps or name not in may_lack
    ]
    sealed = [_secret(c, name, _find("Secret", name, secrets)) for name in wanted_secrets]
    network = [_service(c), *([_network_policy(c)] if c.isolated else [])] if c.networked else []
    return (*network, *([_claims(c, c.claim)] if c.claim else []), *maps, *sealed)


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


def _find(kind: str, name: str, known: Mapping[str, Payload]) -> Payload:
    try:
        return known[name]
    except KeyError:
        raise MissingDependency(kind, name) from None


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


def _config_map(c: RemoteJobSpec, tenant_name: str, payload: Payload) -> Dependent:
    name = c.renamed("c", tenant_name)
    content = {"data": dict(payload.data)} | ({"binaryData": dict(payload.binary_data)} if payload.binary_data else {})
    return Dependent(resource="configmaps", name=name, body=_body(c, "ConfigMap", name) | {"immutable": True} | content)


def _secret(c: RemoteJobSpec, tenant_name: str, payload: Payload) -> Dependent:
    """Opaque whatever it was: other types mean something to controllers of the member."""
    name = c.renamed("s", tenant_name)
    content = {"type": "Opaque", "data": dict(payload.data), "immutable": True}
    return Dependent(resource="secrets", name=name, body=_body(c, "Secret", name) | content)


def _body(c: RemoteJobSpec, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": c.remote_namespace, "labels": c.labels}}
