"""What the chart tests share: helm on one API server, clients with ServiceAccount tokens, rules of an identity as text.

What must never live here: assertions of one test.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from integration.support import PATIENCE, ROOT, Api
from sampan.local.processes.kubectl import tool_environment

HUB_CHART = ROOT / "helm" / "sampan"
MEMBER_CHART = ROOT / "helm" / "sampan-member"
SYSTEM = "sampan-system"
PROVIDER_NS = "hc-prov"
TENANT_NS = "hc-team"
OTHER_NS = "hc-other"
JOBS_NS = "sampan-jobs"
FINALIZER = "sampan.dev/remote-cleanup"
HUB_VALUES: dict[str, Any] = {
    "operator.enabled": False,
    "providerNamespaces": [PROVIDER_NS],
    "tenantNamespaces": [OTHER_NS],
    "catalogueReaderGroups": ["hc-catalogue-readers"],
    "offerReaderGroups": ["hc-offer-readers"],
}
"""The hub of these tests: no Deployment, for there are no nodes."""
MEMBER_VALUES: dict[str, Any] = {
    "guard.hostPaths": ["/opt/hyhal"],
    "namespace.podSecurity": "privileged",
    "tenants": [TENANT_NS, {"name": OTHER_NS, "quota": {"pods": "5"}}],
}
"""The member of these tests: jobs may read one folder of the nodes, and two tenants have a namespace each."""
GROUP, VERSION = "sampan.dev", "v1alpha1"
MERGE = "application/merge-patch+json"
SERVED = (
    "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
)
"""What a 1.36 server has and helm does not know offline."""


@dataclass(frozen=True)
class Helm:
    """The helm binary, on one cluster or offline."""

    binary: str
    cache: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run helm; a failure raises with helm's own words, unless told not to."""
        where = ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
        command = [self.binary, *arguments, *where]
        done = subprocess.run(command, env=tool_environment(self.cache), capture_output=True, text=True, check=False, timeout=2 * PATIENCE)
        if check and done.returncode:
            raise AssertionError(f"helm {' '.join(arguments)}: {done.stderr}")
        return done

    def template(self, chart: Path, values: Mapping[str, Any] | None = None, *, served: tuple[str, ...] = SERVED) -> list[dict[str, Any]]:
        """The manifests that the chart renders with these values, hooks included."""
        done = self.run("template", chart.name, str(chart), "-n", SYSTEM, *self.values(values), *[f"--api-versions={a}" for a in served])
        return [document for document in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if document]

    @staticmethod
    def values(values: Mapping[str, Any] | None) -> list[str]:
        """Values as arguments, with their types kept."""
        import json

        return [part for key, value in (values or {}).items() for part in ("--set-json", f"{key}={json.dumps(value)}")]


@dataclass(frozen=True)
class Hub:
    """An API server on which both charts are installed, and identities on it."""

    api: Api
    helm: Helm

    @property
    def admin(self) -> client.ApiClient:
        """The administrator's client."""
        return self.api.client()

    def account(self, namespace: str, name: str) -> client.ApiClient:
        """A client with a real token of the ServiceAccount."""
        request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600))
        answer = client.CoreV1Api(self.admin).create_namespaced_service_account_token(name, namespace, request)
        base = self.admin.configuration
        configuration = client.Configuration()
        configuration.host, configuration.ssl_ca_cert = base.host, base.ssl_ca_cert
        configuration.api_key = {"authorization": f"Bearer {answer.status.token}"}
        return client.ApiClient(configuration)

    def operator(self) -> client.ApiClient:
        """The operator, with its token."""
        return self.account(SYSTEM, "sampan-operator")

    def tenant(self) -> client.ApiClient:
        """A tenant: a ServiceAccount that may edit its namespace."""
        return self.account(TENANT_NS, "tenant")

    def member_hub(self) -> client.ApiClient:
        """The hub, as the member knows it."""
        return self.account(JOBS_NS, "sampan-hub")


