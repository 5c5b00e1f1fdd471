"""The reservations of one cycle: those of earlier cycles that stand, and new ones for the first who are blocked. How is in `reserve`."""

from sampan.model.job import Job
from sampan.scheduling.admission_index import EVERYBODY, NOBODY, Doors
from sampan.scheduling.backfill import MOST, keep, reserve
from sampan.scheduling.reservations.holds import hold_of
from sampan.scheduling.state import Case, Desk


class Keeper:
    """Keeps places on a desk, and tells the doors for whom none can be kept any more."""

    def __init__(self, desk: Desk, doors: Doors) -> None:
        """Keep nothing yet."""
        self._desk, self._doors, self._tries = desk, doors, MOST
        self.unbounded: dict[str, str] = {}
        """Blocked jobs, by UID, for which a start was tried and none can be promised, with the reason."""

    def go_on(self) -> dict[str, Job]:
        """Keep what earlier cycles kept, as far as that still can be; returns whose reservations stand, by UID."""
        desk, snapshot, reserved = self._desk, self._desk.snapshot, dict[str, Job]()
        ordered = sorted(snapshot.reservations, key=lambda each: (each.made, each.job_uid))
        jobs = desk.book.yard.find({each.job_uid for each in ordered})
        waiting = [each for each in ordered if each.job_uid in jobs]
        held = {each.job_uid: hold_of(each, desk.tables, desk.layout.numbers) for each in waiting}
        desk.book.no_earlier = {uid: known for uid, known in desk.book.no_earlier.items() if uid in jobs}
        desk.waiting_holds = {uid: hold for uid, hold in held.items() if hold is not None}
        for old in waiting:
            hold = keep(desk, old, desk.case(jobs[old.job_uid]))
            desk.waiting_holds.pop(old.job_uid, None)
            if hold is not None:
                desk.keep(hold, jobs[old.job_uid].shape.demands[hold.reservation.demand])
                reserved[old.job_uid] = jobs[old.job_uid]
        self.count_hopes()
        return reserved

    def keep_place(self, case: Case) -> None:
        """Keep a blocked job a place if it has none and that can be done."""
        if case.job.uid not in self._desk.holds.kept and case.job.priority > self._doors.hopeless:
            self._reserve(case)
            self.count_hopes()

    def count_hopes(self) -> None:
        """Say up to which priority no further place can be kept."""
        kept = self._desk.holds.kept
        lowest = min((hold.reservation.priority for hold in kept.values()), default=NOBODY)
        self._doors.hopeless = EVERYBODY if self._tries <= 0 else lowest if len(kept) >= MOST else NOBODY

    def _reserve(self, case: Case) -> None:
        desk, kept = self._desk, self._desk.holds.kept
        self._tries -= 1
        hold = reserve(desk, case)
        if isinstance(hold, str):
            self.unbounded[case.job.uid] = hold
            return
        self._give_way(hold.column, set(hold.nodes))
        desk.keep(hold, case.job.shape.demands[hold.reservation.demand])
        for uid in desk.pledges.overdrawn(hold.column, kept, below=case.job.priority):
            desk.holds.drop(uid)
        while len(kept) > MOST:
            desk.holds.drop(min(kept, key=lambda uid: (kept[uid].reservation.priority, -kept[uid].reservation.made, uid)))

    def _give_way(self, column: int, nodes: set[int]) -> None:
        """Drop the lower reservations of a cell or of nodes that a higher job is given."""
        for uid, other in list(self._desk.holds.kept.items()):
            if other.column == column or nodes & set(other.nodes):
                self._desk.holds.drop(uid)
