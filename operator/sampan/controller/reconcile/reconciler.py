"""The pilot takes one job at a time from where it is to where it should be: asks `decide`, enacts the answer, asks again.

Each job is worked on by one worker at a time, so that its writes never race; whatever fails is tried again later, with
growing delays, and one job's trouble never holds up another's.
"""

import asyncio
import logging
import random
from dataclasses import replace

from sampan.controller.observation.hold_up_watch import Outlooks
from sampan.controller.observation.hold_ups import tell
from sampan.controller.reconcile.actions import Action, Patch, Wait
from sampan.controller.reconcile.bind_rate import BindRate
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.dependencies import Counters, Tools
from sampan.controller.reconcile.executor import Enactor
from sampan.controller.reconcile.member_words import words_of
from sampan.controller.reconcile.retries import WRITE, Tries, key_of
from sampan.controller.runtime.workqueue import WorkQueue
from sampan.controller.state.record import JobRecord
from sampan.faults import log_fault
from sampan.kube.errors import Conflict, KubeError
from sampan.model.offer import OfferKey
from sampan.model.plan import Assignment

log = logging.getLogger(__name__)

MAX_STEPS = 20
"""Actions in a row for one job before others get their turn."""
QUARANTINE = 60
"""Seconds before a job that raised an unexpected error is looked at again."""
STALE = 10_000
"""Milliseconds for which no plan is made again with a picture that the hub said is stale; a newer one is good at once."""


