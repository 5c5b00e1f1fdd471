"""Who may do what, asked of the API server with each identity's own token: golden lists, and what must never be allowed.

Golden files are tests/golden/rbac/*.txt. To write them anew after a deliberate change: SAMPAN_UPDATE_GOLDEN=1.
"""

import os
from collections import defaultdict

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.charts.support import JOBS_NS, OTHER_NS, PROVIDER_NS, SYSTEM, TENANT_NS, Hub, may, rules_text
from integration.support import ROOT

pytestmark = pytest.mark.integration

GOLDEN = ROOT / "tests" / "golden" / "rbac"
IDENTITIES = {
    "operator": (SYSTEM, "sampan-operator"),
    "hub-on-member": (JOBS_NS, "sampan-hub"),
    "tenant": (TENANT_NS, "tenant"),
    "viewer": (TENANT_NS, "viewer"),
    "provider": (PROVIDER_NS, "provider"),
    "overseer": (TENANT_NS, "overseer"),
}
NAMESPACES = (SYSTEM, PROVIDER_NS, TENANT_NS, OTHER_NS, JOBS_NS)

MUST_NOT = [
    # identity, verb, resource, namespace ("": all namespaces)
    ("operator", "list", "core/secrets", ""),
    ("operator", "get", "core/secrets", TENANT_NS),
    ("operator", "list", "core/secrets", TENANT_NS),
    ("operator", "get", "core/secrets", OTHER_NS),
    ("operator", "watch", "core/secrets", OTHER_NS),
    ("operator", "get", "core/secrets", SYSTEM),
    ("operator", "create", "core/secrets", PROVIDER_NS),
    ("operator", "patch", "core/secrets", PROVIDER_NS),
    ("operator", "patch", "core/secrets", SYSTEM),
    ("operator", "create", "core/secrets", SYSTEM),
    ("operator", "list", "core/configmaps", ""),
    ("operator", "patch", "core/configmaps", SYSTEM),
    ("operator", "create", "core/events", TENANT_NS),
    ("operator", "create", "coordination.k8s.io/leases", SYSTEM),
    ("operator", "list", "core/pods", ""),
    ("operator", "create", "core/pods", TENANT_NS),
    ("operator", "create", "batch/jobs", TENANT_NS),
    ("operator", "create", "rbac.authorization.k8s.io/rolebindings", TENANT_NS),
    ("operator", "create", "rbac.authorization.k8s.io/clusterrolebindings", ""),
    ("operator", "impersonate", "core/users", ""),
    ("operator", "create", "core/serviceaccounts/token", SYSTEM),
    ("operator", "delete", "sampan.dev/clusteroffers", PROVIDER_NS),
    ("operator", "create", "sampan.dev/computejobs", TENANT_NS),
    ("operator", "patch", "sampan.dev/providers", ""),
    ("operator", "patch", "apiextensions.k8s.io/customresourcedefinitions", ""),
    ("operator", "delete", "admissionregistration.k8s.io/validatingadmissionpolicies", ""),
    ("tenant", "patch", "sampan.dev/computejobs/status", TENANT_NS),
    ("tenant", "update", "sampan.dev/computejobs/status", TENANT_NS),
    ("tenant", "update", "sampan.dev/computejobs/finalizers", TENANT_NS),
    ("tenant", "get", "sampan.dev/computejobs", OTHER_NS),
    ("tenant", "list", "sampan.dev/computejobs", ""),
    ("tenant", "get", "core/secrets", PROVIDER_NS),
    ("tenant", "create", "sampan.dev/clusteroffers", TENANT_NS),
    ("viewer", "create", "sampan.dev/computejobs", TENANT_NS),
    ("viewer", "get", "query.sampan.dev/computejobs/exec", TENANT_NS),
    ("viewer", "get", "query.sampan.dev/computejobs/portforward", TENANT_NS),
    ("tenant", "create", "query.sampan.dev/computejobs/exec", OTHER_NS),
    ("tenant", "get", "query.sampan.dev/explanations", OTHER_NS),
    ("tenant", "create", "query.sampan.dev/quotes", OTHER_NS),
    ("tenant", "list", "query.sampan.dev/pools", ""),
    ("provider", "list", "query.sampan.dev/pools", PROVIDER_NS),
    ("provider", "get", "core/secrets", PROVIDER_NS),
    ("provider", "list", "core/secrets", PROVIDER_NS),
    ("provider", "patch", "core/secrets", PROVIDER_NS),
    ("provider", "patch", "sampan.dev/clusteroffers/status", PROVIDER_NS),
    ("provider", "update", "sampan.dev/clusteroffers/finalizers", PROVIDER_NS),
    ("provider", "get", "sampan.dev/clusteroffers", OTHER_NS),
    ("provider", "list", "sampan.dev/computejobs", PROVIDER_NS),
    ("provider", "patch", "sampan.dev/providers", ""),
    ("overseer", "patch", "sampan.dev/computejobs", TENANT_NS),
    ("overseer", "get", "core/secrets", TENANT_NS),
    ("hub-on-member", "get", "core/pods/exec", JOBS_NS),
    ("hub-on-member", "create", "core/pods/portforward", JOBS_NS),
    ("hub-on-member", "get", "core/secrets", JOBS_NS),
    ("hub-on-member", "list", "core/secrets", JOBS_NS),
    ("hub-on-member", "delete", "core/secrets", JOBS_NS),
    ("hub-on-member", "list", "core/resourcequotas", "default"),
    ("hub-on-member", "update", "core/resourcequotas", JOBS_NS),
    ("hub-on-member", "list", "kueue.x-k8s.io/clusterqueues", ""),
    ("hub-on-member", "create", "core/pods", JOBS_NS),
    ("hub-on-member", "create", "core/pods/exec", JOBS_NS),
    ("hub-on-member", "create", "core/serviceaccounts/token", JOBS_NS),
    ("hub-on-member", "create", "batch/jobs", "default"),
    ("hub-on-member", "delete", "core/pods", "default"),
    ("hub-on-member", "patch", "core/nodes", ""),
    ("hub-on-member", "list", "core/configmaps", "default"),
    ("hub-on-member", "list", "core/namespaces", ""),
    ("hub-on-member", "create", "rbac.authorization.k8s.io/rolebindings", JOBS_NS),
    ("hub-on-member", "create", "admissionregistration.k8s.io/validatingwebhookconfigurations", ""),
]
MAY = [
    ("operator", "patch", "sampan.dev/computejobs/status", TENANT_NS),
    ("operator", "watch", "core/secrets", PROVIDER_NS),
    ("operator", "list", "core/secrets", OTHER_NS),
    ("operator", "get", "core/configmaps", TENANT_NS),
    ("operator", "delete", "sampan.dev/computejobs", TENANT_NS),
    ("tenant", "create", "sampan.dev/computejobs", TENANT_NS),
    ("tenant", "get", "query.sampan.dev/explanations", TENANT_NS),
    ("tenant", "create", "query.sampan.dev/quotes", TENANT_NS),
    ("viewer", "get", "query.sampan.dev/explanations", TENANT_NS),
    ("viewer", "list", "query.sampan.dev/pools", TENANT_NS),
    ("tenant", "create", "query.sampan.dev/computejobs/exec", TENANT_NS),
    ("tenant", "get", "query.sampan.dev/computejobs/exec", TENANT_NS),
    ("tenant", "create", "query.sampan.dev/computejobs/portforward", TENANT_NS),
    ("provider", "create", "core/secrets", PROVIDER_NS),
    ("provider", "update", "core/secrets", PROVIDER_NS),
    ("provider", "create", "sampan.dev/clusteroffers", PROVIDER_NS),
    ("overseer", "list", "sampan.dev/computejobs", ""),
    ("hub-on-member", "create", "batch/jobs", JOBS_NS),
    ("hub-on-member", "watch", "core/pods", ""),
    ("hub-on-member", "deletecollection", "core/secrets", JOBS_NS),
    ("hub-on-member", "create", "authorization.k8s.io/selfsubjectaccessreviews", ""),
]


