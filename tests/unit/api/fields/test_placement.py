"""Placement: limits that a tenant may set, none of them by float or by foreign name."""

import pytest

from sampan.api.fields.placement import Placement
from unit.api.rule_check import accepts, refuses


def test_nothing_excludes_nothing() -> None:
    placement = Placement.model_validate({})
    assert (placement.regions, placement.terms, placement.domestic, placement.max_price_per_device_hour) == ((), (), "Any", None)


@pytest.mark.parametrize(
    "raw",
    [
        {"regions": ["cn-east"], "jurisdictions": ["CN"], "domestic": "Required"},
        {"terms": ["OnDemand", "Trial"], "providers": ["prov-a"], "maxPricePerDeviceHour": "15.00"},
        {"offerSelector": {"matchLabels": {"tier": "gold"}}},
    ],
)
def test_good_limits(raw: dict[str, object]) -> None:
    accepts(Placement, raw)


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ({"maxPricePerDeviceHour": "15 CNY"}, "spec.maxPricePerDeviceHour"),
        ({"maxPricePerDeviceHour": "-0.01"}, "spec.maxPricePerDeviceHour"),
        ({"jurisdictions": ["cn"]}, "spec.jurisdictions[0]"),
        ({"terms": ["Free"]}, "spec.terms[0]"),
        ({"terms": ["Trial", "Trial"]}, "terms must not hold the same entry twice"),
        ({"domestic": "Maybe"}, "spec.domestic"),
        ({"interconnect": "Near"}, "spec.interconnect: should be"),
    ],
)
def test_bad_limits(raw: dict[str, object], want: str) -> None:
    refuses(Placement, raw, want)
