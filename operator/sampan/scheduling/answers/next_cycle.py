"""What the next cycle does with one job: that very cycle, run as far as it takes to know. Nothing is kept, nobody is told.

Answers to people are made on the cycle's state as it is then, so that they cannot say anything else than the cycle would.
"""

from dataclasses import dataclass, replace

from sampan.model.job import Job
from sampan.model.reservation import Reservation
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import Cycle
from sampan.scheduling.selection import ScoredCell
from sampan.scheduling.state import CycleState, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCycle:
    """A cycle at the moment that decides about a job: before it takes its place, or over."""

    cycle: Cycle
    entry: Entry
    choice: ScoredCell | None
    """The place that it gets; None: it gets none in this cycle."""
    reached: bool
    """Its turn came, or would have been in vain; False: the cycle makes as many assignments as it may before."""

    @property
    def state(self) -> CycleState:
        """Return the state of that cycle."""
        return self.cycle.state

    @property
    def job(self) -> Job:
        """Return the job as it waits."""
        return self.entry.job

    @property
    def kept(self) -> Reservation | None:
        """Return the reservation that the job has and goes on to have."""
        before = {each.job_uid for each in self.state.snapshot.reservations}
        return next((each for each in self.cycle.reservations if each.job_uid == self.job.uid and each.job_uid in before), None)


def next_cycle(snapshot: Snapshot, memo: Memo, job: Job) -> NextCycle:
    """Run the next cycle until it is known what becomes of a job; one that is not in the backlog is put in. The memo is used up.

    Close the cycle when all is asked: it gives the memo for the next question.
    """
    known = _known(snapshot, job)
    if known is None:
        snapshot = replace(snapshot, backlog=snapshot.backlog.with_job(job))
    job = known or job
    cycle = Cycle.open(snapshot, memo)
    cycle.carry_over_reservations()
    while (head := cycle.next_head()) is not None:
        entry, best = cycle.nominate(head)
        if head.job.uid == job.uid and best is not None:
            return NextCycle(cycle=cycle, entry=entry, choice=best, reached=True)
        cycle.settle(head, entry, best)
    return NextCycle(cycle=cycle, entry=cycle.state.entry(job), choice=None, reached=job.inadmissible is not None or cycle.is_refused(job))


def prepared(snapshot: Snapshot, memo: Memo) -> Memo:
    """Return a memo with all that a question about this picture needs; the given one is used up."""
    return Cycle.open(snapshot, memo).close()


def _known(snapshot: Snapshot, job: Job) -> Job | None:
    """Return the job as it waits, None where it does not."""
    mine = (each for bucket in snapshot.backlog if bucket.key.namespace == job.namespace for each in bucket)
    return next((each for each in mine if each.uid == job.uid), None)
