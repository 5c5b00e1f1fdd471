"""Caps, quotas and member queues are kept for reservations as nodes are."""

from dataclasses import replace

import pytest

from builders import H100, NOW, cluster, demand, job, nodes, offer, quota, requirement, running, selector, shape, snapshot
from sampan.model.job import Job
from sampan.model.members.cluster import Cluster, MemberQueue, Running
from sampan.model.members.offer import Offer, PoolRule
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

HOUR = 3_600_000
GPU = "nvidia.com/gpu"
PLAIN = offer()
CAPPED = offer(rules=[PoolRule(selector=selector(), max_devices=16)])
QUEUED = replace(PLAIN, member_queue="batch")


def member(*busy: Running, left: int | None = None, free: int | None = None) -> Cluster:
    """Eight nodes of eight, more than any of the limits allows."""
    used = {node: each.per_replica for each in busy for node, _ in each.nodes}
    made = replace(cluster(*nodes("h", 8, H100), used=used), running={each.job_uid: each for each in busy})
    quotas = {"sampan-jobs": (quota({GPU: left}),)} if left is not None else {}
    queues = {"sampan-jobs/batch": MemberQueue(name="batch", free={GPU: free})} if free is not None else {}
    return replace(made, quotas=quotas, queues=queues)


def wants(name: str, replicas: int, *, seconds: int | None = None, priority: int = 0, age: int = 10) -> Job:
    wanted = replace(demand(requirement(), replicas=replicas), span_seconds=seconds)
    return job(name, shape(wanted), priority=priority, created=NOW - age)


