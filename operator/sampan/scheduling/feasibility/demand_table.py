"""What is kept of each demand about each cell, as arrays: rows are demands, columns cells. Only their sizes are managed here."""

import numpy as np

from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.topology import Numbers

Codes = np.ndarray[tuple[int, ...], np.dtype[np.int8]]
NOTHING = -1
"""In `reported`: nothing, or more than room, was against the demand there."""


class DemandTable:
    """Arrays of one row for each demand. A fresh row, or a row about fresh columns, says nothing until it is written."""

    def __init__(self) -> None:
        """Start with no row and no column."""
        self.suitable, self.feasible = _flags(0, 0), _flags(0, 0)
        """Nothing but room could be against it; there is room."""
        self.suitable_by_column = _flags(0, 0)
        """The first once more, by column and row: whoever asks about few columns and all rows reads what lies together."""
        self.reported: Codes = np.zeros((0, 0), dtype=np.int8)
        """Severity of what was against it when last reported, of what nodes and limits have; or `NOTHING`."""
        self.least, self.request_rows, self.limit_rows, self.row_versions = (_line(0) for _ in range(4))
        """What it asks for at least, its rows in the tables of nodes and of limits, and the version of it that was written."""
        self.rooms, self.best_cells = _line(0), _line(0)
        """The most replicas that fit in one cell, and the column of that cell."""
        self.feasible_counts, self.versions = _line(0), _line(0)
        """Cells with room; another number once anything that is reported of it but the room has changed."""

    def grow(self, rows: int) -> None:
        """Have so many rows more."""
        wide = self.suitable.shape[1]
        self.suitable, self.feasible = (np.concatenate((table, _flags(rows, wide))) for table in (self.suitable, self.feasible))
        self.suitable_by_column = np.concatenate((self.suitable_by_column, _flags(wide, rows)), axis=1)
        self.reported = np.concatenate((self.reported, np.full((rows, wide), NOTHING, dtype=np.int8)))
        for name in ("least", "request_rows", "limit_rows", "row_versions", "rooms", "best_cells", "feasible_counts", "versions"):
            setattr(self, name, np.concatenate((getattr(self, name), _line(rows))))

    def reset(self, columns: int) -> None:
        """Have so many columns, about which nothing is known."""
        rows = len(self.least)
        self.suitable, self.feasible, self.suitable_by_column = _flags(rows, columns), _flags(rows, columns), _flags(columns, rows)
        self.reported = np.full((rows, columns), NOTHING, dtype=np.int8)
        self.feasible_counts = _line(rows)
        self.row_versions[:] = -1

    def clear(self, row: int) -> None:
        """Have no cell suit a row any more: its demand is gone."""
        self.suitable[row] = self.feasible[row] = self.suitable_by_column[:, row] = False
        self.request_rows[row] = self.limit_rows[row] = self.feasible_counts[row] = 0

    def touched(self, columns: Numbers) -> Numbers:
        """Return the rows for which one of the columns is more than wrong: only these can change with what is free there."""
        return np.flatnonzero(self.suitable_by_column[columns].any(axis=0))


def _line(length: int) -> Numbers:
    return np.zeros(length, dtype=np.int64)


def _flags(rows: int, columns: int) -> Flags:
    return np.zeros((rows, columns), dtype=bool)
