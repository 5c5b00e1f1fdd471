"""Takes one job at a time from where it is to where it should be: asks `decide`, executes the answer, asks again.

Each job is worked on by one worker at a time, so that its writes never race; whatever fails is tried again later, with
growing delays, and one job's failure never delays another's. Writes on the hub and the calls to each member have lanes of their
own: a member that takes long for each call holds up its own jobs and no others.
"""

import asyncio
import logging
import random
from dataclasses import replace

from sampan.controller.observation.hold_up_watch import HoldUpTracker
from sampan.controller.observation.hold_ups import report_hold_up
from sampan.controller.reconcile.actions import Action, Expire, Patch, Refresh, Release, Wait
from sampan.controller.reconcile.bind_rate import BindRate
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.dependencies import ReconcileCounters, ReconcilerDeps
from sampan.controller.reconcile.executor import ActionExecutor
from sampan.controller.reconcile.member_words import call_failure
from sampan.controller.reconcile.retries import WRITE, RetryTracker, key_of
from sampan.controller.runtime.workqueue import WorkQueue
from sampan.controller.state.record import JobRecord
from sampan.faults import log_fault
from sampan.kube.errors import Conflict, KubeError
from sampan.model.members.offer import OfferKey
from sampan.model.plan import Assignment

log = logging.getLogger(__name__)

HUB = ""
"""The lane of writes on the hub; a member's has its cluster UID."""
MEMBER_CALLS = 16
"""Jobs about which one member is called at the same time: half of what its client lets be under way, so that probes find room."""
AT_A_TIME = 16
"""Jobs that are decided on in a row before anything else gets its turn."""
QUARANTINE = 60
"""Seconds before a job that raised an unexpected error is looked at again."""
STALE = 10_000
"""Milliseconds for which no plan is made again from an object that the hub called stale; a newer one is good at once."""


