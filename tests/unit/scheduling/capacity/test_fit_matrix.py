"""Fits per need and cell: what one takes is gone for all, and a table that was kept up equals one made anew."""

from dataclasses import replace

import numpy as np

from builders import A100, H100, cluster, demand, node, nodes, offer, requirement, snapshot, vector
from sampan.model.members.cluster import Cluster
from sampan.model.snapshot import Snapshot
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.resources import Request

WHOLE, HALF, PLAIN = (Request.of(each) for each in (demand(requirement()), demand(requirement(count=4)), demand(cpu=16)))


def synced(world: Snapshot, matrix: FitMatrix | None = None) -> FitMatrix:
    made = matrix or FitMatrix()
    made.sync(world.cells, world.clusters)
    for need in (WHOLE, HALF, PLAIN):
        made.row_of(need)
    return made


def seen(matrix: FitMatrix) -> dict[object, list[int]]:
    return {column.cell.id: matrix.fits_now[:3, number].tolist() for number, column in enumerate(matrix.columns)}


def world(member: Cluster, *more: Cluster) -> Snapshot:
    return snapshot(offers=[offer("o1"), offer("o2"), *(offer(f"x-{m.uid}", cluster_uid=m.uid) for m in more)], clusters=[member, *more])


MEMBER = cluster(*nodes("h", 2, H100), node("a", A100), used={"h-0": vector(cpu=8, gpu=2)})


def test_fits_are_counted_node_by_node() -> None:
    matrix = synced(world(MEMBER))
    assert [matrix.fits_now[:3, 1].tolist(), matrix.fits_empty[:3, 1].tolist()] == [[1, 3, 15], [2, 4, 16]]


def test_what_is_taken_is_gone_for_every_cell_with_the_node_until_the_next_picture() -> None:
    picture = world(MEMBER)
    matrix = synced(picture)
    before = seen(matrix)
    column = next(at for at, each in enumerate(matrix.columns) if "h-1" in each.names)
    matrix.take(column, matrix.row_of(WHOLE), [(int(matrix.columns[column].nodes[1]), 1)])
    assert [matrix.fits_now[0, at] for at, each in enumerate(matrix.columns) if "h-1" in each.names] == [0, 0]
    assert seen(synced(picture, matrix)) == before


def test_tables_kept_up_equal_tables_made_anew() -> None:
    matrix = synced(world(MEMBER))
    fuller = replace(MEMBER, used={**MEMBER.used, "h-1": vector(gpu=6)})
    smaller = cluster(node("h-1", H100, 4), node("a", A100), uid="c1")
    other = cluster(*nodes("b", 2, A100), uid="c2")
    for picture in (world(fuller), world(fuller, other), world(smaller, other), world(smaller), world(MEMBER)):
        fresh = synced(picture)
        assert seen(synced(picture, matrix)) == seen(fresh)
        assert np.array_equal(matrix.fits_empty[:3], fresh.fits_empty[:3])


def test_forgotten_needs_leave_the_others_as_they_are() -> None:
    matrix = synced(world(MEMBER))
    want = matrix.fits_now[2].tolist()
    matrix.keep_rows([2])
    assert matrix.row_of(PLAIN) == 0
    assert matrix.fits_now[0].tolist() == want
    assert matrix.fits_now[matrix.row_of(WHOLE)].tolist() == synced(world(MEMBER)).fits_now[0].tolist()
