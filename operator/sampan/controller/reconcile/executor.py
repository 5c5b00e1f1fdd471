"""Does on a member what was decided about one job's copy. Idempotent; decides nothing.

Every outcome that is not known is looked up by name. Touches only objects that carry our hub identity, the job's UID and the attempt.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, assert_never

from sampan.api.launch.manifest import job_manifest
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.dependencies import ReconcileCounters, ReconcilerDeps
from sampan.controller.reconcile.inquiry import Inquiry
from sampan.controller.reconcile.job_specs import CopyRejected, JobSpecs, PoolGone
from sampan.controller.reconcile.member_calls import Link, Members, RemoteJobs
from sampan.controller.reconcile.member_words import call_failure, is_final, lacks_permission, needs_review
from sampan.controller.reconcile.retries import RetryPolicy
from sampan.controller.state.entry import ABSENCE, JobEntry
from sampan.controller.state.record import JobRecord
from sampan.kube.errors import AlreadyExists, Forbidden, Invalid, KubeError, NotFound, TLSFailure, Unauthorized, Unreachable
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.transport.paths import resource_path
from sampan.model.lifecycle import Outcome
from sampan.model.status.attempt import Binding, Ending
from sampan.model.status.reasons import AttemptReason

SECOND_LOOK: Final = 5
"""Seconds after a call whose effect the watch has not shown by then."""
CREATE_GRACE: Final = 2_000
"""Milliseconds on top of a call's timeout after which a create cannot be on its way any more."""
Refused = CopyRejected | PoolGone | KubeError


class ActionExecutor:
    """Executes actions. `enqueue(uid, seconds)` has a job looked at again."""

    def __init__(
        self,
        dependencies: ReconcilerDeps,
        *,
        counters: ReconcileCounters,
        policy: RetryPolicy,
        enqueue: Callable[[str, float], None],
    ) -> None:
        """Keep what it works with."""
        self._members, self._clock, self._enqueue, self._policy = dependencies.members, dependencies.clock, enqueue, policy
        self._view, self._inquiry = dependencies.view, Inquiry(dependencies.clock)
        self._outputs = dependencies.outputs
        self.creator = CopyCreator(dependencies.specs, self._members, counters=counters, clock=self._clock)
        self._remotes = self.creator.remotes
        self._create_millis = int(dependencies.settings.call_timeout * 1000) + CREATE_GRACE
        self._since = dependencies.clock()

    async def execute(self, entry: JobEntry, record: JobRecord, action: a.MemberAction) -> bool:
        """Do one thing that was decided on this record; return whether it is worth asking again at once."""
        binding = record.binding
        assert binding is not None
        link = self._members.link_of(binding.cluster_uid)
        if link is None:
            raise NotFound(0, "NoLink", f"no offer leads to cluster {binding.cluster_uid} now")
        try:
            return await self._follow(link, entry, record, action=action)
        except (Unauthorized, Forbidden, Unreachable, TLSFailure) as error:
            if not isinstance(error, Forbidden) or lacks_permission(error):
                link.request_review()
            raise

    async def _follow(self, link: Link, entry: JobEntry, record: JobRecord, *, action: a.MemberAction) -> bool:
        """Do it on the member that the link leads to."""
        binding = record.binding
        assert binding is not None
        match action:
            case a.Create():
                return await self.creator.create(link, entry, record)
            case a.Start(copy):
                return await self._start(link, entry, record, copy=copy)
            case a.Extend(copy, seconds):
                await self._remotes.extend(link, binding, copy, seconds=seconds)
            case a.Remove(uid):
                await self._outputs.keep(link.client, record, link.copies.pods.of(record.uid, binding.namespace))
                if not await self._remotes.remove(link, binding, uid):
                    link.copies.forget(record.uid, uid)  # an answer that came after the watch had told of its end
            case a.Sweep():
                await self._remotes.sweep(link, record.uid, binding)
            case a.Confirm():
                return await self._confirm(link, entry, record, binding=binding)
            case a.Inquire(copy):
                pods = link.copies.pods.of(record.uid, binding.namespace)
                words = await self._inquiry.ask(link.client, binding.cluster_uid, copy, pods=pods)
                entry.memory.of(binding.attempt).event = words
                return True
            case _:
                assert_never(action)
        self._enqueue(record.uid, SECOND_LOOK)
        return False

    async def _start(self, link: Link, entry: JobEntry, record: JobRecord, *, copy: RemoteJob) -> bool:
        binding = record.binding
        assert binding is not None
        try:
            await self._remotes.start(link, record, copy)
        except (CopyRejected, PoolGone, Invalid, Forbidden) as error:
            self.creator.reject(entry, binding, error)
        return True

    async def _confirm(self, link: Link, entry: JobEntry, record: JobRecord, *, binding: Binding) -> bool:
        """Prove absence: only when no create of ours, or of an operator before us, can still be on its way."""
        memory = entry.memory.of(binding.attempt)
        sent = max(binding.bound_at, self._since if memory.create_sent_at is None else memory.create_sent_at)
        left = sent + self._create_millis - self._clock()
        if binding.remote_uid is None and left > 0:
            self._enqueue(record.uid, left / 1000)
            return False
        there = await self._remotes.get(link, binding)
        if there is not None and self._remotes.is_copy(there, record.uid, binding):
            self._view.adopt(memory, there)
            return self._ask_again(entry, binding, now=True)
        memory.job_absent = True
        if not await self._remotes.pods_gone(link, record.uid, binding):
            return self._ask_again(entry, binding, now=record.attempt_open)
        memory.gone = True
        entry.retries.pop(ABSENCE, None)
        return True

    def _ask_again(self, entry: JobEntry, binding: Binding, *, now: bool) -> bool:
        """Ask the member again, later and later; the watches say more, and this is the second net."""
        tried = self._policy.again(entry.retries, (ABSENCE, str(binding.attempt)), self._clock())
        self._enqueue(entry.uid, tried.remaining(self._clock()) / 1000)
        return now


