"""Who may still find a place."""

from dataclasses import replace

from builders import A100, H100, NOW, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.model.backlog import Backlog
from sampan.scheduling.cache import Memo, SchedulerCache
from sampan.scheduling.candidate_index import MAX_PRIORITY, MIN_PRIORITY, CandidateIndex

SMALL, GANG = shape(demand(requirement())), shape(demand(requirement(), replicas=9))
WORLD = snapshot([job("small", SMALL), job("gang", GANG)], [offer()], [cluster(*nodes("h", 2, H100))])


KINDS = (("gang", GANG), ("small", SMALL))
ONLY_SMALL: dict[str, list[str]] = {"m": ["m-small"], "n": ["n-small"], "o": []}


def opened() -> tuple[SchedulerCache, CandidateIndex]:
    cache = Memo().cache_or_new()
    cache.update(WORLD)
    cache.prepare(WORLD)
    return cache, CandidateIndex(cache, WORLD)


def places(cache: SchedulerCache, candidates: CandidateIndex) -> list[str]:
    (queue,) = cache.pending.queues["default"].values()
    return sorted(queue.buckets[place].head.uid for place in candidates.places([queue])[0])


def test_only_who_has_room_is_let_in_where_nobody_can_be_kept_a_place() -> None:
    cache, candidates = opened()
    candidates.reservation_floor = MAX_PRIORITY
    assert places(cache, candidates) == ["small"]
    candidates.reservation_floor = MIN_PRIORITY
    assert places(cache, candidates) == ["gang", "small"]


def test_the_second_of_a_like_that_was_refused_is_not_let_in() -> None:
    cache, candidates = opened()
    gang = candidates.class_of(WORLD.jobs[0])
    assert candidates.is_candidate(gang.number, 0)
    assert candidates.drop(gang)
    assert not candidates.drop(gang)
    assert not candidates.is_candidate(gang.number, 0)
    assert places(cache, candidates) == ["small"]


def test_a_shape_is_infeasible_with_its_last_cell_and_stays_so() -> None:
    cache, candidates = opened()
    small = candidates.class_of(next(each for each in WORLD.jobs if each.uid == "small"))
    row = cache.verdicts_of(SMALL, WORLD).rows[0]
    for node in (0, 1):
        assert candidates.is_feasible(small)
        cache.matrix.take(0, row.request_row, [(int(cache.matrix.columns[0].nodes[node]), 1)])
        candidates.refresh()
    assert not candidates.is_feasible(small)


def test_what_was_shut_stays_so_though_there_is_room_elsewhere() -> None:
    ways = shape(demand(requirement(H100)), replace(demand(requirement(A100)), alternative=1))
    world = snapshot([job(wanted=ways)], [offer()], [cluster(*nodes("h", 1, H100), *nodes("a", 1, A100))])
    cache = Memo().cache_or_new()
    cache.update(world)
    cache.prepare(world)
    candidates = CandidateIndex(cache, world)
    equivalence = candidates.class_of(world.jobs[0])
    candidates.drop(equivalence)
    column = next(at for at, each in enumerate(cache.matrix.columns) if each.names == ("h-0",))
    cache.matrix.take(column, cache.verdicts_of(ways, world).rows[0].request_row, [(int(cache.matrix.columns[column].nodes[0]), 1)])
    candidates.refresh()
    assert not candidates.is_feasible(equivalence)


def test_what_a_younger_job_of_a_bucket_shares_is_looked_up_when_it_is_met() -> None:
    late = shape(demand(requirement(A100)), replace(demand(requirement(H100)), alternative=1, wait_seconds=60))
    jobs = [job("old", late, created=NOW - 60_000), job("young", late)]
    world = replace(WORLD, backlog=Backlog.of(jobs))
    cache = Memo().cache_or_new()
    cache.update(world)
    cache.prepare(world)
    candidates = CandidateIndex(cache, world)
    assert [candidates.is_feasible(candidates.class_of(each)) for each in jobs] == [True, False]


def test_candidates_are_told_lane_by_lane() -> None:
    jobs = [replace(job(f"{namespace}-{name}", wanted), namespace=namespace) for namespace in "mn" for name, wanted in KINDS]
    world = replace(WORLD, backlog=Backlog.of([*jobs, replace(job("alone", GANG), namespace="o")]))
    cache = Memo().cache_or_new()
    cache.update(world)
    cache.prepare(world)
    candidates = CandidateIndex(cache, world)
    queues = [queue for _, queue in cache.pending.namespace_queues()]
    for hopeless, want in (
        (MIN_PRIORITY, {"m": ["m-gang", "m-small"], "n": ["n-gang", "n-small"], "o": ["alone"]}),
        (MAX_PRIORITY, ONLY_SMALL),
    ):
        candidates.reservation_floor = hopeless
        found = {
            queue.namespace: [queue.buckets[at].head.uid for at in places]
            for queue, places in zip(queues, candidates.places(queues), strict=True)
        }
        assert found == want


def test_a_number_that_is_used_again_in_the_cycle_takes_nothing_from_the_others() -> None:
    """As when the second of a bucket has another alternative ripe than the first."""
    both = replace(WORLD, backlog=Backlog.of([job("gang", GANG), job("small", SMALL)]))
    gone = replace(both, backlog=both.backlog.without_job(both.jobs[0]))
    cache = Memo().cache_or_new()
    for world in (both, gone):
        cache.update(world)
        cache.prepare(world)
    candidates = CandidateIndex(cache, gone)
    third = candidates.class_of(job("third", SMALL, excluded=[(offer("other").key, "p")]))
    assert third.number < candidates.class_of(gone.jobs[0]).number
    assert candidates.is_feasible(third)
    assert candidates.is_feasible(candidates.class_of(gone.jobs[0]))
