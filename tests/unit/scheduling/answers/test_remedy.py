"""The smallest change is the one that people expect, and each one that is proposed does let the job run there."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import A100, ASCEND, GIB, H100, cluster, demand, job, node, nodes, offer, requirement, selector, shape, snapshot, vector
from sampan.model.job import Demand, Domestic, Interconnect, Placement, Shape
from sampan.model.members.offer import Offer, Terms
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.scheduling.answers.cells import cell_answers
from sampan.scheduling.answers.next_cycle import next_cycle
from sampan.scheduling.answers.remedy import Proposal
from sampan.scheduling.answers.values import CellAnswer, Change
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule


def answers(world: Snapshot, wanted: Shape) -> tuple[CellAnswer, ...]:
    found = next_cycle(world, Memo(), job(wanted=wanted))
    return cell_answers(found.state, found.entry)


def one_cell(world: Snapshot, answer: CellAnswer) -> Snapshot:
    """Return the world with no other cell than the one that was asked about."""
    kept = tuple(cell for cell in world.cells if cell.id == (answer.offer, answer.pool))
    return replace(world, cells=kept)


def runs(world: Snapshot, wanted: Shape) -> bool:
    changed = snapshot([job(wanted=wanted)]).backlog
    plan, _ = schedule(replace(world, backlog=changed), Memo())
    return len(plan.assignments) == 1


PLAIN = offer()
TWO = cluster(*nodes("n", 2, H100), used={"n-0": vector(gpu=6)})

CASES = [
    ("region", PLAIN, shape(placement=Placement(regions=("cn-north",))), "spec.placement.regions=cn-north, cn-east"),
    ("terms", PLAIN, shape(placement=Placement(terms=(Terms.TRIAL,))), "spec.placement.terms=Trial, OnDemand"),
    ("interruptible", offer(terms=Terms.INTERRUPTIBLE), shape(), "spec.placement.terms=OnDemand, Interruptible"),
    ("provider", PLAIN, shape(placement=Placement(providers=("a",))), "spec.placement.providers=a, prov"),
    ("law", PLAIN, shape(placement=Placement(jurisdictions=("EU",))), "spec.placement.jurisdictions=EU, CN"),
    ("labels", PLAIN, shape(placement=Placement(offer_selector=selector(a="b"))), "spec.placement.offerSelector="),
    ("domestic", PLAIN, shape(placement=Placement(domestic=Domestic.REQUIRED)), "spec.placement.domestic=Preferred"),
    ("cap", PLAIN, shape(placement=Placement(max_price=10 * MICRO)), "spec.placement.maxPricePerDeviceHour=12.00"),
    ("no price", offer(prices=()), shape(placement=Placement(max_price=MICRO)), "spec.placement.maxPricePerDeviceHour="),
    ("class", PLAIN, shape(demand(requirement(A100))), f"spec.alternatives[0].accelerator.class={H100}"),
    (
        "memory",
        PLAIN,
        shape(demand(requirement(memory_per_device=96 * GIB))),
        "spec.alternatives[0].accelerator.capability.memoryPerDevice=80Gi",
    ),
    ("driver", PLAIN, shape(demand(requirement(min_driver="999"))), "spec.alternatives[0].accelerator.capability.minDriver="),
    ("partition", PLAIN, shape(demand(requirement(count=1, partition="x"))), "spec.alternatives[0].accelerator.partition.profile="),
    ("architecture", PLAIN, shape(demand(requirement(), architectures=("arm64",))), "spec.alternatives[0].architectures=amd64, arm64"),
    ("run limit", replace(PLAIN, max_run_seconds=60), shape(), "spec.alternatives[0].activeDeadlineSeconds=60"),
    ("devices per job", replace(PLAIN, max_devices_per_job=4), shape(), "spec.alternatives[0].accelerator.count=4"),
    ("nodes too small", PLAIN, shape(demand(requirement(count=9))), "spec.alternatives[0].accelerator.count=8"),
    ("gang too large", PLAIN, shape(demand(requirement(), replicas=3)), "spec.alternatives[0].replicas=1"),
    ("memory of pods", PLAIN, shape(demand(requirement(), gib=2048)), "spec.alternatives[0].resources.requests.memory=1Ti"),
    (
        "one fabric domain",
        PLAIN,
        shape(demand(requirement(count=1), replicas=2), placement=Placement(interconnect=Interconnect.SAME_DOMAIN)),
        "spec.placement.interconnect=Any",
    ),
]


@pytest.mark.parametrize(("given_offer", "wanted", "want"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_smallest_change(given_offer: Offer, wanted: Shape, want: str) -> None:
    world = snapshot(offers=[given_offer], clusters=[TWO])
    (answer,) = answers(world, wanted)
    assert [f"{change.field}={change.after}" for change in answer.changes] == [want]
    proposal = Proposal(answer.changes, answer.changed or wanted)
    assert not runs(world, wanted)
    assert runs(one_cell(world, answer), proposal.shape)


def test_devices_of_another_stack_come_with_an_image_for_it() -> None:
    world = snapshot(offers=[PLAIN], clusters=[TWO])
    (answer,) = answers(world, shape(demand(requirement(ASCEND))))
    assert answer.changes == (
        Change("spec.alternatives[0].accelerator.class", ASCEND, H100),
        Change("spec.alternatives[0].image", "built for cann", "built for cuda"),
    )


def test_what_only_others_can_lift_has_no_change() -> None:
    (answer,) = answers(snapshot(offers=[offer(accepting=False)], clusters=[TWO]), shape())
    assert answer.unmet
    assert answer.changes == ()


DEMANDS = st.builds(
    lambda need, replicas, cpu, gib: demand(need, replicas=replicas, cpu=cpu, gib=gib),
    st.builds(
        requirement,
        st.sampled_from((H100, ASCEND, None)),
        st.integers(1, 12),
        memory_per_device=st.sampled_from((None, 64 * GIB, 100 * GIB)),
        min_driver=st.sampled_from(("", "550")),
    ),
    st.integers(1, 4),
    st.integers(1, 200),
    st.integers(1, 1500),
)
PLACEMENTS = st.builds(
    Placement,
    regions=st.sampled_from(((), ("cn-north",))),
    domestic=st.sampled_from(Domestic),
    max_price=st.sampled_from((None, 5 * MICRO, 20 * MICRO)),
    interconnect=st.sampled_from(Interconnect),
)


@settings(max_examples=200, deadline=None)
@given(DEMANDS, PLACEMENTS, st.integers(0, 8), st.integers(0, 128))
def test_every_proved_change_makes_its_cell_usable(wanted: Demand, placement: Placement, taken: int, cpu: int) -> None:
    member = cluster(*nodes("n", 2, H100), node("m", ASCEND), used={"n-0": vector(cpu, gpu=taken)})
    capped = replace(offer("o2"), max_devices_per_job=8, max_run_seconds=3600)
    world = snapshot(offers=[offer(), capped], clusters=[member])
    told = answers(world, shape(wanted, placement=placement))
    assert len(told) == len(world.cells)
    for answer in told:
        assert bool(answer.unmet) == (answer.score is None)
        assert bool(answer.changes) == (answer.changed is not None)
        if answer.changed is not None:
            assert runs(one_cell(world, answer), answer.changed)
