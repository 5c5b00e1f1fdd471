"""How many replicas of every need fit into every cell, kept up node by node. The one place that takes and gives back what nodes have.

Rows are needs, columns cells in the order of their ids. `sync` makes the tables say what a picture says, at the cost of what differs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sampan.model.members.cluster import Cell, Cluster
from sampan.scheduling.capacity.nodes import NodeTable
from sampan.scheduling.capacity.resources import CellKind, Request, RequestTable, ResourceIndex, fits
from sampan.scheduling.capacity.topology import Numbers


@dataclass(frozen=True, slots=True)
class CellColumn:
    """A cell with the numbers of its nodes, in name order."""

    cell: Cell
    kind: CellKind
    nodes: Numbers
    names: tuple[str, ...]


def _empty(rows: int, columns: int) -> Numbers:
    return np.zeros((rows, columns), dtype=np.int64)


class FitMatrix:
    """Free and whole amounts of all nodes, and the fits that follow. Owned by one memo; changed in place."""

    def __init__(self) -> None:
        self.resources = ResourceIndex()
        self.requests = RequestTable(self.resources)
        self.nodes = NodeTable(self.resources)
        self.free, self.allocatable = self.nodes.free, self.nodes.allocatable
        self.columns: list[CellColumn] = []
        self.fits_now, self.fits_empty = _empty(0, 0), _empty(0, 0)
        """By need and column: replicas that fit now, and on empty nodes."""
        self.versions: list[int] = []
        """When each column's nodes changed last, by `clock`; no number comes twice."""
        self.clock = 0
        """Counts the changes of nodes and of columns."""
        self.layout_version = 0
        """When the columns were laid out or one was exchanged last, by `clock`."""
        self.order_version = 0
        """When the columns were laid out last, by `clock`."""
        self.permutation: Numbers | None = None
        """With the last picture: the column that each one was before, -1 for new ones; None where none moved."""
        self._source: tuple[Cell, ...] = ()
        self._column_of: list[int] = []
        self._columns_of: list[list[int]] = []
        self._dirty: set[int] = set()
        """Columns that changed since `drain`."""
        self._diverged: set[int] = set()
        """Nodes whose free amounts a cycle changed: they say something else than the picture."""

    # --- the picture ------------------------------------------------------------------------------------------------

    def sync(self, cells: Sequence[Cell], clusters: Mapping[str, Cluster]) -> list[int]:
        """Take over a picture. Returns the columns whose pools changed or are new; see `moved`."""
        changed = self._changed(cells)
        self._sync_nodes(cells if changed is None else [cell for _, cell in changed], clusters)
        if changed is None:
            return self._lay_out(cells)
        self.permutation = None
        for column, cell in changed:
            self._replace(column, cell)
        return [column for column, _ in changed]

    def row_of(self, need: Request) -> int:
        """Return the row of a need; a new one is computed for all cells."""
        number, new = self.requests.row_of(need)
        if new:
            self.fits_now, self.fits_empty = (_with_rows(table, number + 1) for table in (self.fits_now, self.fits_empty))
            grouped: dict[CellKind, list[int]] = {}
            for at, column in enumerate(self.columns):
                grouped.setdefault(column.kind, []).append(at)
            for columns in grouped.values():
                self._fill(np.array([number]), columns)
        return number

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Forget all needs but these, which are numbered anew in this order."""
        self.requests.keep(rows)
        self.fits_now, self.fits_empty = (
            np.concatenate((t[rows], _empty(len(rows) // 4 + 8, t.shape[1]))) for t in (self.fits_now, self.fits_empty)
        )

    def drain(self) -> list[int]:
        """Return, once, the columns whose nodes changed or that were exchanged, but not those that moved or are new."""
        columns = sorted(self._dirty)
        self._dirty.clear()
        return columns

    def _tick(self) -> int:
        self.clock += 1
        return self.clock

    def _changed(self, cells: Sequence[Cell]) -> list[tuple[int, Cell]] | None:
        if cells is self._source:
            return []
        if len(cells) != len(self._source):
            return None
        differ = [at for at, (old, new) in enumerate(zip(self._source, cells, strict=True)) if old is not new]
        if any(self._source[at].id != cells[at].id for at in differ):
            return None
        pools = [(self._column_of[at], cells[at]) for at in differ if self._source[at].pool is not cells[at].pool]
        self._source = tuple(cells)
        return pools

    def _lay_out(self, cells: Sequence[Cell]) -> list[int]:
        """Order the columns anew; what is known of a cell whose pool is the same value is moved along."""
        old = {(column.cell.id, id(column.cell.pool)): at for at, column in enumerate(self.columns)}
        before, matrix = self.columns, (self.fits_now, self.fits_empty)
        ranked = sorted(range(len(cells)), key=lambda at: cells[at].id)
        self._source, self._column_of = tuple(cells), [0] * len(cells)
        self.columns, moved, fresh = [], [], []
        for column, at in enumerate(ranked):
            self._column_of[at] = column
            known = old.get((cells[at].id, id(cells[at].pool)))
            moved.append(-1 if known is None else known)
            self.columns.append(self._column(cells[at]) if known is None else before[known])
            if known is None:
                fresh.append(column)
        picked = np.array(moved, dtype=np.int64)
        self.fits_now, self.fits_empty = (t[:, picked] if t.shape[1] else _empty(t.shape[0], len(ranked)) for t in matrix)
        self._columns_of = [[] for _ in range(len(self.nodes))]
        for number, column_ in enumerate(self.columns):
            for node in column_.nodes.tolist():
                self._columns_of[node].append(number)
        self.layout_version = self.order_version = self._tick()
        self.versions = [self.layout_version] * len(self.columns)
        self._dirty.clear()
        self._fill_all(fresh)
        self.permutation = picked
        return fresh

    def _replace(self, at: int, cell: Cell) -> None:
        for node in self.columns[at].nodes.tolist():
            self._columns_of[node].remove(at)
        self.columns[at] = self._column(cell)
        for node in self.columns[at].nodes.tolist():
            self._columns_of[node].append(at)
        self.layout_version = self.versions[at] = self._tick()
        self._dirty.add(at)
        self._fill_all([at])

    def _column(self, cell: Cell) -> CellColumn:
        found = [(name, self.nodes.number(cell.pool.cluster_uid, name)) for name in cell.nodes]
        numbers = {name: number for name, number in found if number is not None}
        column = CellColumn(cell, CellKind.of(cell), np.array(list(numbers.values()), dtype=np.int64), tuple(numbers))
        if column.kind.rule is not None:
            for node in numbers.values():
                self.nodes.set_rings(node, column.kind.rule, column.kind.resource)
        return column

    def _fill_all(self, columns: Iterable[int]) -> None:
        rows = np.arange(len(self.requests.all))
        for column in columns:
            self._fill(rows, [column])

    def _fill(self, rows: Numbers, columns: Sequence[int]) -> None:
        """Compute fits of some needs in columns of one kind."""
        kind = self.columns[columns[0]].kind
        nodes = np.concatenate([self.columns[column].nodes for column in columns])
        ends = np.cumsum([len(self.columns[column].nodes) for column in columns])
        starts = ends - np.array([len(self.columns[column].nodes) for column in columns])
        for stock, table in ((self.free, self.fits_now), (self.allocatable, self.fits_empty)):
            found = fits(stock, self.requests, rows, kind=kind, nodes=nodes)
            sums = np.concatenate((_empty(len(rows), 1), np.cumsum(found, axis=1)), axis=1)
            table[np.ix_(rows, np.array(columns))] = sums[:, ends] - sums[:, starts]

    # --- nodes ------------------------------------------------------------------------------------------------------

    def _sync_nodes(self, cells: Iterable[Cell], clusters: Mapping[str, Cluster]) -> None:
        """Write down every node that is another value than before, and those that a cycle changed."""
        stale = self.nodes.sync(((cell.pool.cluster_uid, name) for cell in cells for name in cell.nodes), clusters)
        self._columns_of += [[] for _ in range(len(self.nodes) - len(self._columns_of))]
        used, whole = self.nodes.changes_of(sorted(stale | self._diverged))
        self.change(sorted(self._diverged.union(used).difference(whole)), self._write_all)
        self.change(whole, self._write_all, allocatable=True)
        self._diverged.clear()

    def change(self, nodes: Sequence[int], write: Callable[[Sequence[int]], None], *, allocatable: bool = False) -> None:
        """Let `write` change what is free on these nodes, and with `whole` what they have; the fits follow."""
        if not nodes:
            return
        self._diverged.update(nodes)
        pairs = [(column, node) for node in nodes for column in self._columns_of[node]]
        columns, now = {column for column, _ in pairs}, self._tick()
        self._dirty |= columns
        for column in columns:
            self.versions[column] = now
        self._add_fits(pairs, sign=-1, allocatable=allocatable)
        write(nodes)
        self._add_fits(pairs, sign=1, allocatable=allocatable)

    def take(self, column: int, row: int, placed: Sequence[tuple[int, int]]) -> None:
        """Take what replicas of a need hold, given as (node number, replicas), on nodes of a column."""
        kind, need, replicas = self.columns[column].kind, self.requests.all[row], dict(placed)

        amounts = self.requests.vector(need, kind)

        def write(nodes: Sequence[int]) -> None:
            for node in nodes:
                self.nodes.take(node, amounts, request=need, replicas=replicas[node])

        self.change(sorted(replicas), write)

    def node_number(self, cluster_uid: str, node: str) -> int | None:
        """Return the number of a node, None where no cell ever held it."""
        return self.nodes.number(cluster_uid, node)

    def columns_of_node(self, node: int) -> Sequence[int]:
        """Return the columns that a node is in."""
        return self._columns_of[node]

    def _write_all(self, nodes: Sequence[int]) -> None:
        for node in nodes:
            self.nodes.write(node)

    def _add_fits(self, pairs: Iterable[tuple[int, int]], *, sign: int, allocatable: bool) -> None:
        """Add what fits on nodes to their columns, kind by kind."""
        rows, by_kind = np.arange(len(self.requests.all)), dict[CellKind, list[tuple[int, int]]]()
        for pair in sorted(pairs):
            by_kind.setdefault(self.columns[pair[0]].kind, []).append(pair)
        for kind, of_kind in by_kind.items():
            columns, nodes = np.array(of_kind).T
            single, starts = np.unique(columns, return_index=True)
            for stock, table in ((self.free, self.fits_now), (self.allocatable, self.fits_empty))[: 1 + allocatable]:
                found = fits(stock, self.requests, rows, kind=kind, nodes=nodes)
                table[rows[:, None], single] += sign * np.add.reduceat(found, starts, axis=1)


def _with_rows(table: Numbers, rows: int) -> Numbers:
    if table.shape[0] >= rows:
        return table
    return np.concatenate((table, _empty(max(rows * 5 // 4 + 8 - table.shape[0], 1), table.shape[1])))
