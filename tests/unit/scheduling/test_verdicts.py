"""What is told of a decision."""

from builders import ASCEND, H100, cluster, demand, job, node, nodes, offer, requirement, shape, snapshot, vector
from sampan.model.job import Placement
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.scheduling.cycle import schedule
from sampan.scheduling.memo import Memo
from sampan.scheduling.verdicts import MOST_VERDICTS

MEMBER = cluster(*nodes("h", 2, H100), node("n", ASCEND), used={"h-0": vector(gpu=4), "h-1": vector(gpu=4)})


def plan_of(*wanted: Placement, count: int = 8, replicas: int = 1) -> Plan:
    placement = wanted[0] if wanted else None
    asked = shape(demand(requirement(count=count), replicas=replicas), placement=placement)
    return schedule(snapshot([job("j", asked)], [offer("o1"), offer("o2", region="eu-west")], [MEMBER]), Memo())[0]


def test_cells_with_other_devices_are_beside_the_point() -> None:
    (refused,) = plan_of().refusals
    assert (refused.counts, refused.beside, refused.room) == ({Reason.INSUFFICIENT_CAPACITY: 2}, 2, 0)


def test_too_large_is_told_from_full() -> None:
    (refused,) = plan_of(replicas=3).refusals
    assert refused.counts == {Reason.TOO_LARGE: 2}


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
    assert len(done.assignments[0].verdicts) == len(refused.refusals[0].verdicts) == MOST_VERDICTS
    assert [verdict.offer.name for verdict in refused.refusals[0].verdicts] == sorted(v.offer.name for v in refused.refusals[0].verdicts)
