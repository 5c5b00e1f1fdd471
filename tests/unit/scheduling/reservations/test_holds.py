"""Who may use reserved nodes."""

from dataclasses import replace

import numpy as np
import pytest

from builders import H100, NOW, cells, cluster, demand, job, nodes, offer, requirement
from sampan.model.reservation import Reservation
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.resources import Request
from sampan.scheduling.reservations.holds import NodeReservations, placed

OFFERS = [offer("o1"), offer("o2")]
MEMBER = cluster(*nodes("h", 3, H100))
WHOLE = demand(requirement())


def laid_out() -> FitMatrix:
    matrix = FitMatrix()
    matrix.sync(cells(OFFERS, [MEMBER]), {"c1": MEMBER})
    return matrix


def kept(**changes: object) -> Reservation:
    made = Reservation(
        job_uid="held",
        priority=1,
        cell=(OFFERS[0].key, "h100-sxm-80gb-x8"),
        demand=0,
        nodes=(("h-0", 1), ("h-1", 1)),
        start=NOW + 10_000,
        published=NOW + 10_000,
        made=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uid", "priority", "seconds", "want"),
    [("held", 0, None, False), ("other", 2, None, False), ("other", 1, None, True), ("other", 0, 10, False), ("other", 0, 11, True)],
)
def test_who_is_barred(uid: str, priority: int, seconds: int | None, want: bool) -> None:
    matrix = laid_out()
    hold = placed(kept(), matrix, {column.cell.id: at for at, column in enumerate(matrix.columns)})
    assert hold is not None
    assert hold.blocks(job(uid, priority=priority), replace(WHOLE, span_seconds=seconds), NOW) is want


def test_every_cell_with_the_nodes_has_less_room_even_after_the_hold_is_dropped() -> None:
    matrix = laid_out()
    row = matrix.row_of(Request.of(WHOLE))
    columns = {column.cell.id: at for at, column in enumerate(matrix.columns)}
    holds, hold = NodeReservations(matrix, NOW), placed(kept(), matrix, columns)
    assert hold is not None
    holds.add(hold)
    holds.drop("held")
    assert not holds.standing
    room = matrix.fits_now[row].copy()
    holds.subtract(room, row, suitable=np.ones(2, dtype=bool), blockers=holds.blockers(job("other"), WHOLE))
    assert room.tolist() == [1, 1]


def test_a_node_that_two_holds_keep_is_missing_once() -> None:
    """As when a higher job is given the nodes of a lower one, whose hold bars on until the cycle ends."""
    matrix = laid_out()
    row = matrix.row_of(Request.of(WHOLE))
    columns = {column.cell.id: at for at, column in enumerate(matrix.columns)}
    holds = NodeReservations(matrix, NOW)
    for uid in ("lower", "higher"):
        hold = placed(kept(job_uid=uid), matrix, columns)
        assert hold is not None
        holds.add(hold)
    room = matrix.fits_now[row].copy()
    holds.subtract(room, row, suitable=np.ones(2, dtype=bool), blockers=holds.blockers(job("other"), WHOLE))
    assert room.tolist() == [1, 1]


def test_a_hold_on_what_is_gone_is_none() -> None:
    matrix = laid_out()
    columns = {column.cell.id: at for at, column in enumerate(matrix.columns)}
    assert placed(kept(nodes=(("h-9", 1),)), matrix, columns) is None
    assert placed(kept(cell=(OFFERS[0].key, "gone")), matrix, columns) is None
