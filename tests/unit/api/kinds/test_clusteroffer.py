"""ClusterOffer.spec: the operator refuses what the API server refuses."""

import pytest

from integration.crd_objects import OFFER
from integration.crd_rows import REFUSED, WARNED, Row
from sampan.api.crd.structural import structural_schema
from sampan.api.kinds.clusteroffer import ClusterOfferSpec, PoolSpec, PriceEntry, Validity
from unit.api.rule_check import accepts, refuses

ROWS = [row for row in (*REFUSED, *WARNED) if row.base == "offer"]
PRICE = OFFER["spec"]["prices"][0]


def test_a_good_offer() -> None:
    accepts(ClusterOfferSpec, OFFER["spec"])
    spec = ClusterOfferSpec.model_validate(OFFER["spec"])
    assert (spec.remote_namespace, spec.accepting, spec.kubeconfig_secret_ref.key) == ("sampan-jobs", True, "kubeconfig")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_bad_offer_is_refused_by_the_operator_too(row: Row) -> None:
    refuses(ClusterOfferSpec, row.build()["spec"], "spec")


def test_a_window_ends_after_it_begins() -> None:
    accepts(Validity, {"from": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:01Z"})
    accepts(Validity, {"until": "2026-01-01T00:00:01Z"})
    refuses(Validity, {"from": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until must be later than from")


def test_prices_are_told_apart_by_id() -> None:
    accepts(ClusterOfferSpec, {**OFFER["spec"], "prices": [PRICE, {**PRICE, "id": "p2"}]})
    refuses(ClusterOfferSpec, {**OFFER["spec"], "prices": [PRICE, PRICE]}, "prices must not hold the same entry twice")


def test_a_trial_may_be_free() -> None:
    accepts(PriceEntry, {**PRICE, "price": "0"})


def test_a_pool_entry_may_limit_or_name_or_both() -> None:
    accepts(PoolSpec, {"maxDevices": 8})
    accepts(PoolSpec, {"acceleratorClass": "huawei-910b3-64gb", "nodeSelector": {}})


def test_spot_nodes_are_offered_on_terms_that_say_so() -> None:
    spot = {**OFFER["spec"], "launch": {"tolerationSets": ["Spot"], "tolerations": [{"key": "kubernetes.azure.com/scalesetpriority"}]}}
    accepts(ClusterOfferSpec, {**spot, "terms": "Interruptible"})
    for terms in ("OnDemand", "Reserved", "Trial"):
        refuses(ClusterOfferSpec, {**spot, "terms": terms}, "terms must be Interruptible")


def test_the_schema_keeps_prices_and_remote_namespace() -> None:
    properties = structural_schema(ClusterOfferSpec)["properties"]
    assert "append-only" in properties["prices"]["x-kubernetes-validations"][0]["message"]
    fixed = properties["prices"]["items"]["x-kubernetes-validations"][0]["rule"]
    assert all(
        f"self.{name}" in fixed or f"(self).{name}" in fixed for name in PriceEntry.model_json_schema()["properties"] if name != "id"
    )
    assert properties["remoteNamespace"]["x-kubernetes-validations"][0]["rule"] == "self == oldSelf"
