"""One scheduling cycle, the main path of Sampan: a frozen picture in, a Plan out. Pure, deterministic, integers only.

`schedule` equals `schedule` with an empty memo. Details live below: turns, memo (verdicts), tables (what fits), choices, keeper.
"""

from sampan.model.job import Job
from sampan.model.plan import Assignment, Plan
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.admission_index import AdmissionIndex
from sampan.scheduling.cache import Memo
from sampan.scheduling.diagnosis import assignment, inadmissible
from sampan.scheduling.iterator import FairShareIterator, FairShareUsage, QueueHead, inadmissible_jobs
from sampan.scheduling.queueing.charge import decayed_forward, usage_charge
from sampan.scheduling.refusals import RefusalReport
from sampan.scheduling.reservations.planner import ReservationPlanner
from sampan.scheduling.selection import ScoredCell, select_cell
from sampan.scheduling.state import CycleState, Entry


def schedule(snapshot: Snapshot, memo: Memo) -> tuple[Plan, Memo]:
    """Decide which pending jobs go where now, at most `snapshot.limit`; the rest of the queue behind the limit stays undecided.

    The memo is used up: give the one that is returned to the next cycle.
    """
    # 1. Take over what changed since the memo was written.
    cycle = Cycle.open(snapshot, memo)
    # 2. Go on with the reservations of earlier cycles: none moves later, none moves onto another's nodes.
    cycle.carry_over_reservations()
    # 3. Go through the buckets' heads by turn. Free only shrinks, so a bucket that found no place is closed for this cycle.
    while (head := cycle.next_head()) is not None:
        # 4. Find the best cell that has room, alternative by alternative or over all of them, and take its nodes.
        entry, best = cycle.nominate(head)
        # 5. Or keep a place for the first who are blocked; why is told at the end.
        cycle.settle(head, entry, best)
    return cycle.plan(), cycle.close()


class Cycle:
    """One cycle, step by step, and what the steps write down. Whoever answers questions takes the same steps: see `outcome`."""

    def __init__(self, state: CycleState) -> None:
        """Start on a desk that lies open."""
        self.state = state
        self.usage = FairShareUsage(state.snapshot.queues, state.snapshot.use)
        self.admission = AdmissionIndex(state.cache, state.snapshot)
        self.planner = ReservationPlanner(state, self.admission)
        self.assignments: list[Assignment] = []
        self.reserved: dict[str, Job] = {}
        self.refused: list[Job] = []
        """Of those who stand for themselves."""
        self.charges: dict[str, int] = {}
        """Of the assigned jobs, by UID."""
        self._iterator: FairShareIterator | None = None

    @classmethod
    def open(cls, snapshot: Snapshot, memo: Memo) -> "Cycle":
        """Bring a memo, which is used up, to a picture and lay that out."""
        cache = memo.cache_or_new()
        cache.update(snapshot)
        cache.prepare(snapshot)
        return cls(CycleState.open(snapshot, cache))

    def close(self) -> Memo:
        """Return the memo for whoever comes next; the cycle is over."""
        return Memo(self.state.cache, self.state.cache.evict())

    @property
    def full(self) -> bool:
        """Tell whether the limit of assignments is reached."""
        return len(self.assignments) >= self.state.snapshot.limit

    def next_head(self) -> QueueHead | None:
        """Return whose turn it is, None where nobody is left or the limit is reached; `settle` it before the next."""
        return None if self.full else self.iterator.pop()

    @property
    def iterator(self) -> FairShareIterator:
        """Return the turns, in which the reservations are kept first."""
        if self._iterator is None:
            self._iterator = FairShareIterator(self.state.cache.pending, self.usage, admission=self.admission, reserved=self.reserved)
        return self._iterator

    def nominate(self, head: QueueHead) -> tuple[Entry, ScoredCell | None]:
        """Return the job whose turn it is, and the best place that it finds."""
        entry = self.state.entry(head.job)
        return entry, select_cell(self.state, entry) if head.has_reservation or self.admission.is_feasible(head.equivalence) else None

    def settle(self, head: QueueHead, entry: Entry, best: ScoredCell | None) -> None:
        """Give the job the place, or refuse it."""
        if best is not None:
            self.assign(entry, best)
            self.iterator.requeue_next()
        elif head.has_reservation:
            self.refused.append(head.job)
            self.planner.reserve_for(entry)  # where a higher one took the place that it had
            self.iterator.requeue_next()
        else:
            self.block(entry, head)
            self.iterator.park()

    def carry_over_reservations(self) -> None:
        """Keep the places that earlier cycles kept, as far as they still can be."""
        self.reserved = self.planner.carry_over()

    def assign(self, entry: Entry, best: ScoredCell) -> None:
        """Take a place."""
        state, snapshot = self.state, self.state.snapshot
        done = assignment(state, entry, best)
        self.assignments.append(done)
        need = entry.verdicts.rows[best.index].request_row
        nodes = state.matrix.columns[best.column].nodes
        state.matrix.take(best.column, need, [(int(nodes[place]), replicas) for place, replicas in best.fit.nodes])
        state.limit_reservations.take(best.column, done)
        state.limits.take(best.column, done.demand, done.replicas)
        state.feasibility_cache.clear()
        self.admission.refresh()
        state.node_reservations.drop(entry.job.uid)
        for uid in state.node_reservations.displaced_by(entry.job, done.demand, {int(nodes[place]) for place, _ in best.fit.nodes}):
            state.node_reservations.drop(uid)
        for uid in state.limit_reservations.displaced_by(best.column, state.node_reservations.standing, below=entry.job.priority):
            state.node_reservations.drop(uid)
        self.planner.update_floor()
        cell = state.cell(best.column)
        self.charges[entry.job.uid] = amount = usage_charge(done, cell, snapshot.clusters[done.cluster_uid])
        self.usage.charge(entry.job, decayed_forward(amount, snapshot.now, snapshot.half_life))

    def block(self, entry: Entry, head: QueueHead) -> None:
        """Shut the door on all who are like a job, and keep it a place if that can be done."""
        if self.admission.close(head.equivalence):
            self.planner.reserve_for(entry)

    def is_refused(self, job: Job) -> bool:
        """Tell whether a job that got no place had its turn, or needs none for that."""
        return job in self.refused if job.uid in self.reserved else not self.admission.is_feasible(self.admission.class_of(job))

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """Return what is kept, in order of its making."""
        return tuple(sorted((h.reservation for h in self.state.node_reservations.standing.values()), key=lambda r: (r.made, r.job_uid)))

    def plan(self) -> Plan:
        """Return everything that was decided."""
        gone = {done.job.uid for done in self.assignments} | self.reserved.keys()
        told = RefusalReport(self.state, self.admission).all(self.iterator.detached(), gone=gone, reserved=self.refused)
        out = [inadmissible(jobs[0], reason, jobs[1:]) for reason, jobs in inadmissible_jobs(self.state.cache.pending)]
        return Plan(
            assignments=tuple(self.assignments),
            refusals=(*told, *out),
            reservations=self.reservations,
            charges=self.charges,
            unknown_starts=self.planner.unknown_starts,
        )
