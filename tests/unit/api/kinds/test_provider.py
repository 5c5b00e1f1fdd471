"""Provider.spec: grants are explicit; an empty grant grants nothing."""

import pytest
import yaml

from integration.crd_objects import DOCS, PROVIDER, documented
from integration.crd_rows import REFUSED, Row
from sampan.api.convert.offers import declared_offer
from sampan.api.kinds.provider import ProviderSpec
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


def test_what_the_page_on_providers_shows_fits_together() -> None:
    objects = {each["kind"]: each for block in documented("providers.md", "yaml") for each in yaml.safe_load_all(block)}
    granted = ProviderSpec.model_validate(objects["Provider"]["spec"])
    offer = objects["ClusterOffer"]
    claim = declared_offer({**offer, "metadata": {**offer["metadata"], "uid": "u", "resourceVersion": "1"}})
    assert claim.problem == ""
    assert {offer["metadata"]["namespace"], objects["RoleBinding"]["metadata"]["namespace"]} == set(granted.namespaces)
    assert (claim.region in granted.regions, claim.jurisdiction in granted.jurisdictions, claim.terms in granted.terms) == (True,) * 3
    assert objects["RoleBinding"]["roleRef"]["name"] == "sampan-provider"
    assert len(objects) == 3
    secret = offer["spec"]["kubeconfigSecretRef"]["name"]
    texts = (DOCS.parent / "helm" / "sampan-member" / "templates" / "NOTES.txt", DOCS / "providers.md")
    commands = [line for path in texts for line in path.read_text(encoding="utf-8").splitlines() if "create secret generic" in line]
    assert len(commands) == 4
    assert all(f"create secret generic {secret} --from-file=kubeconfig=member.kubeconfig" in each for each in commands)
