"""Nodes as a source of capacity: a reservation keeps whole nodes, whatever of them its job will hold. Nothing about limits."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sampan.model.job import Demand
from sampan.model.plan import StartUnknown
from sampan.model.values.quantity import INFINITE
from sampan.model.values.vector import CPU
from sampan.scheduling.capacity.cells import CellColumn
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.node_selection import NodeRoom, select_nodes
from sampan.scheduling.capacity.resources import CellKind, NodeResources, fits
from sampan.scheduling.capacity.topology import Cards, Numbers, ring_table
from sampan.scheduling.reservations.placed import CapacityRequest, PlacedReservation, StartedJob
from sampan.scheduling.reservations.releases import Releases

Pairs = dict[CellKind, Numbers]
"""By kind of the columns: columns and nodes in them, one pair each."""


@dataclass(frozen=True, slots=True)
class EarliestStart:
    """When a demand could start in a column, and where."""

    at: int
    """Milliseconds since the epoch."""
    column: int
    nodes: tuple[tuple[str, int], ...]
    """(node, replicas)."""
    numbers: tuple[int, ...]
    """Of the nodes."""


class NodeCapacity:
    """What is free on nodes, and what will be."""

    def __init__(self, matrix: FitMatrix, releases: Callable[[int], Releases], *, first_end: Callable[[str], int], now: int) -> None:
        """`releases`: what running jobs give back on the nodes of a column; `first_end`: the earliest declared end in a cluster."""
        self._matrix, self._releases, self._first_end, self._now = matrix, releases, first_end, now
        self._pairs: dict[tuple[PlacedReservation, ...], Pairs] = {}

    def available(self, request: CapacityRequest, columns: Numbers, *, beside: Sequence[PlacedReservation]) -> Numbers:
        """Return by column how many replicas fit now on nodes that no reservation keeps."""
        room, matrix, row = self._fits(request, columns), self._matrix, np.array([request.row])
        if beside:
            places = np.full(len(matrix.columns), -1, dtype=np.int64)
            places[columns] = np.arange(len(columns))
            for kind, pairs in self._reserved(tuple(beside)).items():
                of_columns, nodes = pairs[:, places[pairs[0]] >= 0]
                if len(nodes):
                    np.subtract.at(room, places[of_columns], fits(matrix.free, request.requests, row, kind=kind, nodes=nodes)[0])
        return room

    def available_from(self, request: CapacityRequest, column: int, *, beside: Sequence[PlacedReservation]) -> int | StartUnknown:
        """Return a moment before which the devices of a column, taken together, cannot suffice; reservations do not count for that."""
        at, demand = self._matrix.columns[column], request.demand
        resource, per_replica = self._measure(request, at)
        free = self._matrix.free.amounts[at.nodes, self._matrix.resources.position(resource)]
        lacking = per_replica * demand.least_replicas - int(np.maximum(free, 0).sum())
        moment = self._now if lacking <= 0 else self._releases(column).when(lacking, resource)
        return StartUnknown.NO_DECLARED_END if moment is None else max(moment, self._now)

    def soonest(self, requests: Mapping[int, CapacityRequest], candidates: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
        """Yield (moment, column, index of the request) of candidates, (column, index); `available_from` is no earlier.

        All columns of one kind in one pass, and no release of any of them: where the devices do not suffice now, a job of the cluster
        must end first.
        """
        grouped: dict[tuple[int, CellKind], list[int]] = {}
        for column, index in candidates:
            grouped.setdefault((index, self._matrix.columns[column].kind), []).append(column)
        for (index, _), columns in grouped.items():
            request, cells = requests[index], [self._matrix.columns[column] for column in columns]
            resource, per_replica = self._measure(request, cells[0])
            free = self._matrix.free.amounts[np.concatenate([at.nodes for at in cells]), self._matrix.resources.position(resource)]
            starts = np.cumsum([0, *(len(at.nodes) for at in cells[:-1])])  # each has nodes, or it would not be large enough
            suffice = np.add.reduceat(np.maximum(free, 0), starts) >= per_replica * request.demand.least_replicas
            for column, at, enough in zip(columns, cells, suffice.tolist(), strict=True):
                yield self._now if enough else max(self._first_end(at.cell.pool.cluster_uid), self._now), column, index

    def take(self, started: StartedJob) -> None:
        """Take what a job holds on nodes."""
        self._matrix.take(started.column, started.row, started.nodes)

    def displaced_by(self, user: StartedJob | PlacedReservation, standing: Mapping[str, PlacedReservation]) -> list[str]:
        """Return whose reservations have a node in common with a job of higher priority that may still hold it then.

        A reservation leaves no other in its cell or on its nodes, for it is given only what lower ones keep.
        """
        if isinstance(user, PlacedReservation):
            mine = set(user.nodes)
            return [u for u, each in standing.items() if each is not user and (each.column == user.column or mine.intersection(each.nodes))]
        job, nodes = user.job, {node for node, _ in user.nodes}
        return [
            uid
            for uid, each in standing.items()
            if each.reservation.priority < job.priority and nodes.intersection(each.nodes) and each.outlasted_by(user.demand, self._now)
        ]

    def earliest_start(self, request: CapacityRequest, column: int, *, avoid: set[int], before: int = INFINITE) -> EarliestStart | None:
        """Return the first moment, if it is `before` another, at which enough nodes of a column are free: they only become more by ends."""
        if self._now >= before:
            return None
        at, releases, demand = self._matrix.columns[column], self._releases(column), request.demand
        avoided = np.array([node in avoid for node in at.nodes.tolist()], dtype=bool)

        def fits_after(amount: int) -> tuple[Numbers, NodeResources]:
            idle = _future_idle(self._matrix, at, releases, amount=amount)
            found = fits(idle, request.requests, np.array([request.row]), kind=at.kind, nodes=np.arange(len(at.nodes)))[0]
            found[avoided] = 0
            return found, idle

        low, high = 0, int(np.searchsorted(releases.at, before))
        if int(fits_after(high)[0].sum()) < demand.least_replicas:
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if int(fits_after(middle)[0].sum()) >= demand.least_replicas else (middle + 1, high)
        found, idle = fits_after(low)
        nodes = self._select(request, at, found=found, idle=idle)
        moment = self._now if low == 0 else max(int(releases.at[low - 1]), self._now)
        named = tuple((at.names[place], replicas) for place, replicas in nodes)
        return EarliestStart(moment, column, named, tuple(int(at.nodes[place]) for place, _ in nodes))

    def _select(self, request: CapacityRequest, at: CellColumn, *, found: Numbers, idle: NodeResources) -> tuple[tuple[int, int], ...]:
        """Return the nodes, by place, that a demand would take of those that are idle then."""
        resource, per_replica = self._measure(request, at)
        line, least = self._matrix.resources.position(resource), request.demand.least_replicas
        untouched = idle.amounts[:, line] == self._matrix.allocatable.amounts[at.nodes, line]
        room = NodeRoom(fits=found, free=idle.amounts[:, line], untouched=untouched)
        fit = select_nodes(room, wanted=least, least=least, per_replica=per_replica)
        assert fit is not None  # the sum sufficed
        return fit.nodes

    def _fits(self, request: CapacityRequest, columns: Numbers) -> Numbers:
        """Return by column how many replicas fit now, whoever nodes are kept for."""
        matrix, row = self._matrix, np.array([request.row])
        if request.requests is matrix.requests:
            found: Numbers = matrix.fits_now[request.row, columns]
            return found
        cells = (matrix.columns[column] for column in columns.tolist())
        sums = [int(fits(matrix.free, request.requests, row, kind=at.kind, nodes=at.nodes).sum()) for at in cells]
        return np.array(sums, dtype=np.int64)

    def _reserved(self, reservations: tuple[PlacedReservation, ...]) -> Pairs:
        """Return the nodes that reservations keep with the columns that they are in, each pair once, however many keep a node."""
        known = self._pairs.get(reservations)
        if known is None:
            found: dict[CellKind, list[tuple[int, int]]] = {}
            for node in sorted({node for placed in reservations for node in placed.nodes}):
                for column in self._matrix.columns_of_node(node):
                    found.setdefault(self._matrix.columns[column].kind, []).append((column, node))
            known = self._pairs[reservations] = {kind: np.array(pairs, dtype=np.int64).T for kind, pairs in found.items()}
        return known

    def _measure(self, request: CapacityRequest, at: CellColumn) -> tuple[str, int]:
        """Return the resource that matters in a column, and how much of it a replica takes."""
        resource = _measured(request.demand, at)
        return resource, request.requests.vector(request.requests.all[request.row], at.kind)[resource]


def _measured(demand: Demand, at: CellColumn) -> str:
    return at.cell.pool.resource if demand.requirement else CPU


def _future_idle(matrix: FitMatrix, at: CellColumn, releases: Releases, *, amount: int) -> NodeResources:
    """Return the nodes of a column, by place, once the first so many ends have come."""
    free, whole = matrix.free, matrix.allocatable
    amounts = free.amounts[at.nodes]
    for resource, given in releases.by_resource.items():
        column = matrix.resources.known_position(resource)
        if column is not None and column < amounts.shape[1]:  # or no node has any of it
            np.add.at(amounts[:, column], releases.places[:amount], given[:amount])
    rings: dict[int, Numbers] = {}
    cards: dict[int, Cards] = {}
    line = matrix.resources.position(at.kind.resource)
    for place, node in enumerate(at.nodes.tolist()):
        if at.kind.rule is not None and node in free.rings:
            changed = amounts[place, line] != free.amounts[node, line]
            groups = max(-(-int(whole.amounts[node, line]) // at.kind.rule.group_size), 1)
            rings[place] = ring_table(None, int(amounts[place, line]), groups=groups, rule=at.kind.rule) if changed else free.rings[node]
        if at.kind.virtual and node in free.cards:
            empty = amounts[place, line] >= whole.amounts[node, line]
            cards[place] = whole.cards[node] if empty else free.cards[node]
    return NodeResources(amounts, rings, cards)
