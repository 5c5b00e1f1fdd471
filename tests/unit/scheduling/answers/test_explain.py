"""An explanation says in one line what is the matter, what the job waits for, and where it stands."""

from dataclasses import replace

from builders import H100, NOW, cluster, demand, job, node, offer, requirement, shape, snapshot, vector
from sampan.model.job import Job, Placement
from sampan.model.reason import Reason
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.explain import explain
from sampan.scheduling.answers.values import Explanation
from sampan.scheduling.cache import Memo

ONE = shape(demand(requirement(count=1)))
FULL = cluster(node("n", H100), used={"n": vector(gpu=8)})


def told(*jobs: Job, full: bool = False) -> Explanation:
    """Explain the first job."""
    return explain(world(*jobs, full=full), Memo(), jobs[0])[0]


def world(*jobs: Job, full: bool = False) -> Snapshot:
    return snapshot(jobs, [offer()], [FULL if full else cluster(node("n", H100))])


def test_a_job_that_can_start_waits_for_nothing() -> None:
    found = told(job())
    assert found.headline.startswith("pool h100-sxm-80gb-x8 of offer prov/o1 suits best, with a score of ")
    assert found.waits_for == ""
    assert found.start.at_latest == NOW


def test_a_job_behind_another_waits_for_its_turn() -> None:
    found = told(job(), job("first", created=0))
    assert found.waits_for == "room in the 1 pool that suits it; 1 job starts first now"
    assert found.starts_in is None
    assert found.position is not None
    assert (found.position.position, found.position.ahead_own) == (2, 1)


def test_a_job_whose_turn_the_cycle_does_not_reach_waits_for_it() -> None:
    picture = replace(world(job(wanted=ONE), job("first", ONE, created=0)), limit=1)
    found = explain(picture, Memo(), picture.jobs[1])[0]
    assert found.waits_for == "its turn: 1 job comes before it, and a cycle starts no more than 1 now"
    assert (found.starts_in, found.cells[0].usable) == (None, True)


def test_a_job_in_its_pause_starts_after_it() -> None:
    found = explain(world(job()), Memo(), job(), not_before=NOW + 5000)[0]
    assert found.waits_for == "the end of its pause, at 2027-01-15T08:00:05Z"
    assert (found.starts_in, found.start.at_latest, found.start.likely) == (None, NOW + 5000, NOW + 5000)


def test_a_full_pool_is_waited_for() -> None:
    found = told(job(), full=True)
    assert found.headline.startswith("no pool fits: 1 pool InsufficientCapacity")
    assert found.waits_for == "room in the 1 pool that suits it"
    assert found.starts_in is None


def test_where_waiting_does_not_help_it_says_so() -> None:
    found = told(job(wanted=shape(placement=Placement(regions=("eu",)))))
    assert found.waits_for == "a change of the job or of an offer: no pool suits it as they are"
    assert found.cells[0].changes


def test_the_next_alternative_is_waited_for() -> None:
    later = demand(requirement(), alternative=1, wait_seconds=60)
    found = told(job(wanted=shape(demand(requirement("none-such")), later)))
    assert found.waits_for == "its next alternative, which may be tried from 2027-01-15T08:00:59Z"


def test_a_job_that_may_not_compete_says_why() -> None:
    found = told(replace(job(), inadmissible=Reason.PRIORITY_NOT_ALLOWED))
    assert found.headline == "the job may not compete: PriorityNotAllowed (the queue allows no such priority)"
    assert found.waits_for == "a change of its queue or of the job"


def test_a_kept_place_is_named() -> None:
    picture = world(job(), full=True)
    cell = picture.cells[0].id
    held = Reservation(
        job_uid="j1", priority=0, cell=cell, demand=0, nodes=(("n", 1),), start=NOW + 60_000, published=NOW + 90_000, made=NOW
    )
    found, _ = explain(replace(picture, reservations=(held,)), Memo(), job())
    want = "the nodes kept for it in pool h100-sxm-80gb-x8 of offer prov/o1, free by 2027-01-15T08:01:00Z at the latest"
    assert found.waits_for == want
    assert (found.start.at_latest, found.start.reserved) == (NOW + 90_000, True)


def test_the_memo_goes_on_and_changes_nothing() -> None:
    first, memo = explain(world(job()), Memo(), job())
    second, _ = explain(world(job()), memo, job())
    assert first == second
