"""Which demands any cell could still take, kept up, against the same made anew."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import H100, cluster, demand, job, nodes, offer, quota, requirement, shape, snapshot, vector
from sampan.model.backlog import Backlog
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Book, Memo
from sampan.scheduling.state import Desk
from strategies import worlds

ONE, FOUR, GANG = (shape(demand(requirement(count=8), replicas=replicas)) for replicas in (1, 4, 9))
MEMBER = cluster(*nodes("h", 4, H100))
WORLD = snapshot([job("one", ONE), job("four", FOUR), job("gang", GANG)], [offer("o1"), offer("o2")], [MEMBER])


def prepared(world: Snapshot, book: Book | None = None) -> Book:
    book = book or Memo().open()
    book.advance(world)
    book.prepare(world)
    return book


def reach(book: Book, world: Snapshot) -> dict[str, list[int]]:
    return {each.uid: [int(book.openings.reach[row.slot]) for row in book.rows_of(each.shape, world).rows] for each in world.jobs}


def counted(book: Book, world: Snapshot) -> dict[str, list[int]]:
    """The same, cell by cell."""
    layout, fit, found = book.layout(), book.tables.fit, dict[str, list[int]]()
    for each in world.jobs:
        found[each.uid] = []
        for row in book.rows_of(each.shape, world).rows:
            universe, lacking = layout.universe(each.shape, row.demand)
            right = [at for at in range(len(row.mask)) if universe[at] and not lacking[at] and not row.mask[at]]
            found[each.uid].append(sum(int(fit[row.need, at]) >= row.demand.least_replicas for at in right))
    return found


@given(worlds(), worlds(), st.booleans())
def test_what_is_kept_up_equals_what_is_counted(first: Snapshot, second: Snapshot, same_backlog: bool) -> None:
    second = replace(second, backlog=first.backlog) if same_backlog else second
    book = prepared(first)
    for world in (first, second, first):
        prepared(world, book)
        assert reach(book, world) == counted(book, world)


def test_a_place_that_is_taken_is_followed_and_the_last_one_named() -> None:
    book = prepared(WORLD)
    assert reach(book, WORLD) == {"one": [2], "four": [2], "gang": [0]}
    row = book.rows_of(ONE, WORLD).rows[0]
    node = int(book.tables.columns[0].nodes[0])
    book.tables.take(0, row.need, [(node, 1)])
    assert book.openings.follow(book.tables) == [book.rows_of(FOUR, WORLD).rows[0].slot]
    assert reach(book, WORLD) == {"one": [2], "four": [0], "gang": [0]}
    assert book.openings.follow(book.tables) == []


def test_stamps_change_with_what_is_told_and_rooms_with_what_fits() -> None:
    book = prepared(WORLD)
    slot = book.rows_of(FOUR, WORLD).rows[0].slot

    def told(world: Snapshot) -> tuple[int, int | None]:
        desk = Desk.open(world, prepared(world, book))
        book.openings.settle(desk.tables, desk.limits)
        return int(book.openings.stamps[slot]), book.openings.room([slot])

    def full(*names: str) -> Snapshot:
        return replace(WORLD, clusters={"c1": replace(MEMBER, used={name: vector(gpu=8) for name in names})})

    first = told(WORLD)
    assert first[1] == 4
    second = told(full("h-0"))
    assert (second[0] != first[0], second[1]) == (True, 3)
    assert told(full("h-0", "h-1")) == (second[0], 2), "only the room is another"
    assert told(full("h-0")) == second
    assert told(WORLD)[0] not in (first[0], second[0])


def test_a_limit_that_changes_is_stamped() -> None:
    book = prepared(WORLD)
    slot = book.rows_of(GANG, WORLD).rows[0].slot
    stamps = []
    for pods in (None, 9, 9, 8, None):
        quotas = {} if pods is None else {"sampan-jobs": (quota({"pods": pods}),)}
        world = replace(WORLD, clusters={"c1": replace(MEMBER, quotas=quotas)})
        desk = Desk.open(world, prepared(world, book))
        book.openings.settle(desk.tables, desk.limits)
        stamps.append(int(book.openings.stamps[slot]))
    assert len(set(stamps)) == 4
    assert stamps[1] == stamps[2]


def test_rows_that_are_forgotten_leave_their_place_to_others() -> None:
    book = prepared(WORLD)
    gone = book.rows_of(FOUR, WORLD)
    book.openings.forget(gone.rows)
    book.shapes.pop(FOUR)
    other = replace(WORLD, backlog=Backlog.of([job("two", shape(demand(requirement(), replicas=2)))]))
    prepared(other, book)
    assert book.rows_of(other.jobs[0].shape, other).rows[0].slot == gone.rows[0].slot
    assert reach(book, other) == counted(book, other)
