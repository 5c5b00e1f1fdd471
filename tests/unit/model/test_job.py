"""Shapes: equal jobs share verdicts, so what differs must make a difference."""

from dataclasses import replace

from builders import demand, requirement, shape
from sampan.model.job import AlternativeOrder, Domestic, Placement


def test_equal_shapes_are_one_key() -> None:
    assert len({shape(demand(requirement())), shape(demand(requirement()))}) == 1


def test_every_field_that_is_read_tells_shapes_apart() -> None:
    plain = shape(demand(requirement()))
    others = [
        replace(plain, demands=(demand(requirement(count=4)),)),
        replace(plain, demands=(demand(requirement(), replicas=2),)),
        replace(plain, placement=Placement(domestic=Domestic.REQUIRED)),
        replace(plain, policy="cheap"),
        replace(plain, order=AlternativeOrder.BY_SCORE),
        replace(plain, expected_seconds=60),
    ]
    assert len({plain, *others}) == 1 + len(others)
