"""The scheduler loop: wait for a change, take a snapshot, ask `schedule()`, hand the plan to the reconciler. Decides nothing itself."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Protocol

from sampan.controller.fault_isolation import plan_without_faulty
from sampan.controller.reconcile.reconciler import JobReconciler
from sampan.controller.state.pending import QUARANTINE
from sampan.controller.state.store import State
from sampan.faults import log_fault
from sampan.model.plan import Plan, Refusal
from sampan.model.snapshot import Snapshot
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

log = logging.getLogger(__name__)


TICK = 2.0
"""Seconds after which waiting jobs are looked at even where nothing changed: alternatives ripen, cool-downs end."""


class RefusalReporter(Protocol):
    """Who tells the tenants why their jobs wait."""

    def report(self, refusals: tuple[Refusal, ...]) -> None:
        """Take in the refusals of one cycle."""


class Loop:
    """Runs cycles until cancelled; `wake` asks for one."""

    def __init__(
        self, state: State, reconciler: JobReconciler, refusals: RefusalReporter, *, interval: float, clock: Callable[[], int]
    ) -> None:
        """`interval` is the least time between two cycles in seconds; `clock` gives milliseconds since the epoch."""
        self._state, self._reconciler, self._refusals = state, reconciler, refusals
        self._interval, self._clock = interval, clock
        self._pause = interval
        """Seconds until the next cycle: longer after one that failed, so that it is not tried all the time."""
        self._wake = asyncio.Event()
        self._memo = Memo()
        state.pending.on_fault.append(lambda uid, error: log_fault(log, "job.quarantined", error, uid=uid))
        self.cycles = 0
        self.last_seconds = 0.0
        self.last_refused: Mapping[str, int] = {}

    def wake(self) -> None:
        """Ask for a cycle: something changed that may place a job."""
        self._wake.set()

    async def run(self) -> None:
        """Watch over the waiting jobs until cancelled."""
        while True:
            await self._next()
            if self._reconciler.bind_allowance == 0:
                self.wake()  # there may be more to place once these are written
            elif self._state.waiting:
                self._turn()
            else:
                self.last_refused = {}
            await asyncio.sleep(self._pause)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(TICK if self._state.waiting else None):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _turn(self) -> None:
        """Make a plan and have it carried out. An error that nobody foresaw is told, and does not end the operator."""
        self._pause = self._interval
        try:
            self._dispatch(self._cycle())
        except Exception as error:  # noqa: BLE001  as said
            log_fault(log, "cycle.failed", error, waiting=self._state.waiting)
            self._pause = TICK
            self.wake()

    def _cycle(self) -> Plan:
        started = perf_counter()
        snapshot = self._state.snapshot(self._clock(), limit=self._reconciler.bind_allowance)
        try:
            plan, self._memo = schedule(snapshot, self._memo)
        except Exception as error:  # noqa: BLE001  one object that breaks the core must not delay the others
            log_fault(log, "cycle.failed", error, jobs=len(snapshot.backlog))
            plan, self._memo, self._pause = self._plan_without_faulty(snapshot), Memo(), TICK
        self.cycles += 1
        self.last_seconds = perf_counter() - started
        return plan

    def _plan_without_faulty(self, snapshot: Snapshot) -> Plan:
        """Plan without the jobs that break the core, and leave those out for a while."""
        found = plan_without_faulty(snapshot, lambda part: schedule(part, Memo())[0])
        for job in found.faulty:
            self._state.back_off(job.uid, until=self._clock() + QUARANTINE)
        return found.plan

    def _dispatch(self, plan: Plan) -> None:
        for assignment in plan.assignments:
            self._reconciler.bind(replace(assignment, charge=plan.charges.get(assignment.job.uid, 0)))
        counts: dict[str, int] = {}
        for refusal in plan.refusals:
            reason = refusal.dominant
            counts[str(reason)] = counts.get(str(reason), 0) + len(refusal)
        self.last_refused = counts
        self._state.reservations.apply(plan)
        self._refusals.report(plan.refusals)
        if plan.assignments:
            log.info(
                "cycle", extra={"planned": len(plan.assignments), "refused": len(plan.refusals), "seconds": round(self.last_seconds, 4)}
            )
            self.wake()
