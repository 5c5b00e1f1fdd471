"""Nodes that reservations keep: who may use them, and how much of each cell that leaves for a job. Making reservations is in `reserve`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sampan.model.job import Demand, Job
from sampan.model.offer import OfferKey
from sampan.model.reservation import Reservation
from sampan.scheduling.capacity.fit_matrix import Tables
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.resources import Kind, fits
from sampan.scheduling.capacity.topology import Numbers


@dataclass(frozen=True, slots=True)
class Hold:
    """A reservation with the numbers of its column and nodes."""

    reservation: Reservation
    column: int
    nodes: tuple[int, ...]

    def bars(self, job: Job, demand: Demand, now: int) -> bool:
        """Tell whether the nodes are kept from a demand of a job: from equal or lower ones that could still be there at the start."""
        return self.keeps_from(job) and self.outlasted_by(demand, now)

    def keeps_from(self, job: Job) -> bool:
        """Tell whether another job of no lower priority has the reservation."""
        return self.reservation.job_uid != job.uid and self.reservation.priority >= job.priority

    def outlasted_by(self, demand: Demand, now: int) -> bool:
        """Tell whether what starts now by a demand could still be there when the reservation starts."""
        return demand.span_seconds is None or now + demand.span_seconds * 1000 > self.reservation.start


@dataclass(slots=True)
class Pairs:
    """Held nodes and the columns that they are in, of one kind of column."""

    nodes: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)


class Holds:
    """The reservations of one cycle. A hold that is dropped bars on until the cycle ends, so that free amounts only shrink."""

    def __init__(self, tables: Tables, now: int) -> None:
        self._tables, self._now = tables, now
        self.kept: dict[str, Hold] = {}
        """By job UID, in order of their making."""
        self.all: list[Hold] = []
        """Dropped ones included: they bar on until the cycle ends."""
        self._pairs: dict[Kind, Pairs] = {}
        self._uids: set[str] = set()
        self._barring: dict[tuple[int, int | None, str | None], tuple[int, ...]] = {}

    def add(self, hold: Hold) -> int:
        """Keep nodes from now on; returns the number of the hold."""
        self.kept[hold.reservation.job_uid] = hold
        number = len(self.all)
        self.all.append(hold)
        self._uids.add(hold.reservation.job_uid)
        self._barring.clear()
        for node in hold.nodes:
            for column in self._tables.columns_with(node):
                pairs = self._pairs.setdefault(self._tables.columns[column].kind, Pairs())
                pairs.nodes.append(node)
                pairs.columns.append(column)
                pairs.holds.append(number)
        return number

    def drop(self, uid: str) -> None:
        """The job needs its reservation no more, or lost it."""
        self.kept.pop(uid, None)

    def broken_by(self, job: Job, demand: Demand, nodes: set[int]) -> list[str]:
        """Return whose reservations a job on these nodes makes void: lower ones with a node among them that it may still hold then."""
        return [
            uid
            for uid, hold in self.kept.items()
            if hold.reservation.priority < job.priority and nodes.intersection(hold.nodes) and hold.outlasted_by(demand, self._now)
        ]

    def from_others(self, job: Job) -> tuple[int, ...]:
        """Return the holds that other jobs of no lower priority have."""
        return tuple(number for number, hold in enumerate(self.all) if hold.keeps_from(job))

    def barring(self, job: Job, demand: Demand) -> tuple[int, ...]:
        """Return the holds that bar a demand of a job."""
        key = job.priority, demand.span_seconds, job.uid if job.uid in self._uids else None
        known = self._barring.get(key)
        if known is None:
            known = self._barring[key] = tuple(number for number, hold in enumerate(self.all) if hold.bars(job, demand, self._now))
        return known

    def nodes(self, barring: Sequence[int]) -> set[int]:
        """Return the nodes that some holds keep."""
        return {node for number in barring for node in self.all[number].nodes}

    def narrow(self, room: Numbers, need: int, *, able: Flags, barring: Sequence[int]) -> None:
        """Subtract from the rooms of the able columns what fits on nodes that the holds keep."""
        if not barring:
            return
        bars = np.zeros(len(self.all), dtype=np.int64)
        bars[list(barring)] = 1
        for kind, pairs in self._pairs.items():
            columns = np.array(pairs.columns)
            which = able[columns] & (bars[pairs.holds] > 0)
            if which.any():
                held = np.unique(np.stack((columns[which], np.array(pairs.nodes)[which])), axis=1)  # once, however many hold a node
                found = fits(self._tables.free, self._tables.needs, np.array([need]), kind=kind, nodes=held[1])[0]
                np.subtract.at(room, held[0], found)


def hold_of(reservation: Reservation, tables: Tables, columns: Mapping[tuple[OfferKey, str], int]) -> Hold | None:
    """Return the hold of a reservation, None where its cell or one of its nodes is gone."""
    column = columns.get(reservation.cell)
    if column is None:
        return None
    inside = set(tables.columns[column].nodes.tolist())
    uid = tables.columns[column].cell.pool.cluster_uid
    numbers = [tables.number(uid, name) for name, _ in reservation.nodes]
    if any(number not in inside for number in numbers):
        return None
    return Hold(reservation, column, tuple(number for number in numbers if number is not None))
