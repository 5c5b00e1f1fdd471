"""What the operator's NetworkPolicy lets through, by the API's own rules: a flow passes where one rule names both its peer and its port."""

import ipaddress
from typing import Any

import pytest

from integration.charts.support import HUB_CHART, Helm
from integration.charts.test_render import IMAGE, PEM, of_kind

pytestmark = pytest.mark.integration

VALUES = {
    **IMAGE,
    "query.frontProxyCA": PEM,
    "storage.urlSecret": "use-store",
    "networkPolicy.enabled": True,
    "networkPolicy.apiServerCIDRs": ["203.0.113.0/24", "2001:db8::/32"],
    "networkPolicy.metricsNamespace": "monitoring",
    "networkPolicy.database": {"namespace": "databases", "cidrs": ["198.51.100.7/32"], "port": 6432},
}
FLOWS: dict[str, tuple[str, str, int, str, bool]] = {
    "the API server of hub or member": ("egress", "203.0.113.9", 6443, "TCP", True),
    "one by IPv6": ("egress", "2001:db8::1", 443, "TCP", True),
    "DNS": ("egress", "kube-system", 53, "UDP", True),
    "DNS by TCP": ("egress", "kube-system", 53, "TCP", True),
    "a DNS cache on the node": ("egress", "169.254.20.10", 53, "UDP", True),
    "the database in the cluster": ("egress", "databases", 6432, "TCP", True),
    "the database elsewhere": ("egress", "198.51.100.7", 6432, "TCP", True),
    "something else beside the database": ("egress", "198.51.100.7", 22, "TCP", False),
    "somebody else": ("egress", "192.0.2.1", 443, "TCP", False),
    "another service of kube-system": ("egress", "kube-system", 443, "TCP", False),
    "the metadata service of a cloud": ("egress", "169.254.169.254", 80, "TCP", False),
    "a scrape": ("ingress", "monitoring", 8080, "TCP", True),
    "a scrape from elsewhere": ("ingress", "team-a", 8080, "TCP", False),
    "a question by the API server": ("ingress", "203.0.113.9", 8443, "TCP", True),
    "a question from elsewhere": ("ingress", "team-a", 8443, "TCP", False),
}
"""Direction, the other side (an address or a namespace), port, protocol, and whether it shall pass."""


def passes(policy: dict[str, Any], direction: str, other: str, *, port: int, protocol: str) -> bool:
    """Tell whether one rule lets a flow through."""
    sides = "to" if direction == "egress" else "from"
    return any(
        any(_is(peer, other) for peer in rule[sides])
        and ("ports" not in rule or any((each["port"], each["protocol"]) == (port, protocol) for each in rule["ports"]))
        for rule in policy["spec"][direction]
    )


def _is(peer: dict[str, Any], other: str) -> bool:
    if "ipBlock" in peer:
        return other[0].isdigit() and ipaddress.ip_address(other) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
    return bool(peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": other})


def test_what_the_operator_needs_passes_and_nothing_else(offline_helm: Helm) -> None:
    [policy] = of_kind(offline_helm.template(HUB_CHART, VALUES), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    seen = {name: passes(policy, *flow[:2], port=flow[2], protocol=flow[3]) for name, flow in FLOWS.items()}
    assert seen == {name: flow[4] for name, flow in FLOWS.items()}


def test_the_policy_is_of_the_operator_and_not_of_the_guard(offline_helm: Helm) -> None:
    """The guard's pod reaches the API server whatever networks are named: it must be able to refuse."""
    manifests = offline_helm.template(HUB_CHART, VALUES)
    [policy] = of_kind(manifests, "NetworkPolicy")
    chosen = policy["spec"]["podSelector"]["matchLabels"].items()
    labels = {each["kind"]: each["spec"]["template"]["metadata"]["labels"] for each in of_kind(manifests, "Deployment", "Job")}
    assert chosen <= labels["Deployment"].items()
    assert not chosen <= labels["Job"].items()


@pytest.mark.parametrize(
    ("left_out", "want"),
    [
        ("networkPolicy.apiServerCIDRs", "the operator would reach no API server"),
        ("networkPolicy.database", "names a database that no rule lets the operator reach"),
    ],
)
def test_a_policy_that_cuts_the_operator_off_is_refused_in_words(offline_helm: Helm, left_out: str, want: str) -> None:
    values = {name: value for name, value in VALUES.items() if name != left_out}
    done = offline_helm.run("template", "x", str(HUB_CHART), *Helm.values(values), check=False)
    assert done.returncode != 0
    assert f"{left_out}: " in done.stderr
    assert want in done.stderr


@pytest.mark.parametrize("namespace", ["platform", "a"])
def test_the_chart_lives_in_any_namespace(offline_helm: Helm, namespace: str) -> None:
    text = offline_helm.run("template", "x", str(HUB_CHART), "-n", namespace, *Helm.values(VALUES)).stdout
    assert "sampan-system" not in text
    assert f"system:serviceaccount:{namespace}:sampan-operator" in text
    assert f"value: sampan-query.{namespace}.svc" in text
