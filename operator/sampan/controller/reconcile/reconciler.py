"""Takes one job at a time from where it is to where it should be: asks `decide`, executes the answer, asks again.

Each job is worked on by one worker at a time, so that its writes never race; whatever fails is tried again later, with
growing delays, and one job's failure never delays another's. Writes on the hub and the calls to each member have lanes of their
own: a member that takes long for each call delays its own jobs and no others.
"""

import asyncio
import logging
import random
from dataclasses import dataclass, replace
from typing import Final

from sampan.controller.reconcile.actions import HubAction, MemberAction, Patch, Times, Wait
from sampan.controller.reconcile.bind_rate import BindRate
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.dependencies import BindResult, ReconcileCounters, ReconcilerDeps
from sampan.controller.reconcile.endings import start_deadline
from sampan.controller.reconcile.executor import ActionExecutor
from sampan.controller.reconcile.hub_writes import Binder, HubWriter
from sampan.controller.reconcile.member_words import call_failure
from sampan.controller.reconcile.retries import WRITE, RetryPolicy, key_of
from sampan.controller.reconcile.view.member_view import News
from sampan.controller.reconcile.view.stall_watch import StallTracker
from sampan.controller.reconcile.view.stalls import report_stall
from sampan.controller.runtime.workqueue import WorkQueue
from sampan.controller.state.entry import ANY_VERSION, BIND, JobEntry
from sampan.controller.state.pending import QUARANTINE
from sampan.controller.state.record import JobRecord
from sampan.faults import log_fault
from sampan.kube.errors import Conflict, KubeError
from sampan.model.lifecycle import Phase
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Assignment

log = logging.getLogger(__name__)

HUB: Final = ""
"""The lane of writes on the hub; a member's has its cluster UID."""
MEMBER_CALLS: Final = 16
"""Jobs about which one member is called at the same time: half of what its client lets be under way, so that probes find room."""
AT_A_TIME: Final = 16
"""Jobs that are decided on in a row before anything else gets its turn."""
SHORTEST_WAIT: Final = 10
"""Milliseconds after which a job is looked at again at the soonest, where it is not at once."""
PROGRESS_DELAY: Final = 0.5
"""Seconds after which a job is looked at that came on a little on its member: what changes meanwhile is looked at together."""
STALE: Final = 10_000
"""Milliseconds for which no plan is made again from an object that the hub called stale; a newer one is good at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one job, as it was when that was decided."""

    record: JobRecord
    what: Assignment | HubAction | MemberAction

    @property
    def lane(self) -> str:
        """Return the lane that the step is taken in."""
        if self.record.binding is None or isinstance(self.what, Assignment | HubAction):
            return HUB
        return self.record.binding.cluster_uid


