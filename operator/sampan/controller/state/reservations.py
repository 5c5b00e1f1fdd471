"""Reservations of blocked jobs: kept from one cycle to the next, in the jobs' status, and from there after a restart.

No I/O and no clock. Who gets a reservation is decided in `scheduling`; the status keeps it, since it must outlive the operator.
"""

from collections.abc import Callable, Mapping, Set
from typing import Any, Final

from sampan.controller.state.record import JobRecord
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Plan, StartUnknown
from sampan.model.reservation import Reservation
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

CellId = tuple[OfferKey, str]
UNPLACED: Final = 2**62
"""Start of a reservation whose nodes are to be chosen anew: whatever the next cycle finds comes earlier."""


class ReservationStore:
    """Reservations by job UID."""

    def __init__(self) -> None:
        """Start without any."""
        self._active: dict[str, Reservation] = {}
        self._restored: dict[str, Reservation] = {}
        """Read from a status, whose cells are not there yet."""
        self._moved: Callable[[Set[OfferKey]], None] = lambda _: None
        self.unknown_starts: Mapping[str, StartUnknown] = {}
        """Why no start is known, by UID, as the newest plan has it."""

    def on_change(self, moved: Callable[[Set[OfferKey]], None]) -> None:
        """Tell `moved` from now on the offers in whose pools what is kept changes; it must not block."""
        self._moved = moved

    def apply(self, plan: Plan) -> None:
        """Keep what a cycle decided: all that stands after it."""
        before = self._active
        self._active = {each.job_uid: each for each in plan.reservations}
        moved = {each for uid in before.keys() | self._active.keys() for each in _changed_offers(before.get(uid), self._active.get(uid))}
        if moved:
            self._moved(moved)
        self._restored = {uid: each for uid, each in self._restored.items() if uid not in self._active}
        self.unknown_starts = plan.unknown_starts

    def restore(self, record: JobRecord) -> None:
        """Take in the reservation of a job's status, the first time the job is seen."""
        found = reservation_of(record)
        if found is not None:
            self._restored[record.uid] = found

    def drop(self, uid: str) -> None:
        """Forget a job that waits no more."""
        self._restored.pop(uid, None)
        gone = self._active.pop(uid, None)
        if gone is not None:
            self._moved({gone.cell[0]})

    def reserved_devices(self, offer: OfferKey, jobs: Mapping[str, JobRecord]) -> dict[str, int]:
        """Return the devices that are kept in the offer's pools, by pool, be they free now or when what runs there has ended."""
        kept: dict[str, int] = {}
        for each in self._active.values():
            if each.cell[0] == offer:
                pool = each.cell[1].partition("@")[0]  # a cell may be one fabric domain of its pool
                kept[pool] = kept.get(pool, 0) + _devices(each, jobs.get(each.job_uid))
        return kept

    def active(self, cells: Set[CellId], has: Callable[[OfferKey], bool]) -> tuple[Reservation, ...]:
        """Return what the next cycle is to honour; what was read from a status waits for its cell, as long as the offer is there."""
        for uid, each in list(self._restored.items()):
            if each.cell in cells:
                self._active.setdefault(uid, each)
            if each.cell in cells or not has(each.cell[0]):
                del self._restored[uid]
        return tuple(sorted(self._active.values(), key=lambda each: (each.made, each.job_uid)))

    def status_view(self, uid: str) -> dict[str, Any] | None:
        """Return `status.reservation` as it should be; None where nothing is reserved."""
        found = self._active.get(uid) or self._restored.get(uid)
        return None if found is None else reservation_view(found)


def _devices(reservation: Reservation, record: JobRecord | None) -> int:
    demands = record.shape.demands if record is not None and record.shape is not None else ()
    need = demands[reservation.demand].requirement if reservation.demand < len(demands) else None
    return need.count * sum(replicas for _, replicas in reservation.nodes) if need is not None else 0


def _changed_offers(before: Reservation | None, after: Reservation | None) -> tuple[OfferKey, ...]:
    """Return the offers in whose pools something else is kept than before."""
    if before is not None and after is not None and (before.cell, before.nodes, before.demand) == (after.cell, after.nodes, after.demand):
        return ()
    return tuple(each.cell[0] for each in (before, after) if each is not None)


def reservation_view(reservation: Reservation) -> dict[str, Any]:
    """Return a reservation as a job's status has it. Its nodes are the provider's, and not told."""
    offer, pool = reservation.cell
    return {
        "offer": {"namespace": offer.namespace, "name": offer.name},
        "pool": pool,
        "alternative": reservation.demand,
        "startAtLatest": to_rfc3339(min(reservation.start, reservation.published) + 999),
        "madeAt": to_rfc3339(reservation.made),
    }


def reservation_of(record: JobRecord) -> Reservation | None:
    """Return the reservation of a waiting job's status, its nodes to be chosen again; None where it has none that can be kept."""
    view = record.status.get("reservation")
    if not view or not record.waits or record.spec is None or record.shape is None:
        return None
    at, made = from_rfc3339(view.get("startAtLatest")), from_rfc3339(view.get("madeAt"))
    demand = int(view.get("alternative", 0))
    if at is None or made is None or demand >= len(record.shape.demands):
        return None
    return Reservation(
        job_uid=record.uid,
        priority=record.spec.priority,
        cell=(OfferKey(view["offer"]["namespace"], view["offer"]["name"]), view["pool"]),
        demand=demand,
        nodes=(),
        start=UNPLACED,
        published=at,
        made=made,
    )


def place_changed(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Tell whether a reservation came, went, or moved elsewhere; a mere earlier start is no such change."""
    return _place(before) != _place(now)


def _place(view: Mapping[str, Any] | None) -> object:
    return None if not view else (view.get("offer"), view.get("pool"), view.get("madeAt"))
