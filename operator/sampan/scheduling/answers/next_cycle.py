"""What the next cycle does with one job: that very cycle, run as far as it takes to know. Nothing is kept, nobody is told.

Answers to people are made on the desk as it lies then, so that they cannot say anything else than the cycle would.
"""

from dataclasses import dataclass, replace

from sampan.model.job import Job
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import Cycle
from sampan.scheduling.selection import Choice
from sampan.scheduling.state import Case, Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A cycle at the moment that decides about a job: before it takes its place, or over."""

    cycle: Cycle
    case: Case
    choice: Choice | None
    """The place that it gets; None: it gets none in this cycle."""
    reached: bool
    """Its turn came, or would have been in vain; False: the cycle makes as many assignments as it may before."""

    @property
    def desk(self) -> Desk:
        """Return the desk as it lies then."""
        return self.cycle.desk

    @property
    def job(self) -> Job:
        """Return the job as it waits."""
        return self.case.job

    @property
    def kept(self) -> Reservation | None:
        """Return the reservation that the job has and goes on to have."""
        before = {each.job_uid for each in self.desk.snapshot.reservations}
        return next((each for each in self.cycle.reservations if each.job_uid == self.job.uid and each.job_uid in before), None)


def outcome(snapshot: Snapshot, memo: Memo, job: Job) -> Outcome:
    """Run the next cycle until it is known what becomes of a job; one that is not in the backlog is put in. The memo is used up.

    Close the cycle when all is asked: it gives the memo for the next question.
    """
    known = _known(snapshot, job)
    if known is None:
        snapshot = replace(snapshot, backlog=snapshot.backlog.with_job(job))
    job = known or job
    cycle = Cycle.open(snapshot, memo)
    cycle.keep_reservations()
    while (turn := cycle.next_turn()) is not None:
        case, best = cycle.look(turn)
        if turn.job.uid == job.uid and best is not None:
            return Outcome(cycle=cycle, case=case, choice=best, reached=True)
        cycle.settle(turn, case, best)
    return Outcome(cycle=cycle, case=cycle.desk.case(job), choice=None, reached=job.barred is not None or cycle.refuses(job))


def prepared(snapshot: Snapshot, memo: Memo) -> Memo:
    """Return a memo with all that a question about this picture needs; the given one is used up."""
    return Cycle.open(snapshot, memo).close()


def _known(snapshot: Snapshot, job: Job) -> Job | None:
    """Return the job as it waits, None where it does not."""
    mine = (each for bucket in snapshot.backlog if bucket.key.namespace == job.namespace for each in bucket)
    return next((each for each in mine if each.uid == job.uid), None)