class JobReconciler:
    """Works on jobs until cancelled."""

    def __init__(self, dependencies: ReconcilerDeps) -> None:
        """Start idle."""
        self._state, self._view, self._clock = dependencies.state, dependencies.view, dependencies.clock
        workers = dependencies.settings.reconcile_workers
        self.queue = WorkQueue(lambda lane: workers if lane == HUB else MEMBER_CALLS)
        self.counters = ReconcileCounters()
        self._executor = ActionExecutor(dependencies, self.counters, lambda uid, after: self.enqueue(uid, after=after))
        self._hold_ups = HoldUpTracker(dependencies.members, dependencies.clock)
        self._assigned: dict[str, Assignment] = {}
        self._rate = BindRate(workers)
        self._failures: dict[str, int] = {}
        self._retries = RetryTracker(random.uniform)
        dependencies.state.on_job.append(lambda record: self.enqueue(record.uid) if self._needs_work(record) else None)

    def enqueue(self, uid: str, *, after: float = 0) -> None:
        """Have a job looked at, now or after so many seconds."""
        self.queue.add(uid, after=after)

    def enqueue_member(self, cluster_uid: str) -> None:
        """Have every job bound to a member looked at."""
        for uid in self._state.bindings.of_member(cluster_uid):
            self.enqueue(uid)

    def bind(self, assignment: Assignment) -> None:
        """Have an assignment bound."""
        self._state.assume(assignment)
        self._assigned[assignment.job.uid] = assignment
        self.enqueue(assignment.job.uid)

    def is_binding_to(self, offer: OfferKey) -> bool:
        """Tell whether an assignment to this offer waits for its binding."""
        return any(assignment.offer == offer for assignment in self._assigned.values())

    @property
    def bind_allowance(self) -> int:
        """Return how many more assignments may be made now, by how fast the hub takes them."""
        return self._rate.allowance(len(self._assigned))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for _ in range(AT_A_TIME):
                    self._look(await self.queue.get(), group)
                await asyncio.sleep(0)

    def _look(self, uid: str, group: asyncio.TaskGroup) -> None:
        """Decide what is next for a job; what takes long is done in its lane, by a task of its own."""
        try:
            step = self._next(uid)
        except Exception as error:  # noqa: BLE001  one poisoned object must not end the others' work
            self._quarantine(uid, error)
            return self.queue.done(uid)
        if step is None:
            self._failures.pop(uid, None)
            return self.queue.done(uid)
        if self.queue.begin(uid, lane_of(*step)):
            group.create_task(self._take(*step))
        return None

    async def _take(self, record: JobRecord, step: Action | Assignment) -> None:
        """Do one thing about a job, and have it looked at again where that is worth it."""
        uid = record.uid
        try:
            if isinstance(step, Assignment):
                await self._bind(record, step)
            if isinstance(step, Assignment) or await self._execute(record, step):
                self.enqueue(uid)
            self._failures.pop(uid, None)
        except Conflict:
            self.counters.conflicts += 1
            self._requeue_after(uid, self._delay(uid))  # the watch brings the newer object; this is the second net
        except KubeError as error:
            self._requeue_bind(uid, error)
        except Exception as error:  # noqa: BLE001  as above
            self._quarantine(uid, error)
        finally:
            self.queue.done(uid)

    def _quarantine(self, uid: str, error: Exception) -> None:
        self.counters.quarantined += 1
        self._state.back_off(uid, until=self._clock() + QUARANTINE * 1000)
        log_fault(log, "job.quarantined", error, uid=uid)
        self._requeue_after(uid, QUARANTINE)

    def _requeue_bind(self, uid: str, error: KubeError) -> None:
        """Try a binding again later that could not be written."""
        delay = max(self._delay(uid), call_failure(error).retry_after / 1000)
        record = self._state.jobs.get(uid)
        if record is not None:
            self._log_retry(record, "Bind", error, delay=delay)
        self._state.back_off(uid, until=self._clock() + int(delay * 1000))
        self._requeue_after(uid, delay)

    def _log_retry(self, record: JobRecord, action: str, error: KubeError, *, delay: float) -> None:
        self.counters.errors += 1
        told = {"job": f"{record.namespace}/{record.name}", "uid": record.uid, "action": action, "delay": round(delay, 2)}
        log.warning("job.retry", extra={**told, "reason": error.reason, "error": error.message})

    def _delay(self, uid: str) -> float:
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        return min(0.25 * (1 << min(failures, 8)), 30.0) * random.uniform(0.5, 1)  # noqa: S311  jitter, no secret

    def _requeue_after(self, uid: str, seconds: float) -> None:
        self._drop_assignment(uid)
        self.enqueue(uid, after=seconds)

    def _next(self, uid: str) -> tuple[JobRecord, Action | Assignment] | None:
        """Return what is to be done about a job now; None where it rests, perhaps for a while only."""
        record, assignment = self._state.jobs.get(uid), self._assigned.get(uid)
        if record is None:
            self._forget(uid)
            return None
        if assignment is not None:
            return record, assignment
        remote, times = replace(self._view.of(record), tries=self._retries.of(uid)), self._executor.times(record)
        action = decide(record, remote, times)
        if isinstance(action, Wait):
            action = report_hold_up(record, self._hold_ups.of(record, remote), action, times=times)
            if isinstance(action, Patch) and self._write_paused(record):
                action = Wait(self._retries.of(uid)[WRITE].remaining(times.now))
        if record.unobserved and not isinstance(action, Patch) and not self._write_paused(record):
            action = Patch(record.status)  # an edit that changes nothing else: say that it was seen
        if not isinstance(action, Wait):
            return record, action
        if action.millis is not None:
            self.enqueue(uid, after=max(action.millis, 10) / 1000)
        elif record.phase.ended:
            self._retries.forget(uid)  # there are many such jobs, and nothing more is done about them
        return None

    async def _execute(self, record: JobRecord, action: Action) -> bool:
        """Do it, and remember that it was tried."""
        key = key_of(action, attempt=record.binding.attempt if record.binding else 0, version=record.resource_version)
        assert key is not None  # a Wait is not executed
        try:
            again = await self._executor.execute(record, action)
        except KubeError as error:
            tried = self._retries.failed(record.uid, key, self._clock(), failure=call_failure(error))
            if isinstance(error, Conflict):
                self.counters.conflicts += 1  # the watch brings the newer object, which is tried at once
            else:
                self._log_retry(record, key[0], error, delay=tried.remaining(self._clock()) / 1000)
            return True  # not the call: what is to be told, and until when to wait
        self._retries.succeeded(record.uid, key, self._clock())
        return again

    def _write_paused(self, record: JobRecord) -> bool:
        """Tell whether a write of this very object failed a short while ago."""
        tried = self._retries.of(record.uid).get(WRITE)
        return tried is not None and tried.target == record.resource_version and tried.remaining(self._clock()) > 0

    def _needs_work(self, record: JobRecord) -> bool:
        """Tell whether a record may need an action; a job that merely waits for a place does not."""
        return not record.waits or record.uid in self._assigned or record.unobserved

    async def _bind(self, record: JobRecord, assignment: Assignment) -> None:
        started = self._clock()
        try:
            await self._executor.bind(record, assignment)
        except Conflict:
            version = assignment.job.resource_version
            self._state.back_off(record.uid, until=self._clock() + STALE, version=version)
            raise
        finally:
            self._rate.record(self._clock() - started)
            self._drop_assignment(record.uid)

    def _drop_assignment(self, uid: str) -> None:
        if self._assigned.pop(uid, None) is not None:
            self._state.forget_assumed(uid)

    def _forget(self, uid: str) -> None:
        self._drop_assignment(uid)
        self._executor.forget(uid)
        self._retries.forget(uid)
        self._hold_ups.forget(uid)
        self._failures.pop(uid, None)


def lane_of(record: JobRecord, step: Action | Assignment) -> str:
    """Return the lane that a step is taken in."""
    if record.binding is None or isinstance(step, Assignment | Patch | Release | Expire | Refresh):
        return HUB
    return record.binding.cluster_uid
