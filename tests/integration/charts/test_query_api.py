"""How the hub chart registers the query API: by the operator's own certificate or by one that is brought, and not without a front proxy."""

import base64
import json
from typing import Any

import pytest

from integration.charts.support import HUB_CHART, MEMBER_CHART, SYSTEM, Helm
from integration.charts.test_render import IMAGE, PEM, of_kind

pytestmark = pytest.mark.integration


def query_of(manifests: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """The APIService's spec, the pod's spec and the operator's environment."""
    (registered,) = of_kind(manifests, "APIService")
    (deployment,) = of_kind(manifests, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    return registered["spec"], pod, {each["name"]: each.get("value", "") for each in pod["containers"][0]["env"]}


def of_api_services(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules of all roles that name APIServices."""
    return [rule for role in of_kind(manifests, "ClusterRole", "Role") for rule in role["rules"] if "apiservices" in rule["resources"]]


def test_the_operator_makes_the_query_certificate_and_may_tell_of_it(offline_helm: Helm) -> None:
    manifests = offline_helm.template(HUB_CHART, {**IMAGE, "query.frontProxyCA": PEM})
    registered, pod, told = query_of(manifests)
    assert "caBundle" not in registered, "it is the operator's to write: an upgrade must not take it away"
    service = next(each for each in of_kind(manifests, "Service") if each["metadata"]["name"] == registered["service"]["name"])
    assert service["spec"]["ports"][0]["port"] == registered["service"]["port"]
    assert told["SAMPAN_QUERY_TLS"] in {each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert told["SAMPAN_QUERY_HOST"] == f"sampan-query.{SYSTEM}.svc"
    assert told["SAMPAN_QUERY_PROXY_NAMES"] == "front-proxy-client"
    assert [(rule["resourceNames"], rule["verbs"]) for rule in of_api_services(manifests)] == [
        (["v1alpha1.query.sampan.dev"], ["get", "patch"])
    ]
    assert [secret["metadata"]["name"] for secret in of_kind(manifests, "Secret")] == ["sampan-renewed-tokens"], "none for a certificate"
    assert next(each for each in of_kind(manifests, "ConfigMap") if each["metadata"]["name"] == "sampan-front-proxy")["data"] == {
        "ca.crt": PEM
    }


def test_a_query_certificate_may_be_brought(offline_helm: Helm) -> None:
    given = {"query.frontProxyCA": PEM, "query.tlsSecret": "query-tls", "query.caBundle": PEM}
    manifests = offline_helm.template(HUB_CHART, {**IMAGE, **given})
    registered, pod, told = query_of(manifests)
    assert base64.b64decode(registered["caBundle"]).decode() == PEM
    assert "SAMPAN_QUERY_HOST" not in told
    (mounted,) = (volume["projected"]["sources"] for volume in pod["volumes"] if volume["name"] == "query")
    assert mounted == [{"secret": {"name": "query-tls"}}, {"configMap": {"name": "sampan-front-proxy"}}]
    assert of_api_services(manifests) == []


def test_without_the_front_proxy_s_ca_there_is_no_query_api(offline_helm: Helm) -> None:
    manifests = offline_helm.template(HUB_CHART, IMAGE)
    assert of_kind(manifests, "APIService") == []
    (deployment,) = of_kind(manifests, "Deployment")
    assert "SAMPAN_QUERY" not in json.dumps(deployment)


@pytest.mark.parametrize("brought", [False, True])
def test_the_operator_may_ask_who_may_enter_a_job_wherever_it_answers(offline_helm: Helm, brought: bool) -> None:
    given = {"query.tlsSecret": "query-tls", "query.caBundle": PEM} if brought else {}
    (operator,) = (
        role
        for role in of_kind(offline_helm.template(HUB_CHART, {**IMAGE, "query.frontProxyCA": PEM, **given}), "ClusterRole")
        if role["metadata"]["name"] == "sampan-operator"
    )
    assert [rule["verbs"] for rule in operator["rules"] if "subjectaccessreviews" in rule["resources"]] == [["create"]]


@pytest.mark.parametrize(
    ("values", "want"),
    [
        ({}, []),
        ({"pods.exec": True}, ["pods/exec"]),
        ({"pods.attach": True, "pods.portForward": True}, ["pods/attach", "pods/portforward"]),
        ({"pods.exec": True, "tenants": ["team-a"]}, ["pods/exec"]),
    ],
)
def test_a_provider_lets_people_into_pods_only_where_it_says_so(offline_helm: Helm, values: dict[str, Any], want: list[str]) -> None:
    manifests = offline_helm.template(MEMBER_CHART, values)
    roles = [role for role in of_kind(manifests, "Role") if role["metadata"]["name"] == "sampan-hub"]
    assert len(roles) == 1 + len(values.get("tenants", []))
    streams = {"pods/exec", "pods/attach", "pods/portforward"}
    for role in roles:
        rules = [rule for rule in role["rules"] if streams & set(rule["resources"])]
        assert [(rule["resources"], rule["verbs"]) for rule in rules] == ([(want, ["get", "create"])] if want else [])
    for role in of_kind(manifests, "ClusterRole"):
        assert not any(streams & set(rule["resources"]) for rule in role["rules"])
