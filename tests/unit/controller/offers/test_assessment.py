"""What an offer is worth, as a table: claims against grants and link facts."""

from dataclasses import replace
from typing import Any

import pytest

from member_objects import HUB, MEMBER, offer_body, provider_body
from sampan.api.convert.offers import DeclaredOffer, declared_offer, provider_grant
from sampan.controller.members.facts import LinkFacts, PodRules
from sampan.controller.members.tenants import TenantNamespace
from sampan.controller.offers.assessment import AssessedOffer, HubFacts, assess, draining, grant_for, holder_of, overcommitted, schedulable
from sampan.model.members.offer_reasons import OfferReason, invalid_kubeconfig

NOW = 1_767_225_600_000
GRANT = provider_grant(provider_body(offerLabels={"tier": ["gold"]}))
GOOD = LinkFacts(connected=True, reason=OfferReason.CONNECTED, cluster_uid=MEMBER, version="v1.36.3", missing=())


def claim(name: str = "one", **over: Any) -> DeclaredOffer:
    return declared_offer(offer_body(name, **over))


def judged(made: DeclaredOffer, facts: LinkFacts = GOOD, *, grants: Any = (GRANT,), holder: DeclaredOffer | None = None) -> AssessedOffer:
    return assess(made, grants, facts, holder=holder, hub=HubFacts(cluster_uid=HUB))