def plan_of(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


BUSY = running("a", "h-0", ends=NOW + HOUR)
GANG = wants("gang", 2, age=100)
LIMITS = [
    pytest.param(CAPPED, member(BUSY), id="the offer's cap"),
    pytest.param(PLAIN, member(BUSY, left=8), id="the quota of the job namespace"),
    pytest.param(QUEUED, member(BUSY, free=8), id="the member's queue"),
]


@pytest.mark.parametrize(("offered", "have"), LIMITS)
def test_a_job_that_a_limit_holds_back_is_promised_when_enough_of_it_comes_back(offered: Offer, have: Cluster) -> None:
    (kept,) = plan_of(snapshot([GANG], [offered], [have])).reservations
    assert (kept.job_uid, kept.start) == ("gang", NOW + HOUR)


@pytest.mark.parametrize(("offered", "have"), LIMITS)
@pytest.mark.parametrize(
    ("follower", "goes"),
    [
        pytest.param(wants("short", 1, seconds=3600), True, id="over by the start"),
        pytest.param(wants("long", 1, seconds=3601), False, id="a second too long"),
        pytest.param(wants("endless", 1), False, id="no declared end"),
    ],
)
def test_what_is_left_of_a_limit_is_kept_like_nodes(offered: Offer, have: Cluster, follower: Job, goes: bool) -> None:
    plan = plan_of(snapshot([GANG, follower], [offered], [have]))
    assert [done.job.uid for done in plan.assignments] == ([follower.uid] if goes else [])
    if not goes:
        assert plan.refusals[-1].dominant is Reason.RESERVED_FOR_OTHERS


def test_what_the_reservation_does_not_need_may_be_had() -> None:
    """Of 24 the first has 8, the gang will take 16 of them in an hour: 8 are left to anybody, and not 16."""
    roomy = offer(rules=[PoolRule(selector=selector(), max_devices=32)])
    have = member(BUSY, running("b", "h-1", ends=NOW + HOUR))
    followers = [wants("one", 1, age=9), wants("two", 1, age=8)]
    plan = plan_of(snapshot([wants("gang", 3, age=100), *followers], [roomy], [have]))
    assert [done.job.uid for done in plan.assignments] == ["one"]
    assert [each.job_uid for each in plan.reservations] == ["gang"]


@pytest.mark.parametrize(("offered", "have"), LIMITS)
def test_a_higher_job_takes_it_and_the_promise_is_made_anew_or_void(offered: Offer, have: Cluster) -> None:
    world = snapshot([GANG], [offered], [have])
    first = plan_of(world).reservations
    boss = wants("boss", 1, priority=1)
    plan = plan_of(replace(snapshot([GANG, boss], [offered], [have]), reservations=first))
    assert [done.job.uid for done in plan.assignments] == ["boss"]
    assert (plan.reservations, plan.unknown_starts) == ((), {"gang": "Limited"})


def test_two_offers_of_one_namespace_are_not_promised_the_same_quota() -> None:
    """Sixteen come back in an hour, eight more in three: the first asks for sixteen, so that the next has to wait for the eight."""
    other = offer("o2")
    have = member(BUSY, running("b", "h-1", ends=NOW + HOUR), running("c", "h-2", ends=NOW + 3 * HOUR), left=0)
    plan = plan_of(snapshot([GANG, wants("next", 1, age=99), wants("last", 3, age=98)], [PLAIN, other], [have]))
    assert {each.job_uid: each.start for each in plan.reservations} == {"gang": NOW + HOUR, "next": NOW + 3 * HOUR}
    assert plan.unknown_starts == {"last": "AllReserved"}


def test_a_kept_promise_goes_on_in_the_next_cycle_and_is_kept() -> None:
    world = snapshot([GANG], [CAPPED], [member(BUSY)])
    first = plan_of(world).reservations
    later = replace(world, now=NOW + 5, reservations=first)
    assert plan_of(later).reservations == first
    over = replace(later, now=NOW + HOUR, clusters={"c1": member()})
    assert [done.job.uid for done in plan_of(over).assignments] == ["gang"]


SOONER = running("a", "h-0", ends=NOW + HOUR // 2)
EARLIER = [
    pytest.param(CAPPED, {}, id="the offer's cap"),
    pytest.param(PLAIN, {"left": 8}, id="the quota of the job namespace"),
    pytest.param(QUEUED, {"free": 8}, id="the member's queue"),
]


@pytest.mark.parametrize(("offered", "limits"), EARLIER)
def test_a_reservation_moves_earlier_where_limits_count(offered: Offer, limits: dict[str, int]) -> None:
    """What has the limit declares an earlier end: the start moves there, and never back."""
    world = snapshot([GANG], [offered], [member(BUSY, **limits)])
    first = plan_of(world).reservations
    sooner = replace(world, clusters={"c1": member(SOONER, **limits)}, reservations=first)
    (moved,) = plan_of(sooner).reservations
    assert (moved.start, moved.published) == (NOW + HOUR // 2, NOW + HOUR)
    again = replace(sooner, clusters={"c1": member(BUSY, **limits)}, reservations=(moved,))
    assert plan_of(again).reservations == (moved,)


def test_a_reservation_moves_earlier_only_where_that_delays_no_other_one() -> None:
    """Of a quota of 8 that are left, and 8 that come back in an hour, the first has 16; 16 more come back in two hours for the second.

    Half of those come back sooner: the second one would have 16 then, but the first not its own. The first may have them sooner.
    """
    busy = [
        running("a", "h-0", ends=NOW + HOUR),
        *(running(each, node, ends=NOW + 2 * HOUR) for each, node in (("b", "h-1"), ("c", "h-2"))),
    ]
    world = snapshot(
        [wants("z-first", 2, age=100), wants("a-second", 2, seconds=9000, age=99)], [PLAIN, offer("o2")], [member(*busy, left=8)]
    )
    first = plan_of(world).reservations
    assert {each.job_uid: each.start for each in first} == {"z-first": NOW + HOUR, "a-second": NOW + 2 * HOUR}
    sooner = member(busy[0], replace(busy[1], ends=NOW + HOUR // 2), busy[2], left=8)
    moved = plan_of(replace(world, reservations=first, clusters={"c1": sooner}))
    assert {each.job_uid: each.start for each in moved.reservations} == {"z-first": NOW + HOUR // 2, "a-second": NOW + 2 * HOUR}
