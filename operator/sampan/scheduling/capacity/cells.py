"""The cells of a snapshot as columns: their order, and views by pool, cluster, domain, cap and member's queue. No amounts here.

Columns are told by identity of the pool: a cell whose pool is the very same value keeps what is known of its column, wherever the
column moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sampan.model.job import Demand, Interconnect, Shape
from sampan.model.members.cluster import Cell
from sampan.model.members.offer import OfferKey
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.nodes import NodeTable
from sampan.scheduling.capacity.resources import CellKind
from sampan.scheduling.capacity.topology import Numbers

CellId = tuple[OfferKey, str]


@dataclass(frozen=True, slots=True)
class CellColumn:
    """A cell with the numbers of its nodes, in name order."""

    cell: Cell
    kind: CellKind
    nodes: Numbers
    names: tuple[str, ...]


class Columns:
    """The columns of one fit matrix. Changed in place."""

    def __init__(self, nodes: NodeTable) -> None:
        self.all: list[CellColumn] = []
        self.permutation: Numbers | None = None
        """With the last snapshot: the column that each one was before, -1 for new ones; None where none moved."""
        self._nodes = nodes
        self._source: tuple[Cell, ...] = ()
        """The cells as they were given; identity tells in one look that none changed."""
        self._column_of: list[int] = []
        """By place in the source."""
        self._by_node: list[list[int]] = []

    def of_node(self, node: int) -> Sequence[int]:
        """Return the columns that a node is in."""
        return self._by_node[node]

    def grow(self) -> None:
        """Have a list for every node that there is."""
        self._by_node += [[] for _ in range(len(self._nodes) - len(self._by_node))]

    def changed(self, cells: Sequence[Cell]) -> list[tuple[int, Cell]] | None:
        """Return the columns whose pool is another value, with the new cell; None where cells came, went or changed places."""
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

    def arrange(self, cells: Sequence[Cell]) -> tuple[list[int], Numbers]:
        """Order the columns anew; returns those of new cells and pools, and by column where it was, -1 for the new ones."""
        old = {(column.cell.id, id(column.cell.pool)): at for at, column in enumerate(self.all)}
        before, self.all = self.all, []
        in_order = sorted(range(len(cells)), key=lambda at: cells[at].id)
        self._source, self._column_of = tuple(cells), [0] * len(cells)
        moved, fresh = list[int](), list[int]()
        for column, at in enumerate(in_order):
            self._column_of[at] = column
            known = old.get((cells[at].id, id(cells[at].pool)))
            moved.append(-1 if known is None else known)
            self.all.append(self._column(cells[at]) if known is None else before[known])
            if known is None:
                fresh.append(column)
        self._by_node = [[] for _ in range(len(self._nodes))]
        for number, each in enumerate(self.all):
            for node in each.nodes.tolist():
                self._by_node[node].append(number)
        return fresh, np.array(moved, dtype=np.int64)

    def replace(self, at: int, cell: Cell) -> None:
        """Exchange the cell of a column for one of the same id."""
        for node in self.all[at].nodes.tolist():
            self._by_node[node].remove(at)
        self.all[at] = self._column(cell)
        for node in self.all[at].nodes.tolist():
            self._by_node[node].append(at)

    def _column(self, cell: Cell) -> CellColumn:
        found = [(name, self._nodes.number(cell.pool.cluster_uid, name)) for name in cell.nodes]
        numbers = {name: number for name, number in found if number is not None}
        column = CellColumn(cell, CellKind.of(cell), np.array(list(numbers.values()), dtype=np.int64), tuple(numbers))
        if column.kind.rule is not None:
            for node in numbers.values():
                self._nodes.set_rings(node, column.kind.rule, column.kind.resource)
        return column


@dataclass(frozen=True, slots=True)
class CellIndex:
    """Views on the columns, made once for as long as none of them is exchanged."""

    columns: Sequence[CellColumn]
    by_id: Mapping[CellId, int]
    """By cell id."""
    by_pool: Mapping[CellId, list[int]]
    """By offer and pool name: the pool and its domains."""
    by_cluster: Mapping[str, list[int]]
    domain: Flags
    """Columns that are a fabric domain."""
    parted: Flags
    """Columns of pools that have fabric domains."""
    capped: Mapping[str, list[tuple[int, ...]]]
    """By cluster: columns that draw on one cap on devices."""
    queued: Mapping[str, dict[str, list[int]]]
    """By cluster and name of the member's queue."""

    @classmethod
    def of(cls, columns: Sequence[CellColumn]) -> "CellIndex":
        """Lay out the columns."""
        numbers: dict[CellId, int] = {}
        by_pool: dict[CellId, list[int]] = {}
        by_cluster: dict[str, list[int]] = {}
        capped: dict[tuple[object, ...], list[int]] = {}
        queued: dict[str, dict[str, list[int]]] = {}
        for number, column in enumerate(columns):
            cell, pool = column.cell, column.cell.pool
            numbers[cell.id] = number
            by_pool.setdefault((cell.offer, pool.name), []).append(number)
            by_cluster.setdefault(pool.cluster_uid, []).append(number)
            if pool.max_devices is not None:
                capped.setdefault((cell.offer, pool.rule), []).append(number)
            if pool.member_queue:
                queued.setdefault(pool.cluster_uid, {}).setdefault(pool.member_queue, []).append(number)
        caps: dict[str, list[tuple[int, ...]]] = {}
        for members in capped.values():
            caps.setdefault(columns[members[0]].cell.pool.cluster_uid, []).append(tuple(members))
        return cls(
            columns=columns,
            by_id=numbers,
            by_pool=by_pool,
            by_cluster=by_cluster,
            domain=np.array([bool(column.cell.domain) for column in columns], dtype=bool),
            parted=np.array([bool(column.cell.pool.domains) for column in columns], dtype=bool),
            capped=caps,
            queued=queued,
        )

    def candidate_cells(self, shape: Shape, demand: Demand) -> tuple[Flags, Flags]:
        """Return the columns that a demand is asked about, and those of them that have no domain though it needs one."""
        if shape.placement.interconnect is Interconnect.SAME_DOMAIN and demand.replicas > 1:
            missing_domain = ~self.domain & ~self.parted
            return self.domain | missing_domain, missing_domain
        return ~self.domain, np.zeros_like(self.domain)
