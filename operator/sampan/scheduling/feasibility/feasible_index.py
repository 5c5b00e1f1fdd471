"""Which demands any cell could still take, and what changed about that: tables of row by column, kept up column by column.

Room is what nodes and limits leave, whoever it is reserved for. A demand without any finds no place; one with some is to be looked at
closely.
"""

from collections.abc import Iterable

import numpy as np

from sampan.model.reason import Reason
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.limit_matrix import NOT_SHORT, LimitMatrix
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.verdict_matrix import DemandRow, ShapeVerdicts

NO_CELL = -1
"""Room of a demand for which every cell is wrong."""


Codes = np.ndarray[tuple[int, ...], np.dtype[np.int8]]


def _lines(amount: int, length: int) -> list[Numbers]:
    return [np.zeros(length, dtype=np.int64) for _ in range(amount)]


def _flags(rows: int, columns: int) -> Flags:
    return np.zeros((rows, columns), dtype=bool)


class FeasibleIndex:
    """Rows are demands by slot, columns cells."""

    def __init__(self, matrix: FitMatrix, limits: LimitMatrix) -> None:
        """No demand yet."""
        self._matrix, self._limits = matrix, limits
        self._rows: list[DemandRow | None] = []
        self._free: list[int] = []
        self._suitable, self._feasible = _flags(0, 0), _flags(0, 0)
        """Nothing but room could be against it; there is room."""
        self._reported = np.zeros((0, 0), dtype=np.int8)
        """Severity of what was against it when last told of, of what nodes and limits have; -1: nothing, or more than room."""
        self._least, self._request_rows, self._limit_rows, self._row_versions, self._room, self._best_cell = _lines(6, 0)
        self.feasible_count, self.versions = _lines(2, 0)
        """By slot: cells with room; another number once anything that is told of it but the room has changed."""
        self._version = 0
        self._unreported: set[int] = set()
        """Columns that changed since it was last told of."""
        self._candidates: Flags = _flags(2, 0)
        self._order_version = self._layout_version = -1

    # --- the picture ------------------------------------------------------------------------------------------------

    def sync(self, shapes: Iterable[ShapeVerdicts], layout: CellIndex) -> None:
        """Take over what changed in columns and rows."""
        matrix = self._matrix
        self._layout_version = matrix.layout_version
        candidates = np.array((layout.domain, layout.parted))
        if matrix.order_version != self._order_version or not np.array_equal(candidates, self._candidates):
            self._candidates, self._order_version = candidates, matrix.order_version
            self._reset(len(layout.columns))
        self.update_columns()
        for rows in shapes:
            for row in rows.rows:
                if row.feasible_row < 0:
                    row.feasible_row = self._allocate_row(row)
                if self._row_versions[row.feasible_row] != row.version or self._request_rows[row.feasible_row] != row.request_row:
                    self._write(rows, row, layout)

    def update_columns(self) -> list[int]:
        """Take over changed columns; returns the slots that have no opening any more."""
        columns = sorted({*self._matrix.drain(), *self._limits.drain()})
        if not columns:
            return []
        self._unreported.update(columns)
        at = np.array(columns)
        fresh = self._suitable[:, at] & (self._fits(at) >= self._least[:, None])
        before = self.feasible_count
        self.feasible_count = before + fresh.sum(axis=1) - self._feasible[:, at].sum(axis=1)
        self._feasible[:, at] = fresh
        found: list[int] = np.flatnonzero((self.feasible_count == 0) & (before > 0)).tolist()
        return found

    def _fits(self, columns: Numbers) -> Numbers:
        """Return by slot how many replicas nodes and limits leave room for in some columns."""
        return np.minimum(self._matrix.fits_now[self._request_rows[:, None], columns], self._limits.allowed_at(self._limit_rows, columns))

    def suitable(self, row: DemandRow) -> Flags | None:
        """Return the columns that nothing but room could be against; None where that is not kept of row and columns as they are."""
        there = row.feasible_row >= 0 and self._layout_version == self._matrix.layout_version
        return self._suitable[row.feasible_row] if there and self._row_versions[row.feasible_row] == row.version else None

    def remove(self, rows: Iterable[DemandRow]) -> None:
        """Drop rows."""
        for row in rows:
            if row.feasible_row >= 0:
                self._suitable[row.feasible_row] = self._feasible[row.feasible_row] = False
                self._request_rows[row.feasible_row] = self._limit_rows[row.feasible_row] = self.feasible_count[row.feasible_row] = 0
                self._rows[row.feasible_row] = None
                self._free.append(row.feasible_row)

    def renumber(self) -> None:
        """Take over that needs are numbered anew."""
        for slot, row in enumerate(self._rows):
            if row is not None:
                self._request_rows[slot], self._limit_rows[slot] = row.request_row, row.limit_row

    # --- what is told -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring `versions` and rooms up to the moment."""
        self.update_columns()
        if not self._unreported:
            return
        at = np.array(sorted(self._unreported))
        self._unreported.clear()
        fresh = self._against(np.arange(len(self._rows)), at)
        self._bump((fresh != self._reported[:, at]).any(axis=1))
        self._reported[:, at] = fresh
        rooms = np.where(self._suitable[:, at], self._fits(at), NO_CELL)
        most, where = rooms.max(axis=1), at[rooms.argmax(axis=1)]
        higher = most >= self._room
        for slot in np.flatnonzero(~higher & np.isin(self._best_cell, at)).tolist():
            self._find_best_cell(slot)
        self._room[higher], self._best_cell[higher] = most[higher], where[higher]

    def _against(self, slots: Numbers, columns: Numbers) -> Codes:
        """Return by slot and column the severity of what nodes and limits lack; -1 where they lack nothing or the cell does not suit."""
        least = self._least[slots][:, None]
        short = self._limits.why_at(self._limit_rows[slots], self._least[slots], columns)
        lacking = np.where(short < NOT_SHORT, short, Reason.INSUFFICIENT_CAPACITY.severity)
        found = np.where(self._matrix.fits_empty[self._request_rows[slots][:, None], columns] < least, Reason.TOO_LARGE.severity, lacking)
        cells = np.ix_(slots, columns)
        return np.where(self._suitable[cells] & ~self._feasible[cells], found, -1).astype(np.int8)

    def room(self, slots: Iterable[int]) -> int | None:
        """Return the most replicas that fit anywhere now by one of the demands; None where every cell is wrong. `settle` first."""
        most = max(int(self._room[slot]) for slot in slots)
        return None if most == NO_CELL else most

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
        have, more = len(self._rows), rows - len(self._rows)
        self._free += range(rows - 1, have - 1, -1)
        self._rows += [None] * more
        wide = self._suitable.shape[1]
        self._suitable, self._feasible = (np.concatenate((table, _flags(more, wide))) for table in (self._suitable, self._feasible))
        self._reported = np.concatenate((self._reported, np.full((more, wide), -1, dtype=np.int8)))
        lines = (self._least, self._request_rows, self._limit_rows, self._row_versions, self._room, self._best_cell)
        grown = (np.concatenate((line, np.zeros(more, dtype=np.int64))) for line in (*lines, self.feasible_count, self.versions))
        self._least, self._request_rows, self._limit_rows, self._row_versions, self._room, self._best_cell, *counts = grown
        self.feasible_count, self.versions = counts

    def _reset(self, columns: int) -> None:
        """Have so many columns, about which nothing is known."""
        self._suitable, self._feasible = _flags(len(self._rows), columns), _flags(len(self._rows), columns)
        self._reported = np.full((len(self._rows), columns), -1, dtype=np.int8)
        self.feasible_count = np.zeros(len(self._rows), dtype=np.int64)
        self._row_versions[:] = -1
        self._unreported.clear()

    def _write(self, rows: ShapeVerdicts, row: DemandRow, layout: CellIndex) -> None:
        slot, least = row.feasible_row, row.demand.least_replicas
        candidates, missing_domain = layout.candidate_cells(rows.shape, row.demand)
        self._suitable[slot] = (row.reason_mask == 0) & candidates & ~missing_domain
        self._least[slot], self._row_versions[slot] = least, row.version
        self._request_rows[slot], self._limit_rows[slot] = row.request_row, row.limit_row
        self._feasible[slot] = self._suitable[slot] & (self._rooms(slot) >= least)
        self._reported[slot] = self._against(np.array([slot]), np.arange(len(layout.columns)))[0]
        self.feasible_count[slot] = int(self._feasible[slot].sum())
        self._find_best_cell(slot)
        self._version += 1
        self.versions[slot] = self._version

    def _rooms(self, slot: int) -> Numbers:
        """Return by column how many replicas nodes and limits leave room for; `NO_CELL` where the cell does not suit."""
        fits = np.minimum(self._matrix.fits_now[self._request_rows[slot]], self._limits.allowed(int(self._limit_rows[slot])))
        return np.where(self._suitable[slot], fits, NO_CELL)

    def _find_best_cell(self, slot: int) -> None:
        rooms = self._rooms(slot)
        self._best_cell[slot] = at = int(rooms.argmax()) if len(rooms) else 0
        self._room[slot] = int(rooms[at]) if len(rooms) else NO_CELL
