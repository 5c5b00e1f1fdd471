"""How many replicas of every demand each limit allows, kept up limit by limit: what the fits are to nodes. No pictures here.

Rows are demands, columns draws: a limit together with one kind of pools, for what a job takes of a quota depends on the pool. A row is
min over resources of left // per replica, and 0 where the job as a whole takes more than is left of something.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from sampan.scheduling.capacity.quota_usage import UNLIMITED, UseTable, full_table, sized_table
from sampan.scheduling.capacity.topology import Numbers

NOT_SHORT: Final = 63
"""Above every severity."""
_TOO_LARGE: Final = Reason.TOO_LARGE.severity
_NO_DRAW: Final = 0
"""The draw of a column that nothing limits: it allows everything."""
MAX_IDLE_DRAWS: Final = 64
"""Draws kept that no column has, beside as many as are in use: for a limit that comes back."""
Key = tuple[object, ...]


class AmountTable:
    """What limits leave, would leave if nothing of ours ran, and give to one job: by resource and limit; `INFINITE`: not limited."""

    def __init__(self) -> None:
        """No limit has a number yet."""
        self.names: dict[str, int] = {}
        self.limits: list[Limit | None] = []
        self._tables = [full_table(0, 0, INFINITE) for _ in range(3)]

    def write(self, limit: Limit, *, only_left: bool) -> None:
        """Take over what a limit says from now on."""
        self.limits[limit.number] = limit
        for at, amounts in enumerate((limit.left, limit.total, limit.largest)[: 1 if only_left else 3]):
            rows = [self.names.setdefault(name, len(self.names)) for name in amounts]
            table = self._tables[at] = sized_table(self._tables[at], len(self.names), len(self.limits), fill=INFINITE)
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
            if limit is not None and limit.tenant:
                found[uses.tenants[rows] != limit.tenant, at] = UNLIMITED
        return found

    def why(self, demand: Demand, pool: Pool, limits: Sequence[Limit]) -> int:
        """Return what `LimitMatrix.why_at` says, of a demand that has no row, in a pool that some limits hold for."""
        uses, numbers = UseTable.of(pool), [limit.number for limit in limits]
        uses.extend([demand], self.names)
        now, empty = (self.allowed(uses, slice(0, 1), numbers, empty=each)[0] for each in (False, True))
        severities = np.array([limit.reason.severity for limit in limits], dtype=np.int64)
        least = demand.least_replicas
        return int(_why(empty < least, severities)[now < least].min(initial=NOT_SHORT))


class _PoolKinds:
    """What jobs take of limits, by kind of the pools: all of a pool that this depends on."""

    def __init__(self) -> None:
        self.uses: list[UseTable] = []
        self._numbers: dict[Key, int] = {}

    def of(self, pool: Pool) -> int:
        """Return the number of a pool's kind."""
        units = pool.accelerator.units_per_device if pool.accelerator else 1
        key = pool.resource, units, pool.claim, pool.launch.extra_resources, pool.overhead, pool.admission.limits
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self.uses)
            self.uses.append(UseTable.of(pool))
        return known

    def keep(self, kinds: Iterable[int]) -> dict[int, int]:
        """Drop all others; returns the new numbers."""
        fresh = {old: new for new, old in enumerate(sorted(kinds))}
        self._numbers = {key: fresh[old] for key, old in self._numbers.items() if old in fresh}
        self.uses = [self.uses[old] for old in fresh]
        return fresh


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

    def kept(self, draws: Sequence[int], kinds: Mapping[int, int]) -> "_Draws":
        """Return some of them, numbered anew in this order, with other numbers of their kinds; columns are to be put in."""
        made, pairs = _Draws(), list(self.numbers)
        for limit, kind in (pairs[draw] for draw in draws):
            if limit >= 0:
                made.draw_of(limit, kinds[kind])
        return made


