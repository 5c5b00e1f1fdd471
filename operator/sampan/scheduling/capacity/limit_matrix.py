"""How many replicas of every demand each limit allows, kept up limit by limit: what the fits are to nodes. No pictures here.

Rows are demands, columns draws: a limit together with one kind of pools, for what a job takes of a quota depends on the pool. A row is
min over resources of left // per replica, and 0 where the job as a whole takes more than is left of something.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np

from sampan.model.job import Demand
from sampan.model.members.cluster import Pool
from sampan.model.reason import Reason
from sampan.model.values.quantity import INFINITE
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.limits import Limit
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.quota_usage import UNLIMITED, use_of
from sampan.scheduling.capacity.topology import Numbers

NOT_SHORT: Final = 63
"""Above every severity."""
_TOO_LARGE: Final = Reason.TOO_LARGE.severity
_NO_DRAW: Final = 0
"""The draw of a column that nothing limits: it allows everything."""
Key = tuple[object, ...]


@dataclass(slots=True)
class UseTable:
    """What a replica, and a job as a whole, takes in pools of one kind: by resource and row."""

    pool: Pool
    each: Numbers
    once: Numbers
    best_effort: Flags
    divisors: Numbers = field(init=False)
    """`each`, 1 where nothing is taken."""
    unasked: Numbers = field(init=False)
    """`INFINITE` where a replica takes nothing, else 0."""
    taken: Flags = field(init=False)
    """By resource: whether any replica, and whether any job as a whole, takes of it."""

    def __post_init__(self) -> None:
        """Work out what follows from the amounts."""
        self.divisors, self.unasked = np.maximum(self.each, 1), np.where(self.each > 0, 0, INFINITE)
        self.taken = np.array([(table > 0).any(axis=1) for table in (self.each, self.once)])

    @classmethod
    def of(cls, pool: Pool) -> "UseTable":
        """Return an empty table."""
        return cls(pool, _full(0, 0, 0), _full(0, 0, 0), np.zeros(0, dtype=bool))

    def extend(self, demands: Sequence[Demand], names: dict[str, int]) -> None:
        """Add the rows of demands that it does not have yet."""
        have = len(self.best_effort)
        if have == len(demands):
            return
        uses = [use_of(demand, self.pool) for demand in demands[have:]]
        for use in uses:
            for name in (*use.each, *use.once):
                names.setdefault(name, len(names))
        self.each, self.once = (_sized(table, len(names), len(demands), fill=0) for table in (self.each, self.once))
        for row, use in enumerate(uses, have):
            for table, amounts in ((self.each, use.each), (self.once, use.once)):
                for name, amount in amounts.items():
                    table[names[name], row] = min(amount, INFINITE)
        self.best_effort = np.concatenate((self.best_effort, np.array([use.best_effort for use in uses], dtype=bool)))
        self.__post_init__()

    def kept(self, rows: Sequence[int]) -> "UseTable":
        """Return the table with some of its rows."""
        return UseTable(self.pool, self.each[:, rows], self.once[:, rows], self.best_effort[rows])


class AmountTable:
    """What limits leave, would leave if nothing of ours ran, and give to one job: by resource and limit; `INFINITE`: not limited."""

    def __init__(self) -> None:
        """No limit has a number yet."""
        self.names: dict[str, int] = {}
        self.limits: list[Limit | None] = []
        self._tables = [_full(0, 0, INFINITE) for _ in range(3)]

    def write(self, limit: Limit, *, only_left: bool) -> None:
        """Take over what a limit says from now on."""
        self.limits[limit.number] = limit
        for at, amounts in enumerate((limit.left, limit.total, limit.largest)[: 1 if only_left else 3]):
            rows = [self.names.setdefault(name, len(self.names)) for name in amounts]
            table = self._tables[at] = _sized(self._tables[at], len(self.names), len(self.limits), fill=INFINITE)
            table[:, limit.number] = INFINITE
            table[rows, limit.number] = [max(min(amount, INFINITE), -INFINITE) for amount in amounts.values()]

    def allowed(self, uses: UseTable, rows: slice, numbers: Sequence[int], *, empty: bool = False) -> Numbers:
        """Return by row and limit how many replicas are allowed."""
        left, total, largest = (table[:, numbers] for table in self._tables)
        found = _fits(uses, rows, total) if empty else np.minimum(_fits(uses, rows, left), _fits(uses, rows, largest))
        for at, number in enumerate(numbers):
            limit = self.limits[number]
            if limit is not None and limit.quota is not None and limit.quota.best_effort is not None:
                found[uses.best_effort[rows] != limit.quota.best_effort, at] = UNLIMITED
        return found


class _Draws:
    """The draws by number, and by limit what is to be worked out anew when it changes."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, int], int] = {(-1, -1): _NO_DRAW}
        """By number of the limit and kind of the pools."""
        self.by_limit: dict[int, list[tuple[tuple[int, int], int]]] = {}
        """The same by number of the limit."""
        self.columns: dict[int, list[int]] = {}
        """By number of the limit: the columns of cells that draw on it."""

    def draw_of(self, limit: int, kind: int) -> tuple[int, bool]:
        """Return the draw of a limit and a kind of pools, and whether it is a new one."""
        known = self.numbers.get((limit, kind))
        if known is not None:
            return known, False
        draw = self.numbers[limit, kind] = len(self.numbers)
        self.by_limit.setdefault(limit, []).append(((limit, kind), draw))
        return draw, True


