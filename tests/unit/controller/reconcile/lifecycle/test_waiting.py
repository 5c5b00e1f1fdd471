"""How a job ends that waits: for too long, or in vain."""

from dataclasses import replace
from typing import Any

from jobs import NOW, binding, bound_status, record
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.lifecycle.waiting import waits_until
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Event, Outcome
from sampan.model.reason import Reason
from sampan.model.status.attempt import Ending
from sampan.model.status.generation import with_observed_generation
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, JobConditionType, MemberWord
from unit.controller.reconcile.test_decide import TIMES, UNKNOWN

IN_VAIN = with_observed_generation(
    JobStatus().refused(reason=Reason.TOO_LARGE, message="no pool fits: 2 pools TooLarge (…)", at=NOW, never=True), JobStatus(), 1
)


def old(seconds: int, status: JobStatus | None = None, **spec: Any) -> JobRecord:
    """A waiting job of that age."""
    return replace(record(status=status, spec=spec), created=NOW - seconds * 1000)


def test_a_job_waits_no_longer_than_it_may() -> None:
    assert decide(old(59, maxWaitSeconds=60), UNKNOWN, TIMES) == a.Wait(1_000)
    assert decide(old(10**6), UNKNOWN, TIMES) == a.Wait(), "without a limit for ever"
    full = JobStatus().refused(reason=Reason.INSUFFICIENT_CAPACITY, message="no pool fits: 1 pool", at=NOW)
    action = decide(old(60, full, maxWaitSeconds=60), UNKNOWN, TIMES)
    assert isinstance(action, a.Patch)
    assert (action.status.phase, action.status.reason) == ("Failed", "MaxWaitExceeded")
    assert action.status.message == "no place within maxWaitSeconds (60 s): InsufficientCapacity: no pool fits: 1 pool"


def ended(outcome: Outcome, *, ago: int) -> JobStatus:
    """A job that waits again after an attempt that ended so."""
    ending = Ending(outcome=outcome, reason=AttemptReason.ERROR, ended_at=NOW - ago * 1000)
    status = bound_status(binding(bound_at=NOW - 500_000)).attempt_ended(ending)
    return status.released(Event.REQUEUED, reason=MemberWord("X"), message="", at=NOW)


def test_the_wait_begins_anew_after_a_run_and_not_after_an_attempt_that_did_not_start() -> None:
    assert waits_until(old(600, ended(Outcome.DISRUPTED, ago=10), maxWaitSeconds=60)) == NOW + 50_000
    assert waits_until(old(600, ended(Outcome.REJECTED, ago=10), maxWaitSeconds=60)) == NOW - 540_000
    resumed = JobStatus().suspended(at=NOW - 300_000).resumed(at=NOW - 20_000)
    assert waits_until(old(600, resumed, maxWaitSeconds=60)) == NOW + 40_000


def test_a_job_that_never_fits_waits_unless_it_is_to_fail() -> None:
    assert decide(old(5, IN_VAIN), UNKNOWN, TIMES) == a.Wait()
    action = decide(old(5, IN_VAIN, onNeverFits="Fail"), UNKNOWN, TIMES)
    assert isinstance(action, a.Patch)
    assert (action.status.phase, action.status.reason) == ("Failed", "NeverFits")
    assert str(action.status.message).startswith("TooLarge: no pool fits: 2 pools TooLarge")


def test_a_word_on_an_older_spec_ends_nothing() -> None:
    edited = replace(old(5, IN_VAIN, onNeverFits="Fail"), generation=2)
    assert isinstance(decide(edited, UNKNOWN, TIMES), a.Wait)
    seen = with_observed_generation(IN_VAIN, IN_VAIN, 2)
    told = seen.condition(JobConditionType.NEVER_FITS)
    assert told is not None
    assert told.generation == 1, "carried over: nobody has looked again"


def test_a_job_that_is_bound_after_all_no_longer_never_fits() -> None:
    told = IN_VAIN.bound(binding(), (), generation=1).condition(JobConditionType.NEVER_FITS)
    assert told is not None
    assert (told.status, told.reason) == ("False", "MayFit")
    again = IN_VAIN.refused(reason=Reason.INSUFFICIENT_CAPACITY, message="", at=NOW).condition(JobConditionType.NEVER_FITS)
    assert again is not None
    assert not again.is_true
