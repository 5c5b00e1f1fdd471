"""Differences of two shapes carry the names that a manifest has."""

from dataclasses import replace

import pytest

from builders import ASCEND, GIB, H100, demand, requirement, selector, shape
from sampan.model.job import Placement, Shape
from sampan.model.values.quantity import MICRO
from sampan.scheduling.answers.changes import differences
from sampan.scheduling.answers.values import Change

BASE = shape(
    demand(requirement(memory_per_device=96 * GIB), replicas=4),
    placement=Placement(regions=("cn-north",), max_price=10 * MICRO, offer_selector=selector(tier="gold")),
)


def with_demand(**fields: object) -> Shape:
    return replace(BASE, demands=(replace(BASE.demands[0], **fields),))  # type: ignore[arg-type]


def with_placement(**fields: object) -> Shape:
    return replace(BASE, placement=replace(BASE.placement, **fields))  # type: ignore[arg-type]


CASES = [
    ("region", with_placement(regions=("cn-north", "cn-east")), "spec.placement.regions", "cn-north", "cn-north, cn-east", 1000),
    ("cap", with_placement(max_price=12 * MICRO), "spec.placement.maxPricePerDeviceHour", "10.00", "12.00", 200),
    ("labels", with_placement(offer_selector=selector()), "spec.placement.offerSelector", "tier In gold", "", 1000),
    ("replicas", with_demand(least_replicas=2), "spec.alternatives[0].replicas", "4", "2", 500),
    (
        "class",
        with_demand(requirement=requirement(ASCEND, memory_per_device=96 * GIB)),
        "spec.alternatives[0].accelerator.class",
        H100,
        ASCEND,
        1000,
    ),
    (
        "memory",
        with_demand(requirement=requirement(memory_per_device=48 * GIB)),
        "spec.alternatives[0].accelerator.capability.memoryPerDevice",
        "96Gi",
        "48Gi",
        500,
    ),
    (
        "cpu",
        with_demand(per_replica=demand(requirement(), cpu=2).per_replica),
        "spec.alternatives[0].resources.requests.cpu",
        "4",
        "2",
        500,
    ),
]


@pytest.mark.parametrize(("after", "want", "size"), [(c[1], Change(*c[2:5]), c[5]) for c in CASES], ids=[c[0] for c in CASES])
def test_a_change_names_the_field_and_both_values(after: Shape, want: Change, size: int) -> None:
    (found,) = differences(BASE, after, 0)
    assert found.change == want
    assert found.size == size


def test_equal_shapes_differ_in_nothing() -> None:
    assert differences(BASE, BASE, 0) == ()
