"""What keeps tenants apart on a member: the chart's namespaces and rights on a real API server, and who reaches the pods there.

The latter by the member chart's NetworkPolicies and the hub's, worked out here: no network of these tests enforces any.
"""

import hashlib
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.charts.support import JOBS_NS, MEMBER_CHART, OTHER_NS, TENANT_NS, Helm, Hub, may
from integration.charts.test_guard import LABELS, member_job
from network_policies import Peer, connects
from remote_content import content
from remote_specs import isolated_gang
from sampan.api.launch.dependents import dependents
from sampan.api.launch.manifest import job_manifest
from sampan.controller.members.connection.access import namespace_access, tenants_access
from sampan.controller.members.tenants import OfferNamespaces, TenantNamespaces
from sampan.kube.access import Access
from sampan.kube.objects.meta import ConfigMap, ResourceRule

pytestmark = pytest.mark.integration

MINE = f"{JOBS_NS}-{TENANT_NS}"
THEIRS = f"{JOBS_NS}-{OTHER_NS}"


def rules(hub: Hub, namespace: str) -> list[ResourceRule]:
    """What the hub may do in a namespace, by one question."""
    review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=namespace))
    api = hub.member_hub()
    status = client.AuthorizationV1Api(api).create_self_subject_rules_review(review).status
    assert not status.incomplete
    return msgspec.convert(api.sanitize_for_serialization(status.resource_rules), list[ResourceRule])


def test_the_list_says_whose_each_namespace_is(hub: Hub) -> None:
    core = client.CoreV1Api(hub.admin)
    made = TenantNamespaces(problems={MINE: "", THEIRS: ""})
    made.put(JOBS_NS, ConfigMap(data=core.read_namespaced_config_map("sampan-tenants", JOBS_NS).data))
    offers = OfferNamespaces(named=frozenset({JOBS_NS}), per_tenant=frozenset({JOBS_NS}))
    assert {each.tenant: each.namespace for each in made.all(offers) if not each.problem} == {TENANT_NS: MINE, OTHER_NS: THEIRS}
    labels = core.read_namespace(MINE).metadata.labels
    assert (labels["pod-security.kubernetes.io/enforce"], labels["sampan.dev/tenant"]) == ("privileged", TENANT_NS)
    assert core.read_namespaced_resource_quota("sampan", THEIRS).spec.hard == {"pods": "5"}


@pytest.mark.parametrize("namespace", [JOBS_NS, MINE, THEIRS, TENANT_NS, "default"])
def test_one_question_about_a_namespace_answers_as_one_about_each_right(hub: Hub, namespace: str) -> None:
    held = rules(hub, namespace)
    others = [Access(verb=verb, resource="secrets", namespace=namespace) for verb in ("get", "list")]
    asked = (*namespace_access(namespace), *tenants_access(namespace), *others, Access(verb="get", resource="pods", namespace=namespace))
    answers = {each: each.allowed_by(held) for each in asked}
    api = hub.member_hub()
    apart = {each: may(api, each.verb, f"{each.group or 'core'}/{each.resource}", namespace=namespace, name=each.name) for each in asked}
    assert answers == apart
    assert all(answers[each] for each in namespace_access(namespace)) is namespace.startswith(JOBS_NS)


def test_a_job_is_made_and_watched_in_its_tenants_namespace(hub: Hub) -> None:
    batch = client.BatchV1Api(hub.member_hub())
    assert batch.create_namespaced_job(MINE, member_job("tenants"), dry_run="All").metadata.namespace == MINE
    core = client.CoreV1Api(hub.member_hub())
    assert not core.list_namespaced_pod(MINE, label_selector="sampan.dev/hub=hub-1").items
    watched = core.list_namespaced_config_map(JOBS_NS, field_selector="metadata.name=sampan-tenants")
    assert [each.metadata.name for each in watched.items] == ["sampan-tenants"]


def test_a_policy_of_the_hub_opens_nothing_in_a_tenants_namespace(hub: Hub) -> None:
    own = {"podSelector": {"matchLabels": {key: LABELS[key] for key in ("sampan.dev/hub", "sampan.dev/job-uid")}}}
    body = {"metadata": {"name": "gang", "labels": LABELS}, "spec": {**own, "policyTypes": ["Ingress"], "ingress": [{"from": [own]}]}}
    with pytest.raises(ApiException) as refused:
        client.NetworkingV1Api(hub.member_hub()).create_namespaced_network_policy(MINE, body, dry_run="All")
    assert refused.value.status == 403


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
