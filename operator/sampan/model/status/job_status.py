"""`ComputeJob.status` as a value: where a job is and what happened to it. Each step is a method and returns a new value.

What did not change is the same object in the new value. No decision here about what should happen next, and no manifest: `api/status`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sampan.model.lifecycle import Event, Outcome, Phase, follow
from sampan.model.plan import Verdict
from sampan.model.status.attempt import Attempt, Binding, Ending, Rejections, ended_attempt, one_more, without
from sampan.model.status.condition import Fact
from sampan.model.status.reasons import JobConditionType, JobReason, StatedReason
from sampan.model.status.remote import RemoteStatus, ReservedPlace
from sampan.model.status.stated import StatedConditions

MAX_ATTEMPTS: Final = 16
MAX_VERDICTS: Final = 16
_RESTARTING: Final = (Outcome.APP_FAILED, Outcome.LOST)
"""Outcomes after which a new attempt is a restart; of a copy that was lost nobody knows that it had not failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus(StatedConditions):
    """Where a job is. Without any field it is the status of a job that nobody has looked at yet. Times: milliseconds since the epoch."""

    phase: Phase = Phase.PENDING
    observed_generation: int | None = None
    binding: Binding | None = None
    attempts: tuple[Attempt, ...] = ()
    """Those that ended, by number; at most MAX_ATTEMPTS."""
    restarts: int = 0
    rejections: tuple[Rejections, ...] = ()
    verdicts: Sequence[Verdict] | None = None
    """What the cells were to the job when it was bound; None before that."""
    reservation: ReservedPlace | None = None
    remote: RemoteStatus | None = None
    started_at: int | None = None
    finished_at: int | None = None

    @property
    def last_attempt(self) -> Attempt | None:
        """Return the newest attempt that has ended."""
        return self.attempts[-1] if self.attempts else None

    @property
    def attempts_seen(self) -> int:
        """Return the highest attempt number ever used; the next attempt has this plus one."""
        newest = self.last_attempt
        return max(self.binding.attempt if self.binding else 0, newest.number if newest else 0)

    @property
    def attempt_is_open(self) -> bool:
        """Tell whether the bound attempt has no recorded end yet."""
        if self.binding is None or self.phase.ended:
            return False
        newest = self.last_attempt
        return newest is None or newest.number < self.binding.attempt

    def bound(self, binding: Binding, verdicts: Sequence[Verdict], *, generation: int) -> "JobStatus":
        """Return the status with the intent: phase Bound, the binding and the verdicts of this moment."""
        status = replace(
            self,
            phase=follow(self.phase, Event.INTENT),
            binding=binding,
            verdicts=tuple(verdicts[:MAX_VERDICTS]),
            observed_generation=generation,
            remote=None,
            started_at=None,
            reservation=None,
        )._may_fit(at=binding.bound_at)
        status = status._not_running(JobReason.NOT_STARTED, "", at=binding.bound_at)
        words = f"Bound to {binding.offer} pool {binding.pool}, attempt {binding.attempt}."
        return status.with_condition(Fact(JobConditionType.SCHEDULED, True, JobReason.BOUND, words), at=binding.bound_at)

    def running(self, *, at: int) -> "JobStatus":
        """Return the status of a job whose pods run."""
        rejections = without(self.rejections, self.binding.alternative if self.binding else None)
        status = replace(self, phase=follow(self.phase, Event.STARTED), started_at=at, rejections=rejections)
        return status.with_condition(Fact(JobConditionType.RUNNING, True, JobReason.PODS_RUNNING), at=at)

    def seen(self, remote: RemoteStatus, remote_uid: str | None, *, at: int) -> "JobStatus":
        """Return the status with what was last seen on the member, and while the job is bound with what delays its start."""
        binding = self.binding
        if binding is not None and remote_uid and binding.remote_uid != remote_uid:
            binding = replace(binding, remote_uid=remote_uid)
        status = replace(self, remote=remote, binding=binding)
        if self.phase is Phase.BOUND and self.attempt_is_open:
            if remote.reason or self.condition(JobConditionType.RUNNING) is not None:
                reason = remote.reason or JobReason.NOT_STARTED
                return status.with_condition(Fact(JobConditionType.RUNNING, False, reason, remote.message), at=at)
            return status
        return status.told(remote.reason, remote.message) if remote.reason else status

    def attempt_ended(self, ending: Ending) -> "JobStatus":
        """Return the status with the bound attempt's end recorded; the binding stays until the remote copy is proved gone."""
        binding = self.binding
        assert binding is not None
        if binding.use is not None:
            began = binding.bound_at or ending.ended_at
            binding = replace(binding, use=binding.use.lasted((ending.ended_at - began) // 1000))
        earlier = (each for each in self.attempts if each.number != binding.attempt)
        status = replace(
            self.without_stall(ending.ended_at),
            binding=binding,
            attempts=(*earlier, ended_attempt(binding, ending))[-MAX_ATTEMPTS:],
            remote=None if ending.outcome is Outcome.LOST else self.remote,  # what was last seen there is no longer so
        )
        return status._not_running(ending.reason, ending.message, at=ending.ended_at).told(ending.reason, ending.message)

    def rejected(self, alternative: int | None, reason: StatedReason) -> "JobStatus":
        """Return the status with one more attempt by an alternative that was rejected for a reason."""
        return replace(self, rejections=one_more(self.rejections, alternative, reason))

    def finished(self, event: Event, *, reason: StatedReason, message: str, at: int) -> "JobStatus":
        """Return the status of a job that has ended for good: Succeeded or Failed."""
        status = replace(self, phase=follow(self.phase, event), finished_at=at)
        condition = JobConditionType.COMPLETE if event is Event.SUCCEEDED else JobConditionType.FAILED
        return status.with_condition(Fact(condition, True, reason, message), at=at)

    def released(self, event: Event, *, reason: StatedReason, message: str, at: int) -> "JobStatus":
        """Return the status after the remote copy was proved gone: no binding, Pending (REQUEUED) or Suspended (SUSPENDED)."""
        newest = self.last_attempt
        restarted = event is Event.REQUEUED and newest is not None and newest.outcome in _RESTARTING
        status = replace(
            self.without_stall(at),
            phase=follow(self.phase, event),
            restarts=self.restarts + restarted,
            binding=None,
            remote=None,
            started_at=None,
        )
        if event is Event.SUSPENDED:
            status = status.with_condition(Fact(JobConditionType.SUSPENDED, True, reason, message), at=at)
        return status.refused(reason=reason, message=message, at=at)

    def suspended(self, *, at: int) -> "JobStatus":
        """Return the status of a waiting job whose user suspended it."""
        status = replace(self, phase=follow(self.phase, Event.SUSPENDED), reservation=None)
        fact = Fact(JobConditionType.SUSPENDED, True, JobReason.SUSPENDED_BY_USER, "spec.suspend is true.")
        return status.with_condition(fact, at=at)

    def resumed(self, *, at: int) -> "JobStatus":
        """Return the status of a job that its user lets go on."""
        status = replace(self, phase=follow(self.phase, Event.RESUMED))
        return status.with_condition(Fact(JobConditionType.SUSPENDED, False, JobReason.RESUMED), at=at)

    def refused(self, *, reason: StatedReason, message: str, at: int, never: bool = False) -> "JobStatus":
        """Return the status of a waiting job with the one reason why it waits; `never`: it waits in vain, as things are."""
        status = self._may_fit(at=at)
        if never:
            words = "no pool would take the job even if it were empty: change the job, or have it offered more"
            status = self.with_condition(Fact(JobConditionType.NEVER_FITS, True, reason, words), at=at)
        return status.with_condition(Fact(JobConditionType.SCHEDULED, False, reason, message), at=at)

    def reserved(self, place: ReservedPlace | None) -> "JobStatus":
        """Return the status of a waiting job with the place that is kept for it; None: none is."""
        return replace(self, reservation=place)

    def _may_fit(self, *, at: int) -> "JobStatus":
        """Return the status of a job that may find a place, if it was ever said that it will not."""
        told = self.condition(JobConditionType.NEVER_FITS)
        if told is None or not told.is_true:
            return self
        return self.with_condition(Fact(JobConditionType.NEVER_FITS, False, JobReason.MAY_FIT), at=at)

    def _not_running(self, reason: StatedReason, message: str, *, at: int) -> "JobStatus":
        """Return the status of a job that does not run, if it was ever said whether it does."""
        if self.condition(JobConditionType.RUNNING) is None:
            return self
        return self.with_condition(Fact(JobConditionType.RUNNING, False, reason, message), at=at)