@pytest.mark.parametrize(
    ("made", "grants", "want_reason", "want_words"),
    [
        (claim(), (), "NoProvider", "there is no Provider"),
        (claim(namespace="prov-z"), (GRANT,), "NamespaceNotGranted", "namespace prov-z"),
        (claim(jurisdiction="US"), (GRANT,), "JurisdictionNotGranted", "spec.jurisdictions of Provider alpha"),
        (claim(region="eu-west"), (GRANT,), "RegionNotGranted", "spec.regions of Provider alpha"),
        (claim(terms="Trial"), (GRANT,), "TermsNotGranted", "spec.terms of Provider alpha"),
        (claim(region="not a region"), (GRANT,), "InvalidSpec", "spec.region"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_not_granted_is_refused_and_nothing_of_it_passed_on(
    made: DeclaredOffer, grants: Any, want_reason: str, want_words: str
) -> None:
    joined = judged(made, grants=grants)
    assert (joined.approved.is_true, joined.approved.reason) == (False, want_reason)
    assert want_words in joined.approved.message
    assert (joined.offer.approved, joined.offer.region, joined.offer.jurisdiction, dict(joined.offer.labels)) == (False, "", "", {})
    summary = schedulable(made, joined, has_pools=True, now=NOW)
    assert (summary.is_true, summary.reason) == (False, "NotApproved")


def test_a_granted_offer_passes_on_granted_labels_only() -> None:
    joined = judged(claim(meta={"labels": {"tier": "gold", "app": "x"}}))
    assert (joined.approved.is_true, joined.approved.reason) == (True, "LabelNotGranted")
    assert "app" in joined.approved.message
    assert dict(joined.offer.labels) == {"tier": "gold"}
    assert joined.offer.provider == "alpha"
    assert judged(claim(meta={"labels": {"tier": "lead"}})).offer.labels == {}
    assert judged(claim()).approved.reason == "Granted"


PRICE = {
    "id": "p",
    "resource": {"acceleratorClass": "huawei-910b3-64gb"},
    "per": "DeviceHour",
    "price": "1.00",
    "validFrom": "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("made", "spec", "want_reason", "want_words"),
    [
        (claim(pools=[{}, {"acceleratorClass": "huawei-910b3-64gb"}]), {}, "OverrideNotTrusted", "spec.pools[1].acceleratorClass"),
        (claim(pools=[{"acceleratorClass": "huawei-910b3-64gb"}]), {"trustPoolOverrides": True}, "Granted", "granted by"),
        (claim(pools=[{"maxDevices": 4}]), {}, "Granted", "granted by"),
        (claim(prices=[{**PRICE, "currency": "CNY"}, {**PRICE, "id": "q", "currency": "EUR"}]), {}, "ForeignCurrency", "spec.prices[1]"),
        (claim(prices=[{**PRICE, "currency": "CNY"}]), {}, "Granted", "granted by"),
    ],
)
def test_what_is_approved_but_not_used_is_named(made: DeclaredOffer, spec: dict[str, Any], want_reason: str, want_words: str) -> None:
    approved = judged(made, grants=(provider_grant(provider_body(**spec)),)).approved
    assert not made.problem
    assert (approved.is_true, approved.reason) == (True, want_reason)
    assert want_words in approved.message


def test_everything_that_is_not_used_is_named_at_once() -> None:
    made = claim(meta={"labels": {"app": "x"}}, pools=[{"acceleratorClass": "a"}], prices=[{**PRICE, "currency": "EUR"}])
    approved = judged(made).approved
    assert approved.reason == "LabelNotGranted"
    assert all(word in approved.message for word in ("app", "spec.pools[0].acceleratorClass", "spec.prices[0].currency", "CNY"))


@pytest.mark.parametrize(
    ("made", "facts", "holder", "want"),
    [
        (claim(), GOOD, None, (True, "Connected")),
        (claim(), LinkFacts(reason=OfferReason.SECRET_NOT_FOUND, message="m"), None, (False, "SecretNotFound")),
        (claim(), LinkFacts(reason=invalid_kubeconfig("ExecNotAllowed")), None, (False, "InvalidKubeconfig/ExecNotAllowed")),
        (claim(), replace(GOOD, cluster_uid=HUB), None, (False, "HubAsMember")),
        (claim(status={"clusterUID": "another"}), GOOD, None, (False, "IdentityChanged")),
        (claim(status={"clusterUID": MEMBER}), GOOD, None, (True, "Connected")),
        (claim(), GOOD, claim(namespace="prov-b"), (False, "DuplicateCluster")),
        (claim(), GOOD, claim("second"), (True, "Connected")),
    ],
)
def test_connected_says_what_the_link_found_and_whose_the_cluster_is(
    made: DeclaredOffer, facts: LinkFacts, holder: DeclaredOffer | None, want: tuple[bool, str]
) -> None:
    joined = judged(made, facts, holder=holder)
    assert (joined.connected.is_true, joined.connected.reason) == want
    assert joined.offer.connected is want[0]


def test_a_refused_cluster_is_not_the_offers_cluster() -> None:
    assert judged(claim(), GOOD, holder=claim(namespace="prov-b")).offer.cluster_uid is None
    assert judged(claim(status={"clusterUID": "old"}), GOOD).offer.cluster_uid == "old"
    assert judged(claim(), GOOD).offer.cluster_uid == MEMBER


@pytest.mark.parametrize(
    ("facts", "want"),
    [
        (replace(GOOD, missing=None), ("Unknown", "NotReviewed", "not asked")),
        (
            replace(GOOD, missing=("list nodes",), absent=(("sampan-jobs", "namespace sampan-jobs is being deleted"),)),
            ("False", "NamespaceMissing", "namespace sampan-jobs is being deleted"),
        ),
        (
            replace(GOOD, missing=("create jobs.batch in a", "list nodes")),
            ("False", "MissingPermissions", "[create jobs.batch in a, list nodes]"),
        ),
        (replace(GOOD, over_privileged=True), ("True", "OverPrivileged", "OverPrivileged")),
        (GOOD, ("True", "PermissionsSufficient", "")),
        (replace(GOOD, rules=PodRules(unseen=("limitranges",))), ("True", "PermissionsSufficient", "may not look at limitranges")),
    ],
)
def test_permissions_name_what_is_missing(facts: LinkFacts, want: tuple[str, str, str]) -> None:
    verdict = judged(claim(), facts).permitted
    assert (verdict.status, verdict.reason) == want[:2]
    assert want[2] in verdict.message


@pytest.mark.parametrize(
    ("over", "facts", "has_pools", "want"),
    [
        ({}, GOOD, True, (True, "Schedulable")),
        ({"meta": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, GOOD, True, (False, "Draining")),
        ({}, LinkFacts(), True, (False, "NotConnected")),
        ({}, replace(GOOD, missing=("x",)), True, (False, "PermissionsMissing")),
        ({"meta": {"finalizers": []}}, GOOD, True, (False, "FinalizerMissing")),
        ({"accepting": False}, GOOD, True, (False, "NotAccepting")),
        ({"validity": {"until": "2025-12-31T00:00:00Z"}}, GOOD, True, (False, "NotValid")),
        ({"validity": {"from": "2026-06-01T00:00:00Z"}}, GOOD, True, (False, "NotValid")),
        ({}, GOOD, False, (False, "NoPools")),
    ],
)
def test_schedulable_is_the_summary(over: dict[str, Any], facts: LinkFacts, has_pools: bool, want: tuple[bool, str]) -> None:
    made = claim(**over)
    verdict = schedulable(made, judged(made, facts), has_pools=has_pools, now=NOW)
    assert (verdict.is_true, verdict.reason) == want


def test_an_offer_without_finalizer_or_being_deleted_takes_no_jobs() -> None:
    assert not judged(claim(meta={"finalizers": []})).offer.accepting
    assert not judged(claim(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})).offer.accepting
    assert judged(claim()).offer.accepting


def test_draining_tells_whether_jobs_are_left() -> None:
    gone = claim(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert draining(claim(), in_use=True) is None
    found = [draining(gone, in_use=in_use) for in_use in (True, False)]
    assert [verdict and verdict.reason for verdict in found] == ["JobsBound", "Drained"]
    waits = draining(gone, in_use=True, waits_for="2 jobs are left; 1 stalled, such as by WaitingForPods: Node n1")
    assert waits is not None
    assert waits.message.endswith("when the last one is gone: 2 jobs are left; 1 stalled, such as by WaitingForPods: Node n1")


def test_overcommitted_names_each_rule_that_is_exceeded() -> None:
    assert overcommitted({0: (8, 8)}) is None
    verdict = overcommitted({0: (8, 8), 2: (9, 8)})
    assert verdict is not None
    assert verdict.message == "spec.pools[2].maxDevices is 8, 9 in use"


def test_a_namespace_is_of_the_oldest_provider_that_names_it() -> None:
    young = replace(GRANT, name="beta", uid="b", created=GRANT.created + 1)
    found = [grant_for("prov-a", grants) for grants in ((young, GRANT), (GRANT, young))]
    assert [grant and grant.name for grant in found] == ["alpha", "alpha"]
    assert grant_for("elsewhere", (GRANT,)) is None


def test_a_cluster_is_with_whom_it_was_joined_then_with_the_earliest() -> None:
    old, young = claim("a"), claim("b", meta={"creationTimestamp": "2026-02-01T00:00:00Z"})
    joined = replace(young, known_cluster_uid=MEMBER)
    assert holder_of(MEMBER, [(young, MEMBER), (old, MEMBER)]) is old
    assert holder_of(MEMBER, [(old, MEMBER), (joined, MEMBER)]) is joined
    assert holder_of(MEMBER, [(old, "another"), (young, None)]) is None


def test_messages_fit_the_schema() -> None:
    many = tuple(f"create things{index}.example in namespace-{index}" for index in range(200))
    assert len(judged(claim(), replace(GOOD, missing=many)).permitted.message) == 1024


def entry(tenant: str, namespace: str, problem: str = "", *, listed_in: str = "sampan-jobs") -> TenantNamespace:
    return TenantNamespace(listed_in=listed_in, tenant=tenant, namespace=namespace, problem=problem)


def test_an_offer_that_keeps_tenants_apart_has_the_namespaces_that_can_be_used() -> None:
    made = claim(remoteNamespacePolicy="PerTenant")
    levels = (("jobs-a", "baseline"), ("jobs-c", "privileged"), ("sampan-jobs", "restricted"))
    listed = entry("team-a", "jobs-a"), entry("team-b", "jobs-b", "it is being deleted"), entry("team-c", "jobs-c")
    facts = replace(GOOD, tenants=listed, rules=PodRules(pod_security=levels))
    joined = judged(made, facts)
    assert joined.offer.tenant_namespaces == {"team-a": "jobs-a", "team-c": "jobs-c"}
    assert joined.offer.pod_security == "baseline", "the strictest of those where its jobs run"
    assert (joined.permitted.is_true, "team-b (it is being deleted)" in joined.permitted.message) == (True, True)
    none = judged(made)
    assert (none.offer.tenant_namespaces, none.permitted.is_true) == ({}, True)
    assert "lists no tenant" in none.permitted.message
    shared = judged(claim(), facts)
    assert (shared.offer.tenant_namespaces, shared.offer.pod_security, shared.permitted.message) == (None, "restricted", "")


def test_a_tenants_namespace_that_is_not_followed_is_not_used() -> None:
    wrong = (("jobs-a", OfferReason.NOT_FOLLOWED, "the watch on jobs/jobs-a does not work"),)
    facts = replace(GOOD, tenants=(entry("team-a", "jobs-a"), entry("team-z", "jobs-z", listed_in="elsewhere")), behind=wrong)
    (mine,) = facts.of("sampan-jobs").tenants
    assert (mine.tenant, "does not work" in mine.problem) == ("team-a", True)
    assert facts.of("sampan-jobs").connected
