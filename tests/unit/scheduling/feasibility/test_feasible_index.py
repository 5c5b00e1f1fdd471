"""Which demands any cell could still take, kept up, against the same made anew."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import H100, cluster, demand, job, nodes, offer, quota, requirement, shape, snapshot, vector
from sampan.model.backlog import Backlog
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo, SchedulerCache
from strategies import worlds

ONE, FOUR, GANG = (shape(demand(requirement(count=8), replicas=replicas)) for replicas in (1, 4, 9))
MEMBER = cluster(*nodes("h", 4, H100))
WORLD = snapshot([job("one", ONE), job("four", FOUR), job("gang", GANG)], [offer("o1"), offer("o2")], [MEMBER])


def prepared(world: Snapshot, cache: SchedulerCache | None = None) -> SchedulerCache:
    cache = cache or Memo().cache_or_new()
    cache.update(world)
    cache.prepare(world)
    return cache


def reach(cache: SchedulerCache, world: Snapshot) -> dict[str, list[int]]:
    return {
        each.uid: [int(cache.feasible.feasible_count[row.feasible_row]) for row in cache.verdicts_of(each.shape, world).rows]
        for each in world.jobs
    }


def counted(cache: SchedulerCache, world: Snapshot) -> dict[str, list[int]]:
    """The same, cell by cell."""
    layout, fit, found = cache.cell_index(), cache.matrix.fits_now, dict[str, list[int]]()
    for each in world.jobs:
        found[each.uid] = []
        for row in cache.verdicts_of(each.shape, world).rows:
            universe, lacking = layout.candidate_cells(each.shape, row.demand)
            right = [at for at in range(len(row.reason_mask)) if universe[at] and not lacking[at] and not row.reason_mask[at]]
            rooms = [min(int(fit[row.request_row, at]), cache.limits.room(at, row.demand)) for at in right]
            found[each.uid].append(sum(room >= row.demand.least_replicas for room in rooms))
    return found


@given(worlds(), worlds(), st.booleans())
def test_what_is_kept_up_equals_what_is_counted(first: Snapshot, second: Snapshot, same_backlog: bool) -> None:
    second = replace(second, backlog=first.backlog) if same_backlog else second
    cache = prepared(first)
    for world in (first, second, first):
        prepared(world, cache)
        assert reach(cache, world) == counted(cache, world)


def test_a_place_that_is_taken_is_followed_and_the_last_one_named() -> None:
    cache = prepared(WORLD)
    assert reach(cache, WORLD) == {"one": [2], "four": [2], "gang": [0]}
    row = cache.verdicts_of(ONE, WORLD).rows[0]
    node = int(cache.matrix.columns[0].nodes[0])
    cache.matrix.take(0, row.request_row, [(node, 1)])
    assert cache.feasible.update_columns() == [cache.verdicts_of(FOUR, WORLD).rows[0].feasible_row]
    assert reach(cache, WORLD) == {"one": [2], "four": [0], "gang": [0]}
    assert cache.feasible.update_columns() == []


def test_stamps_change_with_what_is_told_and_rooms_with_what_fits() -> None:
    cache = prepared(WORLD)
    slot = cache.verdicts_of(FOUR, WORLD).rows[0].feasible_row

    def told(world: Snapshot) -> tuple[int, int | None]:
        prepared(world, cache).feasible.refresh()
        return int(cache.feasible.versions[slot]), cache.feasible.room([slot])

    def full(*names: str) -> Snapshot:
        return replace(WORLD, clusters={"c1": replace(MEMBER, used={name: vector(gpu=8) for name in names})})

    first = told(WORLD)
    assert first[1] == 4
    second = told(full("h-0"))
    assert (second[0] != first[0], second[1]) == (True, 3)
    assert told(full("h-0", "h-1")) == (second[0], 2), "only the room is another"
    assert told(full("h-0")) == second
    assert told(WORLD)[0] not in (first[0], second[0])


def test_a_limit_is_stamped_once_it_says_something_else_of_a_demand() -> None:
    """Four pods fit, or three, or two: that three is not enough is told like that two is not; only the room is another."""
    cache = prepared(WORLD)
    slot = cache.verdicts_of(FOUR, WORLD).rows[0].feasible_row
    stamps, rooms = [], []
    for pods in (None, 3, 3, 2, 4):
        quotas = {} if pods is None else {"sampan-jobs": (quota({"pods": pods}),)}
        world = replace(WORLD, clusters={"c1": replace(MEMBER, quotas=quotas)})
        prepared(world, cache).feasible.refresh()
        stamps.append(int(cache.feasible.versions[slot]))
        rooms.append(cache.feasible.room([slot]))
    assert len(set(stamps)) == 3
    assert stamps[1] == stamps[2] == stamps[3]
    assert rooms == [4, 3, 3, 2, 4]


def test_rows_that_are_forgotten_leave_their_place_to_others() -> None:
    cache = prepared(WORLD)
    gone = cache.verdicts_of(FOUR, WORLD)
    cache.feasible.remove(gone.rows)
    cache.shapes.pop(FOUR)
    other = replace(WORLD, backlog=Backlog.of([job("two", shape(demand(requirement(), replicas=2)))]))
    prepared(other, cache)
    assert cache.verdicts_of(other.jobs[0].shape, other).rows[0].feasible_row == gone.rows[0].feasible_row
    assert reach(cache, other) == counted(cache, other)
