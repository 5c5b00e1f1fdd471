"""The reservations of one cycle: those of earlier cycles that stand, and new ones for the first who are blocked. How is in `backfill`."""

from sampan.model.job import Job
from sampan.model.plan import StartUnknown
from sampan.scheduling.backfill import RESERVATION_DEPTH, carry_over, reserve
from sampan.scheduling.candidate_index import MAX_PRIORITY, MIN_PRIORITY, CandidateIndex
from sampan.scheduling.reservations.placed import placed
from sampan.scheduling.state import CycleState, Entry


class ReservationPlanner:
    """Makes reservations in a cycle, and tells the candidate index from which priority on none can be made any more."""

    def __init__(self, state: CycleState, candidates: CandidateIndex) -> None:
        """Keep nothing yet."""
        self._state, self._candidates, self._tries = state, candidates, RESERVATION_DEPTH
        self.unknown_starts: dict[str, StartUnknown] = {}
        """Blocked jobs, by UID, for which a start was tried and none can be promised, with the reason."""

    def carry_over(self) -> dict[str, Job]:
        """Keep what earlier cycles kept, as far as that still can be; returns whose reservations stand, by UID."""
        state, snapshot, reserved = self._state, self._state.snapshot, dict[str, Job]()
        ordered = sorted(snapshot.reservations, key=lambda each: (each.made, each.job_uid))
        jobs = state.cache.pending.find({each.job_uid for each in ordered})
        waiting = [each for each in ordered if each.job_uid in jobs]
        shapes = {uid: job.shape for uid, job in jobs.items()}
        matrix, columns = state.matrix, state.cell_index.by_id
        held = {each.job_uid: placed(each, shapes[each.job_uid], matrix=matrix, columns=columns) for each in waiting}
        state.cache.backfill.no_earlier = {uid: known for uid, known in state.cache.backfill.no_earlier.items() if uid in jobs}
        state.pending_reservations = {uid: carried for uid, carried in held.items() if carried is not None}
        for old in waiting:
            carried = carry_over(state, old, state.entry(jobs[old.job_uid]))
            state.pending_reservations.pop(old.job_uid, None)
            if carried is not None:
                state.keep(carried)
                reserved[old.job_uid] = jobs[old.job_uid]
        self.update_floor()
        return reserved

    def reserve_for(self, entry: Entry) -> None:
        """Keep a blocked job a place if it has none and that can be done."""
        if entry.job.uid not in self._state.profile.standing and entry.job.priority > self._candidates.reservation_floor:
            self._reserve(entry)
            self.update_floor()

    def update_floor(self) -> None:
        """Say up to which priority no further place can be kept."""
        kept = self._state.profile.standing
        lowest = min((placed.reservation.priority for placed in kept.values()), default=MIN_PRIORITY)
        floor = lowest if len(kept) >= RESERVATION_DEPTH else MIN_PRIORITY
        self._candidates.reservation_floor = MAX_PRIORITY if self._tries <= 0 else floor

    def _reserve(self, entry: Entry) -> None:
        state, kept = self._state, self._state.profile.standing
        self._tries -= 1
        placed = reserve(state, entry)
        if isinstance(placed, StartUnknown):
            self.unknown_starts[entry.job.uid] = placed
            return
        state.reserve(placed)
        while len(kept) > RESERVATION_DEPTH:
            state.profile.release(min(kept, key=lambda uid: (kept[uid].reservation.priority, -kept[uid].reservation.made, uid)))
