"""One scheduling cycle, the main path of Sampan: a frozen snapshot in, a Plan out. Pure, deterministic, integers only.

The algorithm is backfill under fair share. The heads of all queues come in fair-share order (Kueue); a head takes the cell of the best
score among those that pass the filters and have room (kube-scheduler's filter, score, reserve). The first that find no room get a
reservation at the earliest start that declared ends allow; later jobs run before them only where they are gone by then or leave those
nodes alone (backfill: Mu'alem and Feitelson, IEEE TPDS 12(6), 2001; a depth of reservations as Maui's).

Who comes next is in `iterator`, what a cell is to a job in `cache`, what fits in `state`, which cell in `selection`, reservations in
`reservations` and `backfill`, what the refused are told in `refusals` and `diagnosis`. `schedule` equals `schedule` with an empty memo.
"""

from sampan.model.job import Job
from sampan.model.plan import Assignment, Plan
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.candidate_index import CandidateIndex
from sampan.scheduling.diagnosis import assignment, inadmissible
from sampan.scheduling.iterator import EntryStatus, FairShareIterator, QueueHead, inadmissible_jobs
from sampan.scheduling.planner import ReservationPlanner
from sampan.scheduling.queueing.charge import decayed_forward, usage_charge
from sampan.scheduling.queueing.usage import FairShareUsage
from sampan.scheduling.refusals import RefusalReport
from sampan.scheduling.reservations.placed import StartedJob
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
    # 3. Go through the queues' heads in fair-share order. Free only shrinks, so jobs of a class that found no room need no second look.
    while (head := cycle.next_head()) is not None:
        # 4. Find the best cell that has room, alternative by alternative or over all of them.
        entry, best = cycle.nominate(head)
        # 5. Take its nodes; or reserve some for the first who are blocked. Why is said in the plan.
        cycle.settle(head, entry, best)
    return cycle.plan(), cycle.close()


class Cycle:
    """One cycle, step by step, and what the steps write down. Who answers questions takes the same steps: see `answers.next_cycle`."""

    def __init__(self, state: CycleState) -> None:
        """Start with a state that nothing was taken from yet."""
        self.state = state
        self.usage = FairShareUsage(state.snapshot.queues, state.snapshot.use)
        self.candidates = CandidateIndex(state.cache, state.snapshot)
        self.planner = ReservationPlanner(state, self.candidates)
        self.assignments: list[Assignment] = []
        self.reserved: dict[str, Job] = {}
        self.refused: list[Job] = []
        """Of those with a reservation: they are heads of their own, so that no class is refused with them."""
        self.charges: dict[str, int] = {}
        """Of the assigned jobs, by UID."""
        self._iterator: FairShareIterator | None = None

    @classmethod
    def open(cls, snapshot: Snapshot, memo: Memo) -> "Cycle":
        """Bring a memo, which is used up, to a snapshot."""
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
        """Return the next head, None where nobody is left or the limit is reached; `settle` it before the next."""
        return None if self.full else self.iterator.pop()

    @property
    def iterator(self) -> FairShareIterator:
        """Return the order of the heads. Made late: carried-over reservations say which jobs are heads of their own."""
        if self._iterator is None:
            self._iterator = FairShareIterator(self.state.cache.pending, self.usage, candidates=self.candidates, reserved=self.reserved)
        return self._iterator

    def nominate(self, head: QueueHead) -> tuple[Entry, ScoredCell | None]:
        """Return the head's entry, and the best cell that has room for it."""
        entry = self.state.entry(head.job)
        return entry, select_cell(self.state, entry) if head.has_reservation or self.candidates.is_feasible(head.equivalence) else None

    def settle(self, head: QueueHead, entry: Entry, best: ScoredCell | None) -> None:
        """Assign the cell to the job, or leave the job reserved or blocked."""
        self.iterator.settle(self._settled(head, entry, best))

    def _settled(self, head: QueueHead, entry: Entry, best: ScoredCell | None) -> EntryStatus:
        if best is not None:
            self.assign(entry, best)
            return EntryStatus.PLACED
        if head.has_reservation:
            self.refused.append(head.job)
            self.planner.reserve_for(entry)  # anew, where a higher job took the nodes that it had reserved
            return EntryStatus.RESERVED
        if self.candidates.drop(head.equivalence):
            self.planner.reserve_for(entry)
        return EntryStatus.BLOCKED

    def carry_over_reservations(self) -> None:
        """Keep the reservations of earlier cycles, as far as they still can be."""
        self.reserved = self.planner.carry_over()

    def assign(self, entry: Entry, best: ScoredCell) -> None:
        """Take a cell's nodes and limits for a job.

        The order matters. Verdicts are read before anything is taken, for they say what the other cells were. Nodes and limits are
        taken before the feasibility cache is cleared and the candidate index refreshed, which read them. Reservations go after that,
        the job's own first: a job displaces nobody with nodes that were reserved for it. The floor counts those that are left.
        """
        state, snapshot = self.state, self.state.snapshot
        done = assignment(state, entry, best)
        self.assignments.append(done)
        request = entry.verdicts.rows[best.index].request_row
        nodes = state.matrix.columns[best.column].nodes
        placed = tuple((int(nodes[place]), replicas) for place, replicas in best.fit.nodes)
        state.start(StartedJob(job=entry.job, demand=done.demand, column=best.column, row=request, nodes=placed))
        self.candidates.refresh()
        self.planner.update_floor()
        cell = state.cell(best.column)
        self.charges[entry.job.uid] = amount = usage_charge(done, cell, snapshot.clusters[done.cluster_uid])
        self.usage.charge(entry.job, decayed_forward(amount, snapshot.now, snapshot.half_life))

    def is_refused(self, job: Job) -> bool:
        """Tell whether a job without a cell was looked at, or need not be, as its class is refused."""
        return job in self.refused if job.uid in self.reserved else not self.candidates.is_feasible(self.candidates.class_of(job))

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """Return the standing reservations, in order of their making."""
        return tuple(sorted((h.reservation for h in self.state.profile.standing.values()), key=lambda r: (r.made, r.job_uid)))

    def plan(self) -> Plan:
        """Return everything that was decided."""
        gone = {done.job.uid for done in self.assignments} | self.reserved.keys()
        refusals = RefusalReport(self.state, self.candidates).all(self.iterator.detached(), gone=gone, reserved=self.refused)
        out = [inadmissible(jobs[0], reason, jobs[1:]) for reason, jobs in inadmissible_jobs(self.state.cache.pending)]
        return Plan(
            assignments=tuple(self.assignments),
            refusals=(*refusals, *out),
            reservations=self.reservations,
            charges=self.charges,
            unknown_starts=self.planner.unknown_starts,
        )
