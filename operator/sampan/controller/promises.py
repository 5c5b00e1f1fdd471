"""Places that are kept for blocked jobs: from one cycle to the next, in their status, and from there after a restart.

No I/O and no clock. Who gets a reservation is decided in `scheduling`; the status keeps it, since a promise must outlive the operator.
"""

from collections.abc import Callable, Mapping, Set
from typing import Any, Final

from sampan.api.status import from_rfc3339, to_rfc3339
from sampan.controller.jobs import JobRecord
from sampan.model.offer import OfferKey
from sampan.model.plan import Plan
from sampan.model.reservation import Reservation

CellId = tuple[OfferKey, str]
UNPLACED: Final = 2**62
"""Start of a reservation whose nodes are to be chosen anew: whatever the next cycle finds comes earlier."""


class Promises:
    """Reservations by job UID."""

    def __init__(self) -> None:
        """Promise nothing."""
        self._standing: dict[str, Reservation] = {}
        self._restored: dict[str, Reservation] = {}
        """Read from a status, whose cells are not there yet."""
        self.unbounded: Mapping[str, str] = {}
        """Why no start can be promised, by UID, as the newest plan has it."""

    def take(self, plan: Plan) -> None:
        """Keep what a cycle decided: all that stands after it."""
        self._standing = {each.job_uid: each for each in plan.reservations}
        self._restored = {uid: each for uid, each in self._restored.items() if uid not in self._standing}
        self.unbounded = plan.unbounded

    def restore(self, record: JobRecord) -> None:
        """Take in what a job's status says was promised, at the first sight of the job."""
        found = reservation_of(record)
        if found is not None:
            self._restored[record.uid] = found

    def forget(self, uid: str) -> None:
        """The job waits no more."""
        self._restored.pop(uid, None)
        self._standing.pop(uid, None)

    def standing(self, cells: Set[CellId], has: Callable[[OfferKey], bool]) -> tuple[Reservation, ...]:
        """Return what the next cycle is to honour; what was read from a status waits for its cell, as long as the offer is there."""
        for uid, each in list(self._restored.items()):
            if each.cell in cells:
                self._standing.setdefault(uid, each)
            if each.cell in cells or not has(each.cell[0]):
                del self._restored[uid]
        return tuple(sorted(self._standing.values(), key=lambda each: (each.made, each.job_uid)))

    def view(self, uid: str) -> dict[str, Any] | None:
        """Return `status.reservation` as it should be; None where nothing is promised."""
        found = self._standing.get(uid) or self._restored.get(uid)
        return None if found is None else reservation_view(found)


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
    """Return what a waiting job's status promises, its nodes to be chosen anew; None where it promises nothing that can be kept."""
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


def moved(told: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Tell whether a promise came, went, or went elsewhere; a mere earlier start is no such news."""
    return _where(told) != _where(now)


def _where(view: Mapping[str, Any] | None) -> object:
    return None if not view else (view.get("offer"), view.get("pool"), view.get("madeAt"))
