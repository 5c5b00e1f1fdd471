"""The availability profile of conservative backfill: what is kept for jobs that cannot start yet, and what that leaves to others.

What jobs draw on are capacity sources: nodes, and limits beyond them. Both answer the same questions, so that nobody who asks can
forget one. A job that is gone when a reservation starts may have whatever is left now; any other only what will not be needed then
(Mu'alem and Feitelson, IEEE TPDS 12(6), 2001). A reservation that is released keeps others away until the cycle ends: inside a cycle
what is free only shrinks. Which job is given which reservation is in `backfill`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Protocol

import numpy as np

from sampan.model.job import Demand, Job
from sampan.model.plan import StartUnknown
from sampan.model.values.quantity import INFINITE
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.reservations.limit_capacity import LimitCapacity
from sampan.scheduling.reservations.node_capacity import EarliestStart, NodeCapacity
from sampan.scheduling.reservations.placed import CapacityRequest, PlacedReservation, StartedJob


class _Asked(IntEnum):
    """What a column was asked for a bound of its start: in this order, as each costs more than the one before."""

    ENDS = 0
    NODES = 1
    LIMITS = 2


class CapacitySource(Protocol):
    """Something that the jobs of a cycle draw on."""

    def available(self, request: CapacityRequest, columns: Numbers, *, beside: Sequence[PlacedReservation]) -> Numbers:
        """Return by column how many replicas may start now beside what reservations keep there."""

    def available_from(self, request: CapacityRequest, column: int, *, beside: Sequence[PlacedReservation]) -> int | StartUnknown:
        """Return a moment (milliseconds since the epoch) before which the least replicas cannot start beside reservations."""

    def take(self, started: StartedJob) -> None:
        """Take what a job holds from now on."""

    def displaced_by(self, user: StartedJob | PlacedReservation, standing: Mapping[str, PlacedReservation]) -> list[str]:
        """Return the jobs, by UID, whose reservations can no more be kept once a job starts or has a reservation itself."""


class ReservationProfile:
    """The reservations of one cycle over all that jobs draw on."""

    def __init__(self, nodes: NodeCapacity, limits: LimitCapacity, *, now: int) -> None:
        """Nothing is reserved yet."""
        self._nodes, self._limits, self._now = nodes, limits, now
        self._sources: tuple[CapacitySource, ...] = (limits, nodes)
        self.standing: dict[str, PlacedReservation] = {}
        """By job UID, in order of their making."""
        self.all: list[PlacedReservation] = []
        """Released ones included."""
        self._uids: set[str] = set()
        self._blockers: dict[tuple[int, int | None, str | None], tuple[PlacedReservation, ...]] = {}

    def keep(self, placed: PlacedReservation) -> None:
        """Keep a place from now on."""
        self.standing[placed.reservation.job_uid] = placed
        self.all.append(placed)
        self._uids.add(placed.reservation.job_uid)
        self._blockers.clear()

    def reserve(self, placed: PlacedReservation) -> None:
        """Keep a place, for which lower ones give way: of the same cell, on its nodes, or where limits do not bear both."""
        self.keep(placed)
        self._displace(placed)

    def release(self, uid: str) -> None:
        """The job needs its reservation no more, or lost it."""
        self.standing.pop(uid, None)

    def start(self, started: StartedJob) -> None:
        """Let a job start now: its own reservation is used up, and lower ones end that it takes something from."""
        uid = started.job.uid
        started = replace(started, reserved=tuple(placed for placed in self.all if placed.reservation.job_uid == uid))
        for source in self._sources:
            source.take(started)
        self.release(uid)
        self._displace(started)

    def _displace(self, user: StartedJob | PlacedReservation) -> None:
        for source in reversed(self._sources):
            for uid in source.displaced_by(user, self.standing):
                self.release(uid)

    def blockers(self, job: Job, demand: Demand) -> tuple[PlacedReservation, ...]:
        """Return the reservations that are kept from a demand of a job."""
        key = job.priority, demand.span_seconds, job.uid if job.uid in self._uids else None
        known = self._blockers.get(key)
        if known is None:
            known = self._blockers[key] = tuple(placed for placed in self.all if placed.blocks(job, demand, self._now))
        return known

    def outranking(self, job: Job) -> tuple[PlacedReservation, ...]:
        """Return the reservations that other jobs of no lower priority have."""
        return tuple(placed for placed in self.all if placed.outranks(job))

    def room(self, request: CapacityRequest, suitable: Flags, *, blockers: Sequence[PlacedReservation]) -> Numbers:
        """Return by column how many replicas may start now; 0 in columns that do not suit.

        Where the least replicas would fit nowhere anyhow, nobody's reservations are looked at: `FeasibleIndex.room` says the same.
        """
        room, columns = np.zeros(len(suitable), dtype=np.int64), np.flatnonzero(suitable)
        room[columns] = self._available(request, columns, beside=())
        if blockers and (room >= request.demand.least_replicas).any():
            some = np.flatnonzero(room)
            room[some] = self._available(request, some, beside=blockers)
        return room

    def room_in(self, request: CapacityRequest, column: int, *, blockers: Sequence[PlacedReservation]) -> int:
        """Return how many replicas of a demand, be it one that nobody waits with, may start now in a column."""
        return int(self._available(request, np.array([column]), beside=blockers)[0])

    def _available(self, request: CapacityRequest, columns: Numbers, *, beside: Sequence[PlacedReservation]) -> Numbers:
        first, second = (source.available(request, columns, beside=beside) for source in self._sources)
        return np.minimum(first, second)

    def may_start_before(self, request: CapacityRequest, column: int, *, beside: Sequence[PlacedReservation], moment: int) -> bool:
        """Tell whether `lower_bound` is before a moment. Nodes, which cost less, are asked first."""
        if self._now >= moment:
            return False
        bounds = (source.available_from(request, column, beside=beside) for source in reversed(self._sources))
        return all(not isinstance(bound, StartUnknown) and bound < moment for bound in bounds)

    def lower_bound(self, request: CapacityRequest, column: int, *, beside: Sequence[PlacedReservation]) -> int | StartUnknown:
        """Return a moment before which a demand cannot start in a column, or why none is foreseen."""
        latest = self._now
        for source in self._sources:
            moment = source.available_from(request, column, beside=beside)
            if isinstance(moment, StartUnknown):
                return moment
            latest = max(latest, moment)
        return latest

    def by_lower_bound(
        self,
        requests: Mapping[int, CapacityRequest],
        candidates: Iterable[tuple[int, int]],
        *,
        beside: Sequence[PlacedReservation],
        unknown: set[StartUnknown],
    ) -> Iterator[tuple[int, int, int]]:
        """Yield (`lower_bound`, column, index of the request) of candidates, (column, index), the soonest first.

        Each is asked in three steps, and of the next only when it is the soonest by those before: the earliest declared end of its
        cluster, then when its devices suffice, then limits, which cost most. So a few columns are looked at closely and not all that
        are large enough. Once it is at its end, `unknown` has why no start is foreseen in the columns that are left out.
        """
        heap = [(moment, column, index, _Asked.ENDS) for moment, column, index in self._nodes.soonest(requests, candidates)]
        endless: list[tuple[int, int]] = []
        heapify(heap)
        while heap:
            moment, column, index, asked = heappop(heap)
            if asked is _Asked.LIMITS:
                yield moment, column, index
                continue
            source, step = (self._nodes, _Asked.NODES) if asked is _Asked.ENDS else (self._limits, _Asked.LIMITS)
            bound = source.available_from(requests[index], column, beside=beside)
            if not isinstance(bound, StartUnknown):
                heappush(heap, (max(moment, bound), column, index, step))
            elif step is _Asked.NODES:
                endless.append((column, index))
            else:
                unknown.add(bound)
        for column, index in endless:
            bound = self.lower_bound(requests[index], column, beside=beside)
            unknown.update((bound,) if isinstance(bound, StartUnknown) else ())

    def earliest_start(
        self, request: CapacityRequest, column: int, *, beside: Sequence[PlacedReservation], before: int = INFINITE
    ) -> EarliestStart | None:
        """Return when and where a demand can start in a column if declared ends are kept; None: not foreseen, or not `before`."""
        allowed = self._limits.available_from(request, column, beside=beside)
        if isinstance(allowed, StartUnknown) or allowed >= before:
            return None
        found = self._nodes.earliest_start(request, column, avoid={node for placed in beside for node in placed.nodes}, before=before)
        return None if found is None else replace(found, at=max(found.at, allowed))