class JobReconciler:
    """Works on jobs until cancelled."""

    def __init__(self, dependencies: ReconcilerDeps) -> None:
        """Start idle."""
        self._state, self._clock = dependencies.state, dependencies.clock
        workers = dependencies.settings.reconcile_workers
        self.queue = WorkQueue(lambda lane: workers if lane == HUB else MEMBER_CALLS)
        self.counters = ReconcileCounters()
        self.steps = JobSteps(dependencies, self.counters, self.queue)
        self._waiting: dict[str, Step] = {}
        """What is to be done about jobs that wait for their turn in a lane."""
        self._rate = BindRate(workers)
        self._state.on_job.append(self._on_job)
        self._state.table.on_delete.append(self.enqueue)  # which ends what it waited for

    def _on_job(self, record: JobRecord) -> None:
        """Have a job looked at that may need an action; one that merely waits for a place does not."""
        if not record.waits or record.uid in self._state.table.assumed or record.unobserved:
            self.enqueue(record.uid)

    def enqueue(self, uid: str, *, after: float = 0) -> None:
        """Have a job looked at, now or after so many seconds."""
        self.queue.add(uid, after=after)

    def copy_changed(self, entry: JobEntry) -> None:
        """Have a job looked at whose copy or pods changed, if a decision about it may come out otherwise now."""
        news = self.steps.view.news(entry)
        if news is not News.NONE:
            self.enqueue(entry.uid, after=PROGRESS_DELAY if news is News.PROGRESS else 0)

    def enqueue_member(self, cluster_uid: str) -> None:
        """Have every job bound to a member looked at."""
        for entry in self._state.table.of_member(cluster_uid):
            self.enqueue(entry.uid)

    def bind(self, assignment: Assignment) -> None:
        """Have an assignment bound."""
        self._state.assume(assignment)
        self.enqueue(assignment.job.uid)

    def is_binding_to(self, offer: OfferKey) -> bool:
        """Tell whether an assignment to this offer waits for its binding."""
        plans = (entry.assignment for entry in self._state.table.assumed.values())
        return any(plan is not None and plan.offer == offer for plan in plans)

    @property
    def bind_allowance(self) -> int:
        """Return how many more assignments may be made now, by how fast the hub takes them."""
        return self._rate.allowance(len(self._state.table.assumed))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for _ in range(AT_A_TIME):
                    self._look(await self.queue.get(), group)
                await asyncio.sleep(0)

    def _look(self, uid: str, group: asyncio.TaskGroup) -> None:
        """Decide what is next for a job; what takes long is done in its lane, by a task of its own."""
        entry, step = self._state.table.get(uid), self._waiting.pop(uid, None)
        its_turn = self.queue.is_turn(uid) and entry is not None and step is not None and step.lane == HUB and step.record is entry.record
        try:
            if not its_turn:  # else nothing was heard of it since that was decided; a member may have fallen into doubt without a word
                step = self.steps.next(entry) if entry is not None else None
        except Exception as error:  # noqa: BLE001  one poisoned object must not end the others' work
            self._quarantine(uid, error)
            return self.queue.done(uid)
        if entry is None or step is None:
            return self.queue.done(uid)
        if self.queue.begin(uid, step.lane):
            group.create_task(self._take(entry, step))
        else:
            self._waiting[uid] = step
            self.steps.wait_in_lane(entry)
        return None

    async def _take(self, entry: JobEntry, step: Step) -> None:
        """Do one thing about a job, and have it looked at again where that is worth it."""
        try:
            if await (self._bind(entry, step) if isinstance(step.what, Assignment) else self.steps.take(entry, step)):
                self.enqueue(entry.uid)
        except Exception as error:  # noqa: BLE001  as above
            self._quarantine(entry.uid, error)
        finally:
            self.queue.done(entry.uid)

    def _quarantine(self, uid: str, error: Exception) -> None:
        self.counters.quarantined += 1
        self._state.back_off(uid, until=self._clock() + QUARANTINE)
        self._state.forget_assumed(uid)
        log_fault(log, "job.quarantined", error, uid=uid)
        self.enqueue(uid, after=QUARANTINE / 1000)

    async def _bind(self, entry: JobEntry, step: Step) -> bool:
        """Write a binding; return whether the job is to be looked at again at once."""
        started = self._clock()
        try:
            await self.steps.take(entry, step)
        except KubeError as error:
            delay = self.steps.bind_failed(entry, step, error)
            self._state.pending.changed(entry)
            self.enqueue(entry.uid, after=delay / 1000)  # of a conflict the watch brings the newer object: this is the second net
            return False
        finally:
            self._rate.record(self._clock() - started)
            if entry.assumed:  # nothing was written; else the reply has told the state
                self._state.forget_assumed(entry.uid)
        return True