class LimitMatrix:
    """Owned by one table of limits; changed in place."""

    def __init__(self) -> None:
        """No demand, no limit."""
        self._amounts = AmountTable()
        self._demands: list[Demand] = []
        self._rows: dict[Key, int] = {}
        self._kinds: dict[Key, int] = {}
        self._uses: list[UseTable] = []
        self._draws = _Draws()
        self._of_column: Numbers = np.zeros((1, 0), dtype=np.int64)
        """By place and column of cells: draws, filled up with the one that allows everything."""
        self._severities: Numbers = np.full(1, NOT_SHORT, dtype=np.int64)
        """Of the reasons of limits, by draw."""
        self._allowed, self._when_empty = _full(0, 1, UNLIMITED), _full(0, 1, UNLIMITED)
        """By row and draw: replicas allowed as things stand, and if nothing of ours ran."""
        self._changed: dict[int, bool] = {}
        """Limits that say something else than the rows do, and whether only of what is left."""
        self._dirty: set[int] = set()
        """Columns of cells that changed since `drain`."""

    def new_limit(self) -> int:
        """Return the number of a limit to come."""
        self._amounts.limits.append(None)
        return len(self._amounts.limits) - 1

    def write(self, limit: Limit, *, only_left: bool = False) -> None:
        """Take over what a limit says from now on; `only_left`: nothing but what is left is other than before."""
        self._amounts.write(limit, only_left=only_left)
        self._changed[limit.number] = only_left and self._changed.get(limit.number, True)

    def row_of(self, demand: Demand) -> int:
        """Return the row of a demand, a new one where none takes the same of limits."""
        need = demand.requirement
        devices = (need.count, need.share) if need is not None else None
        key = demand.per_replica, demand.zeros, demand.limits, demand.objects, devices, demand.least_replicas > 1
        known = self._rows.get(key)
        if known is None:
            known = self._rows[key] = len(self._demands)
            self._demands.append(demand)
            self._fill(slice(known, known + 1), self._draws.numbers.items())
        return known

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Forget all but these, which are numbered anew in this order."""
        for uses in self._uses:
            uses.extend(self._demands, self._amounts.names)
        numbers = {old: new for new, old in enumerate(rows)}
        self._rows = {key: numbers[row] for key, row in self._rows.items() if row in numbers}
        self._demands = [self._demands[row] for row in rows]
        self._allowed, self._when_empty = (_sized(t[rows], len(rows) + 1, 1, fill=UNLIMITED) for t in (self._allowed, self._when_empty))
        self._uses = [uses.kept(rows) for uses in self._uses]

    def connect(self, columns: Sequence[CellColumn], limits: Mapping[int, Sequence[Limit]]) -> None:
        """Take over which limits each column of cells has."""
        before = self._of_column
        self._of_column = np.full((max(map(len, limits.values()), default=1), len(columns)), _NO_DRAW, dtype=np.int64)
        self._draws.columns.clear()
        fresh: list[tuple[tuple[int, int], int]] = []
        for column, mine in limits.items():
            kind = self._kind(columns[column].cell.pool)
            for place, limit in enumerate(mine):
                draw, new = self._draws.draw_of(limit.number, kind)
                if new:
                    fresh.append(((limit.number, kind), draw))
                self._of_column[place, column] = draw
                self._draws.columns.setdefault(limit.number, []).append(column)
        known = (self._amounts.limits[limit] if limit >= 0 else None for limit, _ in self._draws.numbers)
        self._severities = np.array([NOT_SHORT if limit is None else limit.reason.severity for limit in known], dtype=np.int64)
        self._fill(slice(0, len(self._demands)), fresh)
        self._dirty = set(range(len(columns))) if before.shape != self._of_column.shape else self._dirty
        if before.shape == self._of_column.shape:
            self._dirty.update(np.flatnonzero((before != self._of_column).any(axis=0)).tolist())

    def drain(self) -> list[int]:
        """Return, once, the columns of cells of which a limit says something else."""
        self._refresh()
        columns = sorted(self._dirty)
        self._dirty.clear()
        return columns

    def _refresh(self) -> None:
        """Have the rows say what the limits say."""
        if self._changed:
            changed, self._changed = self._changed, {}
            for number in sorted(changed):
                self._dirty.update(self._draws.columns.get(number, ()))
            for only_left in (True, False):
                numbers = [number for number in sorted(changed) if changed[number] is only_left]
                draws = [draw for number in numbers for draw in self._draws.by_limit.get(number, ())]
                self._fill(slice(0, len(self._demands)), draws, only_left=only_left)

    def allowed(self, row: int, columns: Numbers | None = None) -> Numbers:
        """Return by column of cells, some or all, how many replicas its limits allow."""
        self._refresh()
        allowed = self._allowed[row]
        return reduce(np.minimum, (allowed[draws if columns is None else draws[columns]] for draws in self._of_column))

    def allowed_at(self, rows: Numbers, columns: Numbers) -> Numbers:
        """Return the same by row and column, for some of each."""
        self._refresh()
        return reduce(np.minimum, (self._allowed[rows[:, None], draws[columns]] for draws in self._of_column))

    def why_at(self, rows: Numbers, least: Numbers, columns: Numbers) -> Numbers:
        """Return by row and column the severity of what allows fewer than the least replicas, else `NOT_SHORT`."""
        self._refresh()
        found = _full(len(rows), len(columns), NOT_SHORT)
        for each in self._of_column:
            draws = each[columns]
            short = self._allowed[rows[:, None], draws] < least[:, None]
            if short.any():
                never = self._when_empty[rows[:, None], draws] < least[:, None]
                np.minimum(found, np.where(never, _TOO_LARGE, self._severities[draws]), out=found, where=short)
        return found

    def _kind(self, pool: Pool) -> int:
        """Return the kind of a pool: all of it that decides what a job takes of limits there."""
        units = pool.accelerator.units_per_device if pool.accelerator else 1
        key = pool.resource, units, pool.claim, pool.launch.extra_resources, pool.overhead, pool.admission.limits
        known = self._kinds.get(key)
        if known is None:
            known = self._kinds[key] = len(self._uses)
            self._uses.append(UseTable.of(pool))
        return known

    def _fill(self, rows: slice, draws: Iterable[tuple[tuple[int, int], int]], *, only_left: bool = False) -> None:
        """Work out some rows of some draws."""
        size = len(self._demands), len(self._draws.numbers)
        self._allowed, self._when_empty = (_sized(table, *size, fill=UNLIMITED) for table in (self._allowed, self._when_empty))
        by_kind: dict[int, list[tuple[int, int]]] = {}
        for (number, kind), draw in draws:
            if number >= 0:
                by_kind.setdefault(kind, []).append((number, draw))
        for kind, pairs in by_kind.items():
            uses, numbers = self._uses[kind], [number for number, _ in pairs]
            cells = rows, [draw for _, draw in pairs]
            uses.extend(self._demands, self._amounts.names)
            self._allowed[cells] = self._amounts.allowed(uses, rows, numbers)
            if not only_left:
                self._when_empty[cells] = self._amounts.allowed(uses, rows, numbers, empty=True)


def _fits(uses: UseTable, rows: slice, have: Numbers) -> Numbers:
    """Return by row and limit how many replicas amounts allow; as `QuotaUse.fits` says of one demand and one limit."""
    limited, found = have < INFINITE, _full(rows.stop - rows.start, have.shape[1], UNLIMITED)
    names = min(len(have), uses.taken.shape[1])
    for name in np.flatnonzero(limited[:names].any(axis=1) & uses.taken[:, :names].any(axis=0)).tolist():
        left, (each, once) = np.maximum(have[name], 0)[None, :], uses.taken[:, name].tolist()
        if each:
            share = left // uses.divisors[name, rows][:, None]
            share |= uses.unasked[name, rows][:, None]
            np.minimum(found, share, out=found, where=limited[name])
        if once:
            found[uses.once[name, rows][:, None] > left] = 0
    return found


def _full(rows: int, columns: int, fill: int) -> Numbers:
    return np.full((rows, columns), fill, dtype=np.int64)


def _sized(table: Numbers, rows: int, columns: int, *, fill: int) -> Numbers:
    """Return the table with room for so many rows and columns."""
    have = table.shape
    if have[0] >= rows and have[1] >= columns:
        return table
    grown = _full(max(have[0], rows * 5 // 4 + 8), max(have[1], columns * 5 // 4 + 8), fill)
    grown[: have[0], : have[1]] = table
    return grown
