"""What limits a cell beyond its nodes."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from builders import H100, NOW, cluster, demand, job, nodes, offer, quota, requirement, running, selector, shape, snapshot, vector
from sampan.model.job import Job
from sampan.model.members.cluster import Cluster, MemberQueue
from sampan.model.members.offer import Offer, PoolRule
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.names import NAMESPACE_NAME
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

MEMBER = cluster(*nodes("h", 2, H100))
CAPPED = offer(rules=[PoolRule(selector=selector(), max_devices=8)])


def plan_of(world: Snapshot) -> Plan:
    return schedule(world, Memo())[0]


def told(member: Cluster, offered: Offer, count: int) -> Reason | None:
    plan = plan_of(snapshot([job("j", shape(demand(requirement(count=count))))], [offered], [member]))
    return plan.refusals[0].dominant if plan.refusals else None


@pytest.mark.parametrize(
    ("used", "count", "want"),
    [
        pytest.param(4, 4, None, id="what is left of the cap"),
        pytest.param(5, 4, Reason.INSUFFICIENT_CAPACITY, id="more than is left of it"),
        pytest.param(0, 8, None, id="all of it"),
    ],
)
def test_a_device_cap_counts_what_we_run_through_the_offer(used: int, count: int, want: Reason | None) -> None:
    member = replace(MEMBER, running={"r": running("r", "h-0", ends=NOW + 1, devices=used)}) if used else MEMBER
    assert told(member, CAPPED, count) is want


def test_what_others_run_does_not_count_against_a_device_cap() -> None:
    other = replace(running("r", "h-0", ends=NOW + 1), offer=offer("other").key)
    assert told(replace(MEMBER, running={"r": other}, used={"h-0": vector(gpu=8)}), CAPPED, 8) is None


def test_more_than_the_cap_is_too_large() -> None:
    plan = plan_of(snapshot([job("j", shape(demand(requirement(), replicas=2)))], [CAPPED], [MEMBER]))
    assert plan.refusals[0].dominant is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("left", "want"),
    [
        ({"nvidia.com/gpu": 7}, Reason.QUOTA_EXHAUSTED),
        ({"nvidia.com/gpu": 8, "pods": 1}, None),
        ({"cpu": 3999}, Reason.QUOTA_EXHAUSTED),
        ({"count/pods": 0}, Reason.QUOTA_EXHAUSTED),
        ({"limits.cpu": 0}, None),
    ],
)
def test_the_quota_of_the_namespace_limits(left: Mapping[str, int], want: Reason | None) -> None:
    assert told(replace(MEMBER, quotas={"sampan-jobs": (quota(left),), "elsewhere": (quota({"pods": 0}),)}), offer(), 8) is want


APART = replace(offer(), tenant_namespaces={"team-a": "jobs-a", "team-b": "jobs-b"})


def of_tenant(name: str, tenant: str, count: int = 8) -> Job:
    """A job as the state hands it over where an offer keeps tenants apart."""
    wanted = shape(replace(demand(requirement(count=count)), tenant=tenant))
    return replace(job(name, replace(wanted, tenant=((NAMESPACE_NAME, tenant),))), namespace=tenant)


def test_a_quota_of_a_tenants_namespace_is_for_that_tenant_alone() -> None:
    member = replace(MEMBER, quotas={"jobs-a": (quota({"nvidia.com/gpu": 7}),), "sampan-jobs": (quota({"pods": 0}),)})
    plan = plan_of(snapshot([of_tenant("a", "team-a"), of_tenant("b", "team-b"), of_tenant("c", "team-c")], [APART], [member]))
    assert [done.job.uid for done in plan.assignments] == ["b"]
    assert {each.job.uid: each.dominant for each in plan.refusals} == {"a": Reason.QUOTA_EXHAUSTED, "c": Reason.TENANT_NAMESPACE_MISSING}


def test_what_one_tenant_takes_of_its_quota_is_not_taken_of_anothers() -> None:
    eight = {"jobs-a": (quota({"nvidia.com/gpu": 8}),), "jobs-b": (quota({"nvidia.com/gpu": 8}),)}
    waiting = [of_tenant("a1", "team-a", 4), of_tenant("a2", "team-a", 4), of_tenant("a3", "team-a", 4), of_tenant("b1", "team-b", 4)]
    plan = plan_of(snapshot(waiting, [APART], [replace(MEMBER, quotas=eight)]))
    assert {done.job.uid for done in plan.assignments} == {"a1", "a2", "b1"}


def test_a_namespace_that_another_tenant_gets_limits_that_one_from_then_on() -> None:
    member, memo = replace(MEMBER, quotas={"jobs-a": (quota({"nvidia.com/gpu": 0}),)}), Memo()
    waiting = [of_tenant("a", "team-a"), of_tenant("b", "team-b")]
    plan, memo = schedule(snapshot(waiting, [APART], [member]), memo)
    assert [done.job.uid for done in plan.assignments] == ["b"]
    swapped = replace(APART, tenant_namespaces={"team-a": "jobs-b", "team-b": "jobs-a"})
    plan, _ = schedule(snapshot(waiting, [swapped], [member]), memo)
    assert [done.job.uid for done in plan.assignments] == ["a"]


def test_the_members_own_queue_limits() -> None:
    world = snapshot([job()], [offer()], [replace(MEMBER, queues={"ns/q": MemberQueue(name="q", free={"nvidia.com/gpu": 4})})])
    queued = replace(world, cells=tuple(replace(cell, pool=replace(cell.pool, member_queue="ns/q")) for cell in world.cells))
    assert plan_of(queued).refusals[0].dominant is Reason.MEMBER_QUEUE_FULL
    assert plan_of(world).assignments


def test_what_one_takes_of_a_limit_is_gone_for_the_next() -> None:
    half, one = shape(demand(requirement(count=4))), shape(demand(requirement(count=1)))
    jobs = [job("a", half), job("b", half), job("c", one)]
    plan = plan_of(snapshot(jobs, [CAPPED], [MEMBER]))
    assert [done.job.uid for done in plan.assignments] == ["a", "b"]


def test_a_sweep_is_no_wider_than_what_the_offer_gives_to_one_job() -> None:
    sweep = job(wanted=shape(demand(requirement(H100, 2), replicas=20, least=1)))
    world = snapshot([sweep], [replace(offer(), max_devices_per_job=7)], [cluster(*nodes("h", 4, H100))])
    assert [done.replicas for done in schedule(world, Memo())[0].assignments] == [3]
