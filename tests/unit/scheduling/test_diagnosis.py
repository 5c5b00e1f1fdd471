"""What is told of a decision."""

from dataclasses import replace
from typing import Any

import pytest

from builders import A100, ASCEND, H100, cluster, demand, job, node, nodes, offer, requirement, selector, shape, snapshot, vector
from sampan.model.job import Interconnect, Placement, Requirement
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.scheduling.answers.wording import headline
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule
from sampan.scheduling.diagnosis import MAX_VERDICTS

MEMBER = cluster(*nodes("h", 2, H100), node("n", ASCEND), used={"h-0": vector(gpu=4), "h-1": vector(gpu=4)})


def plan_of(*wanted: Placement, count: int = 8, replicas: int = 1) -> Plan:
    placement = wanted[0] if wanted else None
    asked = shape(demand(requirement(count=count), replicas=replicas), placement=placement)
    return schedule(snapshot([job("j", asked)], [offer("o1"), offer("o2", region="eu-west")], [MEMBER]), Memo())[0]


def test_cells_with_other_devices_are_beside_the_point() -> None:
    (refused,) = plan_of().refusals
    assert (refused.counts, refused.other_devices, refused.room) == ({Reason.INSUFFICIENT_CAPACITY: 2}, 2, 0)


def test_too_large_is_told_from_full() -> None:
    (refused,) = plan_of(replicas=3).refusals
    assert refused.counts == {Reason.TOO_LARGE: 2}


def test_a_gang_that_must_stay_in_one_fabric_is_refused_where_none_is_known() -> None:
    near = shape(demand(requirement(), replicas=2), placement=Placement(interconnect=Interconnect.SAME_DOMAIN))
    world = snapshot([job("gang", near)], [offer()], [cluster(*nodes("h", 4, H100))])
    (refused,) = schedule(world, Memo())[0].refusals
    assert (refused.dominant, refused.counts) == (Reason.INTERCONNECT_MISSING, {Reason.INTERCONNECT_MISSING: 1})
    assert "fabric domain" in headline(refused)


def test_everything_in_the_way_is_named_worst_first() -> None:
    (refused,) = plan_of(Placement(regions=("cn-east",), providers=("nobody",))).refusals
    assert refused.verdicts[0].reasons == (Reason.PROVIDER_EXCLUDED,)
    assert (Reason.PROVIDER_EXCLUDED, Reason.REGION_EXCLUDED) in [verdict.reasons for verdict in refused.verdicts]


def test_an_assignment_shows_the_chosen_cell_the_others_with_room_and_the_mildest_refused() -> None:
    (done,) = plan_of(Placement(regions=("cn-east",)), count=4).assignments
    told = [(verdict.offer.name, verdict.score is None, verdict.reasons[:1]) for verdict in done.verdicts]
    assert told[:2] == [("o1", False, ()), ("o1", True, (Reason.ACCELERATOR_MISMATCH,))]
    assert all(refused for _, refused, _ in told[1:])
    assert sum(points for _, points in done.verdicts[0].parts) == done.verdicts[0].score


def test_what_is_told_is_bounded() -> None:
    offers = [offer(f"o{number:02}") for number in range(30)]
    done, refused = (
        schedule(snapshot([job("j", shape(demand(requirement(count=count))))], offers, [MEMBER]), Memo())[0] for count in (4, 8)
    )
    assert len(done.assignments[0].verdicts) == len(refused.refusals[0].verdicts) == MAX_VERDICTS
    assert [verdict.offer.name for verdict in refused.refusals[0].verdicts] == sorted(v.offer.name for v in refused.refusals[0].verdicts)


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (requirement(count=4), {}),
        (requirement(count=8), {}),
        (requirement(A100), {}),
        (requirement(ASCEND, count=8), {"connected": False}),
        (requirement(count=4), {"approved": False}),
    ],
    ids=["bound", "full", "devices that private offers alone have", "private and away", "private and not approved"],
)
def test_a_private_offer_leaves_no_trace(asked: Requirement, state: dict[str, Any]) -> None:
    rare = cluster(*nodes("x", 2, A100), *nodes("y", 1, H100), *nodes("z", 1, ASCEND), uid="c2")
    private = replace(offer("private", cluster_uid="c2", **state), tenants=selector(team="b"))
    wanted = [job("j", shape(demand(asked)))]
    with_it, _ = schedule(snapshot(wanted, [offer("o1"), private], [MEMBER, rare]), Memo())
    without, _ = schedule(snapshot(wanted, [offer("o1")], [MEMBER, rare]), Memo())
    assert with_it.assignments == without.assignments
    assert with_it.refusals == without.refusals
    assert [headline(each) for each in with_it.refusals] == [headline(each) for each in without.refusals]


def test_where_all_offers_are_private_none_is_told_of() -> None:
    private = replace(offer("private"), tenants=selector(team="b"))
    (refused,) = schedule(snapshot([job("j", shape(demand(requirement())))], [private], [MEMBER]), Memo())[0].refusals
    assert (refused.dominant, refused.counts, refused.other_devices, refused.verdicts, refused.room) == (None, {}, 0, (), None)
