"""A forecast names the start that a run with the declared ends reaches, or what keeps it from being known."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import H100, NOW, cluster, demand, job, nodes, offer, quota, requirement, selector, shape, snapshot, vector
from sampan.model.job import Job
from sampan.model.members.cluster import MemberQueue, Running
from sampan.model.members.offer import PoolRule
from sampan.model.plan import StartUnknown
from sampan.model.reason import Reason
from sampan.model.snapshot import Snapshot
from sampan.model.values.vector import Vector
from sampan.scheduling.answers.forecast import forecast
from sampan.scheduling.answers.next_cycle import next_cycle
from sampan.scheduling.answers.start_wording import UNKNOWN_STARTS
from sampan.scheduling.answers.values import StartForecast
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

SECOND = 1000


def running(uid: str, place: int, devices: int, ends: int | None, likely: int | None = None) -> Running:
    """Return a job that holds devices of one node for some seconds from now."""
    return Running(
        job_uid=uid,
        namespace="team-b",
        queue="default",
        priority=0,
        offer=offer().key,
        pool="h100-sxm-80gb-x8",
        nodes=((f"n-{place}", 1),),
        per_replica=vector(4, 16, 1, gpu=devices),
        ends=None if ends is None else NOW + ends * SECOND,
        likely_ends=None if likely is None else NOW + likely * SECOND,
    )


def waiting(name: str, devices: int, span: int | None, replicas: int = 1, age: int = 1) -> Job:
    return job(name, shape(replace(demand(requirement(count=devices), replicas=replicas), span_seconds=span)), created=NOW - age)


def world(jobs: tuple[Job, ...], *runs: Running, size: int = 1) -> Snapshot:
    """Return one member of so many nodes with these jobs on it."""
    held: dict[str, Vector] = {}
    for run in runs:
        for name, replicas in run.nodes:
            held[name] = held.get(name, Vector()) + run.per_replica.times(replicas)
    member = replace(cluster(*nodes("n", size, H100), used=held), running={run.job_uid: run for run in runs})
    return snapshot(jobs, [offer()], [member])


def told(picture: Snapshot, wanted: Job) -> StartForecast:
    return forecast(next_cycle(picture, Memo(), wanted))


@pytest.mark.parametrize("kind", ["cap", "quota", "queue"])
def test_where_a_limit_decides_the_start_is_when_enough_of_it_comes_back(kind: str) -> None:
    """Four nodes, of which a limit lets two be used: `one` and `two` have them, `mine` is after `first`."""
    offered = offer(rules=[PoolRule(selector=selector(), max_devices=16)]) if kind == "cap" else offer()
    offered = replace(offered, member_queue="batch") if kind == "queue" else offered
    mine, first = waiting("mine", 8, 60), waiting("first", 8, 100, age=9)
    whole = world((first, mine), running("one", 0, 8, 50), running("two", 1, 8, 200), size=4)
    left = {"nvidia.com/gpu": 0}
    member = replace(
        whole.clusters["c1"],
        quotas={"sampan-jobs": (quota(left),)} if kind == "quota" else {},
        queues={"sampan-jobs/batch": MemberQueue(name="batch", free=left)} if kind == "queue" else {},
    )
    picture = snapshot(whole.jobs, [offered], [member])
    assert told(picture, mine).at_latest == NOW + 150 * SECOND


def test_a_job_with_room_starts_now() -> None:
    mine = waiting("mine", 8, 60)
    assert told(world((mine,)), mine) == StartForecast(at_latest=NOW, likely=NOW)


def test_it_starts_when_what_runs_there_ends() -> None:
    mine = waiting("mine", 8, 60)
    start = told(world((mine,), running("a", 0, 4, 100), running("b", 0, 4, 300, likely=200)), mine)
    assert start == StartForecast(at_latest=NOW + 300 * SECOND, likely=NOW + 200 * SECOND, sample=1)


def test_those_before_it_take_their_turn() -> None:
    mine, first = waiting("mine", 8, 60), waiting("first", 8, 500, age=9)
    assert told(world((mine, first), running("a", 0, 8, 100)), mine).at_latest == NOW + 600 * SECOND


def test_a_job_that_declares_no_end_blocks_what_can_be_known() -> None:
    mine = waiting("mine", 8, 60)
    start = told(world((mine,), running("a", 0, 1, None)), mine)
    assert start.at_latest is None
    assert "declare an end" in start.unknown


def test_its_reservation_is_what_is_promised() -> None:
    mine = waiting("mine", 8, 60)
    picture = world((mine,), running("a", 0, 8, 100))
    plan, _ = schedule(picture, Memo())
    start = told(replace(picture, reservations=plan.reservations), mine)
    assert start.reserved
    assert start.at_latest == plan.reservations[0].published == NOW + 100 * SECOND


@pytest.mark.parametrize(
    ("wanted", "want"),
    [
        (waiting("mine", 9, 60), "no pool could run it"),
        (replace(waiting("mine", 8, 60), inadmissible=Reason.QUEUE_NOT_ALLOWED), "queue does not let"),
    ],
    ids=["too large", "barred"],
)
def test_what_can_never_start_says_why(wanted: Job, want: str) -> None:
    assert want in told(world((wanted,)), wanted).unknown


def test_beyond_the_horizon_nothing_is_told() -> None:
    mine = waiting("mine", 8, 60)
    found = next_cycle(world((mine,), running("a", 0, 8, 100)), Memo(), mine)
    assert "looks ahead" in forecast(found, horizon=50 * SECOND).unknown


RUNS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 500)), min_size=2, max_size=2)
JOBS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 300), st.integers(1, 2)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(RUNS, JOBS, st.data())
def test_a_reserved_start_is_never_before_what_a_run_with_earlier_ends_reaches(
    runs: list[tuple[int, int]], spans: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Ends come when they like, never after what was declared: the job with a published start is there by then."""
    jobs = tuple(waiting(f"j{at}", count, span, replicas, age=99 - at) for at, (count, span, replicas) in enumerate(spans))
    picture = world(jobs, *(running(f"r{at}", at, count, ends) for at, (count, ends) in enumerate(runs)), size=2)
    plan, _ = schedule(picture, Memo())
    if not plan.reservations:
        return
    promised = plan.reservations[0]
    mine = next(each for each in jobs if each.uid == promised.job_uid)
    start = told(replace(picture, reservations=plan.reservations), mine)
    early = {uid: data.draw(st.integers(1, max((run.ends or 0) - NOW, 1))) for uid, run in picture.clusters["c1"].running.items()}
    member = picture.clusters["c1"]
    sooner = {uid: replace(run, ends=NOW + early[uid]) for uid, run in member.running.items()}
    real = replace(picture, clusters={"c1": replace(member, running=sooner)}, reservations=plan.reservations)
    reached = told(replace(real, reservations=()), mine)
    assert start.at_latest == (promised.published if start.reserved else NOW)
    assert reached.at_latest is not None
    assert reached.at_latest <= promised.published


def test_a_pool_that_only_cools_down_is_not_said_to_be_unfit() -> None:
    mine = replace(waiting("mine", 8, 60), excluded=frozenset({(offer().key, "h100-sxm-80gb-x8")}))
    assert told(world((mine,)), mine).unknown == UNKNOWN_STARTS[StartUnknown.COOLING_DOWN]
