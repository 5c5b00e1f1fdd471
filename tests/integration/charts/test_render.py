"""What the charts render, without any cluster: no right too wide, restricted pods, the CRDs unchanged, every value checked."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.charts.support import HUB_CHART, MEMBER_CHART, SYSTEM, Helm, never_granted
from integration.support import ROOT

pytestmark = pytest.mark.integration

IMAGE = {"operator.image.repository": "registry.example/sampan"}
PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
VALUE_SETS: dict[str, tuple[Path, dict[str, Any]]] = {
    "hub, defaults": (HUB_CHART, IMAGE),
    "hub, operator elsewhere": (HUB_CHART, {"operator.enabled": False}),
    "hub, providers": (HUB_CHART, {**IMAGE, "providerNamespaces": ["prov-a", "prov-b"], "createNamespaces": True}),
    "hub, tenants' Secrets": (HUB_CHART, {**IMAGE, "tenantNamespaces": ["team-a", "team-b"]}),
    "hub, by digest": (HUB_CHART, {**IMAGE, "operator.image.digest": "sha256:" + "a" * 64}),
    "hub, network policy": (
        HUB_CHART,
        {
            **IMAGE,
            "networkPolicy.enabled": True,
            "networkPolicy.apiServerCIDRs": ["203.0.113.0/24"],
            "networkPolicy.metricsNamespace": "mon",
        },
    ),
    "hub, database and network policy": (
        HUB_CHART,
        {
            **IMAGE,
            "storage.urlSecret": "use-store",
            "networkPolicy.enabled": True,
            "networkPolicy.apiServerCIDRs": ["203.0.113.0/24"],
            "networkPolicy.database.cidrs": ["198.51.100.7/32"],
        },
    ),
    "hub, policies off": (HUB_CHART, {**IMAGE, "policies.enabled": False, "policies.finalizer": "Disabled"}),
    "hub, strict images": (HUB_CHART, {**IMAGE, "images.requireDigest": True, "images.allowedRegistries": ["registry.example"]}),
    "hub, catalogue shown": (HUB_CHART, {**IMAGE, "catalogueReaderGroups": ["system:serviceaccounts:team-a"]}),
    "hub, offers shown": (HUB_CHART, {**IMAGE, "offerReaderGroups": ["system:serviceaccounts:team-a"]}),
    "hub, query API": (HUB_CHART, {**IMAGE, "query.enabled": "Enabled", "query.frontProxyCA": PEM}),
    "hub, query API with a certificate": (
        HUB_CHART,
        {**IMAGE, "query.frontProxyCA": PEM, "query.tlsSecret": "query-tls", "query.caBundle": PEM},
    ),
    "hub, query API elsewhere": (HUB_CHART, {"operator.enabled": False, "query.externalName": "localhost", "query.caBundle": PEM}),
    "hub, placed": (
        HUB_CHART,
        {**IMAGE, "operator.nodeSelector": {"a": "b"}, "operator.tolerations": [{"key": "x"}], "operator.image.pullSecrets": ["pull"]},
    ),
    "member, defaults": (MEMBER_CHART, {}),
    "member, token and quota": (MEMBER_CHART, {"token.create": True, "token.renew": False, "quota": {"requests.nvidia.com/gpu": "8"}}),
    "member, published": (MEMBER_CHART, {"capacity": "published", "publisher.image.repository": "registry.example/sampan"}),
    "member, published from elsewhere": (
        MEMBER_CHART,
        {"capacity": "published", "publisher.enabled": False, "look.kueue": True, "publisher.tolerations": [{"key": "x"}]},
    ),
    "member, tenants": (MEMBER_CHART, {"tenants": ["team-a", {"name": "team-b", "quota": {"requests.nvidia.com/gpu": "8"}}]}),
    "member, closed network": (MEMBER_CHART, {"networkPolicy.egress.restricted": True, "tenants": ["team-a"]}),
    "member, open network": (MEMBER_CHART, {"networkPolicy.enabled": False}),
    "member, own namespace": (MEMBER_CHART, {"namespace.create": False, "guard.mode": "Disabled"}),
}


_RENDERED: dict[str, list[dict[str, Any]]] = {}


def rendered(helm: Helm, chart: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What a chart renders with these values; each is rendered once."""
    key = json.dumps([str(chart), values])
    if key not in _RENDERED:
        _RENDERED[key] = helm.template(chart, values)
    return copy.deepcopy(_RENDERED[key])


