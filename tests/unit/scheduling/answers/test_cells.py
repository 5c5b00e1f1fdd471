"""Cells are told in the order that people read them, with prices, and as the cycle decides."""

from dataclasses import replace

import pytest

from builders import A100, H100, HYGON, cluster, demand, job, node, offer, requirement, shape, snapshot, vector
from sampan.model.job import AlternativeOrder, Placement
from sampan.model.members.offer import Terms
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.scheduling.answers.cells import cell_answers
from sampan.scheduling.answers.next_cycle import next_cycle
from sampan.scheduling.answers.values import CellAnswer
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

WORLD = snapshot(
    offers=[offer("full"), offer("free", cluster_uid="c2")],
    clusters=[cluster(node("n", H100), node("a", A100), used={"n": vector(gpu=8)}), cluster(node("n", H100), node("d", HYGON), uid="c2")],
)


def told(world: Snapshot = WORLD, **fields: object) -> tuple[CellAnswer, ...]:
    found = next_cycle(world, Memo(), replace(job(), **fields))  # type: ignore[arg-type]
    return cell_answers(found.state, found.entry)


def test_usable_cells_come_first_then_the_mildest() -> None:
    found = told()
    assert found[0].offer.name == "free"
    assert found[0].score is not None
    assert [each.unmet[0].reason for each in found[1:]] == [
        Reason.INSUFFICIENT_CAPACITY,
        Reason.ACCELERATOR_MISMATCH,
        Reason.ACCELERATOR_MISMATCH,
    ]


def test_the_first_is_where_the_cycle_sends_the_job() -> None:
    wanted = shape(demand(requirement(H100)), demand(requirement(A100), alternative=1), order=AlternativeOrder.BY_SCORE)
    plan, _ = schedule(replace(WORLD, backlog=snapshot([job(wanted=wanted)]).backlog), Memo())
    best = told(shape=wanted)[0]
    assert (best.offer, best.pool) == (plan.assignments[0].offer, plan.assignments[0].pool)
    assert (best.score, best.parts) == (plan.assignments[0].verdicts[0].score, plan.assignments[0].verdicts[0].parts)


def test_prices_are_of_all_devices() -> None:
    best = told(shape=shape(replace(demand(requirement(), expected_seconds=1800), limit_seconds=7200)))[0]
    assert best.devices == 8
    assert (best.price_per_hour, best.price_expected, best.price_limit) == (96 * MICRO, 48 * MICRO, 192 * MICRO)
    assert best.expected_seconds == 1800


def test_a_job_that_tells_no_time_has_no_price_for_it() -> None:
    best = told()[0]
    assert (best.price_per_hour, best.price_expected, best.price_limit) == (96 * MICRO, None, None)


def test_a_cell_that_cools_down_says_so() -> None:
    cell = next(each for each in WORLD.cells if each.offer.name == "free" and each.pool.resource == "nvidia.com/gpu")
    found = told(excluded=frozenset({(cell.offer, cell.pool.name)}))
    cooling = next(each for each in found if each.offer == cell.offer and each.pool == cell.pool.name)
    assert [each.reason for each in cooling.unmet] == [Reason.OFFER_COOLING_DOWN]
    assert cooling.changes == ()


def test_an_alternative_of_other_devices_is_never_the_nearest() -> None:
    for order in ((H100, A100), (A100, H100)):
        demands = [demand(requirement(each, count=1), alternative=number) for number, each in enumerate(order)]
        wanted = shape(*demands, placement=Placement(max_price=MICRO))
        found = {each.pool: each for each in told(shape=wanted) if each.offer.name == "full"}
        for cell in found.values():
            assert cell.alternative == order.index(cell.accelerator_class)
            assert [each.reason for each in cell.unmet] == [Reason.PRICE_ABOVE_CAP]
        changes = next(each.changes for each in found.values() if each.accelerator_class == A100)
        assert [each.field for each in changes] == ["spec.placement.maxPricePerDeviceHour"]


@pytest.mark.parametrize("terms", Terms)
def test_other_terms_than_on_demand_are_accepted_by_name_only(terms: Terms) -> None:
    world = snapshot(offers=[offer(terms=terms)], clusters=[cluster(node("n", H100))])
    unnamed, named = told(world)[0], told(world, shape=shape(placement=Placement(terms=(terms,))))[0]
    assert [each.reason for each in unnamed.unmet] == ([] if terms is Terms.ON_DEMAND else [Reason.TERMS_EXCLUDED])
    assert named.usable
