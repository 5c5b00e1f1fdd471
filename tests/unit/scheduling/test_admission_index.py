"""Who may still find a place."""

from dataclasses import replace

from builders import A100, H100, NOW, cluster, demand, job, nodes, offer, requirement, shape, snapshot
from sampan.model.backlog import Backlog
from sampan.scheduling.admission_index import EVERYBODY, NOBODY, Doors
from sampan.scheduling.cache import Book, Memo

SMALL, GANG = shape(demand(requirement())), shape(demand(requirement(), replicas=9))
WORLD = snapshot([job("small", SMALL), job("gang", GANG)], [offer()], [cluster(*nodes("h", 2, H100))])


KINDS = (("gang", GANG), ("small", SMALL))
ONLY_SMALL: dict[str, list[str]] = {"m": ["m-small"], "n": ["n-small"], "o": []}


def opened() -> tuple[Book, Doors]:
    book = Memo().open()
    book.advance(WORLD)
    book.prepare(WORLD)
    return book, Doors(book, WORLD)


def places(book: Book, doors: Doors) -> list[str]:
    (lane,) = book.yard.queues["default"].values()
    return sorted(lane.buckets[place].head.uid for place in doors.candidates([lane])[0])


def test_only_who_has_room_is_let_in_where_nobody_can_be_kept_a_place() -> None:
    book, doors = opened()
    doors.hopeless = EVERYBODY
    assert places(book, doors) == ["small"]
    doors.hopeless = NOBODY
    assert places(book, doors) == ["gang", "small"]


def test_the_second_of_a_like_that_was_refused_is_not_let_in() -> None:
    book, doors = opened()
    gang = doors.of(WORLD.jobs[0])
    assert doors.admits(gang.number, 0)
    assert doors.shut(gang)
    assert not doors.shut(gang)
    assert not doors.admits(gang.number, 0)
    assert places(book, doors) == ["small"]


def test_a_door_shuts_with_the_last_opening_and_never_opens_again() -> None:
    book, doors = opened()
    small = doors.of(next(each for each in WORLD.jobs if each.uid == "small"))
    row = book.rows_of(SMALL, WORLD).rows[0]
    for node in (0, 1):
        assert doors.is_open(small)
        book.tables.take(0, row.need, [(int(book.tables.columns[0].nodes[node]), 1)])
        doors.follow()
    assert not doors.is_open(small)


def test_what_was_shut_stays_so_though_there_is_room_elsewhere() -> None:
    ways = shape(demand(requirement(H100)), replace(demand(requirement(A100)), alternative=1))
    world = snapshot([job(wanted=ways)], [offer()], [cluster(*nodes("h", 1, H100), *nodes("a", 1, A100))])
    book = Memo().open()
    book.advance(world)
    book.prepare(world)
    doors = Doors(book, world)
    like = doors.of(world.jobs[0])
    doors.shut(like)
    column = next(at for at, each in enumerate(book.tables.columns) if each.names == ("h-0",))
    book.tables.take(column, book.rows_of(ways, world).rows[0].need, [(int(book.tables.columns[column].nodes[0]), 1)])
    doors.follow()
    assert not doors.is_open(like)


def test_what_a_younger_job_of_a_bucket_shares_is_looked_up_when_it_is_met() -> None:
    late = shape(demand(requirement(A100)), replace(demand(requirement(H100)), alternative=1, wait_seconds=60))
    jobs = [job("old", late, created=NOW - 60_000), job("young", late)]
    world = replace(WORLD, backlog=Backlog.of(jobs))
    book = Memo().open()
    book.advance(world)
    book.prepare(world)
    doors = Doors(book, world)
    assert [doors.is_open(doors.of(each)) for each in jobs] == [True, False]


def test_candidates_are_told_lane_by_lane() -> None:
    jobs = [replace(job(f"{namespace}-{name}", wanted), namespace=namespace) for namespace in "mn" for name, wanted in KINDS]
    world = replace(WORLD, backlog=Backlog.of([*jobs, replace(job("alone", GANG), namespace="o")]))
    book = Memo().open()
    book.advance(world)
    book.prepare(world)
    doors = Doors(book, world)
    lanes = [lane for _, lane in book.yard.lanes()]
    for hopeless, want in ((NOBODY, {"m": ["m-gang", "m-small"], "n": ["n-gang", "n-small"], "o": ["alone"]}), (EVERYBODY, ONLY_SMALL)):
        doors.hopeless = hopeless
        found = {
            lane.namespace: [lane.buckets[at].head.uid for at in places]
            for lane, places in zip(lanes, doors.candidates(lanes), strict=True)
        }
        assert found == want


def test_a_number_that_is_used_again_in_the_cycle_takes_nothing_from_the_others() -> None:
    """As when the second of a bucket has another alternative ripe than the first."""
    both = replace(WORLD, backlog=Backlog.of([job("gang", GANG), job("small", SMALL)]))
    gone = replace(both, backlog=both.backlog.without_job(both.jobs[0]))
    book = Memo().open()
    for world in (both, gone):
        book.advance(world)
        book.prepare(world)
    doors = Doors(book, gone)
    third = doors.of(job("third", SMALL, excluded=[(offer("other").key, "p")]))
    assert third.number < doors.of(gone.jobs[0]).number
    assert doors.is_open(third)
    assert doors.is_open(doors.of(gone.jobs[0]))
