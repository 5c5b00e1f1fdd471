"""How many replicas of every request fit into every cell, kept up node by node. The one place that takes and gives back what nodes have.

Rows are requests, columns cells in the order of their ids. `sync` makes the matrix say what a snapshot says, at the cost of what
differs: what fits on a node is subtracted from its columns before the node is written and added after. Columns are told by identity
of the pool: a cell whose pool is the very same value keeps what is known of its column, wherever the column moves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sampan.model.members.cluster import Cell, Cluster
from sampan.scheduling.capacity.cells import CellColumn, Columns
from sampan.scheduling.capacity.nodes import NodeTable
from sampan.scheduling.capacity.resources import CellKind, NodeResources, Request, RequestTable, ResourceIndex, fits
from sampan.scheduling.capacity.topology import Numbers


def _empty(rows: int, columns: int) -> Numbers:
    return np.zeros((rows, columns), dtype=np.int64)


@dataclass(slots=True)
class NodeFits:
    """Nodes of columns of one kind, and what fits on them."""

    kind: CellKind
    columns: Numbers
    """Ascending."""
    nodes: Numbers
    found: list[Numbers] = field(default_factory=list)
    """By request and node: now, then on empty nodes where that was asked."""


class FitTables:
    """Replicas that fit, by request and column: now, and on empty nodes."""

    def __init__(self, nodes: NodeTable, requests: RequestTable, columns: Columns) -> None:
        self.now, self.empty = _empty(0, 0), _empty(0, 0)
        self._nodes, self._requests, self._columns = nodes, requests, columns

    def add_row(self, row: int) -> None:
        """Compute a new request for all cells, kind by kind."""
        self.now, self.empty = (_with_rows(table, row + 1) for table in (self.now, self.empty))
        grouped: dict[CellKind, list[int]] = {}
        for at, column in enumerate(self._columns.all):
            grouped.setdefault(column.kind, []).append(at)
        for columns in grouped.values():
            self._fill(np.array([row]), columns)

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Keep only these rows, in this order."""
        self.now, self.empty = (np.concatenate((t[rows], _empty(len(rows) // 4 + 8, t.shape[1]))) for t in (self.now, self.empty))

    def permute(self, order: Numbers) -> None:
        """Order the columns anew; a new one (-1) gets the numbers of the last, so it is to be filled."""
        self.now, self.empty = (t[:, order] if t.shape[1] else _empty(t.shape[0], len(order)) for t in (self.now, self.empty))

    def fill(self, columns: Iterable[int]) -> None:
        """Compute all requests for some cells."""
        for column in columns:
            self._fill(None, [column])

    def _fill(self, rows: Numbers | None, columns: Sequence[int]) -> None:
        """Compute requests, None: all, for columns of one kind: all their nodes in one pass, cut apart by cumulative sums."""
        cells = [self._columns.all[column] for column in columns]
        nodes = np.concatenate([cell.nodes for cell in cells])
        lengths = np.array([len(cell.nodes) for cell in cells])
        ends = np.cumsum(lengths)
        for resources, table in ((self._nodes.free, self.now), (self._nodes.allocatable, self.empty)):
            found = fits(resources, self._requests, rows, kind=cells[0].kind, nodes=nodes)
            sums = np.concatenate((_empty(len(found), 1), np.cumsum(found, axis=1)), axis=1)
            where = np.arange(len(found)) if rows is None else rows
            table[np.ix_(where, np.array(columns))] = sums[:, ends] - sums[:, ends - lengths]

    def on(self, pairs: Iterable[tuple[int, int]], *, allocatable: bool) -> list[NodeFits]:
        """Return what fits on nodes, given as (column, node), kind by kind: now, and with `allocatable` on empty nodes too."""
        by_kind: dict[CellKind, list[tuple[int, int]]] = {}
        for pair in sorted(pairs):
            by_kind.setdefault(self._columns.all[pair[0]].kind, []).append(pair)
        listed = [NodeFits(kind, *np.array(of_kind).T) for kind, of_kind in by_kind.items()]
        for each in listed:
            each.found = self._found(each, allocatable=allocatable)
        return listed

    def follow(self, before: Iterable[NodeFits]) -> None:
        """Take over that nodes have changed on which so much did fit."""
        for each in before:
            columns, starts = np.unique(each.columns, return_index=True)
            fresh = self._found(each, allocatable=len(each.found) > 1)
            for table, old, new in zip((self.now, self.empty), each.found, fresh, strict=False):
                more = new - old
                if len(columns) == 1:
                    table[: len(more), columns[0]] += more.sum(axis=1)
                else:
                    table[: len(more), columns] += np.add.reduceat(more, starts, axis=1)

    def _found(self, each: NodeFits, *, allocatable: bool) -> list[Numbers]:
        stocks = (self._nodes.free, self._nodes.allocatable)[: 1 + allocatable]
        return [fits(stock, self._requests, None, kind=each.kind, nodes=each.nodes) for stock in stocks]


class FitMatrix:
    """Free and allocatable amounts of all nodes, and the fits that follow. Owned by one memo; changed in place."""

    def __init__(self) -> None:
        self.resources = ResourceIndex()
        self.requests = RequestTable(self.resources)
        self.nodes = NodeTable(self.resources)
        self.layout = Columns(self.nodes)
        self._fits = FitTables(self.nodes, self.requests, self.layout)
        self.versions: list[int] = []
        """When each column's nodes changed last, by `clock`; no number comes twice."""
        self.clock = 0
        """Counts the changes of nodes and of columns."""
        self.layout_version = 0
        """When the columns were laid out or one was exchanged last, by `clock`."""
        self.order_version = 0
        """When the columns were laid out last, by `clock`."""
        self._dirty: set[int] = set()
        """Columns that changed since `drain`."""
        self._diverged: set[int] = set()
        """Nodes whose free amounts a cycle changed: they say something else than the snapshot."""

    @property
    def free(self) -> NodeResources:
        """Return what is free on every node."""
        return self.nodes.free

    @property
    def allocatable(self) -> NodeResources:
        """Return what every node has."""
        return self.nodes.allocatable

    @property
    def fits_now(self) -> Numbers:
        """Return by request and column the replicas that fit now."""
        return self._fits.now

    @property
    def fits_empty(self) -> Numbers:
        """Return by request and column the replicas that fit on empty nodes."""
        return self._fits.empty

    @property
    def columns(self) -> Sequence[CellColumn]:
        """Return the columns in order."""
        return self.layout.all

    @property
    def permutation(self) -> Numbers | None:
        """Return, with the last snapshot, the column that each one was before, -1 for new ones; None where none moved."""
        return self.layout.permutation

    # --- the snapshot -----------------------------------------------------------------------------------------------

    def sync(self, cells: Sequence[Cell], clusters: Mapping[str, Cluster]) -> list[int]:
        """Take over a snapshot. Returns the columns whose pools changed or are new; see `permutation`."""
        changed = self.layout.changed(cells)
        self._sync_nodes(cells if changed is None else [cell for _, cell in changed], clusters)
        if changed is None:
            return self._arrange(cells)
        self.layout.permutation = None
        for column, cell in changed:
            self._replace(column, cell)
        return [column for column, _ in changed]

    def row_of(self, request: Request) -> int:
        """Return the row of a request; a new one is computed for all cells."""
        number, new = self.requests.row_of(request)
        if new:
            self._fits.add_row(number)
        return number

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Drop all requests but these, which are numbered anew in this order."""
        self.requests.keep(rows)
        self._fits.keep_rows(rows)

    def drain(self) -> list[int]:
        """Return, once, the columns whose nodes changed or that were exchanged, but not those that moved or are new."""
        columns = sorted(self._dirty)
        self._dirty.clear()
        return columns

    def _tick(self) -> int:
        self.clock += 1
        return self.clock

    def _arrange(self, cells: Sequence[Cell]) -> list[int]:
        fresh, self.layout.permutation = self.layout.arrange(cells)
        self._fits.permute(self.layout.permutation)
        self.layout_version = self.order_version = self._tick()
        self.versions = [self.layout_version] * len(cells)
        self._dirty.clear()
        self._fits.fill(fresh)
        return fresh

    def _replace(self, at: int, cell: Cell) -> None:
        self.layout.replace(at, cell)
        self.layout_version = self.versions[at] = self._tick()
        self._dirty.add(at)
        self._fits.fill([at])

    # --- nodes ------------------------------------------------------------------------------------------------------

    def _sync_nodes(self, cells: Iterable[Cell], clusters: Mapping[str, Cluster]) -> None:
        """Write down every node that is another value than before, and those that a cycle changed."""
        stale = self.nodes.sync(((cell.pool.cluster_uid, name) for cell in cells for name in cell.nodes), clusters)
        self.layout.grow()
        used, whole = self.nodes.changes_of(sorted(stale | self._diverged))
        self.change(sorted(self._diverged.union(used).difference(whole)), self._write_all)
        self.change(whole, self._write_all, allocatable=True)
        self._diverged.clear()

    def change(self, nodes: Sequence[int], write: Callable[[Sequence[int]], None], *, allocatable: bool = False) -> None:
        """Let `write` change what is free on these nodes, and with `allocatable` what they have; the fits follow."""
        if not nodes:
            return
        self._diverged.update(nodes)
        pairs = [(column, node) for node in nodes for column in self.layout.of_node(node)]
        columns, now = {column for column, _ in pairs}, self._tick()
        self._dirty |= columns
        for column in columns:
            self.versions[column] = now
        before = self._fits.on(pairs, allocatable=allocatable)
        write(nodes)
        self._fits.follow(before)

    def take(self, column: int, row: int, placed: Sequence[tuple[int, int]]) -> None:
        """Take what replicas of a request use, given as (node number, replicas), on nodes of a column."""
        request, replicas = self.requests.all[row], dict(placed)
        amounts = self.requests.vector(request, self.columns[column].kind)

        def write(nodes: Sequence[int]) -> None:
            for node in nodes:
                self.nodes.take(node, amounts, request=request, replicas=replicas[node])

        self.change(sorted(replicas), write)

    def node_number(self, cluster_uid: str, node: str) -> int | None:
        """Return the number of a node, None where no cell ever had it."""
        return self.nodes.number(cluster_uid, node)

    def columns_of_node(self, node: int) -> Sequence[int]:
        """Return the columns that a node is in."""
        return self.layout.of_node(node)

    def _write_all(self, nodes: Sequence[int]) -> None:
        for node in nodes:
            self.nodes.write(node)


def _with_rows(table: Numbers, rows: int) -> Numbers:
    if table.shape[0] >= rows:
        return table
    return np.concatenate((table, _empty(max(rows * 5 // 4 + 8 - table.shape[0], 1), table.shape[1])))
