"""Who reaches the pods of jobs by the member chart's NetworkPolicies and the hub's: worked out here, for no network of these tests does."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from integration.charts.support import MEMBER_CHART, Helm
from network_policies import Peer, connects
from remote_content import content
from remote_specs import isolated_gang
from sampan.api.launch.dependents import dependents
from sampan.api.launch.manifest import job_manifest

pytestmark = pytest.mark.integration

SHARED, TEAM_A, TEAM_B = "sampan-jobs", "sampan-jobs-team-a", "sampan-jobs-team-b"
VALUES: dict[str, Any] = {"tenants": ["team-a", "team-b"]}
GANG = isolated_gang()
RANK = Peer(namespace=SHARED, labels=job_manifest(GANG)["spec"]["template"]["metadata"]["labels"])
OTHER_JOB = replace(RANK, labels={**RANK.labels, "sampan.dev/job-uid": "another"})
OTHER_HUB = replace(RANK, labels={**RANK.labels, "sampan.dev/hub": "another"})
WEB, MONITOR, OUTSIDE = Peer(namespace="web"), Peer(namespace="monitoring"), Peer(ip="203.0.113.7")
A_POD, B_POD = Peer(namespace=TEAM_A, labels={"sampan.dev/job-uid": "a"}), Peer(namespace=TEAM_B, labels={"sampan.dev/job-uid": "b"})
DNS: dict[str, Any] = {"port": 53, "protocol": "UDP"}


def policies(helm: Helm, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The chart's, and that of one gang in the shared namespace."""
    made = [each for each in helm.template(MEMBER_CHART, {**VALUES, **values}) if each["kind"] == "NetworkPolicy"]
    gang = [dict(each.body) for each in dependents(GANG, content(GANG)) if each.resource == "networkpolicies"]
    return made + gang


@pytest.mark.parametrize(
    ("source", "target", "want"),
    [
        pytest.param(RANK, RANK, True, id="the ranks of a gang reach each other"),
        pytest.param(OTHER_JOB, RANK, False, id="another job in the shared namespace does not"),
        pytest.param(OTHER_HUB, RANK, False, id="nor one of another hub"),
        pytest.param(RANK, OTHER_JOB, False, id="nor the gang any other"),
        pytest.param(WEB, RANK, False, id="nor a pod of another namespace"),
        pytest.param(OUTSIDE, RANK, False, id="nor an address outside"),
        pytest.param(A_POD, A_POD, True, id="pods in a tenant's namespace reach each other"),
        pytest.param(A_POD, B_POD, False, id="those of two tenants do not"),
        pytest.param(RANK, A_POD, False, id="nor those of the shared namespace a tenant's"),
        pytest.param(A_POD, RANK, False, id="nor a tenant's those of the shared namespace"),
        pytest.param(MONITOR, A_POD, False, id="nor does what the provider did not name"),
        pytest.param(A_POD, WEB, True, id="what they reach is not limited unless asked for"),
        pytest.param(A_POD, OUTSIDE, True, id="nor is the internet"),
    ],
)
def test_pods_of_jobs_are_reached_by_their_own_only(offline_helm: Helm, source: Peer, target: Peer, want: bool) -> None:
    assert connects(policies(offline_helm, {}), source, target) is want


def test_without_the_hubs_policy_a_gang_in_the_shared_namespace_would_not_reach_itself(offline_helm: Helm) -> None:
    assert not connects(policies(offline_helm, {})[:-1], RANK, RANK)


def test_peers_that_the_provider_names_reach_all_jobs(offline_helm: Helm) -> None:
    watching = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    made = policies(offline_helm, {"networkPolicy.allowIngressFrom": watching})
    assert [connects(made, MONITOR, target) for target in (RANK, A_POD, B_POD)] == [True] * 3
    assert [connects(made, WEB, target) for target in (RANK, A_POD)] == [False] * 2


def test_with_restricted_egress_pods_reach_dns_the_internet_and_their_own(offline_helm: Helm) -> None:
    made = policies(offline_helm, {"networkPolicy.egress.restricted": True})
    metadata, node, six = Peer(ip="169.254.169.254"), Peer(ip="10.0.0.4"), Peer(ip="2001:db8::1")
    for pod in (RANK, A_POD):
        assert connects(made, pod, pod)
        assert connects(made, pod, Peer(namespace="kube-system"), **DNS)
        assert not connects(made, pod, Peer(namespace="kube-system"), port=443)
        assert [connects(made, pod, each, port=443) for each in (OUTSIDE, six)] == [True, True]
        assert [connects(made, pod, each, port=80) for each in (metadata, node, Peer(ip="fd00::1"))] == [False] * 3
    closed = policies(offline_helm, {"networkPolicy.egress": {"restricted": True, "dns": False, "internet": False}})
    assert connects(closed, A_POD, A_POD)
    assert not connects(closed, A_POD, OUTSIDE)
    assert not connects(closed, A_POD, Peer(namespace="kube-system"), **DNS)


def test_egress_rules_of_the_provider_are_added(offline_helm: Helm) -> None:
    rule = {"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 9000}]}
    made = policies(offline_helm, {"networkPolicy.egress": {"restricted": True, "dns": True, "internet": False, "allow": [rule]}})
    store = Peer(ip="10.9.0.1")
    assert (connects(made, A_POD, store, port=9000), connects(made, A_POD, store, port=22)) == (True, False)


def test_a_tenants_namespace_has_the_name_that_the_docs_say(offline_helm: Helm) -> None:
    long = "t" * 63
    made = offline_helm.template(MEMBER_CHART, {"tenants": ["team-a", long, {"name": "team-c", "namespace": "gpu-c"}]})
    (listed,) = [each["data"] for each in made if each["kind"] == "ConfigMap"]
    names = {each["metadata"]["name"] for each in made if each["kind"] == "Namespace"}
    assert listed["team-a"] == "sampan-jobs-team-a"
    assert listed["team-c"] == "gpu-c"
    assert listed[long] == f"sampan-jobs-{'t' * 42}-{hashlib.sha256(long.encode()).hexdigest()[:8]}"
    assert names == {"sampan-jobs", *listed.values()}
    assert all(len(name) <= 63 for name in names)


@pytest.mark.parametrize(
    ("tenants", "want"),
    [
        (["team-a", "team-a"], "is there twice"),
        (["team-a", {"name": "team-b", "namespace": "sampan-jobs-team-a"}], "that of another entry"),
        ([{"name": "team-a", "namespace": "sampan-jobs"}], "that of another entry, or namespace.name"),
        ([{"name": "team-a", "namespace": "sampan-system"}], "is the release's own"),
        (["Team_A"], "does not match pattern"),
    ],
)
def test_tenants_that_would_share_a_namespace_are_refused(offline_helm: Helm, tenants: list[Any], want: str) -> None:
    done = offline_helm.run("template", "x", str(MEMBER_CHART), "-n", "sampan-system", *Helm.values({"tenants": tenants}), check=False)
    assert done.returncode != 0
    assert want in done.stderr
