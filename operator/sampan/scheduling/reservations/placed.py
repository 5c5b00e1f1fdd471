"""Who draws on capacity, or will: a demand that asks for room, a reservation with its nodes by number, a job that starts now."""

from collections.abc import Mapping
from dataclasses import dataclass

from sampan.model.job import Demand, Job, Shape
from sampan.model.members.offer import OfferKey
from sampan.model.reservation import Reservation
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.resources import RequestTable


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRequest:
    """A demand with its rows, by which capacity knows it."""

    demand: Demand
    requests: RequestTable
    """The matrix's own, or that of who asks about demands that nobody waits with."""
    row: int
    """Of `requests`."""
    limit_row: int | None = None
    """Of what limits allow; None: a demand that nobody waits with."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedReservation:
    """A reservation with the numbers of its column and nodes. Each is one of a kind: two are never equal."""

    reservation: Reservation
    demand: Demand
    column: int
    nodes: tuple[int, ...]

    def blocks(self, job: Job, demand: Demand, now: int) -> bool:
        """Tell whether it is kept from a demand of a job: from equal or lower ones that could still be there at the start."""
        return self.outranks(job) and self.outlasted_by(demand, now)

    def outranks(self, job: Job) -> bool:
        """Tell whether another job of no lower priority has the reservation."""
        return self.reservation.job_uid != job.uid and self.reservation.priority >= job.priority

    def outlasted_by(self, demand: Demand, now: int) -> bool:
        """Tell whether what starts now by a demand could still be there when the reservation starts."""
        return demand.span_seconds is None or now + demand.span_seconds * 1000 > self.reservation.start


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedJob:
    """A job that starts now, with the numbers of its column and nodes."""

    job: Job
    demand: Demand
    column: int
    row: int
    """Of the matrix's requests."""
    nodes: tuple[tuple[int, int], ...]
    """(number of the node, replicas)."""
    reserved: tuple[PlacedReservation, ...] = ()
    """What was reserved for it, released ones included."""

    @property
    def replicas(self) -> int:
        """Return how many replicas start."""
        return sum(replicas for _, replicas in self.nodes)


def placed(
    reservation: Reservation, shape: Shape, *, matrix: FitMatrix, columns: Mapping[tuple[OfferKey, str], int]
) -> PlacedReservation | None:
    """Return a reservation of a job of a shape with its numbers, None where its demand, its cell or one of its nodes is gone."""
    column = columns.get(reservation.cell)
    if column is None or reservation.demand >= len(shape.demands):
        return None
    inside = set(matrix.columns[column].nodes.tolist())
    uid = matrix.columns[column].cell.pool.cluster_uid
    numbers = [matrix.node_number(uid, name) for name, _ in reservation.nodes]
    if any(number not in inside for number in numbers):
        return None
    nodes = tuple(number for number in numbers if number is not None)
    return PlacedReservation(reservation, shape.demands[reservation.demand], column, nodes)