def of_kind(manifests: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


@pytest.mark.parametrize(("chart", "values"), VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_no_role_is_wide(offline_helm: Helm, chart: Path, values: dict[str, Any]) -> None:
    manifests = rendered(offline_helm, chart, values)
    for role in of_kind(manifests, "Role", "ClusterRole"):
        name = role["metadata"]["name"]
        for rule in role["rules"]:
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"], *rule.get("resourceNames", [])]
            assert not any("*" in word for word in words), f"{name} has a wildcard: {rule}"
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), f"{name}: {rule}"
            assert not never_granted(rule), name
    secret_roles = {
        role["metadata"]["name"] for role in of_kind(manifests, "ClusterRole") for rule in role["rules"] if "secrets" in rule["resources"]
    }
    bound_everywhere = {binding["roleRef"]["name"] for binding in of_kind(manifests, "ClusterRoleBinding")}
    assert not secret_roles & bound_everywhere, "Secrets of all namespaces"
    assert secret_roles <= {"sampan-secret-reader", "sampan-provider"}


@pytest.mark.parametrize(("chart", "values"), VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_pods_meet_the_restricted_standard(offline_helm: Helm, chart: Path, values: dict[str, Any]) -> None:
    manifests = rendered(offline_helm, chart, values)
    workloads = of_kind(manifests, "Deployment", "Job")
    publishes = values.get("capacity") == "published" and values.get("publisher.enabled", True)
    assert bool(workloads) == (publishes or (chart == HUB_CHART and values.get("operator.enabled", True)))
    for workload in workloads:
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 10000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            security = container["securityContext"]
            assert (security["allowPrivilegeEscalation"], security["readOnlyRootFilesystem"]) == (False, True)
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert volumes["tmp"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "64Mi"}
        assert volumes["api-token"]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600


def test_crds_are_the_generated_ones_and_stay(offline_helm: Helm) -> None:
    rendered = {crd["metadata"]["name"]: crd for crd in of_kind(offline_helm.template(HUB_CHART, IMAGE), "CustomResourceDefinition")}
    source = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert sorted(rendered) == sorted(crd["metadata"]["name"] for crd in source)
    for crd in source:
        chart_crd = rendered[crd["metadata"]["name"]]
        assert chart_crd["metadata"]["annotations"].pop("helm.sh/resource-policy") == "keep"
        crd["metadata"].setdefault("annotations", {})
        assert chart_crd == crd


def test_mutating_policy_follows_what_the_server_has(offline_helm: Helm) -> None:
    def versions(served: tuple[str, ...], **values: Any) -> set[str]:
        manifests = offline_helm.template(HUB_CHART, IMAGE | values, served=served)
        return {manifest["apiVersion"] for manifest in of_kind(manifests, "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding")}

    group = "admissionregistration.k8s.io"
    assert versions((f"{group}/v1/MutatingAdmissionPolicy",)) == {f"{group}/v1"}
    assert versions((f"{group}/v1beta1/MutatingAdmissionPolicy",)) == {f"{group}/v1beta1"}
    assert versions(()) == set(), "the operator then puts the finalizer on itself"
    assert versions((f"{group}/v1/MutatingAdmissionPolicy",), **{"policies.finalizer": "Disabled"}) == set()


def test_uninstall_guard_runs_the_check_before_anything_is_deleted(offline_helm: Helm) -> None:
    [guard] = of_kind(offline_helm.template(HUB_CHART, IMAGE), "Job")
    assert guard["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert guard["spec"]["backoffLimit"] == 0
    [container] = guard["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["sampan", "uninstall", "--check"]
    assert not of_kind(offline_helm.template(HUB_CHART, {"operator.enabled": False}), "Job")
    always = {"operator.enabled": False, "hooks.uninstallGuard": "Always", **IMAGE}
    assert of_kind(offline_helm.template(HUB_CHART, always), "Job")


def test_provider_namespaces_get_a_role_each_and_no_more(offline_helm: Helm) -> None:
    manifests = offline_helm.template(HUB_CHART, {**IMAGE, "providerNamespaces": ["prov-a", "prov-b"]})
    secrets = {
        role["metadata"]["namespace"]: rule["verbs"]
        for role in of_kind(manifests, "Role")
        for rule in role["rules"]
        if "secrets" in rule["resources"] and rule.get("resourceNames") != ["sampan-renewed-tokens"]
    }
    assert secrets == {"prov-a": ["get", "list", "watch"], "prov-b": ["get", "list", "watch"]}
    assert not of_kind(manifests, "Namespace")


def bad_values(schema: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """A value of a wrong type or out of range for every property of a schema, and an unknown key for every closed object."""
    if "$ref" in schema:
        return [(path, "not-a-collection")]
    if "enum" in schema:
        return [(path, "Sometimes"), (path, 7)]
    wrong = {"boolean": "yes", "integer": "two", "number": "two", "string": 7, "array": "one", "object": "none"}[schema["type"]]
    found: list[tuple[tuple[str, ...], Any]] = [(path, wrong)] if path else []
    if schema.get("additionalProperties") is False:
        found.append(((*path, "noSuchValue"), True))
    for name, inner in schema.get("properties", {}).items():
        if name != "global":
            found += bad_values(inner, (*path, name))
    return found


BAD_VALUES = [
    (chart, path, value)
    for chart in (HUB_CHART, MEMBER_CHART)
    for path, value in bad_values(json.loads((chart / "values.schema.json").read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("chart", "path", "value"), BAD_VALUES, ids=[f"{c.name}:{'.'.join(p)}={v}" for c, p, v in BAD_VALUES])
def test_every_value_is_checked(offline_helm: Helm, tmp_path: Path, chart: Path, path: tuple[str, ...], value: Any) -> None:
    nested = value
    for part in reversed(path):
        nested = {part: nested}
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(nested), encoding="utf-8")
    done = offline_helm.run("template", "x", str(chart), "-n", SYSTEM, "-f", str(file), check=False)
    assert done.returncode != 0
    assert "schema" in done.stderr, "refused before anything is rendered"
    assert path[-1] in done.stderr, "helm names the value"


@pytest.mark.parametrize("chart", [HUB_CHART, MEMBER_CHART], ids=lambda chart: chart.name)
def test_every_default_is_in_the_schema(chart: Path) -> None:
    def walk(values: dict[str, Any], schema: dict[str, Any], path: str) -> None:
        for key, value in values.items():
            assert key in schema["properties"], f"{path}{key}"
            inner = schema["properties"][key]
            if isinstance(value, dict) and "properties" in inner:
                walk(value, inner, f"{path}{key}.")

    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    walk(yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8")), schema, "")
    assert schema["additionalProperties"] is False


def test_operator_without_an_image_is_refused_in_words(offline_helm: Helm) -> None:
    done = offline_helm.run("template", "x", str(HUB_CHART), check=False)
    assert done.returncode != 0
    assert "operator.image.repository" in done.stderr


def test_member_chart_refuses_its_own_namespace(offline_helm: Helm) -> None:
    done = offline_helm.run("template", "x", str(MEMBER_CHART), "-n", "sampan-jobs", check=False)
    assert "is the release's own namespace" in done.stderr


def test_with_published_capacity_the_hub_sees_no_node_and_no_foreign_pod(offline_helm: Helm) -> None:
    manifests = offline_helm.template(MEMBER_CHART, {"capacity": "published", "publisher.enabled": False, "look.kueue": True})
    wide = {role["metadata"]["name"]: role["rules"] for role in of_kind(manifests, "ClusterRole")}
    assert [(rule["resources"], rule.get("resourceNames"), rule["verbs"]) for rule in wide["sampan-hub-capacity"]] == [
        (["namespaces"], ["kube-system"], ["get"]),
        (["namespaces"], ["sampan-jobs"], ["get"]),
        (["priorityclasses"], None, ["list", "watch"]),
    ]
    assert {resource for rule in wide["sampan-publisher"] for resource in rule["resources"]} == {
        "nodes",
        "pods",
        "resourceslices",
        "resourceclaims",
        "runtimeclasses",
        "clusterqueues",
    }
    assert {verb for rule in wide["sampan-publisher"] for verb in rule["verbs"]} == {"list", "watch"}
    own = {role["metadata"]["name"]: role["rules"] for role in of_kind(manifests, "Role")}
    assert own["sampan-publisher"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["sampan-capacity"], "verbs": ["get", "patch"]}
    ]
    assert next(rule for rule in own["sampan-hub"] if rule.get("resourceNames") == ["sampan-capacity"])["verbs"] == ["list", "watch"]
    accounts = {item["metadata"]["name"]: item["metadata"]["namespace"] for item in of_kind(manifests, "ServiceAccount")}
    assert accounts == {"sampan-hub": "sampan-jobs", "sampan-publisher": SYSTEM}, "no job of the hub can run as the publisher"


def test_a_publisher_without_an_image_is_refused_in_words(offline_helm: Helm) -> None:
    done = offline_helm.run("template", "x", str(MEMBER_CHART), "--set", "capacity=published", check=False)
    assert done.returncode != 0
    assert "publisher.image.repository" in done.stderr


@pytest.mark.parametrize("level", ["restricted", "baseline"])
def test_folders_of_nodes_that_pod_security_would_refuse_are_refused_in_words(offline_helm: Helm, level: str) -> None:
    values = {"guard.hostPaths": ["/opt/hyhal"], "namespace.podSecurity": level}
    done = offline_helm.run("template", "x", str(MEMBER_CHART), *Helm.values(values), check=False)
    assert done.returncode != 0
    assert f"guard.hostPaths: Pod Security {level} refuses" in done.stderr
    assert offline_helm.template(MEMBER_CHART, {**values, "namespace.podSecurity": "privileged"})
    assert offline_helm.template(MEMBER_CHART, {**values, "namespace.create": False}), "its labels are the provider's to set"
    [namespace] = of_kind(rendered(offline_helm, MEMBER_CHART, {}), "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(("chart", "values"), VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_two_renderings_are_equal(offline_helm: Helm, chart: Path, values: dict[str, Any]) -> None:
    """A tool that renders again and compares, as Argo CD does, finds nothing to do."""
    assert offline_helm.template(chart, values) == rendered(offline_helm, chart, values)


def test_an_operator_here_and_one_elsewhere_are_refused_together(offline_helm: Helm) -> None:
    values = {**IMAGE, "query.frontProxyCA": PEM, "query.externalName": "op.example", "query.caBundle": PEM}
    done = offline_helm.run("template", "x", str(HUB_CHART), *Helm.values(values), check=False)
    assert "set operator.enabled=false" in done.stderr


@pytest.mark.parametrize("replicas", [2, 5, 100])
def test_a_second_operator_is_refused_in_words(offline_helm: Helm, replicas: int) -> None:
    done = offline_helm.run("template", "x", str(HUB_CHART), *Helm.values({**IMAGE, "operator.replicas": replicas}), check=False)
    assert done.returncode != 0
    assert f"operator.replicas: {replicas} is too many: one operator decides for one hub" in done.stderr


@pytest.mark.parametrize("replicas", [0, 1])
def test_one_operator_or_none_runs_and_never_two_at_a_time(offline_helm: Helm, replicas: int) -> None:
    (deployment,) = of_kind(offline_helm.template(HUB_CHART, {**IMAGE, "operator.replicas": replicas}), "Deployment")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (replicas, {"type": "Recreate"})
