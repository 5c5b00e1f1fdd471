"""What a rule of a job's life may look at: the job, what its member is known to hold, the time, and what follows from them. Pure.

Also where a job stands: each place is a `Stage`, and each has its rules (table).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from sampan.api.launch.manifest import in_queue
from sampan.controller.members.job_copies import attempt_beside
from sampan.controller.observation.attempt import Observation
from sampan.controller.reconcile.actions import Times
from sampan.controller.reconcile.endings import is_late, observed_ending, start_deadline, suspended_words
from sampan.controller.reconcile.mirror import CopyView, counters_due, explained, inquiry_due, may_pass, summary
from sampan.controller.reconcile.view.blocker import start_blocker
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.entry import RetryState
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.lifecycle import Phase
from sampan.model.status.attempt import Binding, Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, StatedReason
from sampan.model.status.remote import RemoteStatus

PROOF_MILLIS: Final = 3000
"""How long to wait for the pod that explains a failure before it is recorded without."""


class Stage(StrEnum):
    """Where a job stands between the hub and its member."""

    WAITING = "Waiting"
    SUSPENDED = "Suspended"
    UNREACHABLE = "Unreachable"
    NO_COPY = "NoCopy"
    OTHER_COPY = "OtherCopy"
    STARTING = "Starting"
    RUNNING = "Running"
    REMOVING = "Removing"
    FINISHED = "Finished"
    DELETING = "Deleting"


MEANING: Final[Mapping[Stage, str]] = {
    Stage.WAITING: "Pending without a binding: the scheduler finds a place",
    Stage.SUSPENDED: "without a binding, until the user lets it go on",
    Stage.UNREACHABLE: "an attempt is open, and its member cannot be looked at",
    Stage.NO_COPY: "an attempt is open, and its copy is not on the member: not yet, or no more",
    Stage.OTHER_COPY: "an attempt is open, and the member has a copy of another one",
    Stage.STARTING: "an attempt is open, and its copy does not run yet",
    Stage.RUNNING: "an attempt is open, and its copy was seen running",
    Stage.REMOVING: "the attempt has ended; its binding stays until nothing of it is left",
    Stage.FINISHED: "the job has ended for good",
    Stage.DELETING: "the user deleted the job",
}


@dataclass(frozen=True)
class Position:
    """One job at one moment, and where it stands."""

    job: JobRecord
    remote: RemoteState
    times: Times

    @cached_property
    def stage(self) -> Stage:
        """Return where the job stands."""
        job = self.job
        if job.deleting:
            return Stage.DELETING
        if job.phase.ended:
            return Stage.FINISHED
        if job.phase is Phase.SUSPENDED:
            return Stage.SUSPENDED
        if job.binding is None:
            return Stage.WAITING
        return self._stage_of_attempt() if job.attempt_open else Stage.REMOVING

    def _stage_of_attempt(self) -> Stage:
        if not self.remote.reachable:
            return Stage.UNREACHABLE
        if self.remote.job is None:
            return Stage.NO_COPY
        if self.copy_attempt != self.binding.attempt:
            return Stage.OTHER_COPY
        return Stage.STARTING if self.job.phase is Phase.BOUND else Stage.RUNNING

    @property
    def binding(self) -> Binding:
        """Return the binding of a job that has one."""
        assert self.job.binding is not None
        return self.job.binding

    @property
    def copy(self) -> RemoteJob:
        """Return the copy where one is there."""
        assert self.remote.job is not None
        return self.remote.job

    @property
    def copy_attempt(self) -> int:
        """Return the attempt that the copy counts as."""
        return attempt_beside(self.copy, self.binding)

    @property
    def is_later_copy(self) -> bool:
        """Tell whether the copy is of a later attempt than the hub knows."""
        return self.remote.job is not None and self.copy_attempt > self.binding.attempt

    @property
    def gone(self) -> bool:
        """Tell whether nothing of the attempt can be left: proved, or none was ever sent, or no offer leads there.

        An offer's own finalizer leaves only after all its copies were proved gone.
        """
        return not self.remote.offer_exists or self.remote.absent or self.remote.unsent

    @property
    def late(self) -> bool:
        """Tell whether the attempt has not started in time."""
        return is_late(self.job, self.times.now)

    @property
    def until_late(self) -> int:
        """Return the milliseconds until the attempt must have started."""
        return start_deadline(self.job) - self.times.now


@dataclass(frozen=True)
class Situation(Position):
    """The same with what is seen and was tried. What takes work is worked out when a rule asks for it, and once."""

    @property
    def created(self) -> RetryState | None:
        """Return how often the create of this attempt was tried."""
        return self.remote.tried("Create", str(self.binding.attempt))

    @cached_property
    def started(self) -> RetryState | None:
        """Return how often the start of this copy was tried, where that is ours and has not come about; None elsewhere."""
        return self.remote.tried("Start", self.copy.metadata.uid) if self.needs_start else None

    @property
    def suspended_by_us(self) -> bool:
        """Tell whether the copy is suspended and it is ours to lift that: no queue of the member does."""
        return self.copy.spec.suspend and not in_queue(self.copy.metadata.labels)

    @cached_property
    def needs_start(self) -> bool:
        """Tell whether the copy waits for us to lift its suspension."""
        copy = self.copy
        unstarted = self.job.phase is Phase.BOUND and copy.status.start_time is None
        return self.suspended_by_us and unstarted and not copy.metadata.deletion_timestamp and not self.late

    @cached_property
    def seen(self) -> Observation:
        """Return what is seen of the copy, be it gone by now, with why a start failed or a member suspended it again."""
        seen, copy = self.remote.observation, self.remote.job
        assert seen is not None
        if copy is None:
            return seen
        if self.started is not None:
            seen = _not_started(seen, self.started, self.times.now)
        if copy.spec.suspend and copy.status.start_time is not None:
            reason, _ = suspended_words()
            seen = replace(seen, reason=reason, message="The member suspended the job after it had started.")
        return seen

    @property
    def unproved(self) -> bool:
        """Tell whether the pods' watch may still bring the pod that shows why the copy failed."""
        seen = self.remote.observation
        return seen is not None and not seen.proved and self.remote.final_for < PROOF_MILLIS

    @property
    def ending(self) -> Ending | None:
        """Return how the attempt ended by what is seen; None where it has not."""
        return observed_ending(self.job, self.seen, self.times.now)

    @cached_property
    def blocker(self) -> StatedReason | None:
        """Return why the copy cannot start as it is; None where it may yet start."""
        return start_blocker(self.seen, self.remote.event)

    @property
    def until_given_up(self) -> int | None:
        """Return in how many milliseconds a copy that cannot start as it is is given up; None where it may yet start."""
        return None if self.blocker is None else max(self.times.start_grace - self.remote.blocked_for, 0)

    @cached_property
    def explained(self) -> Observation:
        """Return what is seen, with what the member's events say where its pods say nothing."""
        return explained(self.job, self.seen, self.remote, times=self.times)

    @cached_property
    def told(self) -> RemoteStatus:
        """Return `status.remote` as it should be."""
        return summary(self.job, self.explained, self.times)

    @property
    def mirrored(self) -> JobStatus:
        """Return the status with what is seen now."""
        return self.job.status.seen(self.told, self.copy.metadata.uid, at=self.times.now)

    @cached_property
    def inquiry(self) -> int | None:
        """Return in how many milliseconds the member's events are to be asked for; None: there is no need."""
        look = CopyView(self.copy, self.explained, self.remote.still_for)
        return inquiry_due(self.job, look, self.remote, times=self.times)

    @cached_property
    def counters(self) -> int | None:
        """Return in how many milliseconds what is seen is to be written; None where nothing changed."""
        return counters_due(self.job, self.told, self.times, still_for=self.remote.still_for)

    @cached_property
    def longer_deadline(self) -> int | None:
        """Return the deadline to set on the member where the user gave the bound job a longer one; none while its start is left to us."""
        spec, chosen, copy = self.job.spec, self.binding.alternative, self.copy
        if self.suspended_by_us or spec is None or (chosen is not None and spec.alternatives[chosen].active_deadline_seconds is not None):
            return None
        wanted, current = spec.active_deadline_seconds, copy.spec.active_deadline_seconds
        return wanted if wanted is not None and current is not None and wanted > current else None

    @property
    def extended(self) -> RetryState | None:
        """Return how often a longer deadline was given to this copy."""
        return self.remote.tried("Extend", self.copy.metadata.uid)


def _not_started(seen: Observation, started: RetryState, now: int) -> Observation:
    """Return what is seen of a copy whose start failed, or was undone: once may be chance."""
    if may_pass(started, now):
        return replace(seen, reason=NO_WORD, message="")
    reason, message = (started.reason, started.message) if started.reason else suspended_words()
    return replace(seen, reason=reason, message=message)