class LimitMatrix:
    """Owned by one table of limits; changed in place."""

    def __init__(self) -> None:
        """No demand, no limit."""
        self.amounts = AmountTable()
        self._demands: list[Demand] = []
        self._rows: dict[Key, int] = {}
        self._kinds = _PoolKinds()
        self._draws = _Draws()
        self._of_column: Numbers = np.zeros((1, 0), dtype=np.int64)
        """By place and column of cells: draws, filled up with the one that allows everything."""
        self._severities: Numbers = np.full(1, NOT_SHORT, dtype=np.int64)
        """Of the reasons of limits, by draw."""
        self._allowed, self._when_empty = full_table(0, 1, UNLIMITED), full_table(0, 1, UNLIMITED)
        """By row and draw: replicas allowed as things stand, and if nothing of ours ran."""
        self._changed: dict[int, bool] = {}
        """Limits that say something else than the rows do, and whether only of what is left."""
        self._dirty: set[int] = set()
        """Columns of cells that changed since `drain`."""

    def __len__(self) -> int:
        """Return how many draws there are, those included that no column has any more."""
        return len(self._draws.numbers)

    def new_limit(self) -> int:
        """Return the number of a limit to come."""
        self.amounts.limits.append(None)
        return len(self.amounts.limits) - 1

    def write(self, limit: Limit, *, only_left: bool = False) -> None:
        """Take over what a limit says from now on; `only_left`: nothing but what is left is other than before."""
        self.amounts.write(limit, only_left=only_left)
        self._changed[limit.number] = only_left and self._changed.get(limit.number, True)

    def row_of(self, demand: Demand) -> int:
        """Return the row of a demand, a new one where none takes the same of limits."""
        need = demand.requirement
        devices = (need.count, need.share) if need is not None else None
        key = demand.per_replica, demand.zeros, demand.limits, demand.objects, devices, demand.least_replicas > 1, demand.tenant
        known = self._rows.get(key)
        if known is None:
            known = self._rows[key] = len(self._demands)
            self._demands.append(demand)
            self._fill(slice(known, known + 1), self._draws.numbers.items())
        return known

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Forget all but these, which are numbered anew in this order."""
        for uses in self._kinds.uses:
            uses.extend(self._demands, self.amounts.names)
        numbers = {old: new for new, old in enumerate(rows)}
        self._rows = {key: numbers[row] for key, row in self._rows.items() if row in numbers}
        self._demands = [self._demands[row] for row in rows]
        self._allowed, self._when_empty = (
            sized_table(t[rows], len(rows) + 1, 1, fill=UNLIMITED) for t in (self._allowed, self._when_empty)
        )
        self._kinds.uses = [uses.kept(rows) for uses in self._kinds.uses]

    def connect(self, columns: Sequence[CellColumn], limits: Mapping[int, Sequence[Limit]]) -> None:
        """Take over which limits each column of cells has."""
        self._evict_draws()
        before = self._of_column
        self._of_column = np.full((max(map(len, limits.values()), default=1), len(columns)), _NO_DRAW, dtype=np.int64)
        self._draws.columns.clear()
        fresh: list[tuple[tuple[int, int], int]] = []
        for column, mine in limits.items():
            kind = self._kinds.of(columns[column].cell.pool)
            for place, limit in enumerate(mine):
                draw, new = self._draws.draw_of(limit.number, kind)
                if new:
                    fresh.append(((limit.number, kind), draw))
                self._of_column[place, column] = draw
                self._draws.columns.setdefault(limit.number, []).append(column)
        known = (self.amounts.limits[limit] if limit >= 0 else None for limit, _ in self._draws.numbers)
        self._severities = np.array([NOT_SHORT if limit is None else limit.reason.severity for limit in known], dtype=np.int64)
        self._fill(slice(0, len(self._demands)), fresh)
        self._dirty = set(range(len(columns))) if before.shape != self._of_column.shape else self._dirty
        if before.shape == self._of_column.shape:
            self._dirty.update(np.flatnonzero((before != self._of_column).any(axis=0)).tolist())

    def _evict_draws(self) -> None:
        """Drop draws that no column has any more, and kinds of pools with them, once there are more of these than of others."""
        kept: list[int] = np.union1d(self._of_column, [_NO_DRAW]).tolist()
        if len(self._draws.numbers) <= 2 * len(kept) + MAX_IDLE_DRAWS:
            return
        pairs = list(self._draws.numbers)
        self._draws = self._draws.kept(kept, self._kinds.keep({pairs[draw][1] for draw in kept} - {-1}))
        self._of_column = np.searchsorted(kept, self._of_column)
        self._allowed, self._when_empty = self._allowed[:, kept], self._when_empty[:, kept]

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
        found = full_table(len(rows), len(columns), NOT_SHORT)
        for each in self._of_column:
            draws = each[columns]
            short = self._allowed[rows[:, None], draws] < least[:, None]
            if short.any():
                never = self._when_empty[rows[:, None], draws] < least[:, None]
                np.minimum(found, _why(never, self._severities[draws]), out=found, where=short)
        return found

    def _fill(self, rows: slice, draws: Iterable[tuple[tuple[int, int], int]], *, only_left: bool = False) -> None:
        """Work out some rows of some draws."""
        size = len(self._demands), len(self._draws.numbers)
        self._allowed, self._when_empty = (sized_table(table, *size, fill=UNLIMITED) for table in (self._allowed, self._when_empty))
        by_kind: dict[int, list[tuple[int, int]]] = {}
        for (number, kind), draw in draws:
            if number >= 0:
                by_kind.setdefault(kind, []).append((number, draw))
        for kind, pairs in by_kind.items():
            uses, numbers = self._kinds.uses[kind], [number for number, _ in pairs]
            cells = rows, [draw for _, draw in pairs]
            uses.extend(self._demands, self.amounts.names)
            self._allowed[cells] = self.amounts.allowed(uses, rows, numbers)
            if not only_left:
                self._when_empty[cells] = self.amounts.allowed(uses, rows, numbers, empty=True)


def _why(never: Flags, severities: Numbers) -> Numbers:
    """Return what a limit that is short is against: its own reason, but where it would be short if nothing of ours ran."""
    return np.where(never, _TOO_LARGE, severities)


def _fits(uses: UseTable, rows: slice, have: Numbers) -> Numbers:
    """Return by row and limit how many replicas amounts allow; as `QuotaUse.fits` says of one demand and one limit."""
    limited, found = have < INFINITE, full_table(rows.stop - rows.start, have.shape[1], UNLIMITED)
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
