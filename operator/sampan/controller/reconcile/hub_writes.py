"""What is written on the hub about one job: its binding, its status, its finalizer, its end. Decides nothing.

Every write is a compare-and-set on the record it was decided on; one whose outcome is not known is looked up.
"""

from collections.abc import Callable
from typing import Final, assert_never

from sampan.controller.hub.client import HubClient
from sampan.controller.hub.missing_jobs import forgotten_if_missing
from sampan.controller.observation.start_times import StartTimes
from sampan.controller.reconcile.actions import Expire, HubAction, Patch, Refresh, Release
from sampan.controller.reconcile.job_specs import CopyRejected, JobSpecs
from sampan.controller.reconcile.retries import RetryPolicy
from sampan.controller.reconcile.view.member_view import OfferTargets
from sampan.controller.runtime.logs import log_status_change
from sampan.controller.state.entry import ABSENCE, ANY_VERSION, DEPENDENCIES, AttemptMemory, JobEntry
from sampan.controller.state.record import JobRecord, record_of
from sampan.controller.state.store import State
from sampan.kube.errors import KubeError
from sampan.model.lifecycle import Phase
from sampan.model.plan import Assignment
from sampan.model.status.attempt import Binding, ChargedUse
from sampan.model.status.generation import is_refusal_outdated
from sampan.model.status.job_status import JobStatus
from sampan.model.values.names import remote_name
from sampan.model.values.quantity import MICRO
from sampan.scheduling.queueing.charge import UNDECLARED

MAX_CHARGED: Final = 999_999_999 * MICRO
"""What fits into the status."""


class HubWriter:
    """Writes of ComputeJobs, whose replies the state takes in."""

    def __init__(self, state: State, hub: HubClient, clock: Callable[[], int]) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._state, self.client, self._clock, self.starts = state, hub, clock, StartTimes()

    async def execute(self, entry: JobEntry, record: JobRecord, action: HubAction) -> bool:
        """Do one thing that was decided on this record; return whether it is worth asking again at once."""
        match action:
            case Patch(status):
                await self.write(entry, record, status)
                return True
            case Release():
                with forgotten_if_missing(self._state, record.uid):
                    self._state.take_reply(await self.client.remove_finalizer(record))
                return False
            case Expire():
                with forgotten_if_missing(self._state, record.uid):
                    await self.client.delete(record)
                return False
            case Refresh():
                await self._refresh(entry, record)
                return True
            case _:
                assert_never(action)

    async def write(self, entry: JobEntry, record: JobRecord, status: JobStatus) -> None:
        """Write the status that was decided on this record."""
        try:
            with forgotten_if_missing(self._state, record.uid):
                body = await self.client.write_status(record, status)
        except KubeError as error:
            if error.outcome_unknown:
                await self._refresh(entry, record)
            raise
        entry.memory.last_write = now = self._clock()
        if record.binding is not None and record.phase is Phase.BOUND and status.phase is Phase.RUNNING:
            self.starts.add(record.binding, now=now)
        log_status_change(record, status)
        self._state.take_reply(body)

    async def add_finalizer(self, record: JobRecord) -> JobRecord:
        """Put our finalizer on; returns what the object is then, and not what the state has: its event may have come first."""
        with forgotten_if_missing(self._state, record.uid):
            body = await self.client.add_finalizer(record)
        self._state.take_reply(body)
        return record_of(body, record)

    async def _refresh(self, entry: JobEntry, record: JobRecord) -> None:
        body = await self.client.get_job(record.namespace, record.name)
        if body is None or body["metadata"]["uid"] != record.uid:
            self._state.remove_job(record.uid)
        elif self._state.take_reply(body) is None:
            entry.memory.fresh_version = record.resource_version


class Binder:
    """Writes the bindings that the scheduler decided on."""

    def __init__(self, state: State, writer: HubWriter, *, specs: JobSpecs, targets: OfferTargets) -> None:
        """Keep what it works with."""
        self._state, self._writer, self._specs, self._targets = state, writer, specs, targets

    async def bind(
        self, entry: JobEntry, record: JobRecord, assignment: Assignment, *, now: Callable[[], int], policy: RetryPolicy
    ) -> bool:
        """Write the binding on the resourceVersion the plan was computed from; a job that changed since is dropped. Tell whether it was."""
        exists, _ = self._targets.offer_state(assignment.offer)
        namespace = self._targets.remote_namespace(assignment.offer, record.namespace)
        if record.resource_version != assignment.job.resource_version or not record.waits or not exists or namespace is None:
            return False
        try:
            await self._specs.check_dependencies(record, assignment.demand.alternative)
        except CopyRejected as missing:
            policy.again(entry.retries, (DEPENDENCIES, ANY_VERSION), now())
            self._state.pending.changed(entry)
            status = record.status.refused(reason=missing.reason, message=missing.message, at=now())
            if status != record.status or is_refusal_outdated(record.status, record.generation):
                await self._writer.write(entry, record, status)
            return False
        if not record.has_finalizer:
            record = await self._writer.add_finalizer(record)
        binding = self._binding(record, assignment, namespace=namespace, now=now())
        status = record.status.bound(binding, assignment.verdicts, generation=record.generation)
        await self._writer.write(entry, record, status)
        entry.memory.attempt, entry.memory.fresh_version = AttemptMemory(number=binding.attempt, bound_here=True), ""
        for kind in (DEPENDENCIES, ABSENCE):
            entry.retries.pop(kind, None)
        return True

    def _binding(self, record: JobRecord, assignment: Assignment, *, namespace: str, now: int) -> Binding:
        demand = assignment.demand
        pool = self._state.allocations.pool_of(assignment.offer, assignment.pool)
        return Binding(
            offer=assignment.offer,
            cluster_uid=assignment.cluster_uid,
            attempt=assignment.job.attempts + 1,
            pool=assignment.pool,
            accelerator_class=pool.accelerator.name if pool and pool.accelerator and demand.requirement else None,
            alternative=demand.alternative,
            replicas=assignment.replicas,
            namespace=namespace,
            name=remote_name(self._specs.hub_id, record.uid),
            bound_at=now,
            use=_charged_use(assignment),
        )


def _charged_use(assignment: Assignment) -> ChargedUse | None:
    """Return what the queue is charged for the declared span; None where that is nothing."""
    span, charge = assignment.demand.span_seconds, min(assignment.charge, MAX_CHARGED)
    return ChargedUse(amount=charge, seconds=UNDECLARED if span is None else span) if charge else None
