"""Does what was decided about one job: writes on the hub, calls on the member. Idempotent; decides nothing.

Every hub write is a compare-and-set on the record it was decided on; every outcome that is not known is looked up by name.
"""

from collections.abc import Callable
from dataclasses import replace

from sampan.api.status import job_status
from sampan.api.status.generation import is_refusal_outdated
from sampan.api.status.job_status import Binding, Ending
from sampan.controller.hub.client import Body
from sampan.controller.observation.view import UNLABELLED_MILLIS, ObservedLink
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.dependencies import ReconcileCounters, ReconcilerDeps
from sampan.controller.reconcile.endings import with_ending
from sampan.controller.reconcile.inquiry import Inquiry
from sampan.controller.reconcile.member_calls import CopyRejected, PoolGone
from sampan.controller.reconcile.member_words import call_failure, is_final, lacks_permission, needs_review
from sampan.controller.runtime.logs import log_status_change
from sampan.controller.state.record import JobRecord, record_of
from sampan.kube.errors import Forbidden, Invalid, KubeError, NotFound, TLSFailure, Unauthorized, Unreachable
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.lifecycle import Outcome
from sampan.model.plan import Assignment
from sampan.model.status.reasons import AttemptReason
from sampan.model.values.names import remote_name
from sampan.model.values.quantity import MICRO
from sampan.scheduling.queueing.charge import UNDECLARED

MAX_CHARGED = 999_999_999 * MICRO
"""What fits into the status."""