class Pilot:
    """Works on jobs until cancelled."""

    def __init__(self, tools: Tools) -> None:
        """Start idle."""
        self._state, self._sight, self._pilots, self._clock = tools.state, tools.sight, tools.settings.pilots, tools.clock
        self.queue = WorkQueue()
        self.counters = Counters()
        self._enactor = Enactor(tools, self.counters, lambda uid, after: self.touch(uid, after=after))
        self._outlooks = Outlooks(tools.members, tools.clock)
        self._assigned: dict[str, Assignment] = {}
        self._rate = BindRate(self._pilots)
        self._failures: dict[str, int] = {}
        self._tries = Tries(random.uniform)
        tools.state.on_job.append(lambda record: self.touch(record.uid) if self._concerns(record) else None)

    def touch(self, uid: str, *, after: float = 0) -> None:
        """Have a job looked at, now or after so many seconds."""
        self.queue.add(uid, after=after)

    def touch_cluster(self, cluster_uid: str) -> None:
        """Have every job bound to a member looked at."""
        for uid in self._state.bindings.to(cluster_uid):
            self.touch(uid)

    def bind(self, assignment: Assignment) -> None:
        """Have an assignment enacted."""
        self._state.assume(assignment)
        self._assigned[assignment.job.uid] = assignment
        self.touch(assignment.job.uid)

    def binds_to(self, offer: OfferKey) -> bool:
        """Tell whether an assignment to this offer waits for its intent."""
        return any(assignment.offer == offer for assignment in self._assigned.values())

    @property
    def room(self) -> int:
        """Return how many more assignments may be made now, by how fast the hub takes them."""
        return self._rate.room(len(self._assigned))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._pilots):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while True:
            uid = await self.queue.get()
            try:
                await self._steer(uid)
                self._failures.pop(uid, None)
            except Conflict:
                self.counters.conflicts += 1
                self._put_off(uid, self._delay(uid))  # the watch brings the newer object; this is the second net
            except KubeError as error:
                self._retry(uid, error)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  one poisoned object must not end the others' worker
                self.counters.quarantined += 1
                self._state.hold_back(uid, until=self._clock() + QUARANTINE * 1000)
                log_fault(log, "job.quarantined", error, uid=uid)
                self._put_off(uid, QUARANTINE)
            finally:
                self.queue.done(uid)

    def _retry(self, uid: str, error: KubeError) -> None:
        """Put a plan off that could not be written."""
        delay = max(self._delay(uid), words_of(error).retry_after / 1000)
        record = self._state.jobs.get(uid)
        if record is not None:
            self._log_retry(record, "Bind", error, delay=delay)
        self._state.hold_back(uid, until=self._clock() + int(delay * 1000))
        self._put_off(uid, delay)

    def _log_retry(self, record: JobRecord, action: str, error: KubeError, *, delay: float) -> None:
        self.counters.errors += 1
        told = {"job": f"{record.namespace}/{record.name}", "uid": record.uid, "action": action, "delay": round(delay, 2)}
        log.warning("job.retry", extra={**told, "reason": error.reason, "error": error.message})

    def _delay(self, uid: str) -> float:
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        return min(0.25 * (1 << min(failures, 8)), 30.0) * random.uniform(0.5, 1)  # noqa: S311  jitter, no secret

    def _put_off(self, uid: str, seconds: float) -> None:
        self._drop_assignment(uid)
        self.touch(uid, after=seconds)

    async def _steer(self, uid: str) -> None:
        for _ in range(MAX_STEPS):
            record = self._state.jobs.get(uid)
            assignment = self._assigned.get(uid)
            if record is None:
                return self._forget(uid)
            if assignment is not None:
                await self._intend(record, assignment)
                continue
            remote, times = replace(self._sight.of(record), tries=self._tries.of(uid)), self._enactor.times(record)
            action = decide(record, remote, times)
            if isinstance(action, Wait):
                action = tell(record, self._outlooks.of(record, remote), action, times=times)
                if isinstance(action, Patch) and self._paused(record):
                    action = Wait(self._tries.of(uid)[WRITE].left(times.now))
            if record.unobserved and not isinstance(action, Patch) and not self._paused(record):
                action = Patch(record.status)  # an edit that changes nothing else: say that it was seen
            if isinstance(action, Wait):
                if action.millis is not None:
                    self.touch(uid, after=max(action.millis, 10) / 1000)
                elif record.phase.ended:
                    self._tries.forget(uid)  # there are many such jobs, and nothing more is done about them
                return None
            if not await self._enact(record, action):
                return None
        self.touch(uid)
        return None

    async def _enact(self, record: JobRecord, action: Action) -> bool:
        """Do it, and remember that it was tried."""
        key = key_of(action, attempt=record.binding.attempt if record.binding else 0, version=record.resource_version)
        assert key is not None  # a Wait is not enacted
        try:
            again = await self._enactor.enact(record, action)
        except KubeError as error:
            tried = self._tries.failed(record.uid, key, self._clock(), words=words_of(error))
            if isinstance(error, Conflict):
                self.counters.conflicts += 1  # the watch brings the newer object, which is tried at once
            else:
                self._log_retry(record, key[0], error, delay=tried.left(self._clock()) / 1000)
            return True  # not the call: what is to be told, and until when to wait
        self._tries.made(record.uid, key, self._clock())
        return again

    def _paused(self, record: JobRecord) -> bool:
        """Tell whether a write of this very object failed a short while ago."""
        tried = self._tries.of(record.uid).get(WRITE)
        return tried is not None and tried.target == record.resource_version and tried.left(self._clock()) > 0

    def _concerns(self, record: JobRecord) -> bool:
        """Tell whether a record may need an action; a job that merely waits for a place does not."""
        return not record.waits or record.uid in self._assigned or record.unobserved

    async def _intend(self, record: JobRecord, assignment: Assignment) -> None:
        started = self._clock()
        try:
            await self._enactor.intend(record, assignment)
        except Conflict:
            version = assignment.job.resource_version
            self._state.hold_back(record.uid, until=self._clock() + STALE, version=version)
            raise
        finally:
            self._rate.took(self._clock() - started)
            self._drop_assignment(record.uid)

    def _drop_assignment(self, uid: str) -> None:
        if self._assigned.pop(uid, None) is not None:
            self._state.forget(uid)

    def _forget(self, uid: str) -> None:
        self._drop_assignment(uid)
        self._enactor.forget(uid)
        self._tries.forget(uid)
        self._outlooks.forget(uid)
        self._failures.pop(uid, None)