def custom(api: client.ApiClient) -> client.CustomObjectsApi:
    """Our kinds through this client."""
    return client.CustomObjectsApi(api)


def never_granted(rule: Mapping[str, Any]) -> set[str]:
    """What of a rule no role of the charts may hold by default; the hub's own next token is named, and no other is."""
    never = {"pods/exec", "pods/attach", "pods/ephemeralcontainers", "serviceaccounts/token"} & set(rule["resources"])
    return never - ({"serviceaccounts/token"} if rule.get("resourceNames") == ["sampan-hub"] else set())


def job(name: str, **metadata: Any) -> dict[str, Any]:
    """A ComputeJob that any chart setting of these tests accepts."""
    image = "registry.example/sleep@sha256:" + "0" * 64
    template = {"image": image, "command": ["sleep", "5"], "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ComputeJob",
        "metadata": {"name": name, "namespace": TENANT_NS, **metadata},
        "spec": {"template": template},
    }


def offer(name: str, **metadata: Any) -> dict[str, Any]:
    """A ClusterOffer of the provider's namespace."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ClusterOffer",
        "metadata": {"name": name, "namespace": PROVIDER_NS, **metadata},
        "spec": {"kubeconfigSecretRef": {"name": "x-kubeconfig"}, "region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand"},
    }


def create(api: client.ApiClient, body: dict[str, Any]) -> dict[str, Any]:
    """Create one of our objects."""
    plural = f"{body['kind'].lower()}s"
    namespace = body["metadata"]["namespace"]
    return dict(custom(api).create_namespaced_custom_object(GROUP, VERSION, namespace, plural, body))


def patch(api: client.ApiClient, body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Merge-patch one of our objects."""
    plural, meta = f"{body['kind'].lower()}s", body["metadata"]
    call = custom(api).patch_namespaced_custom_object
    return dict(call(GROUP, VERSION, meta["namespace"], plural, meta["name"], change, _content_type=MERGE))


def patch_status(api: client.ApiClient, body: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    """Merge-patch the status of one of our objects."""
    plural, meta = f"{body['kind'].lower()}s", body["metadata"]
    call = custom(api).patch_namespaced_custom_object_status
    return dict(call(GROUP, VERSION, meta["namespace"], plural, meta["name"], {"status": status}, _content_type=MERGE))


def bound_status(remote: str) -> dict[str, Any]:
    """The status of a job that runs on a member."""
    binding = {
        "offer": {"namespace": PROVIDER_NS, "name": "lingang"},
        "clusterUID": "11111111-2222-3333-4444-555555555555",
        "attempt": 1,
        "pool": "h100-x8",
        "boundAt": "2026-01-01T00:00:00Z",
        "remote": {"namespace": JOBS_NS, "name": remote},
    }
    return {"phase": "Running", "binding": binding}


def rules_text(api: client.ApiClient, namespace: str) -> set[str]:
    """What the client's identity may do in a namespace, as `group/resource[name]: verb` lines (`auth can-i --list`)."""
    review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=namespace))
    status = client.AuthorizationV1Api(api).create_self_subject_rules_review(review).status
    lines = set()
    for rule in status.resource_rules:
        for group in rule.api_groups or [""]:
            for resource in rule.resources or []:
                names = [f"[{name}]" for name in rule.resource_names or []] or [""]
                lines |= {f"{group or 'core'}/{resource}{name}: {verb}" for name in names for verb in rule.verbs}
    return lines | {f"{path}: {verb}" for rule in status.non_resource_rules for path in rule.non_resource_urls or [] for verb in rule.verbs}


def may(api: client.ApiClient, verb: str, resource: str, *, namespace: str = "", name: str = "") -> bool:
    """Tell whether the client's identity may do this; `resource` is `group/resource[/subresource]`, `core` for the core group."""
    group, _, rest = resource.partition("/")
    kind, _, subresource = rest.partition("/")
    attributes = client.V1ResourceAttributes(
        group="" if group == "core" else group, resource=kind, subresource=subresource, verb=verb, namespace=namespace, name=name
    )
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    return bool(client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed)
