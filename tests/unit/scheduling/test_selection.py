"""Which cell is the best."""

from builders import H100, cluster, demand, job, nodes, offer, price, requirement, shape, snapshot, vector
from sampan.model.job import AlternativeOrder, Shape
from sampan.model.values.quantity import MICRO
from sampan.scheduling.cache import Memo
from sampan.scheduling.selection import select_cell
from sampan.scheduling.state import CycleState

CHEAP, DEAR = offer("cheap", prices=[price(amount=5 * MICRO)]), offer("dear", cluster_uid="c2", prices=[price(amount=40 * MICRO)])
MEMBERS = [cluster(*nodes("h", 1, H100)), cluster(*nodes("k", 2, H100), uid="c2")]


def chosen(wanted: Shape, *, busy: bool = False) -> str | None:
    first = cluster(*nodes("h", 1, H100), used={"h-0": vector(gpu=8)} if busy else {})
    world = snapshot([job("j", wanted)], [CHEAP, DEAR], [first, MEMBERS[1]])
    cache = Memo().cache_or_new()
    cache.update(world)
    state = CycleState.open(world, cache)
    best = select_cell(state, state.entry(world.jobs[0]))
    return None if best is None else f"{state.cell(best.column).offer.name} {best.index}"


def test_the_better_score_wins_where_there_is_room() -> None:
    assert chosen(shape()) == "cheap 0"
    assert chosen(shape(), busy=True) == "dear 0"
    assert chosen(shape(demand(requirement(), replicas=3))) is None


def test_alternatives_go_in_order_or_by_score() -> None:
    ways = demand(requirement(), replicas=2), demand(requirement(), alternative=1)
    assert chosen(shape(*ways)) == "dear 0"
    assert chosen(shape(*ways, order=AlternativeOrder.BY_SCORE)) == "cheap 1"
