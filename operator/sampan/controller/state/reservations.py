"""Reservations of blocked jobs: kept from one cycle to the next, in the jobs' status, and from there after a restart.

No I/O and no clock. Who gets a reservation is decided in `scheduling`; the status keeps it, since it must outlive the operator.
"""

from collections.abc import Callable, Mapping, Set
from typing import Final

from sampan.controller.state.entry import JobEntry
from sampan.controller.state.record import JobRecord
from sampan.controller.state.table import JobTable
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Plan, StartUnknown
from sampan.model.reservation import Reservation
from sampan.model.status.remote import ReservedPlace
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

CellId = tuple[OfferKey, str]
UNPLACED: Final = 2**62
"""Start of a reservation whose nodes are to be chosen anew: whatever the next cycle finds comes earlier."""


class ReservationStore:
    """Reads and keeps the reservations in the entries of a table."""

    def __init__(self, table: JobTable) -> None:
        """Start without any."""
        self._table = table
        self._moved: Callable[[Set[OfferKey]], None] = lambda _: None

    def on_change(self, moved: Callable[[Set[OfferKey]], None]) -> None:
        """Tell `moved` from now on the offers in whose pools what is kept changes; it must not block."""
        self._moved = moved

    def apply(self, plan: Plan) -> None:
        """Keep what a cycle decided: all that stands after it."""
        before = {entry.uid: entry.reservation for entry in self._table.reserved if not entry.restored}
        after = {each.job_uid: each for each in plan.reservations if each.job_uid in self._table}
        for uid in before.keys() | after.keys():
            if before.get(uid) is not after.get(uid):
                self._set(self._table[uid], after.get(uid))
        moved = {each for uid in before.keys() | after.keys() for each in _changed_offers(before.get(uid), after.get(uid))}
        if moved:
            self._moved(moved)
        self._set_unknown(plan.unknown_starts)

    def _set_unknown(self, starts: Mapping[str, StartUnknown]) -> None:
        for entry in (*self._table.start_unknown, *(self._table[uid] for uid in starts if uid in self._table)):
            if entry.start_unknown != starts.get(entry.uid):
                entry.start_unknown = starts.get(entry.uid)
                self._table.changed(entry)

    def _set(self, entry: JobEntry, reservation: Reservation | None, *, restored: bool = False) -> None:
        entry.reservation, entry.restored = reservation, restored
        self._table.changed(entry)

    def restore(self, entry: JobEntry) -> None:
        """Take in the reservation of a job's status, the first time the job is seen."""
        found = reservation_of(entry.record)
        if found is not None:
            self._set(entry, found, restored=True)

    def drop(self, entry: JobEntry) -> None:
        """Forget the place of a job that waits no more."""
        gone, restored = entry.reservation, entry.restored
        if gone is not None:
            self._set(entry, None)
        if gone is not None and not restored:
            self._moved({gone.cell[0]})

    def reserved_devices(self, offer: OfferKey) -> dict[str, int]:
        """Return the devices that are kept in the offer's pools, by pool, be they free now or when what runs there has ended."""
        kept: dict[str, int] = {}
        for entry in self._table.reserved:
            each = entry.reservation
            if each is not None and not entry.restored and each.cell[0] == offer:
                pool = each.cell[1].partition("@")[0]  # a cell may be one fabric domain of its pool
                kept[pool] = kept.get(pool, 0) + _devices(each, entry.record)
        return kept

    def active(self, cells: Set[CellId], has: Callable[[OfferKey], bool]) -> tuple[Reservation, ...]:
        """Return what the next cycle is to honour; what was read from a status waits for its cell, as long as the offer is there."""
        found: list[Reservation] = []
        for entry in self._table.reserved:
            each = entry.reservation
            assert each is not None
            if entry.restored and each.cell in cells:
                entry.restored = False
            if not entry.restored:
                found.append(each)
            elif not has(each.cell[0]):
                self._set(entry, None)
        return tuple(sorted(found, key=lambda each: (each.made, each.job_uid)))

    def status_view(self, uid: str) -> ReservedPlace | None:
        """Return `status.reservation` as it should be; None where nothing is reserved."""
        entry = self._table.get(uid)
        return None if entry is None or entry.reservation is None else reservation_view(entry.reservation)


def _devices(reservation: Reservation, record: JobRecord) -> int:
    demands = record.shape.demands if record.shape is not None else ()
    need = demands[reservation.demand].requirement if reservation.demand < len(demands) else None
    return need.count * sum(replicas for _, replicas in reservation.nodes) if need is not None else 0


def _changed_offers(before: Reservation | None, after: Reservation | None) -> tuple[OfferKey, ...]:
    """Return the offers in whose pools something else is kept than before."""
    if before is not None and after is not None and (before.cell, before.nodes, before.demand) == (after.cell, after.nodes, after.demand):
        return ()
    return tuple(each.cell[0] for each in (before, after) if each is not None)


def reservation_view(reservation: Reservation) -> ReservedPlace:
    """Return a reservation as a job's status has it."""
    offer, pool = reservation.cell
    return ReservedPlace(
        offer=offer,
        pool=pool,
        alternative=reservation.demand,
        start_at_latest=_in_seconds(min(reservation.start, reservation.published) + 999),
        made_at=_in_seconds(reservation.made),
    )


def _in_seconds(millis: int) -> int | None:
    """Return a moment as it is read again once it was written: what is shown and what is kept are compared."""
    return from_rfc3339(to_rfc3339(millis))


def reservation_of(record: JobRecord) -> Reservation | None:
    """Return the reservation of a waiting job's status, its nodes to be chosen again; None where it has none that can be kept."""
    place = record.status.reservation
    if place is None or not record.waits or record.spec is None or record.shape is None:
        return None
    at, made, demand = place.start_at_latest, place.made_at, place.alternative or 0
    if at is None or made is None or demand >= len(record.shape.demands):
        return None
    return Reservation(
        job_uid=record.uid,
        priority=record.spec.priority,
        cell=(place.offer, place.pool),
        demand=demand,
        nodes=(),
        start=UNPLACED,
        published=at,
        made=made,
    )


def place_changed(before: ReservedPlace | None, now: ReservedPlace | None) -> bool:
    """Tell whether a reservation came, went, or moved elsewhere; a mere earlier start is no such change."""
    return _place(before) != _place(now)


def _place(reserved: ReservedPlace | None) -> object:
    return None if reserved is None else (reserved.offer, reserved.pool, reserved.made_at)
