"""Requests and resources of nodes as integer tables, and how many replicas fit. No cells and no jobs here.

One row per node, one position per resource; rings and cards beside. Fits are worked out for many requests and nodes at once: the least
over resources of free // asked, and where devices of a node are not alike, no more than its rings or cards allow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sampan.model.job import Demand, Share
from sampan.model.members.accelerator import CountRule
from sampan.model.members.cluster import Cell
from sampan.model.values.quantity import INFINITE
from sampan.model.values.vector import CPU, MEMORY, PODS, STORAGE, Vector
from sampan.scheduling.capacity.request import fill, fills_of
from sampan.scheduling.capacity.topology import MOST_COUNT, Cards, Numbers, cards_fit

BASE: Final = (CPU, MEMORY, STORAGE, PODS)
MAX_FITS: Final = 2**31
"""Replicas that a node is said to fit at most. Sums over 2^20 nodes stay below 2^51, so int64 never overflows."""
UNASKED: Final = INFINITE + 1
"""Above every count of replicas: what a resource allows a request that does not ask for it."""


@dataclass(frozen=True, slots=True)
class CellKind:
    """All of a cell that the fit of a replica on one of its nodes depends on."""

    resource: str
    units: int
    extra: Vector
    rule: CountRule | None
    """Set where nodes consist of rings."""
    virtual: bool
    fills: Vector = Vector()
    """Requests that a pod gets there which names none."""

    @classmethod
    def of(cls, cell: Cell) -> "CellKind":
        """Return the kind of a cell."""
        pool, have = cell.pool, cell.pool.accelerator
        rule = have.count_rule if have is not None and have.count_rule.group_size else None
        return cls(
            resource=pool.resource,
            units=have.units_per_device if have else 1,
            extra=pool.extra,
            rule=rule,
            virtual=pool.sharing.value == "Virtual",
            fills=fills_of(pool.admission),
        )


@dataclass(frozen=True, slots=True)
class Request:
    """All of a demand that its fit depends on."""

    per_replica: Vector
    count: int
    """Devices; 0: none are asked for."""
    share: Share | None
    cpu_reserve: int = 0
    """Milli-CPU that a job without devices leaves for each free device."""
    zeros: tuple[str, ...] = ()
    """Resources that it names with 0: nothing is filled in."""

    @classmethod
    def of(cls, demand: Demand, *, cpu_reserve: int = 0) -> "Request":
        """Return the request of a demand."""
        wanted = demand.requirement
        if wanted is None:
            return cls(demand.per_replica, 0, None, cpu_reserve, demand.zeros)
        return cls(demand.per_replica, wanted.count, wanted.share, zeros=demand.zeros)


class ResourceIndex:
    """Positions by resource name; the first ones are `BASE`."""

    def __init__(self) -> None:
        self._positions = {name: column for column, name in enumerate(BASE)}

    def __len__(self) -> int:
        """Return how many positions there are."""
        return len(self._positions)

    def position(self, name: str) -> int:
        """Return the position of a resource, a new one where it was never seen."""
        return self._positions.setdefault(name, len(self._positions))

    def known_position(self, name: str) -> int | None:
        """Return the position of a resource, None where it was never seen."""
        return self._positions.get(name)


class NodeResources:
    """Amounts, rings and cards of nodes by number."""

    def __init__(self, amounts: Numbers, rings: dict[int, Numbers], cards: dict[int, Cards]) -> None:
        self.amounts, self.rings, self.cards = amounts, rings, cards

    def resize(self, nodes: int, resources: int) -> None:
        """Grow to so many nodes and resources."""
        have = self.amounts.shape
        if have[0] < nodes or have[1] < resources:
            shape = (max(have[0], nodes * 5 // 4 + 16) if have[0] < nodes else have[0], max(have[1], resources + 8))
            grown = np.zeros(shape, dtype=np.int64)
            grown[: have[0], : have[1]] = self.amounts
            self.amounts = grown


@dataclass(frozen=True, slots=True)
class RequestColumn:
    """One resource on cells of one kind: its position, and the amount per replica by request."""

    position: int
    amounts: Numbers
    divisors: Numbers
    """The amounts, 1 where nothing is asked for."""
    unasked: Numbers
    """`UNASKED` where nothing is asked for, else 0."""

    @classmethod
    def of(cls, position: int, amounts: Numbers) -> "RequestColumn":
        """Return the column of some amounts."""
        return cls(position, amounts, np.maximum(amounts, 1), np.where(amounts > 0, 0, UNASKED))


class RequestTable:
    """Every request that is asked about, by row, and per kind of cell what a replica takes of which resource."""

    def __init__(self, names: ResourceIndex) -> None:
        self._resources = names
        self.all: list[Request] = []
        self._numbers: dict[Request, int] = {}
        self._columns: dict[CellKind, tuple[int, tuple[RequestColumn, ...]]] = {}
        self._counts: Numbers = np.zeros(0, dtype=np.int64)
        self._reserves: Numbers = np.zeros(0, dtype=np.int64)

    def row_of(self, request: Request) -> tuple[int, bool]:
        """Return the row of a request and whether it is new."""
        known = self._numbers.get(request)
        if known is not None:
            return known, False
        self._numbers[request] = len(self.all)
        self.all.append(request)
        return len(self.all) - 1, True

    def keep(self, numbers: Sequence[int]) -> None:
        """Drop all but these; they are numbered anew in this order."""
        self.all = [self.all[number] for number in numbers]
        self._numbers = {request: number for number, request in enumerate(self.all)}
        self._columns.clear()
        self._counts = np.zeros(0, dtype=np.int64)

    def columns(self, kind: CellKind) -> tuple[RequestColumn, ...]:
        """Return what a replica takes on nodes of a kind, resource by resource."""
        done, lines = self._columns.get(kind, (0, ()))
        if done < len(self.all):
            vectors = [self.vector(request, kind) for request in self.all[done:]]
            names = sorted({name for vector in vectors for name, _ in vector})
            amounts = {line.position: line.amounts for line in lines}
            fresh = {self._resources.position(name): np.array([min(v[name], INFINITE) for v in vectors], dtype=np.int64) for name in names}
            lines = tuple(
                RequestColumn.of(column, np.concatenate((_or_zeros(amounts.get(column), done), _or_zeros(fresh.get(column), len(vectors)))))
                for column in sorted({*amounts, *fresh})
            )
            self._columns[kind] = len(self.all), lines
        return lines

    def position(self, name: str) -> int:
        """Return the position of a resource."""
        return self._resources.position(name)

    def known_position(self, name: str) -> int | None:
        """Return the position of a resource, None where it was never seen."""
        return self._resources.known_position(name)

    def counts(self) -> tuple[Numbers, Numbers]:
        """Return devices and CPU reserve by request."""
        if len(self._counts) != len(self.all):
            self._counts = np.array([request.count for request in self.all], dtype=np.int64)
            self._reserves = np.array([request.cpu_reserve for request in self.all], dtype=np.int64)
        return self._counts, self._reserves

    @staticmethod
    def vector(request: Request, kind: CellKind) -> Vector:
        """Return what one replica takes; equal to `replica_request` for the demand and the pool behind."""
        parts = [request.per_replica, kind.extra]
        if kind.fills.amounts:
            parts.append(fill(request.per_replica, zeros=request.zeros, fills=kind.fills))
        if request.count and kind.resource:
            parts.append(Vector.of({kind.resource: request.count * kind.units}))
        return Vector.total(parts)


def fits(stock: NodeResources, requests: RequestTable, rows: Numbers | None, *, kind: CellKind, nodes: Numbers) -> Numbers:
    """Return replicas that fit by request and node, each node by itself; `rows`: None for all requests."""
    size = len(requests.all) if rows is None else len(rows)
    table: Numbers = np.full((size, len(nodes)), UNASKED, dtype=np.int64)
    every, reserved = requests.counts()
    counts, reserves = (every, reserved) if rows is None else (every[rows], reserved[rows])
    reserves = reserves if kind.resource else reserves[:0]
    for column in requests.columns(kind):
        divisors, unasked = (column.divisors, column.unasked) if rows is None else (column.divisors[rows], column.unasked[rows])
        if size == 1 and unasked[0]:
            continue
        free = stock.amounts[nodes, column.position][None, :]
        if column.position == 0 and reserves.any():
            free = _unreserved(free, stock.amounts[nodes, requests.position(kind.resource)].clip(0) // kind.units, reserves)
        share = np.maximum(free, 0) // divisors[:, None]
        share |= unasked[:, None]
        np.minimum(table, share, out=table)
    asks_nothing = table == UNASKED
    if kind.rule is not None and len(nodes):
        by_count = np.array([stock.rings[node] for node in nodes.tolist()])
        _narrow(table, counts > 0, by_count[:, np.clip(counts, 0, MOST_COUNT)].T)
    if kind.virtual:
        _narrow_cards(table, stock, requests, rows=np.arange(size) if rows is None else rows, nodes=nodes)
    table[asks_nothing] = 0  # a request of nothing would fit without end
    if kind.rule is not None or kind.virtual:
        np.maximum(table, 0, out=table)
    np.minimum(table, MAX_FITS, out=table)
    return table


def _unreserved(free: Numbers, devices: Numbers, reserves: Numbers) -> Numbers:
    """Return the free CPU by request and node, without what each request reserves for a node's free devices."""
    left: Numbers = np.maximum(free, 0) - reserves[:, None] * devices[None, :]
    return left


def _or_zeros(numbers: Numbers | None, length: int) -> Numbers:
    return np.zeros(length, dtype=np.int64) if numbers is None else numbers


def _narrow(table: Numbers, which: np.ndarray[tuple[int], np.dtype[np.bool_]], limits: Numbers) -> None:
    if which.any():
        table[which] = np.minimum(table[which], limits[which])


def _narrow_cards(table: Numbers, stock: NodeResources, requests: RequestTable, *, rows: Numbers, nodes: Numbers) -> None:
    for column, row in enumerate(rows.tolist()):
        request = requests.all[row]
        if request.count:
            for at, node in enumerate(nodes.tolist()):
                fit = cards_fit(stock.cards[node], request.share, request.count) if request.share is not None and node in stock.cards else 0
                table[column, at] = min(table[column, at], fit)


def clipped(vector: Vector | Mapping[str, int]) -> dict[str, int]:
    """Return amounts by name, no greater and no less than int64 sums allow."""
    pairs = vector.items() if isinstance(vector, Mapping) else vector
    return {name: max(min(amount, INFINITE), -INFINITE) for name, amount in pairs}
