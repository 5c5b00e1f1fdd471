"""Who may use reserved nodes."""

from dataclasses import replace

import numpy as np
import pytest

from builders import H100, NOW, cells, cluster, demand, job, nodes, offer, requirement
from sampan.model.reservation import Reservation
from sampan.scheduling.capacity.fit_matrix import Tables
from sampan.scheduling.capacity.resources import Need
from sampan.scheduling.reservations.holds import Holds, hold_of

OFFERS = [offer("o1"), offer("o2")]
MEMBER = cluster(*nodes("h", 3, H100))
WHOLE = demand(requirement())


def laid_out() -> Tables:
    tables = Tables()
    tables.sync(cells(OFFERS, [MEMBER]), {"c1": MEMBER})
    return tables


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
    tables = laid_out()
    hold = hold_of(kept(), tables, {column.cell.id: at for at, column in enumerate(tables.columns)})
    assert hold is not None
    assert hold.bars(job(uid, priority=priority), replace(WHOLE, span_seconds=seconds), NOW) is want


def test_every_cell_with_the_nodes_has_less_room_even_after_the_hold_is_dropped() -> None:
    tables = laid_out()
    row = tables.row(Need.of(WHOLE))
    columns = {column.cell.id: at for at, column in enumerate(tables.columns)}
    holds, hold = Holds(tables, NOW), hold_of(kept(), tables, columns)
    assert hold is not None
    holds.add(hold)
    holds.drop("held")
    assert not holds.kept
    room = tables.fit[row].copy()
    holds.narrow(room, row, able=np.ones(2, dtype=bool), barring=holds.barring(job("other"), WHOLE))
    assert room.tolist() == [1, 1]


def test_a_node_that_two_holds_keep_is_missing_once() -> None:
    """As when a higher job is given the nodes of a lower one, whose hold bars on until the cycle ends."""
    tables = laid_out()
    row = tables.row(Need.of(WHOLE))
    columns = {column.cell.id: at for at, column in enumerate(tables.columns)}
    holds = Holds(tables, NOW)
    for uid in ("lower", "higher"):
        hold = hold_of(kept(job_uid=uid), tables, columns)
        assert hold is not None
        holds.add(hold)
    room = tables.fit[row].copy()
    holds.narrow(room, row, able=np.ones(2, dtype=bool), barring=holds.barring(job("other"), WHOLE))
    assert room.tolist() == [1, 1]


def test_a_hold_on_what_is_gone_is_none() -> None:
    tables = laid_out()
    columns = {column.cell.id: at for at, column in enumerate(tables.columns)}
    assert hold_of(kept(nodes=(("h-9", 1),)), tables, columns) is None
    assert hold_of(kept(cell=(OFFERS[0].key, "gone")), tables, columns) is None
