"""Nodes that reservations keep: who may use them, and how much of each cell that leaves for a job. Making reservations is in `backfill`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sampan.model.job import Demand, Job
from sampan.model.members.offer import OfferKey
from sampan.model.reservation import Reservation
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.resources import CellKind, fits
from sampan.scheduling.capacity.topology import Numbers


@dataclass(frozen=True, slots=True)
class PlacedReservation:
    """A reservation with the numbers of its column and nodes."""

    reservation: Reservation
    column: int
    nodes: tuple[int, ...]

    def blocks(self, job: Job, demand: Demand, now: int) -> bool:
        """Tell whether the nodes are kept from a demand of a job: from equal or lower ones that could still be there at the start."""
        return self.outranks(job) and self.outlasted_by(demand, now)

    def outranks(self, job: Job) -> bool:
        """Tell whether another job of no lower priority has the reservation."""
        return self.reservation.job_uid != job.uid and self.reservation.priority >= job.priority

    def outlasted_by(self, demand: Demand, now: int) -> bool:
        """Tell whether what starts now by a demand could still be there when the reservation starts."""
        return demand.span_seconds is None or now + demand.span_seconds * 1000 > self.reservation.start


@dataclass(slots=True)
class NodeCellIndex:
    """Held nodes and the columns that they are in, of one kind of column."""

    nodes: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    reservations: list[int] = field(default_factory=list)


class NodeReservations:
    """The reservations of one cycle. A hold that is dropped bars on until the cycle ends, so that free amounts only shrink."""

    def __init__(self, matrix: FitMatrix, now: int) -> None:
        self._matrix, self._now = matrix, now
        self.standing: dict[str, PlacedReservation] = {}
        """By job UID, in order of their making."""
        self.all: list[PlacedReservation] = []
        """Dropped ones included: they bar on until the cycle ends."""
        self._index: dict[CellKind, NodeCellIndex] = {}
        self._uids: set[str] = set()
        self._blockers: dict[tuple[int, int | None, str | None], tuple[int, ...]] = {}

    def add(self, placed: PlacedReservation) -> int:
        """Keep nodes from now on; returns the number of the hold."""
        self.standing[placed.reservation.job_uid] = placed
        number = len(self.all)
        self.all.append(placed)
        self._uids.add(placed.reservation.job_uid)
        self._blockers.clear()
        for node in placed.nodes:
            for column in self._matrix.columns_of_node(node):
                pairs = self._index.setdefault(self._matrix.columns[column].kind, NodeCellIndex())
                pairs.nodes.append(node)
                pairs.columns.append(column)
                pairs.reservations.append(number)
        return number

    def drop(self, uid: str) -> None:
        """The job needs its reservation no more, or lost it."""
        self.standing.pop(uid, None)

    def displaced_by(self, job: Job, demand: Demand, nodes: set[int]) -> list[str]:
        """Return whose reservations a job on these nodes makes void: lower ones with a node among them that it may still hold then."""
        return [
            uid
            for uid, placed in self.standing.items()
            if placed.reservation.priority < job.priority and nodes.intersection(placed.nodes) and placed.outlasted_by(demand, self._now)
        ]

    def from_others(self, job: Job) -> tuple[int, ...]:
        """Return the holds that other jobs of no lower priority have."""
        return tuple(number for number, placed in enumerate(self.all) if placed.outranks(job))

    def blockers(self, job: Job, demand: Demand) -> tuple[int, ...]:
        """Return the holds that bar a demand of a job."""
        key = job.priority, demand.span_seconds, job.uid if job.uid in self._uids else None
        known = self._blockers.get(key)
        if known is None:
            known = self._blockers[key] = tuple(number for number, placed in enumerate(self.all) if placed.blocks(job, demand, self._now))
        return known

    def nodes(self, blockers: Sequence[int]) -> set[int]:
        """Return the nodes that some holds keep."""
        return {node for number in blockers for node in self.all[number].nodes}

    def subtract(self, room: Numbers, need: int, *, suitable: Flags, blockers: Sequence[int]) -> None:
        """Subtract from the rooms of the able columns what fits on nodes that the holds keep."""
        if not blockers:
            return
        bars = np.zeros(len(self.all), dtype=np.int64)
        bars[list(blockers)] = 1
        for kind, pairs in self._index.items():
            columns = np.array(pairs.columns)
            which = suitable[columns] & (bars[pairs.reservations] > 0)
            if which.any():
                held = np.unique(np.stack((columns[which], np.array(pairs.nodes)[which])), axis=1)  # once, however many hold a node
                found = fits(self._matrix.free, self._matrix.requests, np.array([need]), kind=kind, nodes=held[1])[0]
                np.subtract.at(room, held[0], found)


def placed(reservation: Reservation, matrix: FitMatrix, columns: Mapping[tuple[OfferKey, str], int]) -> PlacedReservation | None:
    """Return the hold of a reservation, None where its cell or one of its nodes is gone."""
    column = columns.get(reservation.cell)
    if column is None:
        return None
    inside = set(matrix.columns[column].nodes.tolist())
    uid = matrix.columns[column].cell.pool.cluster_uid
    numbers = [matrix.node_number(uid, name) for name, _ in reservation.nodes]
    if any(number not in inside for number in numbers):
        return None
    return PlacedReservation(reservation, column, tuple(number for number in numbers if number is not None))
