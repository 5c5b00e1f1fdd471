"""What queues used, as the scheduler counts it: the stored sums, the charges of this run, and those of plans that are being bound.

No I/O: what is to be stored is put into `outbox`, and a writer takes it from there.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sampan.controller.state.entry import JobEntry
from sampan.controller.state.record import JobRecord
from sampan.model.plan import Assignment
from sampan.model.queues import QueueUse
from sampan.model.status.attempt import ChargedUse
from sampan.scheduling.queueing.charge import UNDECLARED, decayed_forward
from sampan.store.charges import Totals, Use
from sampan.store.outbox import Outbox

WEEK: Final = 7 * 24 * 3600 * 1000


class UsageTracker:
    """Use by queue and namespace. Every change is one of `assume`, `rollback`, `on_job` and `on_deleted`."""

    def __init__(self, *, half_life: int = WEEK, clock: Callable[[], int] = lambda: 0) -> None:
        """`half_life` in milliseconds; `clock` gives milliseconds since the epoch."""
        self.half_life = half_life
        self.outbox = Outbox(half_life=half_life)
        self._clock = clock
        self._sums: dict[str, dict[str, int]] = {}
        self._by_queue: dict[str, QueueUse] = {}
        self._unclaimed: dict[str, Use] = {}
        """Charges that were stored open, of jobs that were not seen yet since the start."""

    def load(self, totals: Totals, unsettled: Iterable[Use]) -> None:
        """Take in what is stored, before any job is."""
        for (queue, namespace), amount in totals.items():
            self._sums.setdefault(queue, {})[namespace] = amount
        self._unclaimed = {use.job_uid: use for use in unsettled}
        self._by_queue = {queue: _queue_use(sums) for queue, sums in self._sums.items()}

    def close_missing(self) -> None:
        """Correct the charges of jobs that went while nobody looked; call it once all jobs are known."""
        for _, use in sorted(self._unclaimed.items()):
            self._close(use)
        self._unclaimed = {}

    @property
    def by_queue(self) -> Mapping[str, QueueUse]:
        """Return what each queue used; the same value where nothing changed."""
        return self._by_queue

    def assume(self, entry: JobEntry, assignment: Assignment) -> None:
        """Count an assignment from now on, before its binding is written."""
        self.rollback(entry)
        use = entry.charge.assumed = _use_of(assignment, at=self._clock())
        self._add(use, decayed_forward(use.amount, use.at, self.half_life))

    def rollback(self, entry: JobEntry) -> None:
        """The binding of an assignment was not written: it used nothing."""
        use, entry.charge.assumed = entry.charge.assumed, None
        if use is not None:
            self._add(use, -decayed_forward(use.amount, use.at, self.half_life))

    def on_job(self, entry: JobEntry, queue: Callable[[], str]) -> None:
        """Take in a job as it is now: what it was charged for a new attempt, and how long an old one lasted.

        `queue` tells where it queues, for an attempt of which neither a plan nor a stored charge is known.
        """
        record, charge = entry.record, entry.charge
        binding = record.binding
        running = binding is not None and record.attempt_open
        if self._unclaimed:
            charge.open = self._unclaimed.pop(record.uid, charge.open)
        if charge.open is not None and (binding is None or not running or charge.open.attempt != binding.attempt):
            self._end(charge.open, self._duration(charge.open, record))
            charge.open = None
        if binding is None or not running or charge.open is not None:
            return
        planned, charged = charge.assumed, binding.use or ChargedUse(amount=0, seconds=0)
        self.rollback(entry)
        use = charge.open = Use(
            job_uid=record.uid,
            attempt=binding.attempt,
            queue=planned.queue if planned is not None else queue(),
            namespace=record.namespace,
            at=binding.bound_at,
            amount=planned.amount if planned is not None else charged.amount,
            seconds=planned.seconds if planned is not None else charged.seconds or UNDECLARED,
        )
        self._add(use, decayed_forward(use.amount, use.at, self.half_life))
        self.outbox.put(use)

    def on_deleted(self, entry: JobEntry) -> None:
        """The job is there no more: what it was charged ends now, and no later than it was charged for."""
        self.rollback(entry)
        if entry.charge.open is not None:
            self._close(entry.charge.open)
            entry.charge.open = None

    def _close(self, use: Use) -> None:
        self._end(use, min((self._clock() - use.at) // 1000, use.seconds))

    def _duration(self, use: Use, record: JobRecord) -> int:
        """Return how long an attempt lasted, by its recorded end, else until now; in seconds."""
        status = record.status
        ended = next((each.ended_at for each in status.attempts if each.number == use.attempt), None)
        ended = ended or status.finished_at or self._clock()
        return max(ended - use.at, 0) // 1000

    def _end(self, use: Use, seconds: int) -> None:
        final = use.lasted(seconds)
        self._add(use, decayed_forward(final.amount, use.at, self.half_life) - decayed_forward(use.amount, use.at, self.half_life))
        self.outbox.put(final)

    def _add(self, use: Use, amount: int) -> None:
        sums = self._sums.setdefault(use.queue, {})
        sums[use.namespace] = sums.get(use.namespace, 0) + amount
        self._by_queue = {**self._by_queue, use.queue: _queue_use(sums)}


def _use_of(assignment: Assignment, *, at: int) -> Use:
    job, span = assignment.job, assignment.demand.span_seconds
    return Use(
        job_uid=job.uid,
        attempt=job.attempts + 1,
        queue=job.queue,
        namespace=job.namespace,
        at=at,
        amount=assignment.charge,
        seconds=UNDECLARED if span is None else span,
    )


def _queue_use(sums: Mapping[str, int]) -> QueueUse:
    return QueueUse(total=sum(sums.values()), namespaces=dict(sums))
