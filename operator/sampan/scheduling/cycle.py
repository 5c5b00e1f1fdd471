"""One scheduling cycle, the main path of Sampan: a frozen picture in, a Plan out. Pure, deterministic, integers only.

`schedule` equals `schedule` with an empty memo. Details live below: turns, memo (verdicts), tables (what fits), choices, reserve.
"""

from sampan.model.job import Job
from sampan.model.plan import Assignment, Plan
from sampan.model.snapshot import Snapshot
from sampan.scheduling.charges import charge_of, inflated
from sampan.scheduling.choices import Choice, best_of
from sampan.scheduling.desk import Case, Desk
from sampan.scheduling.doors import EVERYBODY, NOBODY, Doors
from sampan.scheduling.holds import hold_of
from sampan.scheduling.memo import Memo
from sampan.scheduling.notices import Notices
from sampan.scheduling.reserve import MOST, keep, reserve
from sampan.scheduling.turns import Turn, Turns, Uses, barred_jobs
from sampan.scheduling.verdicts import assignment, barred


def schedule(snapshot: Snapshot, memo: Memo) -> tuple[Plan, Memo]:
    """Decide which pending jobs go where now, at most `snapshot.limit`; the rest of the queue behind the limit stays undecided.

    The memo is used up: give the one that is returned to the next cycle.
    """
    # 1. Take over what changed since the memo was written.
    book = memo.open()
    book.advance(snapshot)
    book.prepare(snapshot)
    cycle = _Cycle(Desk.open(snapshot, book))
    # 2. Go on with the reservations of earlier cycles: none moves later, none moves onto another's nodes.
    cycle.keep_reservations()
    # 3. Go through the buckets' heads by turn. Free only shrinks, so a bucket that found no place is closed for this cycle.
    turns = Turns(book.yard, cycle.uses, doors=cycle.doors, alone=cycle.reserved)
    while len(cycle.assignments) < snapshot.limit and (turn := turns.pop()) is not None:
        case = cycle.desk.case(turn.job)
        # 4. Find the best cell that has room, alternative by alternative or over all of them, and take its nodes.
        best = best_of(cycle.desk, case) if turn.own or cycle.doors.is_open(turn.like) else None
        if best is not None:
            cycle.assign(case, best)
            turns.placed()
            continue
        # 5. Or keep a place for the first who are blocked; why is told at the end.
        if turn.own:
            cycle.refused.append(turn.job)
            cycle.keep_place(case)  # where a higher one took the place that it had
            turns.placed()
        else:
            cycle.block(case, turn)
            turns.closed()
    return cycle.plan(turns), Memo(book, book.finish())


class _Cycle:
    """What the steps of one cycle write down."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.uses = Uses(desk.snapshot.queues, desk.snapshot.use)
        self.doors = Doors(desk.book, desk.snapshot)
        self.assignments: list[Assignment] = []
        self.reserved: dict[str, Job] = {}
        self.refused: list[Job] = []
        """Of those who stand for themselves."""
        self._charges: dict[str, int] = {}
        self._unbounded: dict[str, str] = {}
        self._tries = MOST

    def keep_reservations(self) -> None:
        desk, snapshot = self.desk, self.desk.snapshot
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
                self.reserved[old.job_uid] = jobs[old.job_uid]
        self._count_hopes()

    def assign(self, case: Case, best: Choice) -> None:
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
        self._count_hopes()
        cell = desk.cell(best.column)
        self._charges[case.job.uid] = amount = charge_of(done, cell, snapshot.clusters[done.cluster_uid])
        self.uses.charge(case.job, inflated(amount, snapshot.now, snapshot.half_life))

    def block(self, case: Case, turn: Turn) -> None:
        """Shut the door on all who are like a job, and keep it a place if that can be done."""
        if self.doors.shut(turn.like):
            self.keep_place(case)

    def keep_place(self, case: Case) -> None:
        """Keep a blocked job a place if it has none and that can be done."""
        if case.job.uid not in self.desk.holds.kept and case.job.priority > self.doors.hopeless:
            self._reserve(case)
            self._count_hopes()

    def _count_hopes(self) -> None:
        """Say up to which priority no further place can be kept."""
        kept = self.desk.holds.kept
        lowest = min((hold.reservation.priority for hold in kept.values()), default=NOBODY)
        self.doors.hopeless = EVERYBODY if self._tries <= 0 else lowest if len(kept) >= MOST else NOBODY

    def _reserve(self, case: Case) -> None:
        kept = self.desk.holds.kept
        self._tries -= 1
        hold = reserve(self.desk, case)
        if isinstance(hold, str):
            self._unbounded[case.job.uid] = hold
            return
        self._give_way(hold.column, set(hold.nodes))
        self.desk.keep(hold, case.job.shape.demands[hold.reservation.demand])
        for uid in self.desk.pledges.overdrawn(hold.column, kept, below=case.job.priority):
            self.desk.holds.drop(uid)
        while len(kept) > MOST:
            self.desk.holds.drop(min(kept, key=lambda uid: (kept[uid].reservation.priority, -kept[uid].reservation.made, uid)))

    def _give_way(self, column: int, nodes: set[int]) -> None:
        """Drop the lower reservations of a cell or of nodes that a higher job is given."""
        for uid, other in list(self.desk.holds.kept.items()):
            if other.column == column or nodes & set(other.nodes):
                self.desk.holds.drop(uid)

    def plan(self, turns: Turns) -> Plan:
        """Return everything that was decided."""
        gone = {done.job.uid for done in self.assignments} | self.reserved.keys()
        told = Notices(self.desk, self.doors).all(turns.touched(), gone=gone, alone=self.refused)
        out = [barred(jobs[0], reason, jobs[1:]) for reason, jobs in barred_jobs(self.desk.book.yard)]
        return Plan(
            assignments=tuple(self.assignments),
            refusals=(*told, *out),
            reservations=tuple(sorted((h.reservation for h in self.desk.holds.kept.values()), key=lambda r: (r.made, r.job_uid))),
            charges=self._charges,
            unbounded=self._unbounded,
        )
