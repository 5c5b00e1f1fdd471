"""Provider.spec: grants are explicit; an empty grant grants nothing."""

import pytest

from integration.crd_objects import PROVIDER
from integration.crd_rows import REFUSED, Row
from sampan.api.provider import ProviderSpec
from unit.api.rule_check import accepts, refuses


def test_a_new_provider_is_granted_nothing() -> None:
    spec = ProviderSpec.model_validate(PROVIDER["spec"])
    assert (spec.jurisdictions, spec.regions, spec.terms, spec.offer_labels, spec.trust_pool_overrides) == ((), (), (), {}, False)


def test_full_grants() -> None:
    grants = {
        "jurisdictions": ["CN"],
        "regions": ["cn-east"],
        "terms": ["OnDemand"],
        "offerLabels": {"tier": ["gold", ""], "example.com/x": ["*"]},
    }
    accepts(ProviderSpec, {**PROVIDER["spec"], **grants})


@pytest.mark.parametrize("row", [r for r in REFUSED if r.base == "provider"], ids=lambda row: row.id)
def test_every_bad_provider_is_refused_by_the_operator_too(row: Row) -> None:
    refuses(ProviderSpec, row.build()["spec"], "spec")


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({"namespaces": []}, "spec.namespaces"),
        ({}, "spec.namespaces"),
        ({"namespaces": ["a", "a"]}, "namespaces must not hold the same entry twice"),
        ({"namespaces": ["a"], "offerLabels": {"tier": ["*x"]}}, "spec.offerLabels"),
    ],
)
def test_bad_grants(raw: dict[str, object], want: str) -> None:
    refuses(ProviderSpec, raw, want)
