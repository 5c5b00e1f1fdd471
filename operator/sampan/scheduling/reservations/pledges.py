"""What reservations will take of caps, quotas and member queues, and what that leaves to others until then.

As with nodes: a job that is gone when a reservation starts may have whatever is left now; any other only what will not be needed then.
Foreign use of a quota or a queue is taken to stay as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sampan.model.job import Demand
from sampan.model.plan import Assignment
from sampan.model.snapshot import Snapshot
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.limits import Limit, Limits
from sampan.scheduling.capacity.quota_usage import UNLIMITED
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.reservations.holds import PlacedReservation

Amounts = Mapping[str, int]
"""By resource; the empty name stands for devices."""
LimitRelease = tuple[int, Amounts]
"""When (milliseconds since the epoch), and what one of our jobs gives back by then."""


@dataclass(frozen=True, slots=True)
class LimitReservation:
    """What one hold takes of one limit from its start on."""

    number: int
    """Of the hold."""
    placed: PlacedReservation
    amounts: Amounts

    @property
    def start(self) -> int:
        """Return when it takes the amounts (milliseconds since the epoch)."""
        return self.placed.reservation.start


class LimitReservations:
    """The pledges of one cycle. Like holds, those of dropped ones count on until the cycle ends."""

    def __init__(self, snapshot: Snapshot, layout: CellIndex, limits: Limits) -> None:
        self._snapshot, self._cells, self._limits = snapshot, layout, limits
        self._reserved: dict[int, list[LimitReservation]] = {}
        """By number of the limit."""
        self._releases: dict[int, list[LimitRelease]] = {}
        """By number of the limit: of what ran before the cycle, as far as anybody asked."""
        self._fresh: dict[int, list[LimitRelease]] = {}
        """By number of the limit: of what the cycle starts."""

    def add(self, number: int, placed: PlacedReservation, demand: Demand) -> None:
        """Pledge what a hold of this number will take."""
        for limit in self._limits.of(placed.column):
            amounts = self._amounts(limit, placed.column, demand, replicas=demand.least_replicas)
            self._reserved.setdefault(limit.number, []).append(LimitReservation(number, placed, amounts))

    def take(self, column: int, done: Assignment) -> None:
        """Take note that a job starts now in a column and gives back by its declared end what it takes.

        What was pledged to it there it has now; that it gives that back is for the next cycle to see: in this one amounts only shrink.
        """
        span = done.demand.span_seconds
        for limit in self._limits.of(column):
            reserved = self._reserved.get(limit.number, [])
            others = [reservation for reservation in reserved if reservation.placed.reservation.job_uid != done.job.uid]
            if len(others) < len(reserved):
                self._reserved[limit.number] = others
            elif span is not None:
                end, amounts = self._snapshot.now + span * 1000, self._amounts(limit, column, done.demand, replicas=done.replicas)
                self._fresh.setdefault(limit.number, []).append((end, amounts))

    def subtract(self, room: Numbers, demand: Demand, *, blockers: Sequence[int]) -> None:
        """Lower the rooms of the columns to what pledges of the barring holds leave."""
        if blockers and self._reserved:
            reserved = {at for number in self._reserved for at in self._limits.limits[number].columns.tolist()}
            for at in sorted(at for at in reserved if room[at] > 0):
                room[at] = min(int(room[at]), self.room(at, demand, blockers=blockers))

    def room(self, column: int, demand: Demand, *, blockers: Sequence[int]) -> int:
        """Return how many replicas the pledges of the barring holds allow in a column."""
        most = UNLIMITED
        for limit in self._limits.of(column):
            reserved = [reservation for reservation in self._reserved.get(limit.number, ()) if reservation.number in blockers]
            least: dict[str, int] = {}
            for name, spare in self._spare(limit, reserved):
                least[name] = min(least.get(name, spare), spare)
            use = self._limits.use(column, demand)
            if least and limit.counts(best_effort=use.best_effort):
                most = min(most, use.fits(least))
        return most

    def earliest_start(self, column: int, demand: Demand, *, others: Sequence[int]) -> int | None:
        """Return from when on the limits of a column allow the least replicas beside all pledges of other holds; None: not foreseen."""
        latest = self._snapshot.now
        for limit in self._limits.of(column):
            wanted = self._amounts(limit, column, demand, replicas=demand.least_replicas)
            reserved = [reservation for reservation in self._reserved.get(limit.number, ()) if reservation.number in others]
            for name in [name for name in limit.left if wanted.get(name, 0) > 0]:
                lacking = wanted[name] + sum(reservation.amounts.get(name, 0) for reservation in reserved) - limit.left[name]
                for end, amounts in sorted(self._releases_of(limit), key=lambda each: each[0]):
                    if lacking <= 0:
                        break
                    lacking -= amounts.get(name, 0)
                    latest = max(latest, end)
                if lacking > 0:
                    return None
        return latest

    def displaced_by(self, column: int, kept: Mapping[str, PlacedReservation], *, below: int) -> list[str]:
        """Return the jobs, lowest priority first, whose holds must go as the limits of a column bear not all; only those `below` go."""
        gone: list[str] = []
        for limit in self._limits.of(column):
            held = [(each.placed.reservation.job_uid, each) for each in self._reserved.get(limit.number, ())]
            standing = [each for uid, each in held if kept.get(uid) is each.placed and uid not in gone]
            while (lowest := self._displaced(limit, standing, below=below)) is not None:
                gone.append(lowest.placed.reservation.job_uid)
                standing.remove(lowest)
        return gone

    def _displaced(self, limit: Limit, standing: Sequence[LimitReservation], *, below: int) -> LimitReservation | None:
        """Return the lowest pledge below a priority that has a part in an amount being too small at a start."""
        for late in sorted(standing, key=lambda each: (each.start, each.number)):
            short = [
                name for name, amount in late.amounts.items() if amount > 0 and self._left(limit, name, late=late, reserved=standing) < 0
            ]
            parts = [each for each in standing if each.start <= late.start and any(each.amounts.get(name, 0) > 0 for name in short)]
            lower = [each for each in parts if each.placed.reservation.priority < below]
            if lower:
                return min(lower, key=lambda each: (each.placed.reservation.priority, -each.placed.reservation.made, each.number))
        return None

    def _spare(self, limit: Limit, reserved: Sequence[LimitReservation]) -> Iterable[tuple[str, int]]:
        """Yield for each pledge and resource what is left of a limit when it and the earlier ones have started."""
        for reservation in reserved:
            for name, amount in reservation.amounts.items():
                if amount > 0 and name in limit.left:
                    yield name, self._left(limit, name, late=reservation, reserved=reserved)

    def _left(self, limit: Limit, name: str, *, late: LimitReservation, reserved: Iterable[LimitReservation]) -> int:
        """Return what is left of a resource of a limit at the start of a pledge; negative: too little."""
        if name not in limit.left:
            return 0
        back = sum(amounts.get(name, 0) for end, amounts in self._releases_of(limit) if end <= late.start)
        return limit.left[name] + back - sum(each.amounts.get(name, 0) for each in reserved if each.start <= late.start)

    def _releases_of(self, limit: Limit) -> list[LimitRelease]:
        """Return what our running jobs give back to a limit, by declared ends."""
        if limit.number not in self._releases:
            pools = {(cell.offer, cell.pool.name): cell.pool for cell in (self._cells.columns[at].cell for at in limit.columns.tolist())}
            uids = sorted({pool.cluster_uid for pool in pools.values()})
            found: list[LimitRelease] = []
            for running in (each for uid in uids for each in self._snapshot.clusters[uid].running.values()):
                pool = pools.get((running.offer, running.pool))
                if pool is not None and running.ends is not None:
                    found.append((running.ends, limit.given_back(running, pool)))
            self._releases[limit.number] = found
        return [*self._releases[limit.number], *self._fresh.get(limit.number, ())]

    def _amounts(self, limit: Limit, column: int, demand: Demand, *, replicas: int) -> Amounts:
        return limit.amounts(self._limits.use(column, demand), replicas)
