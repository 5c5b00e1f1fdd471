"""The part of a job's status that people read first: its conditions, and the newest word about it."""

from dataclasses import dataclass, replace
from typing import Self

from sampan.model.status.condition import IS_FALSE, Condition, Fact, find_condition, set_condition
from sampan.model.status.reasons import STALLS, JobConditionType, JobReason, StatedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedConditions:
    """Conditions with the one word and the one sentence that `kubectl get` shows. Each change is a new value; what stays is shared."""

    conditions: tuple[Condition, ...] = ()
    reason: str | None = None
    message: str | None = None

    def condition(self, kind: JobConditionType) -> Condition | None:
        """Return the condition of this type; None where it was never stated."""
        return find_condition(self.conditions, kind)

    def with_condition(self, fact: Fact, *, at: int) -> Self:
        """Return the status with one condition set, which is its newest word."""
        reason = fact.reason or JobReason.UNKNOWN
        conditions = set_condition(self.conditions, replace(fact, reason=reason), at=at)
        return replace(self, conditions=conditions, reason=str(reason), message=fact.message)

    def told(self, reason: StatedReason, message: str) -> Self:
        """Return the status with another newest word."""
        return replace(self, reason=str(reason), message=message)

    @property
    def stall(self) -> Condition | None:
        """Return the condition that says what stalls the job now: Deleting or Degraded; None where nothing does."""
        found = (self.condition(kind) for kind in STALLS)
        return next((condition for condition in found if condition is not None and condition.is_true), None)

    def with_stall(self, kind: JobConditionType, *, reason: StatedReason, message: str, at: int) -> Self:
        """Return the status with what stalls the job, which is its last condition and its newest word."""
        new = self.without_stall(at, but=kind)
        before = new.condition(kind)
        others = tuple(each for each in new.conditions if each.type != kind)
        known = () if before is None else (before,)
        return replace(
            new,
            conditions=(*others, *set_condition(known, Fact(kind, True, reason, message), at=at)),
            reason=str(reason),
            message=message,
        )

    def without_stall(self, at: int, *, but: JobConditionType | None = None) -> Self:
        """Return the status in which nothing stalls the job, `but` left as it is; the newest word is what was said before."""
        now = self.stall
        if now is None:
            return self
        reason = str(JobReason.RECOVERED)
        conditions = tuple(
            replace(each, status=IS_FALSE, reason=reason, message="", since=at)
            if each.type in STALLS and each.type != but and each.is_true
            else each
            for each in self.conditions
        )
        new = replace(self, conditions=conditions)
        before = (new.condition(kind) for kind in (JobConditionType.RUNNING, JobConditionType.SCHEDULED))
        told = [each for each in before if each is not None]
        newest = next((each for each in told if each.is_true), told[0] if told else None)
        if newest is None or (self.reason, self.message) != (now.reason, now.message):
            return new
        return replace(new, reason=newest.reason, message=newest.message)
