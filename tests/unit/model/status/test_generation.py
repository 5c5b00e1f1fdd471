"""A status says which spec it is about, and so does each condition; a refusal that nobody has looked at again does not."""

from typing import Any

import pytest

from jobs import NOW, bound_status, shown
from sampan.model.reason import Reason
from sampan.model.status.generation import is_outdated, is_refusal_outdated, with_observed_generation
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import MemberWord

REFUSED = with_observed_generation(JobStatus().refused(reason=Reason.TOO_LARGE, message="", at=NOW), JobStatus(), 1)


def generations(status: JobStatus) -> dict[str, Any]:
    return {condition.type: condition.generation for condition in status.conditions}


@pytest.mark.parametrize(
    ("status", "generation", "want"),
    [
        (JobStatus(), 1, False),
        (JobStatus(), 2, True),
        (JobStatus(observed_generation=2), 2, False),
        (JobStatus(observed_generation=2), 3, True),
    ],
    ids=["never written", "never written, edited", "current", "edited"],
)
def test_a_status_is_behind_where_the_spec_was_edited_since(status: JobStatus, generation: int, want: bool) -> None:
    assert is_outdated(status, generation) is want


def test_every_condition_is_about_the_spec_that_was_read() -> None:
    status = bound_status(running=True)
    assert generations(with_observed_generation(status, status, 4)) == {"Scheduled": 4, "Running": 4}
    assert with_observed_generation(status, status, 4).observed_generation == 4


def test_a_status_without_conditions_gets_none() -> None:
    assert shown(with_observed_generation(JobStatus(), JobStatus(), 2)) == {"phase": "Pending", "observedGeneration": 2}


def test_a_refusal_holds_for_the_spec_that_was_refused_and_for_a_newer_one_once_it_is_refused_too() -> None:
    carried = with_observed_generation(REFUSED, REFUSED, 2)
    assert (carried.observed_generation, generations(carried)) == (2, {"Scheduled": 1})
    assert is_refusal_outdated(carried, 2)
    again = with_observed_generation(carried.refused(reason=Reason.TOO_LARGE, message="", at=NOW), carried, 2)
    assert generations(again) == {"Scheduled": 2}
    assert not is_refusal_outdated(again, 2)


def test_a_refusal_of_a_job_that_no_longer_waits_is_history() -> None:
    suspended = REFUSED.suspended(at=NOW)
    assert generations(with_observed_generation(suspended, REFUSED, 2)) == {"Scheduled": 2, "Suspended": 2}


def test_why_an_attempt_ended_is_no_refusal() -> None:
    freed = JobStatus().refused(reason=MemberWord("Disrupted"), message="", at=NOW)
    assert not is_refusal_outdated(freed, 2)
    assert generations(with_observed_generation(freed, freed, 2)) == {"Scheduled": 2}
