"""What is told of a job: three things of an ordinary one, and of each trouble one with its cause."""

from dataclasses import replace
from itertools import pairwise

import pytest

from jobs import NOW, OFFER, binding, bound_status, record
from sampan.controller.events.job_news import job_news
from sampan.controller.events.news import News
from sampan.controller.state.record import JobRecord
from sampan.model.lifecycle import Event, Outcome
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason
from sampan.model.status.attempt import Ending
from sampan.model.status.event_reasons import EventReason
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, JobConditionType, JobReason, StatedReason

WAITING = JobStatus()
BOUND = bound_status()
RUNNING = bound_status(running=True)


def told(before: JobStatus, after: JobStatus) -> list[tuple[EventReason, str]]:
    """Return reason and note of what is told when one status follows another."""
    known = record(status=before)
    return [(news.reason, news.note) for news in job_news(known, replace(known, status=after))]


def ended(outcome: Outcome, reason: StatedReason, message: str = "") -> JobStatus:
    """Return the status of a running job whose attempt ended."""
    return RUNNING.attempt_ended(Ending(outcome=outcome, reason=reason, message=message, ended_at=NOW))


def stalled(reason: JobReason, kind: JobConditionType = JobConditionType.DEGRADED) -> JobStatus:
    """Return the status of a running job that something stalls."""
    return RUNNING.with_stall(kind, reason=reason, message="since then", at=NOW)


def test_three_things_are_told_of_an_ordinary_job() -> None:
    done = ended(Outcome.SUCCEEDED, AttemptReason.COMPLETED).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    life = [WAITING, BOUND, RUNNING, done, done]
    found = [each for before, after in pairwise(life) for each in told(before, after)]
    assert found == [
        (EventReason.BOUND, "Bound to offer prov-a/lingang pool h100-x8, attempt 1."),
        (EventReason.STARTED, "Attempt 1 runs, offer prov-a/lingang pool h100-x8."),
        (EventReason.COMPLETED, "Attempt 1, offer prov-a/lingang pool h100-x8: Completed."),
    ]


def test_a_job_that_fails_for_good_is_told_once_with_its_cause() -> None:
    failed = ended(Outcome.APP_FAILED, AttemptReason.ERROR, "exit code 3")
    failed = failed.finished(Event.FAILED, reason=AttemptReason.ERROR, message="exit code 3", at=NOW)
    assert told(RUNNING, failed) == [(EventReason.FAILED, "Attempt 1, offer prov-a/lingang pool h100-x8: Error: exit code 3")]


@pytest.mark.parametrize(
    ("outcome", "want"),
    [
        (Outcome.APP_FAILED, EventReason.ATTEMPT_FAILED),
        (Outcome.DISRUPTED, EventReason.DISRUPTED),
        (Outcome.LOST, EventReason.DISRUPTED),
        (Outcome.REJECTED, EventReason.REJECTED),
        (Outcome.CANCELLED, EventReason.CANCELLED),
    ],
)
def test_the_end_of_an_attempt_is_told_and_its_way_back_to_the_queue_is_not(outcome: Outcome, want: EventReason) -> None:
    over = ended(outcome, AttemptReason.REJECTED, "why")
    assert told(RUNNING, over) == [(want, "Attempt 1, offer prov-a/lingang pool h100-x8: Rejected: why")]
    assert told(over, over.released(Event.REQUEUED, reason=AttemptReason.REJECTED, message="why", at=NOW)) == []


def test_a_job_that_goes_elsewhere_is_told_from_where_to_where() -> None:
    over = ended(Outcome.DISRUPTED, AttemptReason.POD_DELETED).released(
        Event.REQUEUED, reason=AttemptReason.POD_DELETED, message="", at=NOW
    )
    elsewhere = over.bound(replace(binding(attempt=2), offer=OfferKey("prov-b", "north")), (), generation=1)
    moved = "Moved from offer prov-a/lingang pool h100-x8 to offer prov-b/north pool h100-x8, attempt 2."
    assert told(over, elsewhere) == [(EventReason.MOVED, moved)]
    again = over.bound(replace(binding(attempt=2), offer=OFFER), (), generation=1)
    assert [reason for reason, _ in told(over, again)] == [EventReason.BOUND]


def test_why_a_job_waits_is_told_when_it_changes() -> None:
    first = WAITING.refused(reason=Reason.REGION_EXCLUDED, message="2 pools", at=NOW)
    assert told(WAITING, first) == [(EventReason.REFUSED, "RegionExcluded: 2 pools")]
    assert told(first, first.reserved(None)) == []
    other = first.refused(reason=Reason.TOO_LARGE, message="", at=NOW)
    assert told(first, other) == [(EventReason.REFUSED, "TooLarge")]


def test_what_stalls_a_job_is_told_and_that_it_is_over() -> None:
    away, lost = stalled(JobReason.MEMBER_UNREACHABLE), stalled(JobReason.NODE_UNREACHABLE)
    assert told(RUNNING, away) == [(EventReason.MEMBER_AWAY, "MemberUnreachable: since then")]
    assert told(away, away.without_stall(NOW)) == [(EventReason.MEMBER_BACK, "MemberUnreachable is over.")]
    assert told(RUNNING, lost) == [(EventReason.DEGRADED, "NodeUnreachable: since then")]
    assert told(lost, lost.without_stall(NOW)) == [(EventReason.RECOVERED, "NodeUnreachable is over.")]
    assert told(away, lost) == [(EventReason.DEGRADED, "NodeUnreachable: since then")]
    removal = stalled(JobReason.WAITING_FOR_PODS, JobConditionType.DELETING)
    assert told(RUNNING, removal) == [(EventReason.REMOVAL_STALLED, "WaitingForPods: since then")]


def test_only_newer_words_about_a_stall_are_no_news() -> None:
    away = stalled(JobReason.MEMBER_UNREACHABLE)
    longer = away.with_stall(JobConditionType.DEGRADED, reason=JobReason.MEMBER_UNREACHABLE, message="longer", at=NOW + 1)
    assert told(away, longer) == []


def test_a_suspended_job_is_told_and_one_that_goes_on() -> None:
    suspended = WAITING.suspended(at=NOW)
    assert [reason for reason, _ in told(WAITING, suspended)] == [EventReason.SUSPENDED]
    assert [reason for reason, _ in told(suspended, suspended.resumed(at=NOW))] == [EventReason.RESUMED]


def test_a_deletion_is_told_once_and_not_of_a_job_that_has_ended() -> None:
    def deleted(job: JobRecord) -> list[News]:
        return list(job_news(job, replace(job, deleting=True)))

    job = record(status=RUNNING)
    assert [news.reason for news in deleted(job)] == [EventReason.CANCELLED]
    assert deleted(replace(job, deleting=True)) == []
    over = ended(Outcome.SUCCEEDED, AttemptReason.COMPLETED).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    assert deleted(record(status=over)) == []


def test_news_name_the_very_object() -> None:
    known = record(status=WAITING)
    (news,) = job_news(known, replace(known, status=BOUND))
    about = news.regarding
    assert (about.kind, about.namespace, about.name, about.uid) == ("ComputeJob", "team-a", "job-u1", "u1")
