"""Every reason has one record, and every record keeps to what it says it reads: verdicts are shared by all that are alike there."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import H100, demand, offer, pool, requirement, shape
from sampan.model.job import Placement
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.cell_facts import facts_of
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.obstacles import OBSTACLES
from sampan.scheduling.feasibility.constraints.record import Constraint, Obstacle, Reads
from sampan.scheduling.feasibility.constraints.table import CONSTRAINTS, FIELDS, by_reason, failed_mask, meaning, violated
from strategies import worlds

NOTHING: Any = SimpleNamespace()
"""Whatever is read of it is an error."""


def narrow(c: FilterContext, reads: Reads) -> FilterContext:
    """Return a context that has no more than what may be read of it."""
    if reads is Reads.BOTH:
        return c
    common: dict[str, Any] = {"now": c.now, "currency": NOTHING}
    if reads is Reads.OFFER:
        asked = SimpleNamespace(limit_seconds=c.demand.limit_seconds, devices=c.demand.devices * c.demand.least_replicas, least_replicas=1)
        return FilterContext(
            demand=cast(Any, asked),
            placement=c.placement,
            offer=c.offer,
            pool=NOTHING,
            policy_known=c.policy_known,
            tenant=c.tenant,
            cpu_on_accelerators=NOTHING,
            **common,
        )
    return FilterContext(
        demand=c.demand,
        placement=cast(Any, SimpleNamespace(domestic=c.placement.domestic)),
        offer=NOTHING,
        pool=facts_of(c.pool),
        policy_known=NOTHING,
        tenant=NOTHING,
        cpu_on_accelerators=c.cpu_on_accelerators,
        **common,
    )


@given(worlds(), st.booleans(), st.booleans())
def test_a_check_reads_no_more_than_it_says(world: Any, policy_known: bool, open_nodes: bool) -> None:
    for cell in world.cells:
        for job in world.jobs:
            for wanted in job.shape.demands:
                context = FilterContext(
                    demand=wanted,
                    placement=job.shape.placement,
                    offer=world.offers[cell.offer],
                    pool=cell.pool,
                    now=world.now,
                    currency=world.currency,
                    policy_known=policy_known,
                    tenant=job.shape.tenant,
                    cpu_on_accelerators=open_nodes,
                )
                against = [each.reason for each in CONSTRAINTS if each.violated(narrow(context, each.reads))]
                assert sorted(against) == sorted(violated(context))
                masks = [failed_mask(reads, context) for reads in Reads]
                assert sum(masks) == sum(1 << reason.severity for reason in against)


def test_no_reason_is_without_words_and_none_has_two_records() -> None:
    everything: tuple[Constraint | Obstacle, ...] = (*CONSTRAINTS, *OBSTACLES)
    assert set(by_reason(everything)) == set(Reason)
    with pytest.raises(TypeError, match=r"without a record in constraints/: .*'NOT_DOMESTIC'"):
        by_reason(each for each in everything if each.reason is not Reason.NOT_DOMESTIC)
    with pytest.raises(TypeError, match=r"with two: .*'NOT_DOMESTIC'"):
        by_reason((*everything, next(each for each in CONSTRAINTS if each.reason is Reason.NOT_DOMESTIC)))


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=lambda each: each.reason.name)
def test_a_headline_is_one_short_line(constraint: Constraint) -> None:
    text = meaning(constraint.reason, shape(demand(requirement())))
    assert 10 < len(text) < 200
    assert "\n" not in text


def test_every_field_is_told_once_and_by_its_place_in_the_manifest() -> None:
    paths = [field.path(2) for field in FIELDS]
    assert len(set(paths)) == len(paths)
    by_name = {field.name: field for field in FIELDS}
    assert by_name["regions"].path(2) == "spec.placement.regions"
    assert by_name["replicas"].path(2) == "spec.alternatives[2].replicas"
    assert by_name["architectures"].path(None) == "spec.template.architectures"
    assert by_name["class"].path(0) == "spec.alternatives[0].accelerator.class"
    assert by_name["class"].read(Placement(), demand(requirement(H100))) == H100
    assert by_name["class"].read(Placement(), demand()) is None


def test_what_a_relaxation_changes_is_a_field_that_it_names() -> None:
    """A change of a field that no record names would be proposed and never told."""
    context = FilterContext(
        demand=demand(requirement("other", count=9), architectures=("arm64",)),
        placement=Placement(),
        offer=offer(),
        pool=pool(),
        now=0,
        currency="CNY",
    )
    changed = [after for each in CONSTRAINTS for after in each.relax(context) if after != context]
    assert len(changed) > 5
    assert all(any(_read(field, after) != _read(field, context) for field in FIELDS) for after in changed)


def _read(field: Any, context: FilterContext) -> object:
    return field.read(context.placement, context.demand)
