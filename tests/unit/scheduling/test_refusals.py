"""The refusals of a cycle."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import A100, H100, NOW, cluster, demand, job, nodes, offer, quota, requirement, shape, snapshot, vector
from sampan.model.backlog import Backlog
from sampan.model.job import Job
from sampan.model.plan import Plan
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import Cycle, schedule
from sampan.scheduling.diagnosis import fresh_refusal
from strategies import GPU, JOBS, worlds

ONE, GANG = shape(demand(requirement())), shape(demand(requirement(), replicas=3))
MEMBER = cluster(*nodes("h", 2, H100))


def world(*jobs: Job) -> Snapshot:
    return snapshot(jobs, [offer()], [MEMBER])


def told(plan: Plan) -> list[list[str]]:
    return [[each.uid for each in refusal.jobs] for refusal in plan.refusals]


def test_one_refusal_tells_all_who_are_alike_whatever_queue_and_priority_oldest_first() -> None:
    jobs = [
        job("c", GANG, created=NOW - 1),
        replace(job("a", GANG, created=NOW - 5), queue="other"),
        job("b", GANG, priority=7),
        replace(job("d", GANG, created=NOW), namespace="elsewhere"),
    ]
    plan = schedule(world(*jobs), Memo())[0]
    assert told(plan) == [["b", "a", "c", "d"]]
    assert plan.refusals[0].dominant is Reason.TOO_LARGE


def test_of_a_bucket_those_who_were_placed_are_not_told() -> None:
    plan = schedule(world(*(job(f"j{at}", ONE, created=NOW + at) for at in range(5))), Memo())[0]
    assert [done.job.uid for done in plan.assignments] == ["j0", "j1"]
    assert sorted(uid for uids in told(plan) for uid in uids) == ["j2", "j3", "j4"]
    assert all(refusal.room == 0 for refusal in plan.refusals)


def test_what_did_not_change_is_the_very_same_refusal() -> None:
    picture = world(job("g", GANG), job("h", GANG))
    first, memo = schedule(picture, Memo())
    second, memo = schedule(replace(picture, now=NOW + 1000), memo)
    assert second.refusals[0] is first.refusals[0]
    more = replace(picture, backlog=picture.backlog.with_job(job("i", GANG)), now=NOW + 2000)
    assert told(schedule(more, memo)[0]) == [["g", "h", "i"]]


def test_only_the_room_is_told_anew_where_only_that_changed() -> None:
    waiting = world(job("g", shape(demand(requirement(), replicas=2))))
    roomy = replace(waiting, clusters={"c1": replace(MEMBER, used={"h-0": vector(gpu=1)})})
    full = replace(waiting, clusters={"c1": replace(MEMBER, used={"h-0": vector(gpu=1), "h-1": vector(gpu=1)})})
    first, memo = schedule(roomy, Memo())
    second, _ = schedule(full, memo)
    assert (first.refusals[0].room, second.refusals[0].room) == (1, 0)
    assert second == schedule(full, Memo())[0]


def test_behind_the_limit_only_those_are_told_for_whom_there_is_no_room() -> None:
    jobs = [job("a", ONE), job("b", ONE, created=NOW + 1), job("g", GANG, created=NOW + 2)]
    plan = schedule(replace(world(*jobs), limit=1), Memo())[0]
    assert ([done.job.uid for done in plan.assignments], told(plan)) == (["a"], [["g"]])


def test_younger_jobs_of_a_bucket_are_told_by_what_they_may_try() -> None:
    late = shape(demand(requirement(A100)), replace(demand(requirement()), alternative=1, wait_seconds=60))
    jobs = [job("old", late, created=NOW - 60_000), job("young", late), job("gone", ONE)]
    picture = replace(world(), backlog=Backlog.of(jobs))
    plan = schedule(picture, Memo())[0]
    assert sorted(done.job.uid for done in plan.assignments) == ["gone", "old"]
    assert told(plan) == [["young"]]


@given(worlds(), st.data())
def test_what_the_feasible_index_reports_is_why_a_job_without_a_feasible_cell_is_refused(world: Snapshot, data: st.DataObject) -> None:
    """Members are drawn with less free, so that many jobs find no cell."""
    less = st.fixed_dictionaries({GPU: st.integers(0, 3)})
    quotas = {uid: replace(member, quotas={JOBS: (quota(data.draw(less)),)}) for uid, member in world.clusters.items()}
    cycle = Cycle.open(replace(world, clusters=quotas), Memo())
    index = cycle.state.cache.feasible
    index.refresh()
    for equivalence in cycle.state.cache.pending.classes.live():
        entry = cycle.state.entry(equivalence.buckets[0].head)
        counts = [index.feasible_count[entry.verdicts.rows[at].feasible_row] for at in entry.eligible]
        if not any(counts):
            assert fresh_refusal(cycle.state, entry, reported=True) == fresh_refusal(cycle.state, entry)
