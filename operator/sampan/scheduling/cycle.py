"""One scheduling cycle, the main path of Sampan: a frozen picture in, a Plan out. Pure, deterministic, integers only.

`schedule` equals `schedule` with an empty memo. Details live below: turns, memo (verdicts), tables (what fits), choices, keeper.
"""

from sampan.model.job import Job
from sampan.model.plan import Assignment, Plan
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.admission_index import Doors
from sampan.scheduling.cache import Memo
from sampan.scheduling.diagnosis import assignment, barred
from sampan.scheduling.iterator import Turn, Turns, Uses, barred_jobs
from sampan.scheduling.queueing.charge import charge_of, inflated
from sampan.scheduling.refusals import Notices
from sampan.scheduling.reservations.keeper import Keeper
from sampan.scheduling.selection import Choice, best_of
from sampan.scheduling.state import Case, Desk


def schedule(snapshot: Snapshot, memo: Memo) -> tuple[Plan, Memo]:
    """Decide which pending jobs go where now, at most `snapshot.limit`; the rest of the queue behind the limit stays undecided.

    The memo is used up: give the one that is returned to the next cycle.
    """
    # 1. Take over what changed since the memo was written.
    cycle = Cycle.open(snapshot, memo)
    # 2. Go on with the reservations of earlier cycles: none moves later, none moves onto another's nodes.
    cycle.keep_reservations()
    # 3. Go through the buckets' heads by turn. Free only shrinks, so a bucket that found no place is closed for this cycle.
    while (turn := cycle.next_turn()) is not None:
        # 4. Find the best cell that has room, alternative by alternative or over all of them, and take its nodes.
        case, best = cycle.look(turn)
        # 5. Or keep a place for the first who are blocked; why is told at the end.
        cycle.settle(turn, case, best)
    return cycle.plan(), cycle.close()


class Cycle:
    """One cycle, step by step, and what the steps write down. Whoever answers questions takes the same steps: see `outcome`."""

    def __init__(self, desk: Desk) -> None:
        """Start on a desk that lies open."""
        self.desk = desk
        self.uses = Uses(desk.snapshot.queues, desk.snapshot.use)
        self.doors = Doors(desk.book, desk.snapshot)
        self.keeper = Keeper(desk, self.doors)
        self.assignments: list[Assignment] = []
        self.reserved: dict[str, Job] = {}
        self.refused: list[Job] = []
        """Of those who stand for themselves."""
        self.charges: dict[str, int] = {}
        """Of the assigned jobs, by UID."""
        self._turns: Turns | None = None

    @classmethod
    def open(cls, snapshot: Snapshot, memo: Memo) -> "Cycle":
        """Bring a memo, which is used up, to a picture and lay that out."""
        book = memo.open()
        book.advance(snapshot)
        book.prepare(snapshot)
        return cls(Desk.open(snapshot, book))

    def close(self) -> Memo:
        """Return the memo for whoever comes next; the cycle is over."""
        return Memo(self.desk.book, self.desk.book.finish())

    @property
    def full(self) -> bool:
        """Tell whether the limit of assignments is reached."""
        return len(self.assignments) >= self.desk.snapshot.limit

    def next_turn(self) -> Turn | None:
        """Return whose turn it is, None where nobody is left or the limit is reached; `settle` it before the next."""
        return None if self.full else self.turns.pop()

    @property
    def turns(self) -> Turns:
        """Return the turns, in which the reservations are kept first."""
        if self._turns is None:
            self._turns = Turns(self.desk.book.yard, self.uses, doors=self.doors, alone=self.reserved)
        return self._turns

    def look(self, turn: Turn) -> tuple[Case, Choice | None]:
        """Return the job whose turn it is, and the best place that it finds."""
        case = self.desk.case(turn.job)
        return case, best_of(self.desk, case) if turn.own or self.doors.is_open(turn.like) else None

    def settle(self, turn: Turn, case: Case, best: Choice | None) -> None:
        """Give the job the place, or refuse it."""
        if best is not None:
            self.assign(case, best)
            self.turns.placed()
        elif turn.own:
            self.refused.append(turn.job)
            self.keeper.keep_place(case)  # where a higher one took the place that it had
            self.turns.placed()
        else:
            self.block(case, turn)
            self.turns.closed()

    def keep_reservations(self) -> None:
        """Keep the places that earlier cycles kept, as far as they still can be."""
        self.reserved = self.keeper.go_on()

    def assign(self, case: Case, best: Choice) -> None:
        """Take a place."""
        desk, snapshot = self.desk, self.desk.snapshot
        done = assignment(desk, case, best)
        self.assignments.append(done)
        need = case.rows.rows[best.index].need
        nodes = desk.tables.columns[best.column].nodes
        desk.tables.take(best.column, need, [(int(nodes[place]), replicas) for place, replicas in best.fit.nodes])
        desk.pledges.take(best.column, done)
        desk.limits.take(best.column, done.demand, done.replicas)
        desk.outlooks.clear()
        self.doors.follow()
        desk.holds.drop(case.job.uid)
        for uid in desk.holds.broken_by(case.job, done.demand, {int(nodes[place]) for place, _ in best.fit.nodes}):
            desk.holds.drop(uid)
        for uid in desk.pledges.overdrawn(best.column, desk.holds.kept, below=case.job.priority):
            desk.holds.drop(uid)
        self.keeper.count_hopes()
        cell = desk.cell(best.column)
        self.charges[case.job.uid] = amount = charge_of(done, cell, snapshot.clusters[done.cluster_uid])
        self.uses.charge(case.job, inflated(amount, snapshot.now, snapshot.half_life))

    def block(self, case: Case, turn: Turn) -> None:
        """Shut the door on all who are like a job, and keep it a place if that can be done."""
        if self.doors.shut(turn.like):
            self.keeper.keep_place(case)

    def refuses(self, job: Job) -> bool:
        """Tell whether a job that got no place had its turn, or needs none for that."""
        return job in self.refused if job.uid in self.reserved else not self.doors.is_open(self.doors.of(job))

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """Return what is kept, in order of its making."""
        return tuple(sorted((h.reservation for h in self.desk.holds.kept.values()), key=lambda r: (r.made, r.job_uid)))

    def plan(self) -> Plan:
        """Return everything that was decided."""
        gone = {done.job.uid for done in self.assignments} | self.reserved.keys()
        told = Notices(self.desk, self.doors).all(self.turns.touched(), gone=gone, alone=self.refused)
        out = [barred(jobs[0], reason, jobs[1:]) for reason, jobs in barred_jobs(self.desk.book.yard)]
        return Plan(
            assignments=tuple(self.assignments),
            refusals=(*told, *out),
            reservations=self.reservations,
            charges=self.charges,
            unbounded=self.keeper.unbounded,
        )
