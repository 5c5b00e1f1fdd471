"""Places kept for blocked jobs: where, from when, and who may use them until then."""

from dataclasses import replace

import pytest

from builders import H100, NOW, cluster, demand, job, nodes, offer, requirement, running, selector, shape, snapshot
from sampan.model.job import Job
from sampan.model.members.cluster import Cluster, Running
from sampan.model.members.offer import PoolRule
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

HOUR = 3_600_000
OFFER = offer()
POOL = "h100-sxm-80gb-x8"


def member(amount: int, *busy: Running) -> Cluster:
    used = {node: each.per_replica for each in busy for node, _ in each.nodes}
    return replace(cluster(*nodes("h", amount, H100), used=used), running={each.job_uid: each for each in busy})


def wants(name: str, *, replicas: int = 1, seconds: int | None = None, priority: int = 0, age: int = 10) -> Job:
    wanted = replace(demand(requirement(), replicas=replicas), span_seconds=seconds)
    return job(name, shape(wanted), priority=priority, created=NOW - age)


def plan_of(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


def gone(plan: Plan) -> list[str]:
    return [done.job.uid for done in plan.assignments]


TWO_OF_THREE = member(3, running("a", "h-0", ends=NOW + 2 * HOUR), running("b", "h-1", ends=NOW + HOUR))
GANG = wants("gang", replicas=2, age=100)


def test_a_blocked_gang_is_kept_the_place_that_is_free_soonest() -> None:
    (kept,) = plan_of(snapshot([GANG], [OFFER], [TWO_OF_THREE])).reservations
    assert kept == Reservation(
        job_uid="gang",
        priority=0,
        cell=(OFFER.key, POOL),
        demand=0,
        nodes=(("h-1", 1), ("h-2", 1)),
        start=NOW + HOUR,
        published=NOW + HOUR,
        made=NOW,
    )


@pytest.mark.parametrize(
    ("follower", "want"),
    [
        pytest.param(wants("short", seconds=3600), ["short"], id="over by the start"),
        pytest.param(wants("long", seconds=3601), [], id="a second too long"),
        pytest.param(wants("endless"), [], id="no declared end"),
        pytest.param(wants("higher", priority=1), ["higher"], id="of higher priority"),
    ],
)
def test_only_what_is_over_by_then_or_higher_goes_on_reserved_nodes(follower: Job, want: list[str]) -> None:
    plan = plan_of(snapshot([GANG, follower], [OFFER], [TWO_OF_THREE]))
    assert gone(plan) == want
    if not want:
        assert plan.refusals[-1].dominant is Reason.RESERVED_FOR_OTHERS


@pytest.mark.parametrize(
    ("boss", "want"),
    [
        pytest.param(
            wants("boss", priority=1), {"gang": NOW + 2 * HOUR}, id="endless: what it takes is lost, the next start is promised anew"
        ),
        pytest.param(wants("boss", priority=1, seconds=3600), {"gang": NOW + HOUR}, id="over by the start: nothing is lost"),
        pytest.param(wants("boss", priority=1, replicas=9), {"gang": NOW + HOUR}, id="placed nowhere: nothing is lost"),
    ],
)
def test_a_higher_job_on_kept_nodes_ends_the_reservation_in_the_same_cycle(boss: Job, want: dict[str, int]) -> None:
    """The gang keeps h-1 and h-2, of which h-2 is free; h-0 and h-1 come free later."""
    first = plan_of(snapshot([GANG], [OFFER], [TWO_OF_THREE])).reservations
    plan = plan_of(replace(snapshot([GANG, boss], [OFFER], [TWO_OF_THREE]), reservations=first))
    assert {each.job_uid: each.start for each in plan.reservations} == want
    taken = {name for done in plan.assignments for name, _ in done.nodes}
    kept = {name for each in plan.reservations for name, _ in each.nodes}
    assert not (taken & kept) or want["gang"] == NOW + HOUR


def test_a_reservation_goes_on_and_moves_earlier_only() -> None:
    world = snapshot([GANG], [OFFER], [TWO_OF_THREE])
    first = plan_of(world).reservations
    same = plan_of(replace(world, now=NOW + 5, reservations=first)).reservations
    assert same == first
    earlier = member(3, running("a", "h-0", ends=NOW + 600_000), running("b", "h-1", ends=NOW + HOUR))
    (moved,) = plan_of(replace(world, reservations=first, clusters={"c1": earlier})).reservations
    assert (moved.start, moved.published, moved.nodes) == (NOW + 600_000, NOW + HOUR, (("h-0", 1), ("h-2", 1)))
    later = member(3, running("a", "h-0", ends=NOW + 9 * HOUR), running("b", "h-1", ends=NOW + 9 * HOUR))
    assert plan_of(replace(world, reservations=first, clusters={"c1": later})).reservations == first


def test_the_job_itself_uses_its_place() -> None:
    world = snapshot([GANG, wants("rival", replicas=2, age=999)], [OFFER], [TWO_OF_THREE])
    held = plan_of(snapshot([GANG], [OFFER], [TWO_OF_THREE])).reservations
    free = member(3, running("a", "h-0", ends=NOW + 2 * HOUR))
    plan = plan_of(replace(world, clusters={"c1": free}, reservations=held))
    assert gone(plan) == ["gang"]
    assert (plan.reservations, plan.unknown_starts) == ((), {"rival": "AllReserved"})


def test_a_cell_keeps_one_reservation_and_the_higher_job_displaces_the_lower() -> None:
    world = snapshot([GANG, wants("second", replicas=2)], [OFFER], [TWO_OF_THREE])
    plan = plan_of(world)
    assert [each.job_uid for each in plan.reservations] == ["gang"]
    higher = snapshot([GANG, wants("boss", replicas=3, priority=9)], [OFFER], [TWO_OF_THREE])
    assert [each.job_uid for each in plan_of(replace(higher, reservations=plan.reservations)).reservations] == ["boss"]


@pytest.mark.parametrize(
    ("busy", "offered", "want"),
    [
        pytest.param((running("a", "h-0", ends=None),), OFFER, "NoDeclaredEnd", id="somebody runs without end"),
        pytest.param((), OFFER, "NoCell", id="too large for ever"),
        pytest.param(
            (running("a", "h-0", ends=None),),
            offer(rules=[PoolRule(selector=selector(), max_devices=8)]),
            "Limited",
            id="somebody without end has all that the offer caps",
        ),
    ],
)
def test_what_cannot_be_promised_says_why(busy: tuple[Running, ...], offered: object, want: str) -> None:
    wanted = wants("j", replicas=1 if want != "NoCell" else 4)
    have = member(2 if want == "Limited" else 1, *busy)
    plan = plan_of(snapshot([wanted], [offered], [have]))  # type: ignore[list-item]
    assert (plan.reservations, plan.unknown_starts) == ((), {"j": want})


def test_a_cell_that_only_cools_down_is_not_said_to_be_too_small_for_ever() -> None:
    cools = replace(wants("j", replicas=1), excluded=frozenset({(OFFER.key, POOL)}))
    assert plan_of(snapshot([cools], [OFFER], [member(1)])).unknown_starts == {"j": "CoolingDown"}


def test_a_reservation_ends_with_its_job_its_node_or_its_cell() -> None:
    world = snapshot([GANG], [OFFER], [TWO_OF_THREE])
    held = plan_of(world).reservations
    assert plan_of(replace(snapshot([], [OFFER], [TWO_OF_THREE]), reservations=held)).reservations == ()
    small = member(2, running("a", "h-0", ends=NOW + 2 * HOUR), running("b", "h-1", ends=NOW + HOUR))
    (anew,) = plan_of(replace(snapshot([GANG], [OFFER], [small]), reservations=held)).reservations
    assert anew.start == NOW + 2 * HOUR
    shut = replace(world, offers={OFFER.key: replace(OFFER, accepting=False)}, reservations=held)
    assert plan_of(shut).reservations == ()
