"""Which reservations stand in a cycle, and for whom none can be kept any more."""

from dataclasses import replace

import pytest

from builders import H100, NOW, cluster, demand, job, nodes, offer, requirement, running, shape, snapshot, vector
from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.backfill import RESERVATION_DEPTH
from sampan.scheduling.cache import Memo
from sampan.scheduling.candidate_index import MAX_PRIORITY, MIN_PRIORITY
from sampan.scheduling.cycle import Cycle, schedule

BOTH = shape(replace(demand(requirement(), replicas=2), span_seconds=60))
HALF = replace(cluster(*nodes("n", 2, H100), used={"n-0": vector(gpu=8)}), running={"r": running("r", "n-0", ends=NOW + 60_000)})


def world(*jobs: Job) -> Snapshot:
    return snapshot(jobs, [offer()], [HALF])


def cycle(picture: Snapshot) -> Cycle:
    made = Cycle.open(picture, Memo())
    made.carry_over_reservations()
    return made


def test_a_reservation_goes_on_while_its_job_waits_for_what_it_is_for() -> None:
    picture = world(job("big", BOTH))
    kept = schedule(picture, Memo())[0].reservations
    assert set(cycle(replace(picture, reservations=kept)).reserved) == {"big"}
    for other in (world(job("other", BOTH)), world(job("big", BOTH, excluded=[(offer().key, "h100-sxm-80gb-x8")]))):
        assert not cycle(replace(other, reservations=kept)).reserved


def test_a_blocked_job_is_kept_a_place_once() -> None:
    made = cycle(world(job("big", BOTH)))
    entry = made.state.entry(made.state.snapshot.jobs[0])
    for _ in range(2):
        made.planner.reserve_for(entry)
    assert [each.job_uid for each in made.reservations] == ["big"]
    assert made.planner.unknown_starts == {}


def test_why_none_can_be_kept_is_told() -> None:
    endless = replace(HALF, running={"r": running("r", "n-0", ends=None)})
    made = cycle(snapshot([job("big", BOTH)], [offer()], [endless]))
    made.planner.reserve_for(made.state.entry(made.state.snapshot.jobs[0]))
    assert made.planner.unknown_starts == {"big": "NoDeclaredEnd"}
    assert made.reservations == ()


@pytest.mark.parametrize(("tries", "hopeless"), [(RESERVATION_DEPTH - 1, MIN_PRIORITY), (RESERVATION_DEPTH, MAX_PRIORITY)])
def test_after_so_many_tries_nobody_may_hope(tries: int, hopeless: int) -> None:
    endless = replace(HALF, running={"r": running("r", "n-0", ends=None)})
    jobs = [job(f"big-{at:02}", BOTH) for at in range(tries)]
    made = cycle(snapshot(jobs, [offer()], [endless]))
    for each in made.state.snapshot.jobs:
        made.planner.reserve_for(made.state.entry(each))
    assert made.candidates.reservation_floor == hopeless
