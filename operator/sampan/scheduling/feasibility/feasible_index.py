"""Which demands any cell could still take, and what changed about that: tables of row by column, kept up column by column.

Room is what nodes and limits leave, whoever it is reserved for. A demand without any finds no place; one with some is to be looked at
closely.
"""

from collections.abc import Iterable

import numpy as np

from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.limit_matrix import LimitMatrix
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.demand_room import NO_CELL, DemandRoom
from sampan.scheduling.feasibility.demand_table import DemandTable
from sampan.scheduling.feasibility.verdict_matrix import DemandRow, ShapeVerdicts


class FeasibleIndex:
    """Rows are demands, columns cells."""

    def __init__(self, matrix: FitMatrix, limits: LimitMatrix) -> None:
        """No demand yet."""
        self._matrix, self._limits = matrix, limits
        self._demands = DemandTable()
        self._room = DemandRoom(matrix, limits, self._demands)
        self._rows: list[DemandRow | None] = []
        self._free: list[int] = []
        """Rows of the table without a demand."""
        self._version = 0
        self._unreported: set[int] = set()
        """Columns that changed since the last `refresh`."""
        self._candidates: Flags = np.zeros((2, 0), dtype=bool)
        self._order_version = self._layout_version = -1

    @property
    def feasible_count(self) -> Numbers:
        """Cells with room, by row."""
        return self._demands.feasible_counts

    @property
    def versions(self) -> Numbers:
        """By row another number once anything that is reported of it but the room has changed."""
        return self._demands.versions

    def sync(self, shapes: Iterable[ShapeVerdicts], layout: CellIndex) -> None:
        """Take over what changed in columns and rows."""
        matrix, demands = self._matrix, self._demands
        self._layout_version = matrix.layout_version
        candidates = np.array((layout.domain, layout.parted))
        if matrix.order_version != self._order_version or not np.array_equal(candidates, self._candidates):
            self._candidates, self._order_version = candidates, matrix.order_version
            demands.reset(len(layout.columns))
            self._unreported.clear()
        self.update_columns()
        for rows in shapes:
            for row in rows.rows:
                if row.feasible_row < 0:
                    row.feasible_row = self._allocate_row(row)
                at = row.feasible_row
                if demands.row_versions[at] != row.version or demands.request_rows[at] != row.request_row:
                    self._write(rows, row, layout)

    def update_columns(self) -> list[int]:
        """Take over changed columns; returns the rows for which no cell is feasible any more."""
        columns = sorted({*self._matrix.drain(), *self._limits.drain()})
        if not columns:
            return []
        self._unreported.update(columns)
        demands, at = self._demands, np.array(columns)
        rows = demands.touched(at)
        cells = np.ix_(rows, at)
        fresh = demands.suitable[cells] & (self._room.fits(rows, at) >= demands.least[rows][:, None])
        before = demands.feasible_counts[rows]
        after = before + fresh.sum(axis=1) - demands.feasible[cells].sum(axis=1)
        demands.feasible[cells], demands.feasible_counts[rows] = fresh, after
        found: list[int] = rows[(after == 0) & (before > 0)].tolist()
        return found

    def suitable(self, row: DemandRow) -> Flags | None:
        """Return the columns that nothing but room could be against; None where that is not kept of row and columns as they are."""
        there = row.feasible_row >= 0 and self._layout_version == self._matrix.layout_version
        return self._demands.suitable[row.feasible_row] if there and self._demands.row_versions[row.feasible_row] == row.version else None

    def remove(self, rows: Iterable[DemandRow]) -> None:
        """Drop rows."""
        for row in rows:
            if row.feasible_row >= 0:
                self._demands.clear(row.feasible_row)
                self._rows[row.feasible_row] = None
                self._free.append(row.feasible_row)

    def renumber(self) -> None:
        """Take over that requests are numbered anew."""
        for at, row in enumerate(self._rows):
            if row is not None:
                self._demands.request_rows[at], self._demands.limit_rows[at] = row.request_row, row.limit_row

    def refresh(self) -> None:
        """Bring `versions` and rooms up to the moment."""
        self.update_columns()
        if not self._unreported:
            return
        demands, at = self._demands, np.array(sorted(self._unreported))
        self._unreported.clear()
        rows = demands.touched(at)
        cells, fresh = np.ix_(rows, at), self._room.against(rows, at)
        self._version += 1
        demands.versions[rows[(fresh != demands.reported[cells]).any(axis=1)]] = self._version
        demands.reported[cells] = fresh
        if not len(rows):
            return
        rooms = np.where(demands.suitable[cells], self._room.fits(rows, at), NO_CELL)
        most, where = rooms.max(axis=1), at[rooms.argmax(axis=1)]
        higher = most >= demands.rooms[rows]
        for row in rows[~higher & np.isin(demands.best_cells[rows], at)].tolist():
            self._find_best_cell(row)
        demands.rooms[rows[higher]], demands.best_cells[rows[higher]] = most[higher], where[higher]

    def reported(self, row: DemandRow, columns: Numbers) -> Numbers:
        """Return the severity of what nodes and limits lack in columns that suit a demand without a feasible cell. `refresh` first."""
        found: Numbers = self._demands.reported[row.feasible_row, columns].astype(np.int64)
        return found

    def room(self, rows: Iterable[int]) -> int | None:
        """Return the most replicas that fit anywhere now by one of the demands; None where every cell is wrong. `refresh` first."""
        most = max(int(self._demands.rooms[row]) for row in rows)
        return None if most == NO_CELL else most

    def _allocate_row(self, row: DemandRow) -> int:
        if not self._free:
            have = len(self._rows)
            more = have // 4 + 16
            self._free += range(have + more - 1, have - 1, -1)
            self._rows += [None] * more
            self._demands.grow(more)
        at = self._free.pop()
        self._rows[at], self._demands.row_versions[at] = row, -1
        return at

    def _write(self, rows: ShapeVerdicts, row: DemandRow, layout: CellIndex) -> None:
        demands, at, least = self._demands, row.feasible_row, row.demand.least_replicas
        candidates, missing_domain = layout.candidate_cells(rows.shape, row.demand)
        demands.suitable[at] = demands.suitable_by_column[:, at] = (row.reason_mask == 0) & candidates & ~missing_domain
        demands.least[at], demands.row_versions[at] = least, row.version
        demands.request_rows[at], demands.limit_rows[at] = row.request_row, row.limit_row
        demands.feasible[at] = demands.suitable[at] & (self._room.rooms(at) >= least)
        demands.reported[at] = self._room.against(np.array([at]), np.arange(len(layout.columns)))[0]
        demands.feasible_counts[at] = int(demands.feasible[at].sum())
        self._find_best_cell(at)
        self._version += 1
        demands.versions[at] = self._version

    def _find_best_cell(self, row: int) -> None:
        rooms = self._room.rooms(row)
        self._demands.best_cells[row] = at = int(rooms.argmax()) if len(rooms) else 0
        self._demands.rooms[row] = int(rooms[at]) if len(rooms) else NO_CELL
