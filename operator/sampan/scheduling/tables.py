"""How many replicas of every need fit into every cell, kept up node by node. The one place that takes and gives back what nodes have.

Rows are needs, columns cells in the order of their ids. `sync` makes the tables say what a picture says, at the cost of what differs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sampan.model.accelerator import CountRule
from sampan.model.cluster import Cell, Cluster
from sampan.model.vector import Vector
from sampan.scheduling.groups import Cards, Numbers, ring_table, take_cards
from sampan.scheduling.signs import NodeId, Sign, changed_nodes, sign_of
from sampan.scheduling.stock import Kind, Names, Need, Needs, Stock, clipped, fits


@dataclass(frozen=True, slots=True)
class Column:
    """A cell with the numbers of its nodes, in name order."""

    cell: Cell
    kind: Kind
    nodes: Numbers
    names: tuple[str, ...]


def _empty(rows: int, columns: int) -> Numbers:
    return np.zeros((rows, columns), dtype=np.int64)


class Tables:
    """Free and whole amounts of all nodes, and the fits that follow. Owned by one memo; changed in place."""

    def __init__(self) -> None:
        self.names = Names()
        self.needs = Needs(self.names)
        self.free = Stock(_empty(0, 0), {}, {})
        self.whole = Stock(_empty(0, 0), {}, {})
        self.columns: list[Column] = []
        self.fit, self.most = _empty(0, 0), _empty(0, 0)
        """By need and column: replicas that fit now, and on empty nodes."""
        self.versions: list[int] = []
        """When each column's nodes changed last, by `clock`; no number comes twice."""
        self.clock = 0
        """Counts the changes of nodes and of columns."""
        self.laid = 0
        """When the columns were laid out or exchanged last, by `clock`."""
        self.moved: Numbers | None = None
        """With the last picture: the column that each one was before, -1 for new ones; None where none moved."""
        self._source: tuple[Cell, ...] = ()
        self._place: list[int] = []
        self._clusters: dict[str, Cluster] = {}
        self._numbers: dict[NodeId, int] = {}
        self._ids: list[NodeId] = []
        self._signs: list[Sign] = []
        self._within: list[list[int]] = []
        self._rules: dict[int, tuple[CountRule, str]] = {}
        self._touched: set[int] = set()
        """Nodes whose free amounts a cycle changed: they say something else than the picture."""

    # --- the picture ------------------------------------------------------------------------------------------------

    def sync(self, cells: Sequence[Cell], clusters: Mapping[str, Cluster]) -> list[int]:
        """Take over a picture. Returns the columns whose pools changed or are new; see `moved`."""
        changed = self._changed(cells)
        self._sync_nodes(cells if changed is None else [cell for _, cell in changed], clusters)
        if changed is None:
            return self._lay_out(cells)
        self.moved = None
        for column, cell in changed:
            self._replace(column, cell)
        return [column for column, _ in changed]

    def row(self, need: Need) -> int:
        """Return the row of a need; a new one is computed for all cells."""
        number, new = self.needs.number(need)
        if new:
            self.fit, self.most = (_with_rows(table, number + 1) for table in (self.fit, self.most))
            grouped: dict[Kind, list[int]] = {}
            for at, column in enumerate(self.columns):
                grouped.setdefault(column.kind, []).append(at)
            for columns in grouped.values():
                self._fill(np.array([number]), columns)
        return number

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Forget all needs but these, which are numbered anew in this order."""
        self.needs.keep(rows)
        self.fit, self.most = (np.concatenate((t[rows], _empty(len(rows) // 4 + 8, t.shape[1]))) for t in (self.fit, self.most))

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
        pools = [(self._place[at], cells[at]) for at in differ if self._source[at].pool is not cells[at].pool]
        self._source = tuple(cells)
        return pools

    def _lay_out(self, cells: Sequence[Cell]) -> list[int]:
        """Order the columns anew; what is known of a cell whose pool is the same value is moved along."""
        old = {(column.cell.id, id(column.cell.pool)): at for at, column in enumerate(self.columns)}
        before, tables = self.columns, (self.fit, self.most)
        ranked = sorted(range(len(cells)), key=lambda at: cells[at].id)
        self._source, self._place = tuple(cells), [0] * len(cells)
        self.columns, moved, fresh = [], [], []
        for column, at in enumerate(ranked):
            self._place[at] = column
            known = old.get((cells[at].id, id(cells[at].pool)))
            moved.append(-1 if known is None else known)
            self.columns.append(self._column(cells[at]) if known is None else before[known])
            if known is None:
                fresh.append(column)
        picked = np.array(moved, dtype=np.int64)
        self.fit, self.most = (t[:, picked] if t.shape[1] else _empty(t.shape[0], len(ranked)) for t in tables)
        self._within = [[] for _ in self._ids]
        for number, column_ in enumerate(self.columns):
            for node in column_.nodes.tolist():
                self._within[node].append(number)
        self.laid = self._tick()
        self.versions = [self.laid] * len(self.columns)
        self._fill_all(fresh)
        self.moved = picked
        return fresh

    def _replace(self, at: int, cell: Cell) -> None:
        for node in self.columns[at].nodes.tolist():
            self._within[node].remove(at)
        self.columns[at] = self._column(cell)
        for node in self.columns[at].nodes.tolist():
            self._within[node].append(at)
        self.laid = self.versions[at] = self._tick()
        self._fill_all([at])

    def _column(self, cell: Cell) -> Column:
        names = tuple(name for name in cell.nodes if (cell.pool.cluster_uid, name) in self._numbers)
        column = Column(cell, Kind.of(cell), np.array([self._numbers[cell.pool.cluster_uid, n] for n in names], dtype=np.int64), names)
        if column.kind.rule is not None:
            for node in column.nodes.tolist():
                if self._rules.get(node) != (column.kind.rule, column.kind.resource):
                    self._rules[node] = column.kind.rule, column.kind.resource
                    self._write(node)
        return column

    def _fill_all(self, columns: Iterable[int]) -> None:
        rows = np.arange(len(self.needs.all))
        for column in columns:
            self._fill(rows, [column])

    def _fill(self, rows: Numbers, columns: Sequence[int]) -> None:
        """Compute fits of some needs in columns of one kind."""
        kind = self.columns[columns[0]].kind
        nodes = np.concatenate([self.columns[column].nodes for column in columns])
        ends = np.cumsum([len(self.columns[column].nodes) for column in columns])
        starts = ends - np.array([len(self.columns[column].nodes) for column in columns])
        for stock, table in ((self.free, self.fit), (self.whole, self.most)):
            found = fits(stock, self.needs, rows, kind=kind, nodes=nodes)
            sums = np.concatenate((_empty(len(rows), 1), np.cumsum(found, axis=1)), axis=1)
            table[np.ix_(rows, np.array(columns))] = sums[:, ends] - sums[:, starts]

    # --- nodes ------------------------------------------------------------------------------------------------------

    def _sync_nodes(self, cells: Sequence[Cell], clusters: Mapping[str, Cluster]) -> None:
        """Write down every node that is another value than before, and those that a cycle changed."""
        wanted = {(cell.pool.cluster_uid, name) for cell in cells for name in cell.nodes} - self._numbers.keys()
        for uid, name in sorted(wanted):
            if uid in clusters and name in clusters[uid].nodes:
                self._add((uid, name))
        stale = set(self._touched)
        for uid, cluster in clusters.items():
            old = self._clusters.get(uid)
            if old is not cluster:
                stale.update(n for name in changed_nodes(old, cluster) if (n := self._numbers.get((uid, name))) is not None)
        fresh = {self._numbers[node] for node in wanted if node in self._numbers}
        self._clusters = dict(clusters)
        differ = [n for n in sorted(stale | fresh) if n in self._touched or self._signs[n] != sign_of(self._clusters, self._ids[n])]
        self._touched.clear()
        self.change(differ, self._write_all)
        self._touched.clear()

    def _add(self, node: NodeId) -> None:
        self._numbers[node] = len(self._ids)
        self._ids.append(node)
        self._signs.append(())
        self._within.append([])

    def change(self, nodes: Sequence[int], write: Callable[[Sequence[int]], None]) -> None:
        """Let `write` change what these nodes have; the fits follow."""
        if not nodes:
            return
        self._touched.update(nodes)
        by_column: dict[int, list[int]] = {}
        for node in nodes:
            for column in self._within[node]:
                by_column.setdefault(column, []).append(node)
        now = self._tick()
        for column in by_column:
            self.versions[column] = now
        rows = np.arange(len(self.needs.all))
        self._add_fits(by_column, rows, sign=-1)
        write(nodes)
        self._add_fits(by_column, rows, sign=1)

    def take(self, column: int, row: int, placed: Sequence[tuple[int, int]]) -> None:
        """Take what replicas of a need hold, given as (node number, replicas), on nodes of a column."""
        kind, need, replicas = self.columns[column].kind, self.needs.all[row], dict(placed)

        def write(nodes: Sequence[int]) -> None:
            for node in nodes:
                for resource, amount in self.needs.vector(need, kind):
                    self.free.amounts[node, self.names.column(resource)] -= amount * replicas[node]
                self._take_parts(node, need, replicas[node])

        self.change(sorted(replicas), write)

    def _take_parts(self, node: int, need: Need, replicas: int) -> None:
        if need.share is not None and node in self.free.cards:
            for _ in range(replicas):
                self.free.cards[node] = take_cards(self.free.cards[node], need.share, need.count)
        if node in self._rules:
            rule, resource = self._rules[node]
            units = self.names.column(resource)
            self.free.rings[node] = ring_table(None, int(self.free.amounts[node, units]), groups=self._groups(node, rule, units), rule=rule)

    def number(self, cluster_uid: str, node: str) -> int | None:
        """Return the number of a node, None where no cell ever held it."""
        return self._numbers.get((cluster_uid, node))

    def columns_with(self, node: int) -> Sequence[int]:
        """Return the columns that a node is in."""
        return self._within[node]

    def _add_fits(self, by_column: Mapping[int, list[int]], rows: Numbers, *, sign: int) -> None:
        for column, nodes in by_column.items():
            kind, numbers = self.columns[column].kind, np.array(nodes)
            self.fit[rows, column] += sign * fits(self.free, self.needs, rows, kind=kind, nodes=numbers).sum(axis=1)
            self.most[rows, column] += sign * fits(self.whole, self.needs, rows, kind=kind, nodes=numbers).sum(axis=1)

    def _write_all(self, nodes: Sequence[int]) -> None:
        for node in nodes:
            self._write(node)

    def _write(self, node: int) -> None:
        """Write down one node as the picture has it."""
        uid, name = self._ids[node]
        cluster = self._clusters.get(uid)
        known = cluster.nodes.get(name) if cluster is not None else None
        self._signs[node] = sign_of(self._clusters, (uid, name))
        whole = clipped(known.allocatable) if known is not None else {}
        used = clipped(cluster.used.get(name, Vector())) if cluster is not None else {}
        columns = {resource: self.names.column(resource) for resource in sorted({*whole, *used})}
        for stock in (self.free, self.whole):
            stock.sized(len(self._ids), len(self.names))
            stock.amounts[node] = 0
        for resource, column in columns.items():
            self.whole.amounts[node, column] = whole.get(resource, 0)
            self.free.amounts[node, column] = whole.get(resource, 0) - used.get(resource, 0)
        if cluster is not None and known is not None:
            self._write_parts(node, cluster, name)

    def _write_parts(self, node: int, cluster: Cluster, name: str) -> None:
        cards = [(group, card) for group in cluster.devices.get(name, ()) for card in group.cards]
        if cards:
            self.whole.cards[node] = np.array([(card.memory, card.cores, card.slots) for _, card in cards], dtype=np.int64)
            self.free.cards[node] = self.whole.cards[node] - _taken(cluster, name, [card.id for _, card in cards])
        if node in self._rules:
            rule, resource = self._rules[node]
            units = self.names.column(resource)
            for stock, rings in ((self.free, cluster.rings.get(name)), (self.whole, None)):
                stock.rings[node] = ring_table(rings, int(stock.amounts[node, units]), groups=self._groups(node, rule, units), rule=rule)

    def _groups(self, node: int, rule: CountRule, column: int) -> int:
        return max(-(-int(self.whole.amounts[node, column]) // rule.group_size), 1)


def _taken(cluster: Cluster, node: str, cards: Sequence[str]) -> Cards:
    uses = [cluster.cards.get((node, card)) for card in cards]
    return np.array([(0, 0, 0) if use is None else (use.memory, use.cores, use.slots) for use in uses], dtype=np.int64)


def _with_rows(table: Numbers, rows: int) -> Numbers:
    if table.shape[0] >= rows:
        return table
    return np.concatenate((table, _empty(max(rows * 5 // 4 + 8 - table.shape[0], 1), table.shape[1])))
