"""Caps, quotas and member queues as a source of capacity: a reservation keeps what its job will take of them. Nothing about nodes.

Foreign use of a quota or a queue is taken to stay as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from sampan.model.job import Demand
from sampan.model.members.cluster import Cluster, Running
from sampan.model.plan import StartUnknown
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.limit_table import LimitTable
from sampan.scheduling.capacity.limits import Limit
from sampan.scheduling.capacity.quota_usage import UNLIMITED
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.reservations.placed import CapacityRequest, PlacedReservation, StartedJob
from sampan.scheduling.reservations.releases import Release, ReleaseCache, ReleasedBy, Releases

Amounts = Mapping[str, int]
"""By resource; the empty name stands for devices."""


class _ReleasedToLimits:
    """What our running jobs give back to limits, by declared ends: those that ran before the cycle, and those that it starts."""

    def __init__(self, cells: CellIndex, clusters: Mapping[str, Cluster], cache: ReleaseCache) -> None:
        self._cells, self._clusters, self._cache = cells, clusters, cache
        self._known: dict[int, Releases] = {}
        """By number of the limit, as far as anybody asked."""
        self._fresh: dict[int, list[Release]] = {}
        """By number of the limit: of what the cycle starts, as far as nobody asked since."""

    def add(self, limit: Limit, release: Release) -> None:
        """Take over what a job that starts gives back."""
        self._fresh.setdefault(limit.number, []).append(release)

    def of(self, limit: Limit) -> Releases:
        """Return what is given back to a limit."""
        known = self._known.get(limit.number)
        if known is None:
            running = self._clusters[limit.cluster_uid].running
            columns = (self._cells.columns[at] for at in limit.columns.tolist())
            source = *columns, None if limit.quota is None else limit.quota.best_effort
            released = partial(_released_to, limit, self._cells)
            known = self._known[limit.number] = self._cache.get(limit.key, source, running=running, released=released)
        if limit.number in self._fresh:
            known = self._known[limit.number] = known.having(self._fresh.pop(limit.number), without=frozenset())
        return known


class LimitCapacity:
    """What limits leave, and what they will."""

    def __init__(self, limits: LimitTable, cells: CellIndex, *, clusters: Mapping[str, Cluster], releases: ReleaseCache, now: int) -> None:
        """`releases`: kept from cycle to cycle."""
        self._limits, self._now = limits, now
        self._released = _ReleasedToLimits(cells, clusters, releases)
        self._used_up: set[tuple[PlacedReservation, int]] = set()
        """Reservations whose jobs started, with the limits that they take their part of already."""
        self._columns: dict[tuple[PlacedReservation, ...], set[int]] = {}
        """Those of which limits are reserved."""

    def available(self, request: CapacityRequest, columns: Numbers, *, beside: Sequence[PlacedReservation]) -> Numbers:
        """Return by column how many replicas limits allow now beside what reservations will take of them."""
        room: Numbers
        if request.limit_row is not None:
            room = self._limits.matrix.allowed(request.limit_row, columns)
        else:
            room = np.array([self._limits.room(column, request.demand) for column in columns.tolist()], dtype=np.int64)
        if beside:
            reserved = self._reserved_columns(tuple(beside))
            for place, column in enumerate(columns.tolist()):
                if column in reserved and room[place] > 0:
                    room[place] = min(int(room[place]), self._beside(column, request.demand, beside))
        return room

    def available_from(self, request: CapacityRequest, column: int, *, beside: Sequence[PlacedReservation]) -> int | StartUnknown:
        """Return from when on limits allow the least replicas of a demand beside what reservations take of them at their starts."""
        latest, demand = self._now, request.demand
        if self._is_plain(request, column, beside):
            return latest
        for limit in self._limits.of(column):
            wanted = self._amounts(limit, column, demand=demand, replicas=demand.least_replicas)
            reserved = self._drawing_on(limit, beside)
            for name in [name for name in limit.left if wanted.get(name, 0) > 0]:
                moment = self._lasting_from(limit, name, amount=wanted[name], reserved=reserved)
                if moment is None:
                    return StartUnknown.LIMITED
                latest = max(latest, moment)
        return latest

    def take(self, started: StartedJob) -> None:
        """Take what a job holds of limits; by its declared end it gives that back.

        What was reserved for it there it has now; that it gives that back is for the next cycle to see: in this one amounts only shrink.
        """
        span = started.demand.span_seconds
        for limit in self._limits.of(started.column):
            mine = self._drawing_on(limit, started.reserved)
            self._used_up.update((placed, limit.number) for placed in mine)
            if not mine and span is not None:
                amounts = self._amounts(limit, started.column, demand=started.demand, replicas=started.replicas)
                self._released.add(limit, (self._now + span * 1000, started.job.uid, 0, tuple(amounts.items())))
        self._limits.take(started.column, started.demand, started.replicas)

    def displaced_by(self, user: StartedJob | PlacedReservation, standing: Mapping[str, PlacedReservation]) -> list[str]:
        """Return whose reservations must go, lowest priority first, as the limits of a column do not bear all; only lower ones go."""
        priority = user.reservation.priority if isinstance(user, PlacedReservation) else user.job.priority
        gone: list[str] = []
        for limit in self._limits.of(user.column):
            left = self._drawing_on(limit, [placed for uid, placed in standing.items() if uid not in gone])
            while (lowest := self._too_much(limit, left, below=priority)) is not None:
                gone.append(lowest.reservation.job_uid)
                left.remove(lowest)
        return gone

    def _too_much(self, limit: Limit, standing: Sequence[PlacedReservation], *, below: int) -> PlacedReservation | None:
        """Return the lowest reservation below a priority that has a part in an amount being too small at a start."""
        for late in sorted(standing, key=lambda placed: placed.reservation.start):
            amounts = self._amounts_of(limit, late)
            short = [name for name, amount in amounts.items() if amount > 0 and self._left(limit, name, late=late, reserved=standing) < 0]
            earlier = [placed for placed in standing if placed.reservation.start <= late.reservation.start]
            parts = [placed for placed in earlier if any(self._amounts_of(limit, placed).get(name, 0) > 0 for name in short)]
            lower = [placed for placed in parts if placed.reservation.priority < below]
            if lower:
                return min(lower, key=lambda placed: (placed.reservation.priority, -placed.reservation.made))
        return None

    def _lasting_from(self, limit: Limit, name: str, *, amount: int, reserved: Sequence[PlacedReservation]) -> int | None:
        """Return from when on so much of a resource is left for good: at every release and every start of a reservation to come."""
        releases = self._released.of(limit)
        given = releases.by_resource.get(name, np.zeros(len(releases.at), dtype=np.int64))
        starts = np.array([placed.reservation.start for placed in reserved], dtype=np.int64)
        taken = np.array([self._amounts_of(limit, placed).get(name, 0) for placed in reserved], dtype=np.int64)
        moments = np.maximum(np.concatenate(([self._now], releases.at, starts)), self._now)
        order = np.argsort(moments, kind="stable")
        left = limit.left[name] + np.cumsum(np.concatenate(([0], given, -taken))[order])
        moments, last = np.unique(moments[order][::-1], return_index=True)  # all that happens at one moment happens together
        short = np.flatnonzero(left[::-1][last] < amount)
        if not len(short):
            return self._now
        return int(moments[short[-1] + 1]) if short[-1] + 1 < len(moments) else None

    def _is_plain(self, request: CapacityRequest, column: int, beside: Sequence[PlacedReservation]) -> bool:
        """Tell whether limits of which nothing is reserved allow the least replicas now."""
        if request.limit_row is None or column in self._reserved_columns(tuple(beside)):
            return False
        return int(self._limits.matrix.allowed(request.limit_row, np.array([column]))[0]) >= request.demand.least_replicas

    def _beside(self, column: int, demand: Demand, beside: Sequence[PlacedReservation]) -> int:
        """Return how many replicas reservations leave of the limits of a column, each at its start and those before it."""
        most, use = UNLIMITED, self._limits.use(column, demand)
        for limit in self._limits.of(column):
            reserved, least = self._drawing_on(limit, beside), dict[str, int]()
            for late in reserved:
                for name, amount in self._amounts_of(limit, late).items():
                    if amount > 0 and name in limit.left:
                        left = self._left(limit, name, late=late, reserved=reserved)
                        least[name] = min(least.get(name, left), left)
            if least and limit.counts(best_effort=use.best_effort, tenant=use.tenant):
                most = min(most, use.fits(least))
        return most

    def _left(self, limit: Limit, name: str, *, late: PlacedReservation, reserved: Iterable[PlacedReservation]) -> int:
        """Return what is left of a resource of a limit at the start of a reservation; negative: too little."""
        if name not in limit.left:
            return 0
        start = late.reservation.start
        taken = sum(self._amounts_of(limit, placed).get(name, 0) for placed in reserved if placed.reservation.start <= start)
        return limit.left[name] + self._released.of(limit).by(start, name) - taken

    def _drawing_on(self, limit: Limit, reservations: Iterable[PlacedReservation]) -> list[PlacedReservation]:
        """Return the reservations that will take of a limit."""
        mine = (placed for placed in reservations if limit in self._limits.of(placed.column))
        return [placed for placed in mine if (placed, limit.number) not in self._used_up]

    def _reserved_columns(self, reservations: tuple[PlacedReservation, ...]) -> set[int]:
        """Return the columns of which a limit is reserved."""
        known = self._columns.get(reservations)
        if known is None:
            limits = {limit.number: limit for placed in reservations for limit in self._limits.of(placed.column)}
            known = self._columns[reservations] = {column for limit in limits.values() for column in limit.columns.tolist()}
        return known

    def _amounts(self, limit: Limit, column: int, *, demand: Demand, replicas: int) -> Amounts:
        return limit.taken(self._limits.use(column, demand), replicas)

    def _amounts_of(self, limit: Limit, placed: PlacedReservation) -> Amounts:
        return self._amounts(limit, placed.column, demand=placed.demand, replicas=placed.demand.least_replicas)


def _released_to(limit: Limit, cells: CellIndex) -> ReleasedBy:
    """Return what jobs give back to a limit."""
    pools = {(cell.offer, cell.pool.name): cell.pool for cell in (cells.columns[at].cell for at in limit.columns.tolist())}

    def released(uid: str, running: Running) -> Iterable[Release]:
        pool = pools.get((running.offer, running.pool))
        if pool is not None and running.ends is not None:
            yield running.ends, uid, 0, tuple(limit.given_back(running, pool).items())

    return released
