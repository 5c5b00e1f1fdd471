"""An hour of one job on members of any mood, woken all the time: calls stay few, and a job that cannot work ends or says why it waits.

`decide`, the tries, the status functions and the pauses are the real ones; the members, their moods and the scheduler are simulated here.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobs import NOW, OFFER, binding, body, copy, shown
from sampan.controller.observation.attempt import AttemptState, Observation
from sampan.controller.observation.failure import Cause, Failure
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.endings import with_ending
from sampan.controller.reconcile.member_words import call_failure, is_final
from sampan.controller.reconcile.retries import Retries, RetryPolicy, key_of
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.record import JobRecord, record_of
from sampan.kube import errors
from sampan.model.lifecycle import Outcome, Phase
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import NO_WORD, MemberWord, StatedReason
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339

CELLS = ((OFFER, "a"), (OFFER, "b"))
COOLDOWN = 300_000
HOUR = 3_600_000
STEP = 500
"""How often something wakes the reconciler, needed or not, in milliseconds."""
QUIET = 20_000
"""So long after the last call or write it is woken less often: only to get through the hour."""
MOST_CALLS, MOST_WRITES = 40, 40
"""Calls to members, and writes of the hub, in any minute."""
ERRORS = {
    "forbids": errors.Forbidden(403, "Forbidden", 'User "x" cannot create resource "jobs"'),
    "quota": errors.Forbidden(403, "Forbidden", "exceeded quota: jobs"),
    "policy": errors.Invalid(422, "Invalid", "ValidatingAdmissionPolicy 'x' denied request: no"),
    "gone": errors.NotFound(404, "NotFound", 'namespaces "sampan-jobs" not found'),
    "webhook": errors.ServerError(500, "InternalError", "failed calling webhook", outcome_unknown=True),
    "busy": errors.TooManyRequests(429, "TooManyRequests", "later", retry_after=20),
    "mute": errors.Unreachable("Timeout", "the server did not answer in time", outcome_unknown=True),
}
MOODS = (*ERRORS, "works", "suspends", "rejects", "disrupts", "crashes", "no-image", "no-pods", "vanishes", "holds", "fickle", "sets-back")
DEADLINE = {"activeDeadlineSeconds": 100}


def pods(state: AttemptState, reason: str = "", message: str = "no", *, pending: int = 0) -> Observation:
    """What is seen of a copy with one pod, or none."""
    counts = {"active": pending, "ready": 0, "succeeded": 0, "failed": 0, "pending": pending}
    return Observation(state=state, whole=False, reason=reason, message=message if reason else "", **counts)  # type: ignore[arg-type]


@dataclass
class Copy:
    """The Job on a member."""

    attempt: int
    mood: str
    made: int
    suspended: bool = True
    going: int | None = None


@dataclass
class Hour:
    """One job's hour."""

    moods: list[str]
    spec: dict[str, Any]
    now: int = NOW
    version: int = 10
    status: JobStatus = field(default_factory=JobStatus)
    copy: Copy | None = None
    seen: set[int] = field(default_factory=set)
    absent: int = 0
    told: tuple[StatedReason, str] = (NO_WORD, "")
    calls: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    known: JobRecord | None = None
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(lambda low, _: low))
    tries: Retries = field(default_factory=dict)

    @property
    def mood(self) -> str:
        """The mood of the member in this attempt."""
        return self.moods[(self.status.attempts_seen - 1) % len(self.moods)]

    def record(self) -> JobRecord:
        if self.known is None or self.known.status is not self.status:
            self.known = record_of(body(spec=self.spec, status=self.status, resourceVersion=str(self.version)), self.known)
        return self.known

    def write(self, status: JobStatus) -> None:
        assert status != self.status, "every write changes something"
        self.status, self.version = status, self.version + 1
        self.writes.append(self.now)

    # --- the member -----------------------------------------------------------------------------------------------

    def observation(self, there: Copy) -> Observation:
        """What the copy and its pods say."""
        mood = there.mood
        if there.suspended:
            return pods(AttemptState.WAITING, "Suspended")
        if mood in ("rejects", "disrupts"):
            ran = mood == "disrupts"
            cause = Failure(pod="p", cause=Cause.DISRUPTION, at=self.now, reason=MemberWord("UnexpectedAdmissionError"), ran=ran)
            return replace(pods(AttemptState.DISRUPTED, cause.reason), cause=cause)
        if mood == "no-image":
            return pods(AttemptState.STARTING, "ErrImagePull", f"port {self.now}", pending=1)
        if mood == "no-pods":
            return pods(AttemptState.WAITING)
        if mood == "fickle":
            return pods(AttemptState.STARTING, "ABCDEFG"[self.now // STEP % 7], pending=1)
        if mood == "crashes" and self.now - there.made >= 1_000:
            return replace(pods(AttemptState.APP_FAILED, "Error"), failed=1)
        if self.now - there.made >= 60_000 and mood != "sets-back":
            return replace(pods(AttemptState.SUCCEEDED), whole=True, succeeded=1)
        return replace(pods(AttemptState.RUNNING), whole=True, ready=1)

    def remote(self, record: JobRecord) -> RemoteState:
        """What `MemberView` would say."""
        where, there, job = record.binding, self.copy, None
        if where is None:
            return RemoteState()
        if there is not None and there.going is not None and there.mood != "holds" and self.now - there.going >= 1_000:
            self.copy = there = None
        if there is not None and there.mood == "vanishes" and self.now - there.made >= 2_000:
            self.copy = there = None
        if there is not None:
            self.seen.add(there.attempt)
            job = copy(attempt=there.attempt, suspend=there.suspended, deleting=there.going is not None, deadline=60)
            if there.mood == "holds" and there.going is not None:
                held = msgspec.structs.replace(job.metadata, deletion_timestamp=to_rfc3339(there.going), finalizers=["example.com/hold"])
                job = msgspec.structs.replace(job, metadata=held)
        return RemoteState(
            reachable=True,
            job=job,
            seen_before=where.attempt in self.seen,
            observation=self.observation(there) if there is not None else None,
            absent=self.absent == where.attempt and there is None,
            final_for=10_000,
            event=self.told,
            tries=self.tries,
        )

    # --- the operator ---------------------------------------------------------------------------------------------

    def act(self, record: JobRecord, action: a.Action) -> bool:
        """Do what the executor does; tell whether it would be asked again at once."""
        where = record.binding
        assert where is not None
        self.calls.append(self.now)
        self.kinds[type(action).__name__] += 1
        match action:
            case a.Create():
                if (error := ERRORS.get(self.mood)) is not None:
                    if not is_final(error):
                        raise error
                    words = call_failure(error)
                    ending = Ending(outcome=Outcome.REJECTED, reason=words.reason, ended_at=self.now, counted=not words.transient)
                    self.absent = where.attempt
                    self.write(with_ending(record, ending))
                    return True
                self.copy = Copy(where.attempt, self.mood, self.now)
                return True
            case a.Start():
                assert self.copy is not None
                self.copy.suspended = self.copy.mood == "suspends"
                return True
            case a.Remove():
                assert self.copy is not None
                self.copy.going = self.copy.going or self.now
            case a.Confirm():
                if self.copy is None:
                    self.absent = where.attempt
                    return True
            case a.Inquire():
                self.told = (NO_WORD, "")
                return True
        return False

    def steer(self) -> None:
        """Ask and act, as the reconciler does, until there is nothing to do at once."""
        for _ in range(30):
            record = self.record()
            times = a.Times(now=self.now, tombstone=30_000, counters=15_000, last_write=self.writes[-1] if self.writes else 0)
            action = decide(record, self.remote(record), times)
            if isinstance(action, a.Wait):
                return
            if isinstance(action, a.Patch):
                self.write(action.status)
                continue
            key = key_of(action, attempt=record.binding.attempt if record.binding else 0, version=record.resource_version)
            assert key is not None
            try:
                again = self.act(record, action)
            except errors.KubeError as error:
                self.policy.failed(self.tries, key, self.now, failure=call_failure(error))
                continue
            self.policy.succeeded(self.tries, key, self.now)
            if not again:
                return
        raise AssertionError(f"no end of actions; the last was {action}")

    def bind(self) -> None:
        """Place the job as the scheduler does: where no cell cools down, by the first alternative that is open."""
        record = self.record()
        if not record.waits or record.not_before() > self.now:
            return
        cooling = record.cooling(COOLDOWN)
        cell = next((each for each in CELLS if cooling.get(each, 0) <= self.now), None)
        if cell is None:
            return
        where = replace(binding(attempt=self.status.attempts_seen + 1, bound_at=self.now), pool=cell[1])
        numbers = range(len(self.spec.get("alternatives", ())))
        where = replace(where, alternative=next((number for number in numbers if number not in record.closed), None))
        self.told = (NO_WORD, "")
        self.write(self.status.bound(where, (), generation=1))

    def pass_(self, until: int = NOW + HOUR) -> None:
        """Let the hour pass."""
        while self.now < until:
            self.bind()
            self.steer()
            busy = self.now - max((*self.calls[-1:], *self.writes[-1:]), default=0) < QUIET
            self.now += STEP if busy else 10 * STEP


def most_in_a_minute(moments: list[int]) -> int:
    """The most moments in any minute."""
    return max((sum(first <= each < first + 60_000 for each in moments[at : at + 400]) for at, first in enumerate(moments)), default=0)


ALTERNATIVES = [{"accelerator": {"vendor": each, "count": 1}} for each in ("nvidia", "amd")]
NO_LIMIT = {**DEADLINE, "startDeadlineSeconds": 20, "retry": {"maxRestarts": 100, "backoffSeconds": 1, "maxRejected": 100}}
"""A user who gives up as late, and asks to be tried again as soon, as can be."""
SPECS = st.sampled_from(
    (
        {"startDeadlineSeconds": 20},
        {"startDeadlineSeconds": 600, "retry": {"maxRejected": 5}},
        {**DEADLINE, "retry": {"maxRestarts": 100, "backoffSeconds": 1}},
        {"startDeadlineSeconds": 20, "alternatives": ALTERNATIVES},
        NO_LIMIT,
        {**NO_LIMIT, "startDeadlineSeconds": 600, "alternatives": ALTERNATIVES},
    )
)


@settings(max_examples=25, deadline=None)
@given(moods=st.lists(st.sampled_from(MOODS), min_size=1, max_size=4), spec=SPECS)
@example(moods=["suspends"], spec={})
@example(moods=["rejects"], spec={})
@example(moods=["disrupts"], spec={})
@example(moods=["webhook"], spec={})
@example(moods=["fickle"], spec={"startDeadlineSeconds": 3_600})
@example(moods=["sets-back"], spec=DEADLINE)
@example(moods=["suspends", "vanishes"], spec={**DEADLINE, "retry": {"maxRestarts": 100, "backoffSeconds": 1}})
@example(moods=["crashes", "suspends"], spec=NO_LIMIT)
def test_calls_stay_few_and_a_job_ends_or_says_why_it_waits(moods: list[str], spec: dict[str, Any]) -> None:
    hour = Hour(moods, spec)
    hour.pass_()
    assert most_in_a_minute(hour.calls) <= MOST_CALLS, hour.kinds
    assert most_in_a_minute(hour.writes) <= MOST_WRITES
    last_minute = NOW + HOUR - 60_000
    assert sum(each >= last_minute for each in hour.calls) <= 12, "what never works is tried ever more seldom"
    phase = hour.status.phase
    if phase in (Phase.PENDING, Phase.BOUND):
        since = from_rfc3339((shown(hour.status).get("binding") or {}).get("boundAt")) or 0
        assert hour.status.reason not in ("Bound", "NotStarted") or hour.now - since <= 11_000, hour.status
        assert hour.status.message


@pytest.mark.parametrize("mood", ["suspends", "rejects", "no-image", "no-pods", "forbids", "policy", "gone", "vanishes"])
def test_what_cannot_work_has_ended_within_the_hour_with_its_reason(mood: str) -> None:
    hour = Hour([mood], {"startDeadlineSeconds": 60})
    hour.pass_()
    assert hour.status.phase is Phase.FAILED, hour.status
    assert hour.status.reason
    assert len(shown(hour.status)["attempts"]) <= 3


@pytest.mark.parametrize("seconds", [20, 600])
@pytest.mark.parametrize("mood", ["webhook", "quota", "busy", "mute"])
def test_what_may_pass_is_waited_for_at_a_few_calls_a_minute(mood: str, seconds: int) -> None:
    hour = Hour([mood], {"startDeadlineSeconds": seconds})
    hour.pass_()
    assert not hour.status.phase.ended
    assert len(hour.calls) <= 150
    hour.moods = ["works"]
    hour.pass_(until=NOW + HOUR + 2 * COOLDOWN)
    assert hour.status.phase is Phase.SUCCEEDED
