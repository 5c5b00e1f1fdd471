"""Fits by need and node."""

import numpy as np

from builders import demand, pool, requirement, vector
from sampan.model.members.cluster import Cell
from sampan.model.members.offer import OfferKey
from sampan.model.values.quantity import INFINITE
from sampan.model.values.vector import CPU, Vector
from sampan.scheduling.capacity.request import replica_request
from sampan.scheduling.capacity.resources import (
    BASE,
    CellKind,
    NodeResources,
    Request,
    RequestTable,
    ResourceIndex,
    clipped,
    fits,
)
from sampan.scheduling.capacity.topology import Numbers

CELL = Cell(offer=OfferKey("p", "o"), pool=pool())
KIND = CellKind.of(CELL)


def stock(names: ResourceIndex, *nodes: Vector) -> NodeResources:
    names.position("nvidia.com/gpu")
    made = NodeResources(np.zeros((0, 0), dtype=np.int64), {}, {})
    made.resize(len(nodes), len(names))
    for number, node in enumerate(nodes):
        for name, amount in node:
            made.amounts[number, names.position(name)] = amount
    return made


def table(needs: list[Request], *nodes: Vector) -> list[list[int]]:
    names = ResourceIndex()
    known, have = RequestTable(names), stock(names, *nodes)
    rows: Numbers = np.array([known.row_of(need)[0] for need in needs])
    return [list(map(int, line)) for line in fits(have, known, rows, kind=KIND, nodes=np.arange(len(nodes)))]


def test_the_scarcest_resource_counts() -> None:
    wanted = Request.of(demand(requirement(count=2), cpu=4, gib=16))
    assert table([wanted], vector(16, 999, 99, gpu=8), vector(99, 999, 99, gpu=5), vector(99, 16, 99, gpu=8)) == [[4, 2, 1]]


def test_overcommitted_nodes_and_needs_of_nothing_fit_nothing() -> None:
    assert table([Request(Vector(), 0, None), Request.of(demand())], vector(-4, 99, 9)) == [[0], [0]]


def test_cpu_is_kept_for_free_devices() -> None:
    plain = demand(cpu=4, gib=1)
    assert table([Request.of(plain, cpu_reserve=2000), Request.of(plain)], vector(32, 99, 99, gpu=8)) == [[4], [8]]


def test_needs_say_what_need_of_says() -> None:
    wanted = demand(requirement(count=3), cpu=5)
    assert RequestTable.vector(Request.of(wanted), KIND) == replica_request(wanted, CELL.pool)


def test_a_need_that_comes_later_joins_the_others() -> None:
    names = ResourceIndex()
    needs = RequestTable(names)
    first, _ = needs.row_of(Request.of(demand(cpu=1)))
    assert [line.amounts.tolist() for line in needs.columns(KIND) if line.position == BASE.index(CPU)] == [[1000]]
    second, new = needs.row_of(Request.of(demand(requirement(count=1), cpu=2)))
    assert (first, second, new) == (0, 1, True)
    assert [line.amounts.tolist() for line in needs.columns(KIND) if line.position == BASE.index(CPU)] == [[1000, 2000]]
    assert [line.amounts.tolist() for line in needs.columns(KIND) if line.position == names.known_position("nvidia.com/gpu")] == [[0, 1]]


def test_amounts_stay_where_sums_cannot_overflow() -> None:
    assert clipped({"a": 2**80, "b": -(2**80)}) == {"a": INFINITE, "b": -INFINITE}
