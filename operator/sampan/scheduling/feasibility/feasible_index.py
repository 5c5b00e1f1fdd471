"""Which demands any cell could still take, and what changed about that: tables of row by column, kept up column by column.

A demand without an opening finds no place whoever else holds or limits what; one with an opening is to be looked at closely.
"""

from collections.abc import Iterable

import numpy as np

from sampan.model.reason import Reason
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.limits import Limits
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.verdict_matrix import DemandRow, ShapeVerdicts

NO_CELL = -1
"""Room of a demand for which every cell is wrong."""


def _flags(rows: int, columns: int) -> Flags:
    return np.zeros((rows, columns), dtype=bool)


class FeasibleIndex:
    """Rows are demands by slot, columns cells."""

    def __init__(self) -> None:
        self._rows: list[DemandRow | None] = []
        self._free: list[int] = []
        self._suitable, self._feasible, self._too_large = _flags(0, 0), _flags(0, 0), _flags(0, 0)
        """Nothing but room could be against it; there is room; there is none even on empty nodes."""
        self._reported = _flags(0, 0)
        """`_open` as it was when last told of."""
        self._least, self._request_rows, self._row_versions, self._room, self._best_cell = (np.zeros(0, dtype=np.int64) for _ in range(5))
        self.feasible_count: Numbers = np.zeros(0, dtype=np.int64)
        """By slot: cells with room."""
        self.versions: Numbers = np.zeros(0, dtype=np.int64)
        """By slot: another number once anything that is told of it but the room has changed."""
        self._version = 0
        self._unreported: set[int] = set()
        """Columns that changed since it was last told of."""
        self._limits: dict[tuple[Reason, bytes], tuple[tuple[object, ...], Numbers]] = {}
        self._candidates: Flags = _flags(2, 0)
        self._order_version = self._layout_version = -1

    # --- the picture ------------------------------------------------------------------------------------------------

    def sync(self, shapes: Iterable[ShapeVerdicts], matrix: FitMatrix, layout: CellIndex) -> None:
        """Take over what changed in columns and rows."""
        self._layout_version = matrix.layout_version
        candidates = np.array((layout.domain, layout.parted))
        if matrix.order_version != self._order_version or not np.array_equal(candidates, self._candidates):
            self._candidates, self._order_version = candidates, matrix.order_version
            self._reset(len(layout.columns))
        self.update_columns(matrix)
        for rows in shapes:
            for row in rows.rows:
                if row.feasible_row < 0:
                    row.feasible_row = self._allocate_row(row)
                if self._row_versions[row.feasible_row] != row.version or self._request_rows[row.feasible_row] != row.request_row:
                    self._write(rows, row, matrix=matrix, layout=layout)

    def update_columns(self, matrix: FitMatrix) -> list[int]:
        """Take over changed columns; returns the slots that have no opening any more."""
        columns = matrix.drain()
        if not columns:
            return []
        self._unreported.update(columns)
        at = np.array(columns)
        fresh = self._suitable[:, at] & (matrix.fits_now[self._request_rows[:, None], at] >= self._least[:, None])
        before = self.feasible_count
        self.feasible_count = before + fresh.sum(axis=1) - self._feasible[:, at].sum(axis=1)
        self._feasible[:, at] = fresh
        found: list[int] = np.flatnonzero((self.feasible_count == 0) & (before > 0)).tolist()
        return found

    def suitable(self, row: DemandRow, matrix: FitMatrix) -> Flags | None:
        """Return the columns that nothing but room could be against; None where that is not kept of row and columns as they are."""
        kept = (
            row.feasible_row >= 0 and self._layout_version == matrix.layout_version and self._row_versions[row.feasible_row] == row.version
        )
        return self._suitable[row.feasible_row] if kept else None

    def remove(self, rows: Iterable[DemandRow]) -> None:
        """Drop rows."""
        for row in rows:
            if row.feasible_row >= 0:
                self._suitable[row.feasible_row] = self._feasible[row.feasible_row] = False
                self._request_rows[row.feasible_row] = self.feasible_count[row.feasible_row] = 0
                self._rows[row.feasible_row] = None
                self._free.append(row.feasible_row)

    def renumber(self) -> None:
        """Take over that needs are numbered anew."""
        for slot, row in enumerate(self._rows):
            if row is not None:
                self._request_rows[slot] = row.request_row

    # --- what is told -----------------------------------------------------------------------------------------------

    def refresh(self, matrix: FitMatrix, limits: Limits) -> None:
        """Bring `stamps` and rooms up to the moment."""
        self._refresh_limits(limits)
        if not self._unreported:
            return
        at = np.array(sorted(self._unreported))
        self._unreported.clear()
        suitable, needs, least = self._suitable[:, at], self._request_rows[:, None], self._least[:, None]
        large = suitable & (matrix.fits_empty[needs, at] < least)
        opened = self._feasible[:, at]
        self._bump(((large != self._too_large[:, at]) | (opened != self._reported[:, at])).any(axis=1))
        self._too_large[:, at], self._reported[:, at] = large, opened
        rooms = np.where(suitable, matrix.fits_now[needs, at], NO_CELL)
        most, where = rooms.max(axis=1), at[rooms.argmax(axis=1)]
        higher = most >= self._room
        for slot in np.flatnonzero(~higher & np.isin(self._best_cell, at)).tolist():
            self._find_best_cell(slot, matrix)
        self._room[higher], self._best_cell[higher] = most[higher], where[higher]

    def room(self, slots: Iterable[int]) -> int | None:
        """Return the most replicas that fit anywhere now by one of the demands; None where every cell is wrong. `settle` first."""
        most = max(int(self._room[slot]) for slot in slots)
        return None if most == NO_CELL else most

    def _refresh_limits(self, limits: Limits) -> None:
        now = {(each.reason, each.columns.tobytes()): (each.state(), each.columns) for each in limits.limits}
        for key in {*now, *self._limits}:
            old, new = self._limits.get(key), now.get(key)
            if old is None or new is None or old[0] != new[0]:
                known = new or old
                assert known is not None
                self._bump(np.any(self._suitable[:, known[1]], axis=1))
        self._limits = now

    def _bump(self, which: Flags) -> None:
        self._version += 1
        self.versions[which] = self._version

    # --- rows -------------------------------------------------------------------------------------------------------

    def _allocate_row(self, row: DemandRow) -> int:
        if not self._free:
            self._grow(len(self._rows) * 5 // 4 + 16)
        slot = self._free.pop()
        self._rows[slot], self._row_versions[slot] = row, -1
        return slot

    def _grow(self, rows: int) -> None:
        more = rows - len(self._rows)
        self._free += range(rows - 1, len(self._rows) - 1, -1)
        self._rows += [None] * more
        wide = self._suitable.shape[1]
        self._suitable, self._feasible, self._too_large, self._reported = (
            np.concatenate((table, _flags(more, wide))) for table in (self._suitable, self._feasible, self._too_large, self._reported)
        )
        self._least, self._request_rows, self._row_versions, self._room, self._best_cell, self.feasible_count, self.versions = (
            np.concatenate((line, np.zeros(more, dtype=np.int64)))
            for line in (
                self._least,
                self._request_rows,
                self._row_versions,
                self._room,
                self._best_cell,
                self.feasible_count,
                self.versions,
            )
        )

    def _reset(self, columns: int) -> None:
        """Have so many columns, about which nothing is known."""
        self._suitable, self._feasible, self._too_large, self._reported = (_flags(len(self._rows), columns) for _ in range(4))
        self.feasible_count = np.zeros(len(self._rows), dtype=np.int64)
        self._row_versions[:] = -1
        self._unreported.clear()
        self._limits.clear()

    def _write(self, rows: ShapeVerdicts, row: DemandRow, *, matrix: FitMatrix, layout: CellIndex) -> None:
        slot, least = row.feasible_row, row.demand.least_replicas
        candidates, missing_domain = layout.candidate_cells(rows.shape, row.demand)
        suitable = (row.reason_mask == 0) & candidates & ~missing_domain
        self._least[slot], self._request_rows[slot], self._row_versions[slot] = least, row.request_row, row.version
        self._suitable[slot] = suitable
        self._reported[slot] = self._feasible[slot] = suitable & (matrix.fits_now[row.request_row] >= least)
        self._too_large[slot] = suitable & (matrix.fits_empty[row.request_row] < least)
        self.feasible_count[slot] = int(self._feasible[slot].sum())
        self._find_best_cell(slot, matrix)
        self._version += 1
        self.versions[slot] = self._version

    def _find_best_cell(self, slot: int, matrix: FitMatrix) -> None:
        rooms = np.where(self._suitable[slot], matrix.fits_now[self._request_rows[slot]], NO_CELL)
        self._best_cell[slot] = at = int(rooms.argmax()) if len(rooms) else 0
        self._room[slot] = int(rooms[at]) if len(rooms) else NO_CELL