class JobSteps:
    """One step of one job: what is known of it, what follows, and doing that."""

    def __init__(self, dependencies: ReconcilerDeps, counters: ReconcileCounters, queue: WorkQueue) -> None:
        """Start with nothing done; `queue` gets the jobs that are to be looked at again."""
        self.view, self._settings, self._clock = dependencies.view, dependencies.settings, dependencies.clock
        self._counters, self._queue, self._pending = counters, queue, dependencies.state.pending
        self._policy = RetryPolicy(random.uniform)
        self._stalls = StallTracker(dependencies.members, dependencies.clock)
        self.hub = HubWriter(dependencies.state, dependencies.hub, dependencies.clock)
        self._binder = Binder(dependencies.state, self.hub, specs=dependencies.specs, targets=dependencies.members)
        self.member = ActionExecutor(
            dependencies, counters=counters, policy=self._policy, enqueue=lambda uid, after: queue.add(uid, after=after)
        )

    def times(self, entry: JobEntry) -> Times:
        """Return the moment and the delays a decision about this job needs."""
        now, binding = self._clock(), entry.record.binding
        return Times(
            now=now,
            tombstone=int(self._settings.tombstone * 1000),
            counters=int(self._settings.counters_interval * 1000),
            start_grace=int(self._settings.start_grace * 1000),
            last_write=entry.memory.last_write,
            usual_start=self.hub.starts.usual(binding.cluster_uid, now=now) if binding is not None else 0,
        )

    def next(self, entry: JobEntry) -> Step | None:
        """Return what is to be done about a job now; None where it rests, perhaps for a while only."""
        record = entry.record
        if entry.assumed and entry.assignment is not None:
            return Step(record, entry.assignment)
        remote, times = self.view.of(entry), self.times(entry)
        action = decide(record, remote, times)
        if isinstance(action, Wait):
            action = report_stall(record, self._stalls.of(entry, remote), action, times=times)
            if isinstance(action, Patch) and self._write_paused(entry):
                action = Wait(entry.retries[WRITE].remaining(times.now))
        if record.unobserved and not isinstance(action, Patch) and not self._write_paused(entry):
            action = Patch(record.status)  # an edit that changes nothing else: say that it was seen
        if not isinstance(action, Wait):
            return Step(record, action)
        self._rest(entry, action)
        return None

    def _rest(self, entry: JobEntry, action: Wait) -> None:
        bind = entry.retries.get(BIND)
        if bind is not None and not bind.remaining(self._clock()):
            del entry.retries[BIND]
            self._pending.changed(entry)  # the pause is over, and the scheduler has the job again
        if action.millis is not None:
            self._queue.add(entry.uid, after=max(action.millis, SHORTEST_WAIT) / 1000)
        elif entry.record.phase.ended:
            entry.retries.clear()  # there are many such jobs, and nothing more is done about them

    def wait_in_lane(self, entry: JobEntry) -> None:
        """Have a job that waits for its turn looked at when it is late: it ends in time, however long the calls before it take."""
        record, left = entry.record, start_deadline(entry.record) - self._clock()
        if record.attempt_open and record.phase is Phase.BOUND and left > 0:
            self._queue.add(entry.uid, after=max(left, SHORTEST_WAIT) / 1000)

    async def take(self, entry: JobEntry, step: Step) -> bool:
        """Do it, and remember that it was tried; return whether it is worth looking at the job again at once.

        Raises `KubeError`s where a binding could not be written.
        """
        record, what = step.record, step.what
        if isinstance(what, Assignment):
            bound = await self._binder.bind(entry, record, what, now=self._clock, policy=self._policy)
            self._counters.binds[BindResult.WRITTEN if bound else BindResult.DROPPED] += 1
            return True
        key = key_of(what, attempt=record.binding.attempt if record.binding else 0, version=record.resource_version)
        assert key is not None  # a Wait is no step
        try:
            again = await (
                self.hub.execute(entry, record, what) if isinstance(what, HubAction) else self.member.execute(entry, record, what)
            )
        except KubeError as error:
            tried = self._policy.failed(entry.retries, key, self._clock(), failure=call_failure(error))
            if isinstance(error, Conflict):
                self._counters.conflicts += 1  # the watch brings the newer object, which is tried at once
            else:
                self._log_retry(record, key[0], error, delay=tried.remaining(self._clock()))
            return True  # not the call: what is to be told, and until when to wait
        self._policy.succeeded(entry.retries, key, self._clock())
        return again

    def bind_failed(self, entry: JobEntry, step: Step, error: KubeError) -> int:
        """Keep the scheduler from planning the job for a while; return after how many milliseconds to look at it again."""
        stale, now = isinstance(error, Conflict), self._clock()
        key = BIND, step.record.resource_version if stale else ANY_VERSION
        tried = self._policy.failed(entry.retries, key, now, failure=call_failure(error))
        self._counters.binds[BindResult.CONFLICT if stale else BindResult.FAILED] += 1
        if stale:
            self._counters.conflicts += 1
            entry.retries[BIND] = replace(tried, not_before=now + STALE)
        else:
            self._log_retry(step.record, BIND, error, delay=tried.remaining(now))
        return tried.remaining(now)

    def _log_retry(self, record: JobRecord, action: str, error: KubeError, *, delay: int) -> None:
        self._counters.errors += 1
        told = {"job": f"{record.namespace}/{record.name}", "uid": record.uid, "action": action, "delay": round(delay / 1000, 2)}
        log.warning("job.retry", extra={**told, "reason": error.reason, "error": error.message})

    def _write_paused(self, entry: JobEntry) -> bool:
        """Tell whether a write of this very object failed a short while ago."""
        tried = entry.retries.get(WRITE)
        return tried is not None and tried.target == entry.record.resource_version and tried.remaining(self._clock()) > 0
