"""Which demands any cell could still take, and what changed about that: tables of row by column, kept up column by column.

A demand without an opening finds no place whoever else holds or limits what; one with an opening is to be looked at closely.
"""

from collections.abc import Iterable

import numpy as np

from sampan.model.reason import Reason
from sampan.scheduling.capacity.cells import Layout
from sampan.scheduling.capacity.fit_matrix import Tables
from sampan.scheduling.capacity.limits import Limits
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.verdict_matrix import Row, ShapeRows

NOWHERE = -1
"""Room of a demand for which every cell is wrong."""


def _flags(rows: int, columns: int) -> Flags:
    return np.zeros((rows, columns), dtype=bool)


class Openings:
    """Rows are demands by slot, columns cells."""

    def __init__(self) -> None:
        self._rows: list[Row | None] = []
        self._free: list[int] = []
        self._able, self._open, self._large = _flags(0, 0), _flags(0, 0), _flags(0, 0)
        """Nothing but room could be against it; there is room; there is none even on empty nodes."""
        self._told = _flags(0, 0)
        """`_open` as it was when last told of."""
        self._least, self._need, self._versions, self._room, self._roomiest = (np.zeros(0, dtype=np.int64) for _ in range(5))
        self.reach: Numbers = np.zeros(0, dtype=np.int64)
        """By slot: cells with room."""
        self.stamps: Numbers = np.zeros(0, dtype=np.int64)
        """By slot: another number once anything that is told of it but the room has changed."""
        self._stamp = 0
        self._pending: set[int] = set()
        """Columns that changed since it was last told of."""
        self._limits: dict[tuple[Reason, bytes], tuple[tuple[object, ...], Numbers]] = {}
        self._universe: Flags = _flags(2, 0)
        self._ordered = self._laid = -1

    # --- the picture ------------------------------------------------------------------------------------------------

    def sync(self, shapes: Iterable[ShapeRows], tables: Tables, layout: Layout) -> None:
        """Take over what changed in columns and rows."""
        self._laid = tables.laid
        universe = np.array((layout.domain, layout.parted))
        if tables.ordered != self._ordered or not np.array_equal(universe, self._universe):
            self._universe, self._ordered = universe, tables.ordered
            self._anew(len(layout.columns))
        self.follow(tables)
        for rows in shapes:
            for row in rows.rows:
                if row.slot < 0:
                    row.slot = self._slot(row)
                if self._versions[row.slot] != row.version or self._need[row.slot] != row.need:
                    self._write(rows, row, tables=tables, layout=layout)

    def follow(self, tables: Tables) -> list[int]:
        """Take over changed columns; returns the slots that have no opening any more."""
        columns = tables.drain()
        if not columns:
            return []
        self._pending.update(columns)
        at = np.array(columns)
        fresh = self._able[:, at] & (tables.fit[self._need[:, None], at] >= self._least[:, None])
        before = self.reach
        self.reach = before + fresh.sum(axis=1) - self._open[:, at].sum(axis=1)
        self._open[:, at] = fresh
        found: list[int] = np.flatnonzero((self.reach == 0) & (before > 0)).tolist()
        return found

    def able(self, row: Row, tables: Tables) -> Flags | None:
        """Return the columns that nothing but room could be against; None where that is not kept of row and columns as they are."""
        kept = row.slot >= 0 and self._laid == tables.laid and self._versions[row.slot] == row.version
        return self._able[row.slot] if kept else None

    def forget(self, rows: Iterable[Row]) -> None:
        """Drop rows."""
        for row in rows:
            if row.slot >= 0:
                self._able[row.slot] = self._open[row.slot] = False
                self._need[row.slot] = self.reach[row.slot] = 0
                self._rows[row.slot] = None
                self._free.append(row.slot)

    def renumber(self) -> None:
        """Take over that needs are numbered anew."""
        for slot, row in enumerate(self._rows):
            if row is not None:
                self._need[slot] = row.need

    # --- what is told -----------------------------------------------------------------------------------------------

    def settle(self, tables: Tables, limits: Limits) -> None:
        """Bring `stamps` and rooms up to the moment."""
        self._settle_limits(limits)
        if not self._pending:
            return
        at = np.array(sorted(self._pending))
        self._pending.clear()
        able, needs, least = self._able[:, at], self._need[:, None], self._least[:, None]
        large = able & (tables.most[needs, at] < least)
        opened = self._open[:, at]
        self._restamp(((large != self._large[:, at]) | (opened != self._told[:, at])).any(axis=1))
        self._large[:, at], self._told[:, at] = large, opened
        rooms = np.where(able, tables.fit[needs, at], NOWHERE)
        most, where = rooms.max(axis=1), at[rooms.argmax(axis=1)]
        higher = most >= self._room
        for slot in np.flatnonzero(~higher & np.isin(self._roomiest, at)).tolist():
            self._roomy(slot, tables)
        self._room[higher], self._roomiest[higher] = most[higher], where[higher]

    def room(self, slots: Iterable[int]) -> int | None:
        """Return the most replicas that fit anywhere now by one of the demands; None where every cell is wrong. `settle` first."""
        most = max(int(self._room[slot]) for slot in slots)
        return None if most == NOWHERE else most

    def _settle_limits(self, limits: Limits) -> None:
        now = {(each.reason, each.columns.tobytes()): (each.state(), each.columns) for each in limits.limits}
        for key in {*now, *self._limits}:
            old, new = self._limits.get(key), now.get(key)
            if old is None or new is None or old[0] != new[0]:
                known = new or old
                assert known is not None
                self._restamp(np.any(self._able[:, known[1]], axis=1))
        self._limits = now

    def _restamp(self, which: Flags) -> None:
        self._stamp += 1
        self.stamps[which] = self._stamp

    # --- rows -------------------------------------------------------------------------------------------------------

    def _slot(self, row: Row) -> int:
        if not self._free:
            self._grow(len(self._rows) * 5 // 4 + 16)
        slot = self._free.pop()
        self._rows[slot], self._versions[slot] = row, -1
        return slot

    def _grow(self, rows: int) -> None:
        more = rows - len(self._rows)
        self._free += range(rows - 1, len(self._rows) - 1, -1)
        self._rows += [None] * more
        wide = self._able.shape[1]
        self._able, self._open, self._large, self._told = (
            np.concatenate((table, _flags(more, wide))) for table in (self._able, self._open, self._large, self._told)
        )
        self._least, self._need, self._versions, self._room, self._roomiest, self.reach, self.stamps = (
            np.concatenate((line, np.zeros(more, dtype=np.int64)))
            for line in (self._least, self._need, self._versions, self._room, self._roomiest, self.reach, self.stamps)
        )

    def _anew(self, columns: int) -> None:
        """Have so many columns, about which nothing is known."""
        self._able, self._open, self._large, self._told = (_flags(len(self._rows), columns) for _ in range(4))
        self.reach = np.zeros(len(self._rows), dtype=np.int64)
        self._versions[:] = -1
        self._pending.clear()
        self._limits.clear()

    def _write(self, rows: ShapeRows, row: Row, *, tables: Tables, layout: Layout) -> None:
        slot, least = row.slot, row.demand.least_replicas
        universe, lacking = layout.universe(rows.shape, row.demand)
        able = (row.mask == 0) & universe & ~lacking
        self._least[slot], self._need[slot], self._versions[slot] = least, row.need, row.version
        self._able[slot] = able
        self._told[slot] = self._open[slot] = able & (tables.fit[row.need] >= least)
        self._large[slot] = able & (tables.most[row.need] < least)
        self.reach[slot] = int(self._open[slot].sum())
        self._roomy(slot, tables)
        self._stamp += 1
        self.stamps[slot] = self._stamp

    def _roomy(self, slot: int, tables: Tables) -> None:
        rooms = np.where(self._able[slot], tables.fit[self._need[slot]], NOWHERE)
        self._roomiest[slot] = at = int(rooms.argmax()) if len(rooms) else 0
        self._room[slot] = int(rooms[at]) if len(rooms) else NOWHERE