class CopyCreator:
    """Creates copies, or adopts what was created before; a member that will not have one ends the attempt."""

    def __init__(self, specs: JobSpecs, members: Members, *, counters: ReconcileCounters, clock: Callable[[], int]) -> None:
        """Keep what it works with."""
        self.remotes = RemoteJobs(specs)
        self.specs, self._members, self._counters, self._clock = specs, members, counters, clock

    async def create(self, link: Link, entry: JobEntry, record: JobRecord) -> bool:
        """Create the copy of the bound attempt, or adopt it; return whether it is worth asking again at once."""
        binding = record.binding
        assert binding is not None
        memory = entry.memory.of(binding.attempt)
        pull_secrets = self._members.pull_secrets(binding.offer)
        memory.create_sent_at = self._clock()
        unsure, memory.create_unanswered = memory.create_unanswered, True
        try:
            made = await self.post(link, record, binding, pull_secrets=pull_secrets)
        except (CopyRejected, PoolGone, KubeError) as error:
            if not (isinstance(error, KubeError) and error.outcome_unknown):
                memory.create_unanswered = unsure
            if isinstance(error, KubeError) and not is_final(error):
                raise
            if isinstance(error, KubeError) and needs_review(error):
                link.request_review()
            self.reject(entry, binding, error)
            memory.gone = memory.gone or memory.unsent  # no create of this attempt can be on its way: nothing is to be proved
            return True
        if made is not None:
            self._counters.created += 1
            await self._check_labels(link, entry, binding, made=made)
            return True
        memory.create_unanswered = unsure  # the name is taken: this one made nothing
        there = await self.remotes.get(link, binding)
        if there is None:
            return True
        if not self.remotes.is_copy(there, record.uid, binding):
            message = f"An object that is not ours has the name {binding.name} on the member."
            self.reject(entry, binding, CopyRejected(AttemptReason.NAME_CONFLICT, message))
            return True
        self._counters.adopted += 1
        link.copies.put(record.uid, binding.attempt, there)
        return True

    async def post(self, link: Link, record: JobRecord, binding: Binding, *, pull_secrets: tuple[str, ...]) -> RemoteJob | None:
        """Create the copy of the bound attempt. Returns it, or None where an object of that name is there already.

        Raises `PoolGone`, `CopyRejected` where the pool's devices cannot be asked for in this way, and `KubeError`s: with
        `outcome_unknown` it may have been created all the same.
        """
        spec = self.specs.of(record, binding, pull_secrets=pull_secrets)
        try:
            body = job_manifest(spec)
        except ValueError as error:
            raise CopyRejected(AttemptReason.LAUNCH_NOT_POSSIBLE, f"pool {binding.pool}: {error}") from None
        try:
            made = await link.client.create(resource_path("batch/v1", "jobs", namespace=binding.namespace), body, into=RemoteJob)
        except AlreadyExists:
            return None
        return link.copies.put(record.uid, binding.attempt, made)

    async def _check_labels(self, link: Link, entry: JobEntry, binding: Binding, *, made: RemoteJob) -> None:
        """Go on with what was made, unless the member took the labels off by which it is known for ours."""
        if self.remotes.is_ours(made, entry.uid):
            return
        link.copies.forget(entry.uid, made.metadata.uid)
        await self.remotes.remove(link, binding, made.metadata.uid)
        message = "an admission webhook or policy of the member takes our labels (sampan.dev/…) off the Job: it must let them be"
        self.reject(entry, binding, CopyRejected(AttemptReason.LABELS_REMOVED, message))

    def reject(self, entry: JobEntry, binding: Binding, error: Refused) -> None:
        """The member will not have this attempt: how it ends is written next, in the hub's lane. Its words are not trusted to be words."""
        ending = Ending(outcome=Outcome.REJECTED, reason=AttemptReason.POOL_GONE, message=str(error)[:256], ended_at=self._clock())
        if isinstance(error, CopyRejected):
            ending = replace(ending, reason=error.reason, message=error.message[:256])
        elif isinstance(error, KubeError):
            words = call_failure(error)
            ending = replace(ending, reason=words.reason, message=words.message, counted=not words.transient)
        entry.memory.rejection = binding.attempt, ending
