"""The cycle by example: who goes where, and what is said about it. What holds in general is in tests/properties."""

from dataclasses import replace

import pytest

from builders import (
    A100,
    ASCEND,
    H100,
    HYGON,
    NOW,
    cluster,
    demand,
    job,
    nodes,
    offer,
    price,
    requirement,
    selector,
    shape,
    snapshot,
    vector,
)
from sampan.model.job import AlternativeOrder, Domestic, Job, Placement, Requirement, Shape
from sampan.model.members.cluster import Cluster
from sampan.model.members.offer import Offer, Price
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule


def plan_of(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


def where(world: Snapshot) -> dict[str, tuple[str, str] | Reason | None]:
    """Per job the offer and pool it goes to, or the reason why it waits."""
    plan = plan_of(world)
    went: dict[str, tuple[str, str] | Reason | None] = {done.job.uid: (done.offer.name, done.pool) for done in plan.assignments}
    return went | {refused.job.uid: refused.dominant for refused in plan.refusals}


def test_nothing_to_do() -> None:
    assert plan_of(snapshot()) == Plan()
    (refused,) = plan_of(snapshot([job()])).refusals
    assert (refused.dominant, refused.room, refused.verdicts) == (None, None, ())


def test_the_cheaper_of_two_like_offers() -> None:
    members = [cluster(*nodes("h", 1, H100), uid=uid) for uid in ("c1", "c2")]
    offers = [offer("dear", cluster_uid="c1", prices=[price(amount=14 * MICRO)]), offer("cheap", cluster_uid="c2")]
    assert where(snapshot([job()], offers, members)) == {"j1": ("cheap", "h100-sxm-80gb-x8")}


def test_a_small_job_fills_the_hole_and_leaves_the_whole_node() -> None:
    member = cluster(*nodes("h", 2, H100), used={"h-1": vector(gpu=6)})
    wanted = shape(demand(requirement(count=2)))
    (done,) = plan_of(snapshot([job(wanted=wanted)], [offer()], [member])).assignments
    assert done.nodes == (("h-1", 1),)
    assert done.verdicts[0].parts == (("cost", 23), ("performance", 0), ("domestic", 25), ("green", 0), ("packing", 25))
    assert done.verdicts[0].score == 73


def test_a_gang_waits_until_it_fits_whole_and_blocks_nobody() -> None:
    member = cluster(*nodes("h", 2, H100), used={"h-1": vector(gpu=1)})
    gang = shape(demand(requirement(), replicas=2))
    plan = plan_of(snapshot([job("gang", gang, priority=1), job("small")], [offer()], [member]))
    assert [done.job.uid for done in plan.assignments] == ["small"]
    assert (plan.refusals[0].dominant, plan.refusals[0].room) == (Reason.INSUFFICIENT_CAPACITY, 0), "as it is once `small` is placed"


def test_a_sweep_runs_as_wide_as_fits() -> None:
    member = cluster(*nodes("h", 2, H100), used={"h-1": vector(gpu=4)})
    sweep = shape(demand(requirement(count=4), replicas=10, least=1))
    (done,) = plan_of(snapshot([job(wanted=sweep)], [offer()], [member])).assignments
    assert (done.replicas, done.nodes) == (3, (("h-0", 2), ("h-1", 1)))


def test_alternatives_in_order_or_by_score() -> None:
    member = cluster(*nodes("h", 1, H100), *nodes("y", 1, HYGON))
    demands = (demand(requirement(H100)), demand(requirement(HYGON), alternative=1))
    in_order, by_score = shape(*demands), shape(*demands, order=AlternativeOrder.BY_SCORE)
    assert where(snapshot([job(wanted=in_order)], [offer()], [member])) == {"j1": ("o1", "h100-sxm-80gb-x8")}
    assert where(snapshot([job(wanted=by_score)], [offer()], [member])) == {"j1": ("o1", "k100-ai-64gb-x8")}


@pytest.mark.parametrize(("age", "want"), [(59_999, Reason.INSUFFICIENT_CAPACITY), (60_000, ("o1", "k100-ai-64gb-x8"))])
def test_a_later_alternative_waits_for_its_time(age: int, want: object) -> None:
    member = cluster(*nodes("h", 1, H100), *nodes("y", 1, HYGON), used={"h-0": vector(gpu=8)})
    wanted = shape(demand(requirement(H100)), demand(requirement(HYGON), alternative=1, wait_seconds=60))
    assert where(snapshot([job(wanted=wanted, created=NOW - age)], [offer()], [member])) == {"j1": want}


def test_a_cell_that_cools_down_is_left_to_others() -> None:
    member = cluster(*nodes("h", 1, H100))
    cooling = job("burnt", excluded=[(offer().key, "h100-sxm-80gb-x8")], priority=1)
    assert where(snapshot([cooling, job("fresh")], [offer()], [member])) == {
        "burnt": Reason.OFFER_COOLING_DOWN,
        "fresh": ("o1", "h100-sxm-80gb-x8"),
    }


def test_jobs_behind_the_limit_wait_undecided() -> None:
    world = snapshot([job(f"j{i}") for i in range(3)], [offer()], [cluster(*nodes("h", 3, H100))], limit=2)
    plan = plan_of(world)
    assert [done.job.uid for done in plan.assignments] == ["j0", "j1"]
    assert plan.refusals == ()


def test_an_offer_or_member_that_is_not_in_the_picture_is_no_cell() -> None:
    world = snapshot([job()], [offer()], [cluster(*nodes("h", 1, H100))])
    for broken in (replace(world, offers={}), replace(world, clusters={})):
        assert plan_of(broken).refusals[0].counts == {}


def test_refusals_count_each_pool_once_by_its_mildest_alternative() -> None:
    member = cluster(*nodes("h", 1, H100), *nodes("y", 1, HYGON), *nodes("c", 1), used={"h-0": vector(gpu=8)})
    wanted = shape(demand(requirement(H100)), demand(requirement(HYGON, 16), alternative=1))
    (refused,) = plan_of(snapshot([job(wanted=wanted)], [offer()], [member])).refusals
    assert refused.counts == {Reason.TOO_LARGE: 1, Reason.INSUFFICIENT_CAPACITY: 1}
    assert refused.other_devices == 1
    assert refused.dominant is Reason.INSUFFICIENT_CAPACITY
    assert [verdict.reasons[0] for verdict in refused.verdicts] == [
        Reason.INSUFFICIENT_CAPACITY,
        Reason.TOO_LARGE,
        Reason.ACCELERATOR_MISMATCH,
    ]
    assert refused.verdicts[1].alternative == 1


def test_verdicts_are_bounded_and_the_chosen_one_comes_first() -> None:
    members = [cluster(*nodes("h", 1, H100), uid=f"c{i}") for i in range(20)]
    offers = [offer(f"o{i:02}", cluster_uid=f"c{i}", prices=[price(amount=(30 - i) * MICRO)]) for i in range(20)]
    (done,) = plan_of(snapshot([job()], offers, members)).assignments
    assert (done.offer.name, len(done.verdicts)) == ("o19", 16)
    assert [verdict.offer.name for verdict in done.verdicts[:3]] == ["o19", "o18", "o17"]


def _federation() -> tuple[list[Offer], list[Cluster]]:
    """Three providers as in the demo: foreign and domestic chips, two regions, one offer for spare time."""
    east = cluster(*nodes("h100", 4, H100), *nodes("cpu", 2, cpu=32), uid="east")
    north = cluster(*nodes("npu", 4, ASCEND), *nodes("a100", 2, A100), uid="north")
    south = cluster(*nodes("dcu", 4, HYGON), uid="south")

    def priced(**amounts: int) -> list[Price]:
        names = {"h100": H100, "a100": A100, "npu": ASCEND, "dcu": HYGON}
        return [price(names[name], amount * MICRO, id_=name) for name, amount in amounts.items()]

    offers = [
        offer("lingang", provider="a", cluster_uid="east", region="cn-east", labels={"tier": "gold"}, prices=priced(h100=14)),
        offer("tianjin", provider="b", cluster_uid="north", region="cn-north", prices=priced(npu=6, a100=9)),
        offer("hefei", provider="c", cluster_uid="south", region="cn-south", prices=priced(dcu=4)),
    ]
    return offers, [east, north, south]


def _examples() -> dict[str, Shape]:
    """The dozen kinds of jobs that users begin with."""
    cuda = Requirement(count=1, stack="cuda", memory_per_device=64 * 2**30)
    domestic = Placement(domestic=Domestic.REQUIRED)
    return {
        "cpu-etl": shape(demand(cpu=8)),
        "h100-gang": shape(demand(requirement(H100), replicas=2)),
        "ascend-gang": shape(demand(Requirement(count=8, family="ascend-910b"), replicas=2)),
        "hygon-one": shape(demand(requirement(HYGON, 1))),
        "any-cuda-cheap": shape(demand(cuda)),
        "gold-only": shape(demand(Requirement(count=1, stack="cuda")), placement=Placement(offer_selector=selector(tier="gold"))),
        "north-only": shape(demand(Requirement(count=2, vendor="nvidia")), placement=Placement(regions=("cn-north",))),
        "domestic-either": shape(
            demand(Requirement(count=8, stack="cann")), demand(Requirement(count=8, stack="dtk"), alternative=1), placement=domestic
        ),
        "sweep": shape(demand(requirement(HYGON, 4), replicas=6, least=1)),
        "capped": shape(demand(requirement(H100)), placement=Placement(max_price=10 * MICRO)),
        "too-large": shape(demand(requirement(H100), replicas=5)),
        "abroad": shape(demand(Requirement(count=1, stack="cuda")), placement=Placement(jurisdictions=("DE",))),
    }


def test_where_the_example_jobs_go() -> None:
    jobs: list[Job] = [job(name, wanted, created=NOW - 1000 + i) for i, (name, wanted) in enumerate(_examples().items())]
    assert where(snapshot(jobs, *_federation())) == {
        "cpu-etl": ("lingang", "cpu"),
        "h100-gang": ("lingang", "h100-sxm-80gb-x8"),
        "ascend-gang": ("tianjin", "910b3-64gb-x8"),
        "hygon-one": ("hefei", "k100-ai-64gb-x8"),
        "any-cuda-cheap": ("tianjin", "a100-sxm-80gb-x8"),
        "gold-only": ("lingang", "h100-sxm-80gb-x8"),
        "north-only": ("tianjin", "a100-sxm-80gb-x8"),
        "domestic-either": ("tianjin", "910b3-64gb-x8"),
        "sweep": ("hefei", "k100-ai-64gb-x8"),
        "capped": Reason.PRICE_ABOVE_CAP,
        "too-large": Reason.TOO_LARGE,
        "abroad": Reason.JURISDICTION_EXCLUDED,
    }


@pytest.mark.parametrize(
    ("free", "prices", "count", "want"),
    [
        ((8, 7), (10, 10), 1, "o2"),  # equal score: less is left over
        ((8, 8), (10, 10), 1, "o1"),  # equal in all: by name
        ((8, 4), (5, 20), 4, "o2"),  # a dear, perfect fit draws level with a cheap, loose one and leaves nothing over
    ],
)
def test_ties_end_in_a_total_order(free: tuple[int, int], prices: tuple[int, int], count: int, want: str) -> None:
    members = [cluster(*nodes("h", 1, H100), uid=f"c{i}", used={"h-0": vector(gpu=8 - left)}) for i, left in enumerate(free, 1)]
    offers = [offer(f"o{i}", cluster_uid=f"c{i}", prices=[price(amount=amount * MICRO)]) for i, amount in enumerate(prices, 1)]
    (done,) = plan_of(snapshot([job(wanted=shape(demand(requirement(count=count))))], offers, members)).assignments
    assert [verdict.score for verdict in done.verdicts] == [done.verdicts[0].score] * 2
    assert done.offer.name == want


def test_a_closed_alternative_gets_no_place_though_it_comes_first() -> None:
    either = shape(demand(requirement(), alternative=0), demand(requirement(), alternative=1))
    world = snapshot([replace(job("j", either), closed=frozenset({0}))], [offer()], [cluster(*nodes("h", 1, H100))])
    (done,) = schedule(world, Memo())[0].assignments
    assert done.demand.alternative == 1