def golden_text(hub: Hub, identity: str) -> str:
    """`auth can-i --list` in each namespace, without what every authenticated user may do."""
    api, nobody = hub.account(*IDENTITIES[identity]), hub.account(TENANT_NS, "nobody")
    lines = [f"# {'/'.join(IDENTITIES[identity])}: what it may do beyond any authenticated user"]
    for namespace in NAMESPACES:
        verbs = defaultdict(list)
        for line in rules_text(api, namespace) - rules_text(nobody, namespace):
            what, _, verb = line.rpartition(": ")
            verbs[what].append(verb)
        lines += ["", f"[{namespace}]", *(f"{what}: {' '.join(sorted(verbs[what]))}" for what in sorted(verbs))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("identity", IDENTITIES)
def test_rights_are_the_golden_ones(hub: Hub, identity: str) -> None:
    text, path = golden_text(hub, identity), GOLDEN / f"{identity}.txt"
    if os.environ.get("SAMPAN_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert "*" not in text


@pytest.mark.parametrize(("identity", "verb", "resource", "namespace"), MUST_NOT, ids=lambda part: part or "all")
def test_must_not(hub: Hub, identity: str, verb: str, resource: str, namespace: str) -> None:
    assert not may(hub.account(*IDENTITIES[identity]), verb, resource, namespace=namespace)


@pytest.mark.parametrize(("identity", "verb", "resource", "namespace"), MAY, ids=lambda part: part or "all")
def test_may(hub: Hub, identity: str, verb: str, resource: str, namespace: str) -> None:
    assert may(hub.account(*IDENTITIES[identity]), verb, resource, namespace=namespace)


@pytest.mark.parametrize("identity", ["operator", "hub-on-member"])
def test_of_the_namespaces_only_the_identity_of_the_cluster_is_read(hub: Hub, identity: str) -> None:
    api = hub.account(*IDENTITIES[identity])
    assert client.CoreV1Api(api).read_namespace("kube-system").metadata.uid
    assert not may(api, "get", "core/namespaces", name="default")


def test_stock_roles_carry_the_tenants_rights(hub: Hub) -> None:
    rbac = client.RbacAuthorizationV1Api(hub.admin)
    verbs = {
        role: {verb for rule in rbac.read_cluster_role(role).rules if rule.api_groups == ["sampan.dev"] for verb in rule.verbs}
        for role in ("view", "edit", "admin")
    }
    assert verbs["view"] == {"get", "list", "watch"}
    assert verbs["edit"] == verbs["admin"] == {"create", "get", "list", "watch", "patch", "update", "delete", "deletecollection"}


def test_an_administrator_lets_secrets_travel_by_a_role_binding_and_only_from_its_namespace(hub: Hub) -> None:
    operator, rbac = hub.operator(), client.RbacAuthorizationV1Api(hub.admin)
    body = {
        "metadata": {"name": "share-secrets"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sampan-secret-reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "sampan-operator", "namespace": SYSTEM}],
    }
    rbac.create_namespaced_role_binding(TENANT_NS, body)
    try:
        assert may(operator, "list", "core/secrets", namespace=TENANT_NS)
        assert not may(operator, "get", "core/secrets", namespace=TENANT_NS, name="hf-token")
        assert not may(operator, "list", "core/secrets", namespace=SYSTEM)
    finally:
        rbac.delete_namespaced_role_binding("share-secrets", TENANT_NS)


def test_catalogue_and_offers_are_shown_to_the_named_groups_only(hub: Hub) -> None:
    def reads(group: str, resource: str) -> bool:
        attributes = client.V1ResourceAttributes(group="sampan.dev", resource=resource, verb="list")
        spec = client.V1SubjectAccessReviewSpec(user="somebody", groups=[group], resource_attributes=attributes)
        review = client.V1SubjectAccessReview(spec=spec)
        return bool(client.AuthorizationV1Api(hub.admin).create_subject_access_review(review).status.allowed)

    classes, offers = "acceleratorclasses", "clusteroffers"
    assert [reads("hc-catalogue-readers", each) for each in (classes, offers)] == [True, False]
    assert [reads("hc-offer-readers", each) for each in (classes, offers)] == [False, True]
    assert [reads("system:authenticated", each) for each in (classes, offers)] == [False, False]


def test_a_provider_rotates_its_secret_without_reading_it(hub: Hub) -> None:
    core = client.CoreV1Api(hub.account(*IDENTITIES["provider"]))
    body = {"metadata": {"name": "rotated"}, "stringData": {"kubeconfig": "one"}}
    core.create_namespaced_secret(PROVIDER_NS, body)
    core.replace_namespaced_secret("rotated", PROVIDER_NS, body | {"stringData": {"kubeconfig": "two"}})
    with pytest.raises(ApiException) as refused:
        core.patch_namespaced_secret("rotated", PROVIDER_NS, {})
    assert refused.value.status == 403, "the answer to an empty patch would be the Secret"
    core.delete_namespaced_secret("rotated", PROVIDER_NS)


def test_a_provider_rotates_its_secret_with_kubectl_as_the_notes_say(hub: Hub) -> None:
    provider = ("-n", PROVIDER_NS, "--as", f"system:serviceaccount:{PROVIDER_NS}:provider")
    create = (*provider, "create", "secret", "generic", "by-kubectl", "--from-literal")
    hub.api.kubectl(*create, "kubeconfig=one")
    assert "already exists" in hub.api.try_kubectl(*create, "kubeconfig=two").stderr
    made = hub.api.kubectl(*create, "kubeconfig=two", "--dry-run=client", "-o", "yaml")
    assert "forbidden" in hub.api.try_kubectl(*provider, "apply", "-f", "-", input=made).stderr
    assert "replaced" in hub.api.kubectl(*provider, "replace", "-f", "-", input=made)
    hub.api.kubectl(*provider, "delete", "secret", "by-kubectl")