class ActionExecutor:
    """Executes actions. `enqueue(uid, after=seconds)` has a job looked at again."""

    def __init__(self, dependencies: ReconcilerDeps, counters: ReconcileCounters, enqueue: Callable[[str, float], None]) -> None:
        """Keep what it works with."""
        self._state, self._members, self._hub = dependencies.state, dependencies.members, dependencies.hub
        self._remotes, self._view, self._settings = dependencies.remotes, dependencies.view, dependencies.settings
        self._hub_id, self._clock = dependencies.hub_id, dependencies.clock
        self._counters, self._enqueue = counters, enqueue
        self._inquiry = Inquiry(dependencies.clock)
        self._last_write: dict[str, int] = {}
        self._create_sent_at: dict[str, int] = {}
        self._bound_here: dict[str, int] = {}
        """The attempt whose binding this process wrote: nobody else can have sent a create of it."""
        self._create_unanswered: dict[str, int] = {}
        """The attempt of which a create was sent without an answer that tells whether it was carried out."""
        self._absence_checks: dict[str, int] = {}
        self._incomplete: dict[str, int] = {}
        self._since = dependencies.clock()

    def times(self, record: JobRecord) -> a.Times:
        """Return the moment and the delays a decision about this job needs."""
        return a.Times(
            now=self._clock(),
            tombstone=int(self._settings.tombstone * 1000),
            counters=int(self._settings.counters_interval * 1000),
            last_write=self._last_write.get(record.uid, 0),
        )

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a job that is gone."""
        self._last_write.pop(uid, None)
        for known in (self._create_sent_at, self._absence_checks, self._incomplete, self._bound_here, self._create_unanswered):
            known.pop(uid, None)
        self._view.forget(uid)

    def _link(self, binding: Binding) -> ObservedLink:
        link = self._members.link_of(binding.cluster_uid)
        if link is None:
            raise NotFound(0, "NoLink", f"no offer leads to cluster {binding.cluster_uid} now")
        return link

    async def bind(self, record: JobRecord, assignment: Assignment) -> None:
        """Write the binding on the resourceVersion the plan was computed from; a job that changed since is dropped."""
        exists, _ = self._members.offer_state(assignment.offer)
        if record.resource_version != assignment.job.resource_version or not record.waits or not exists:
            return
        try:
            await self._remotes.check_dependencies(record)
        except CopyRejected as missing:
            await self._refuse_incomplete(record, missing)
            return
        if not record.has_finalizer:
            body = await self._hub.add_finalizer(record)
            self._apply_reply(body)
            record = record_of(body, record)  # not what the state has: its event may have come first
        namespace, _ = self._members.remote_target(assignment.offer)
        demand = assignment.demand
        pool = self._state.pool_of(assignment.offer, assignment.pool)
        binding = Binding(
            offer=assignment.offer,
            cluster_uid=assignment.cluster_uid,
            attempt=assignment.job.attempts + 1,
            pool=assignment.pool,
            accelerator_class=pool.accelerator.name if pool and pool.accelerator and demand.requirement else None,
            alternative=demand.alternative,
            replicas=assignment.replicas,
            namespace=namespace,
            name=remote_name(self._hub_id, record.uid),
            bound_at=self._clock(),
            charge=min(assignment.charge, MAX_CHARGED),
            charged_seconds=UNDECLARED if demand.span_seconds is None else demand.span_seconds,
        )
        status = job_status.bound(record.status, binding, assignment.verdicts, generation=record.generation)
        await self._write(record, status)
        self._view.forget(record.uid)
        self._view.mark_unsent(record.uid, binding.attempt)
        for known in (self._create_sent_at, self._absence_checks, self._incomplete):
            known.pop(record.uid, None)
        self._bound_here[record.uid] = binding.attempt
        self._counters.bound += 1

    async def _refuse_incomplete(self, record: JobRecord, missing: CopyRejected) -> None:
        times = self._incomplete[record.uid] = self._incomplete.get(record.uid, 0) + 1
        self._state.back_off(record.uid, until=self._clock() + min(5_000 << min(times, 4), 60_000))
        status = job_status.refused(record.status, reason=missing.reason, message=missing.message, at=self._clock())
        if status != record.status or is_refusal_outdated(record.status, record.generation):
            await self._write(record, status)

    async def execute(self, record: JobRecord, action: a.Action) -> bool:
        """Do one thing; return whether it is worth asking again at once."""
        binding = record.binding
        match action:
            case a.Patch(status):
                await self._write(record, status)
                return True
            case a.Release():
                self._apply_reply(await self._hub.remove_finalizer(record))
                return False
            case a.Expire():
                await self._hub.delete(record)
                return False
            case a.Refresh():
                return await self._refresh(record)
        assert binding is not None
        link = self._link(binding)
        try:
            return await self._execute_on_member(link, record, action)
        except (Unauthorized, Forbidden, Unreachable, TLSFailure) as error:
            if not isinstance(error, Forbidden) or lacks_permission(error):
                link.request_review()
            raise

    async def _execute_on_member(self, link: ObservedLink, record: JobRecord, action: a.Action) -> bool:
        """Do one thing on the member."""
        binding = record.binding
        assert binding is not None
        match action:
            case a.Create():
                return await self._create(link, record, binding)
            case a.Start(copy):
                return await self._start(link, record, copy)
            case a.Extend(copy, seconds):
                await self._remotes.extend(link, binding, copy, seconds=seconds)
            case a.Remove(uid):
                known = link.jobs.get(record.uid)
                if not await self._remotes.remove(link, binding, uid) and known is not None and known.metadata.uid == uid:
                    link.jobs.pop(record.uid, None)  # an answer that came after the watch had told of its end
            case a.Sweep():
                await self._remotes.sweep(link, record, binding)
            case a.Confirm():
                return await self._confirm(link, record, binding)
            case a.Inquire(copy):
                pods = link.own_pods.get(record.uid, {}).values()
                words = await self._inquiry.ask(link.client, binding.cluster_uid, copy, pods=pods)
                self._view.record_event(record.uid, binding.attempt, words)
                return True
        self._enqueue(record.uid, 5)  # the watch says more; this is the second net
        return False

    async def _create(self, link: ObservedLink, record: JobRecord, binding: Binding) -> bool:
        _, pull_secrets = self._members.remote_target(binding.offer)
        self._create_sent_at[record.uid] = self._clock()
        unsure, self._create_unanswered[record.uid] = self._create_unanswered.get(record.uid), binding.attempt
        self._view.mark_sending(record.uid)
        try:
            made = await self._remotes.create(link, record, binding, pull_secrets=pull_secrets)
        except (CopyRejected, PoolGone, KubeError) as error:
            if not (isinstance(error, KubeError) and error.outcome_unknown) and unsure != binding.attempt:
                self._create_unanswered.pop(record.uid)
                if self._bound_here.get(record.uid) == binding.attempt:
                    self._view.mark_unsent(record.uid, binding.attempt)
            if isinstance(error, KubeError) and not is_final(error):
                raise
            if isinstance(error, KubeError) and needs_review(error):
                link.request_review()
            await self._reject(record, error, nothing_made=True)
            return True
        if made is not None:
            self._counters.created += 1
            return await self._check_labels(link, record, binding, made=made)
        there = await self._remotes.get(link, binding)
        if there is None:
            return True
        if not self._remotes.is_copy(there, record, binding):
            message = f"An object that is not ours has the name {binding.name} on the member."
            return await self._reject(record, CopyRejected(AttemptReason.NAME_CONFLICT, message))
        self._counters.adopted += 1
        link.jobs[record.uid] = there
        return True

    async def _check_labels(self, link: ObservedLink, record: JobRecord, binding: Binding, *, made: RemoteJob) -> bool:
        """Go on with what was made, unless the member took the labels off by which it is known for ours."""
        if self._remotes.is_ours(made, record.uid):
            return True
        link.jobs.pop(record.uid, None)
        await self._remotes.remove(link, binding, made.metadata.uid)
        message = "an admission webhook or policy of the member takes our labels (sampan.dev/…) off the Job: it must let them be"
        return await self._reject(record, CopyRejected(AttemptReason.LABELS_REMOVED, message))

    async def _start(self, link: ObservedLink, record: JobRecord, copy: RemoteJob) -> bool:
        try:
            await self._remotes.start(link, record, copy)
        except (CopyRejected, PoolGone, Invalid, Forbidden) as error:
            return await self._reject(record, error)
        return True

    async def _reject(self, record: JobRecord, error: CopyRejected | PoolGone | KubeError, *, nothing_made: bool = False) -> bool:
        """The member will not have this attempt: record it, so that the job goes elsewhere. Its words are not trusted to be words.

        `nothing_made`: that is the answer to a create. If no other create of this attempt can be on its way, nothing is to be proved.
        """
        ending = Ending(outcome=Outcome.REJECTED, reason=AttemptReason.POOL_GONE, message=str(error)[:256], ended_at=self._clock())
        if isinstance(error, CopyRejected):
            ending = replace(ending, reason=error.reason, message=error.message[:256])
        elif isinstance(error, KubeError):
            words = call_failure(error)
            ending = replace(ending, reason=words.reason, message=words.message, counted=not words.transient)
        assert record.binding is not None
        attempt = record.binding.attempt
        await self._write(record, with_ending(record, ending))
        if nothing_made and self._bound_here.get(record.uid) == attempt and self._create_unanswered.get(record.uid) != attempt:
            self._view.confirm_gone(record.uid, attempt)
        return True

    async def _confirm(self, link: ObservedLink, record: JobRecord, binding: Binding) -> bool:
        """Prove absence: only when no create of ours, or of an operator before us, can still be on its way."""
        sent = max(binding.bound_at, self._create_sent_at.get(record.uid, self._since))
        left = sent + int(self._settings.call_timeout * 1000) + 2000 - self._clock()
        if binding.remote_uid is None and left > 0:
            self._enqueue(record.uid, left / 1000)
            return False
        there = await self._remotes.get(link, binding)
        if there is not None and self._remotes.is_copy(there, record, binding):
            self._view.adopt(record.uid, there)
            return self._recheck_absence(record.uid, now=True)
        self._view.mark_absent(record.uid, binding.attempt)
        if not await self._remotes.pods_gone(link, record, binding):
            return self._recheck_absence(record.uid, now=record.attempt_open)
        self._view.confirm_gone(record.uid, binding.attempt)
        self._absence_checks.pop(record.uid, None)
        return True

    def _recheck_absence(self, uid: str, *, now: bool) -> bool:
        """Ask the member again, later and later; the watches say more, and this is the second net."""
        asked = self._absence_checks[uid] = self._absence_checks.get(uid, 0) + 1
        self._enqueue(uid, min(1 << min(asked, 6), UNLABELLED_MILLIS // 1000))
        return now

    async def _refresh(self, record: JobRecord) -> bool:
        body = await self._hub.get_job(record.namespace, record.name)
        if body is None or body["metadata"]["uid"] != record.uid:
            self._state.remove_job(record.uid)
            return False
        if self._state.apply_job(body) is None:
            self._view.confirm_fresh(record)
        return True

    async def _write(self, record: JobRecord, status: job_status.Status) -> None:
        try:
            body = await self._hub.write_status(record, status)
        except KubeError as error:
            if error.outcome_unknown:
                await self._refresh(record)
            raise
        self._last_write[record.uid] = self._clock()
        log_status_change(record, status)
        self._apply_reply(body)

    def _apply_reply(self, body: Body) -> None:
        """Take in the reply to a write; a job that is gone by now, as the watch said meanwhile, stays gone."""
        if body["metadata"]["uid"] in self._state.jobs:
            self._state.apply_job(body)
