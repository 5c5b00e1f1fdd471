"""What becomes of a job in the next cycle, seen in the state of that very cycle."""

from dataclasses import replace

import pytest

from builders import H100, NOW, cluster, demand, job, nodes, offer, quota, requirement, running, selector, shape, snapshot, vector
from sampan.model.job import Job
from sampan.model.members.cluster import MemberQueue
from sampan.model.members.offer import PoolRule
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.cells import cell_answers
from sampan.scheduling.answers.next_cycle import NextCycle, next_cycle, prepared
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

ONE = shape(demand(requirement(count=1)))
LARGE = shape(replace(demand(requirement(count=8), replicas=2), span_seconds=300))
ENDLESS = job("endless", ONE, created=NOW)


def ask(world: Snapshot, wanted: Job) -> NextCycle:
    return next_cycle(world, Memo(), wanted)


def reserved(kind: str) -> Snapshot:
    """Four nodes, one in use for a minute; a limit leaves eight devices of sixteen more, which are kept for a job that needs sixteen."""
    offered = offer(rules=[PoolRule(selector=selector(), max_devices=16)]) if kind == "cap" else offer()
    offered = replace(offered, member_queue="batch") if kind == "queue" else offered
    left = {"nvidia.com/gpu": 8}
    member = replace(
        cluster(*nodes("n", 4, H100), used={"n-0": vector(gpu=8)}),
        running={"r": running("r", "n-0", ends=NOW + 60_000)},
        quotas={"sampan-jobs": (quota(left),)} if kind == "quota" else {},
        queues={"sampan-jobs/batch": MemberQueue(name="batch", free=left)} if kind == "queue" else {},
    )
    world = snapshot([job("large", LARGE)], [offered], [member])
    plan, _ = schedule(world, Memo())
    assert [each.job_uid for each in plan.reservations] == ["large"]
    return replace(world, reservations=plan.reservations)


@pytest.mark.parametrize("kind", ["cap", "quota", "queue"])
def test_what_is_kept_of_a_limit_is_nobody_elses(kind: str) -> None:
    """Two whole nodes are free that nobody is kept; only what the limit leaves is."""
    found = ask(reserved(kind), ENDLESS)
    assert (found.choice, found.reached) == (None, True)
    assert [each.unmet[0].reason for each in cell_answers(found.state, found.entry)] == [Reason.RESERVED_FOR_OTHERS]


@pytest.mark.parametrize("kind", ["cap", "quota", "queue"])
def test_whoever_is_gone_by_then_may_have_it(kind: str) -> None:
    short = replace(ENDLESS, shape=shape(replace(demand(requirement(count=1)), span_seconds=30)))
    assert ask(reserved(kind), short).choice is not None


def test_a_job_that_is_put_in_comes_where_its_age_says() -> None:
    world = snapshot([job("old", created=0)], [offer()], [cluster(*nodes("n", 1, H100))])
    assert ask(world, job("new", created=NOW)).choice is None
    assert ask(world, job("older", created=-1)).choice is not None
    assert len(world.backlog) == 1


def test_a_job_beyond_the_limit_is_not_reached() -> None:
    world = replace(snapshot([job("old", ONE, created=0)], [offer()], [cluster(*nodes("n", 1, H100))]), limit=1)
    found = ask(world, ENDLESS)
    assert (found.choice, found.reached) == (None, False)


def test_a_job_that_may_not_compete_gets_nothing() -> None:
    world = snapshot([], [offer()], [cluster(*nodes("n", 1, H100))])
    found = ask(world, replace(ENDLESS, inadmissible=Reason.PRIORITY_NOT_ALLOWED))
    assert (found.choice, found.reached) == (None, True)


def test_the_job_is_taken_as_it_waits() -> None:
    """Who asks need not know which pools cool down for it."""
    cooling = job("j", ONE, excluded=[(offer().key, "h100-sxm-80gb-x8")])
    found = ask(snapshot([cooling], [offer()], [cluster(*nodes("n", 1, H100))]), job("j", ONE))
    assert found.job == cooling
    assert found.choice is None


def test_what_it_has_kept_goes_on() -> None:
    world = reserved("quota")
    found = ask(world, world.jobs[0])
    assert found.kept == world.reservations[0]
    assert ask(replace(world, reservations=()), world.jobs[0]).kept is None


def test_a_prepared_memo_changes_nothing_but_the_time() -> None:
    world = reserved("cap")
    first = next_cycle(world, prepared(world, Memo()), ENDLESS)
    assert (first.choice, first.reached) == (None, True)
    again = next_cycle(world, first.cycle.close(), ENDLESS)
    assert cell_answers(again.state, again.entry) == cell_answers(ask(world, ENDLESS).state, ask(world, ENDLESS).entry)
