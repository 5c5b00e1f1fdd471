"""Offers, Providers, classes and policies become values; what does not parse names object and field, never a value."""

from typing import Any

import pytest

from member_objects import offer_body, provider_body
from sampan.api.convert.classes import class_of
from sampan.api.convert.offers import InvalidObjectError, SecretRef, declared_offer, provider_grant, selector_of
from sampan.api.convert.policies import policy_of, queue_of
from sampan.api.fields.selector import LabelSelector
from sampan.model.members.offer import OfferKey, Terms
from sampan.model.values.selector import Expression, Operator


def test_a_claim_carries_every_field_in_base_units() -> None:
    body = offer_body(
        accepting=False,
        validity={"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
        pools=[{"nodeSelector": {"matchLabels": {"rack": "r7"}}, "acceleratorClass": "huawei-910b3-64gb", "maxDevices": 64}],
        prices=[
            {"id": "p1", "resource": {"acceleratorClass": "x"}, "per": "DeviceHour", "price": "12.50", "currency": "CNY"}
            | {"validFrom": "2026-01-01T00:00:00Z"}
        ],
        launch={"imagePullSecrets": [{"name": "registry"}]},
        status={"clusterUID": "c-1"},
        meta={"labels": {"tier": "gold"}, "deletionTimestamp": "2026-01-03T00:00:00Z"},
    )
    claim = declared_offer(body)
    assert (claim.key, claim.generation, claim.deleting, claim.problem) == (OfferKey("prov-a", "one"), 3, True, "")
    assert claim.secret == SecretRef("prov-a", "kc", "kubeconfig")
    assert (claim.region, claim.jurisdiction, claim.terms, claim.accepting) == ("cn-east", "CN", Terms.ON_DEMAND, False)
    assert (claim.valid_from, claim.valid_until) == (1_767_225_600_000, 1_767_312_000_000)
    assert (claim.rules[0].accelerator_class, claim.rules[0].max_devices) == ("huawei-910b3-64gb", 64)
    assert (claim.prices[0].amount, claim.prices[0].valid_from) == (12_500_000, 1_767_225_600_000)
    assert (claim.image_pull_secrets, claim.known_cluster_uid, dict(claim.labels)) == (("registry",), "c-1", {"tier": "gold"})


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"region": "has spaces"}, "spec.region"),
        ({"terms": "Whenever"}, "spec.terms"),
        ({"surprise": 1}, "spec.surprise"),
        ({"accepting": "yes"}, "spec.accepting"),
    ],
)
def test_a_spec_that_does_not_parse_keeps_what_was_known_and_names_the_field(spec: dict[str, Any], field: str) -> None:
    good = declared_offer(offer_body())
    bad = declared_offer(offer_body(version=6, **spec), good)
    assert f"ClusterOffer prov-a/one: {field}" in bad.problem
    assert "has spaces" not in bad.problem
    assert (bad.secret, bad.region, bad.resource_version) == (good.secret, "cn-east", "6")
    assert declared_offer(offer_body(**spec)).secret is None
    assert declared_offer({"metadata": offer_body()["metadata"], "spec": "text"}).problem.endswith("spec is missing")


def test_a_price_that_cannot_be_mended_in_place_tells_the_way_out() -> None:
    entry = {"id": "p1", "resource": {"acceleratorClass": "x"}, "currency": "CNY", "validFrom": "2026-01-01T00:00:00Z", "price": 1.1234567}
    bad = declared_offer(offer_body(prices=[entry])).problem
    assert "spec.prices[0].price: should be an amount such as 250 or 12.50, with at most six decimal places" in bad
    assert "make a new offer" in bad
    assert "new offer" not in declared_offer(offer_body(region="has spaces")).problem


def test_a_repaired_spec_loses_its_problem() -> None:
    bad = declared_offer(offer_body(region="has spaces"))
    assert declared_offer(offer_body(), bad).problem == ""


def test_a_grant_allows_labels_by_value_or_any() -> None:
    grant = provider_grant(provider_body(offerLabels={"tier": ["gold", "silver"], "note": ["*"]}, trustPoolOverrides=True))
    assert grant.trusts_overrides
    assert [grant.grants_label("tier", v) for v in ("gold", "lead")] == [True, False]
    assert grant.grants_label("note", "anything")
    assert not grant.grants_label("other", "x")


@pytest.mark.parametrize("convert", [provider_grant, class_of, policy_of, queue_of])
def test_a_broken_object_is_an_error_that_names_it(convert: Any) -> None:
    with pytest.raises(InvalidObjectError, match="broken: spec"):
        convert({"metadata": {"name": "broken"}, "spec": {"nonsense": True}})
    with pytest.raises(InvalidObjectError, match="broken: spec is missing"):
        convert({"metadata": {"name": "broken"}})


def test_selectors_are_canonical() -> None:
    one = LabelSelector.model_validate({"matchLabels": {"b": "2", "a": "1"}})
    two = LabelSelector.model_validate(
        {"matchExpressions": [{"key": k, "operator": "In", "values": [v]} for k, v in (("a", "1"), ("b", "2"))]}
    )
    assert selector_of(one) == selector_of(two)
    assert selector_of(one).expressions[0] == Expression("a", Operator.IN, ("1",))
    assert selector_of(None).matches({})


def test_what_an_offer_limits_and_adds_becomes_values() -> None:
    said: dict[str, Any] = {
        "tenants": {"matchLabels": {"tier": "gold"}},
        "limits": {"maxRunSeconds": 3600, "maxDevicesPerJob": 64},
        "memberQueue": {"kueue": "gpu"},
        "energy": {"pue": "1.25", "renewableShare": "0.42", "gCO2PerKWh": 410, "asOf": "2026-01-01T00:00:00Z"},
        "launch": {"schedulerName": "volcano", "imagePullSecrets": [{"name": "pull"}]},
    }
    claim = declared_offer(offer_body(**said))
    assert claim.problem == ""
    assert claim.tenants.matches({"tier": "gold"})
    assert not claim.tenants.matches({})
    assert (claim.max_run_seconds, claim.max_devices_per_job, claim.member_queue) == (3600, 64, "gpu")
    assert claim.energy.as_of == 1_767_225_600_000
    assert (claim.energy.pue, claim.energy.renewable_share, claim.energy.grams_co2_per_kwh) == (1_250_000, 420_000, 410)
    assert (claim.launch.scheduler_name, claim.image_pull_secrets) == ("volcano", ("pull",))
