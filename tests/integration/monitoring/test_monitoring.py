"""The chart's monitoring: what it renders, that its rules and its dashboard ask for metrics there are, and what promtool says to both."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.charts.support import HUB_CHART, SYSTEM, Helm
from integration.support import PATIENCE, ROOT
from sampan.local.binaries import ALERT_PROGRAMS, Binaries, find

pytestmark = pytest.mark.integration

FILES = HUB_CHART / "monitoring"
RULES = yaml.safe_load((FILES / "rules.yaml").read_text(encoding="utf-8"))
CASES = yaml.safe_load((FILES / "rules_test.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RELEASE = {"release": "kube-prometheus-stack"}
INSTALLED = {"operator.image.repository": "registry.example/sampan"}
ON = {
    **INSTALLED,
    **{f"monitoring.{part}.enabled": True for part in ("serviceMonitor", "rules", "dashboard")},
    **{f"monitoring.{part}.labels": RELEASE for part in ("serviceMonitor", "rules")},
}
KINDS = {"ServiceMonitor", "PrometheusRule"}
STANDARD = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)


def metrics() -> dict[str, set[str]]:
    """Labels of each series that the operator's metrics consist of, by name; from the page that the table generates."""
    found: dict[str, set[str]] = {name: set() for name in STANDARD}
    for name, kind, labels in ROW.findall((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")):
        own = set(re.findall(r"`(\w+)`", labels))
        if kind == "histogram":
            found |= {f"{name}_bucket": {*own, "le"}, f"{name}_sum": own, f"{name}_count": own}
        else:
            found[name] = own
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Each query of rules and dashboard with where it stands."""
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def one(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """The manifest of this kind and name."""
    (found,) = [each for each in documents if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def test_nothing_of_it_is_rendered_unless_asked(offline_helm: Helm) -> None:
    documents = offline_helm.template(HUB_CHART, INSTALLED)
    assert [each["kind"] for each in documents if each["kind"] in KINDS or each["metadata"]["name"] == "sampan-dashboard"] == []


def test_the_service_monitor_selects_the_metrics_service_alone(offline_helm: Helm) -> None:
    documents = offline_helm.template(HUB_CHART, ON)
    monitor = one(documents, "ServiceMonitor", "sampan-operator")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [each for each in documents if each["kind"] == "Service" and wanted <= each["metadata"]["labels"].items()]
    assert [each["metadata"]["name"] for each in services] == ["sampan-metrics"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in [port["name"] for port in services[0]["spec"]["ports"]]
    assert services[0]["metadata"]["namespace"] == monitor["metadata"]["namespace"] == SYSTEM
    assert RELEASE.items() <= monitor["metadata"]["labels"].items()


def test_the_rule_and_the_dashboard_are_the_files(offline_helm: Helm) -> None:
    documents = offline_helm.template(HUB_CHART, ON)
    rule = one(documents, "PrometheusRule", "sampan-operator")
    assert rule["spec"] == RULES
    assert RELEASE.items() <= rule["metadata"]["labels"].items()
    dashboard = one(documents, "ConfigMap", "sampan-dashboard")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["sampan.json"]) == DASHBOARD


def test_the_network_policy_lets_the_scrape_through(offline_helm: Helm) -> None:
    values = {**ON, "networkPolicy.enabled": True, "networkPolicy.apiServerCIDRs": ["203.0.113.0/24"]}
    done = offline_helm.run("template", "x", str(HUB_CHART), "-n", SYSTEM, *Helm.values(values), check=False)
    assert done.returncode != 0
    assert "networkPolicy.metricsNamespace: empty" in done.stderr
    documents = offline_helm.template(HUB_CHART, {**values, "networkPolicy.metricsNamespace": "monitoring"})
    scrape = {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "ports": [{"port": one(documents, "Service", "sampan-metrics")["spec"]["ports"][0]["port"], "protocol": "TCP"}],
    }
    assert scrape in one(documents, "NetworkPolicy", "sampan-operator")["spec"]["ingress"]


@pytest.mark.parametrize("label", ["app.kubernetes.io/name", "not a label"])
def test_labels_that_would_break_the_manifest_are_refused(offline_helm: Helm, label: str) -> None:
    values = Helm.values({**ON, "monitoring.rules.labels": {label: "x"}})
    done = offline_helm.run("template", "x", str(HUB_CHART), *values, check=False)
    assert done.returncode != 0
    assert f"'{label}'" in done.stderr


def test_every_query_asks_for_metrics_and_labels_there_are() -> None:
    known, wrong = metrics(), []
    assert len(known) > 40
    for where, expression in expressions():
        names = re.findall(r"\b(?:sampan|process)_\w+", re.sub(r'"[^"]*"', '""', expression))
        assert names, where
        wrong += [(where, name) for name in names if name not in known]
        labels = {label for name in names for label in known.get(name, set())} | {"job"}
        asked = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression))
        asked |= {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}
        wrong += [(where, label) for label in sorted(asked - labels)]
    assert wrong == []


def test_every_alert_says_what_it_is_and_has_a_case() -> None:
    fired = {
        re.search(r'alertname="(\w+)"', each["expr"])[1]  # type: ignore[index]
        for case in CASES["tests"]
        for each in case["promql_expr_test"]
        if each.get("exp_samples")
    }
    assert {rule["alert"] for rule in ALERTS} == fired
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_the_dashboard_has_the_structure_that_grafana_reads() -> None:
    assert DASHBOARD["schemaVersion"] >= 36  # since then a datasource is named by type and uid
    assert "id" not in DASHBOARD  # a number that the importing Grafana gives
    first, *others = DASHBOARD["templating"]["list"]
    assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", "prometheus")
    assert [each["name"] for each in others] == ["job", "offer", "queue", "tenant"]
    source = {"type": "prometheus", "uid": "${datasource}"}
    asked = [*others, *PANELS, *(target for panel in PANELS for target in panel["targets"])]
    assert [each for each in asked if each["datasource"] != source] == []
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert {panel["type"] for panel in PANELS} <= {"stat", "timeseries", "table"}
    for panel in PANELS:
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]), panel["title"]
        variables = set(re.findall(r"\$(\w+)", json.dumps(panel["targets"]))) - {"__rate_interval"}
        assert variables <= {each["name"] for each in others}, panel["title"]


def test_no_panel_of_the_dashboard_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.fixture(scope="module")
def offline_helm(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without any cluster."""
    return Helm(binary=binaries["helm"], cache=tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def promtool() -> str:
    """Promtool, where it is; it is not built for a test."""
    found = find(ALERT_PROGRAMS)
    if "promtool" not in found:
        pytest.skip("no promtool of this release's version: `sampan local binaries --promtool` builds it")
    return Binaries(paths=found)["promtool"]


def ran(*command: str | Path) -> str:
    """What a command says, which must succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_takes_the_rules_and_each_alert_fires_when_it_should(promtool: str) -> None:
    assert f"{len(ALERTS)} rules found" in ran(promtool, "check", "rules", FILES / "rules.yaml")
    assert "SUCCESS" in ran(promtool, "test", "rules", FILES / "rules_test.yaml")


def test_promtool_reads_every_query_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    queries = [re.sub(r"\$__rate_interval", "5m", target["expr"]) for panel in PANELS for target in panel["targets"]]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert f"{len(queries)} rules found" in ran(promtool, "check", "rules", file)
