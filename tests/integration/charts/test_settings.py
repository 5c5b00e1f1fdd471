"""Every setting of the operator can be set by the chart, with the same default, and the README says by which value."""

import json
import re
from typing import Any

import pytest
import yaml

from integration.charts.support import HUB_CHART, SYSTEM, Helm
from integration.charts.test_render import IMAGE, PEM
from integration.support import ROOT
from sampan.controller.runtime.settings import Settings

pytestmark = pytest.mark.integration

OTHER: dict[str, tuple[str, Any, str]] = {
    "provider_namespaces": ("providerNamespaces", ["prov-a", "prov-b"], "prov-a,prov-b"),
    "allow_loopback_members": ("operator.allowLoopbackMembers", True, "true"),
    "allowed_networks": ("operator.allowedNetworks", ["fd12:3456::/48"], "fd12:3456::/48"),
    "denied_networks": ("operator.deniedNetworks", ["10.0.0.0/8", "fd00::/8"], "10.0.0.0/8,fd00::/8"),
    "allowed_proxies": ("operator.allowedProxies", ["proxy.example.com:3128"], "proxy.example.com:3128"),
    "metrics_address": ("operator.metricsPort", 9090, "0.0.0.0:9090"),
    "store": ("storage.urlSecret", "use-store", "use-store"),
    "query_address": ("query.port", 9443, "0.0.0.0:9443"),
    "query_proxy_names": ("query.frontProxyNames", ["front-proxy"], "front-proxy"),
    "home_origins": ("settings.homeOrigins", ["CN", "SG"], "CN,SG"),
    "currency": ("settings.currency", "EUR", "EUR"),
    "events": ("settings.events", False, "false"),
    "log_level": ("settings.logLevel", "DEBUG", "DEBUG"),
    "usage_half_life": ("settings.usageHalfLife", 2_592_000, "2592000"),
}
"""Settings by another value than a number of `settings`: the chart's value, another one, and what the operator is told then."""
BY_RELEASE = {
    "namespace": ("", SYSTEM),
    "query_tls": ("query.tlsSecret", "/etc/sampan/query"),
    "query_host": ("query.tlsSecret", f"sampan-query.{SYSTEM}.svc"),
}
"""Settings that follow from the release: by which value, if any, and what the operator is told."""


def camel(name: str) -> str:
    """A setting's name as the chart has it."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def row(name: str) -> tuple[str, Any, str]:
    """The chart's value of a setting, another value for it, and what the operator is told then."""
    another: float = 64 if Settings.model_fields[name].annotation is int else 77.5
    return OTHER.get(name) or (f"settings.{camel(name)}", another, str(another))


def environment(helm: Helm, values: dict[str, Any]) -> dict[str, str]:
    """What the rendered Deployment tells the operator; of a Secret its name."""
    manifests = helm.template(HUB_CHART, {**IMAGE, "query.frontProxyCA": PEM, **values})
    (deployment,) = (each for each in manifests if each["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {each["name"]: each["value"] if "value" in each else each["valueFrom"]["secretKeyRef"]["name"] for each in variables}


def test_every_setting_can_be_set(offline_helm: Helm) -> None:
    free = [name for name in Settings.model_fields if name not in BY_RELEASE]
    told = environment(offline_helm, {path: value for path, value, _ in map(row, free)})
    assert {name: told.get(f"SAMPAN_{name.upper()}") for name in free} == {name: row(name)[2] for name in free}
    assert {name: told.get(f"SAMPAN_{name.upper()}") for name in BY_RELEASE} == {name: value for name, (_, value) in BY_RELEASE.items()}


def test_the_chart_tells_nothing_that_is_no_setting_and_only_what_can_be_read(offline_helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    told = environment(offline_helm, {})
    assert {name.removeprefix("SAMPAN_").lower() for name in told} <= set(Settings.model_fields)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    Settings()


def test_defaults_of_the_chart_are_those_of_the_operator(monkeypatch: pytest.MonkeyPatch, offline_helm: Helm) -> None:
    values = yaml.safe_load((HUB_CHART / "values.yaml").read_text(encoding="utf-8"))["settings"]
    own = [name for name in Settings.model_fields if row(name)[0].startswith("settings.") and name not in BY_RELEASE]
    assert sorted(values) == sorted(map(camel, own))
    for name, value in environment(offline_helm, {}).items():
        monkeypatch.setenv(name, value)
    told, plain = Settings(), Settings.model_construct()
    assert {name: getattr(told, name) for name in own} == {name: getattr(plain, name) for name in own}


def test_every_setting_is_described_where_it_is_set() -> None:
    """In values.yaml, which `helm show values` prints, and in the schema, which editors show: in the same words."""
    described = re.findall(r"^  # (.+)\n  (\w+):", (HUB_CHART / "values.yaml").read_text(encoding="utf-8"), flags=re.MULTILINE)
    schema = json.loads((HUB_CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]["settings"]["properties"]
    assert set(schema) == {camel(name) for name in Settings.model_fields if row(name)[0].startswith("settings.") and name not in BY_RELEASE}
    assert {name: each.get("description") for name, each in schema.items()} == {name: text for text, name in described if name in schema}


def test_the_readme_names_the_value_of_every_setting() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `SAMPAN_(\w+)` \|[^|]*\| (?:`([^`]*)`)?[^|]*\|", readme, flags=re.MULTILINE)
    want = {name: BY_RELEASE[name][0] if name in BY_RELEASE else row(name)[0] for name in Settings.model_fields}
    assert {name.lower(): value for name, value in told} == want


def test_secrets_travel_from_the_namespaces_that_are_named_and_no_others(offline_helm: Helm) -> None:
    def bound(namespaces: list[str]) -> set[tuple[str, str]]:
        manifests = offline_helm.template(HUB_CHART, {**IMAGE, "tenantNamespaces": namespaces})
        return {
            (each["kind"], each["metadata"].get("namespace", ""))
            for each in manifests
            if each.get("roleRef", {}).get("name") == "sampan-secret-reader"
        }

    assert bound([]) == set()
    assert bound(["team-a", "team-b"]) == {("RoleBinding", "team-a"), ("RoleBinding", "team-b")}
    (role,) = (each for each in offline_helm.template(HUB_CHART, IMAGE) if each["metadata"]["name"] == "sampan-secret-reader")
    assert [rule["verbs"] for rule in role["rules"]] == [["list"]], "by a selector only: a get would know no label"
