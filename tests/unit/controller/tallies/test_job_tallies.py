"""What is counted at each change is what one would count by going through all jobs, and nothing is left of jobs that are gone."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import NOW, OFFER, binding, bound_status, record
from sampan.controller.state.record import JobRecord
from sampan.controller.state.table import JobTable
from sampan.controller.tallies.job_tallies import KEPT, Group, JobTallies
from sampan.model.lifecycle import Event, Outcome
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, JobConditionType, JobReason
from sampan.model.values.timestamp import to_rfc3339

TWO_DEVICES: dict[str, Any] = {"alternatives": [{"accelerator": {"class": "nvidia-h100-sxm-80gb", "count": 2}}]}
BOUND = bound_status(binding(replicas=3))
RUNNING = BOUND.running(at=NOW)
STALLED = RUNNING.with_stall(JobConditionType.DEGRADED, reason=JobReason.MEMBER_UNREACHABLE, message="", at=NOW)
OVER = RUNNING.attempt_ended(Ending(outcome=Outcome.SUCCEEDED, reason=AttemptReason.COMPLETED, ended_at=NOW)).finished(
    Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW
)
STATUSES = (JobStatus(), BOUND, RUNNING, STALLED, OVER, JobStatus().suspended(at=NOW))


def job(uid: str, status: JobStatus, *, namespace: str = "team-a", queue: str = "", created: int = NOW - 60_000) -> JobRecord:
    """Return a job of two devices a replica."""
    spec = TWO_DEVICES | ({"queue": queue} if queue else {})
    return record(uid, spec=spec, status=status, namespace=namespace, creationTimestamp=to_rfc3339(created))


def watched() -> tuple[JobTable, JobTallies]:
    """Return a table and what is counted of it."""
    table, tallies = JobTable(), JobTallies()
    table.on_change.append(tallies.changed)
    return table, tallies


JOBS = st.tuples(
    st.sampled_from(["u1", "u2", "u3", "u4"]),
    st.one_of(st.none(), st.integers(0, len(STATUSES) - 1)),
    st.sampled_from(["team-a", "team-b"]),
    st.sampled_from(["", "research"]),
    st.integers(0, 5),
)


@settings(max_examples=60)
@given(st.lists(JOBS, max_size=25))
def test_counts_are_those_of_a_count_of_all_jobs(history: list[tuple[str, int | None, str, str, int]]) -> None:
    table, tallies = watched()
    for uid, status, namespace, queue, age in history:
        if status is not None:
            table.put(job(uid, STATUSES[status], namespace=namespace, queue=queue, created=NOW - age * 60_000))
        elif uid in table:
            del table[uid]
    alive = [each for each in table.records.values() if not each.phase.ended]
    groups = {Group(each.namespace, each.spec.queue or "" if each.spec else "") for each in alive}
    assert set(tallies.groups) == groups
    for group in groups:
        mine = [each for each in alive if Group(each.namespace, each.spec.queue or "" if each.spec else "") == group]
        tally, waiting = tallies.groups[group], [each.created for each in mine if each.waits]
        assert +tally.phases == Counter(str(each.phase) for each in mine)
        assert (len(tally.waiting), tally.oldest) == (len(waiting), min(waiting, default=None))
        assert tally.devices == sum(6 for each in mine if each.attempt_open)
    assert tallies.stalls == Counter(each.status.stall.reason for each in alive if each.status.stall is not None)


def test_the_heap_of_waiting_jobs_does_not_grow_with_those_that_were() -> None:
    table, tallies = watched()
    table.put(job("old", JobStatus(), created=NOW - 600_000))
    for number in range(1000):
        table.put(job(f"u{number}", JobStatus()))
        del table[f"u{number}"]
    (tally,) = tallies.groups.values()
    assert len(tally._by_age) < 100
    assert tally.oldest == NOW - 600_000


def test_waits_are_measured_once_from_when_the_job_could_be_placed() -> None:
    table, tallies = watched()
    waiting = job("u1", JobStatus(), queue="research", created=NOW - 65_000)
    for status in (JobStatus(), BOUND, BOUND, RUNNING, OVER):
        table.put(replace(waiting, status=status))
    (bound,), (running,) = tallies.bound.items(), tallies.running.items()
    assert bound[0] == running[0] == Group("team-a", "research")
    assert (bound[1].total, running[1].total) == (60.0, 65.0)
    assert tallies.outcomes == {(str(OFFER), "Succeeded"): 1}


def test_a_restart_measures_nothing() -> None:
    table, tallies = watched()
    for number, status in enumerate(STATUSES):
        table.put(job(f"u{number}", status))
    assert (tallies.bound, tallies.running, tallies.outcomes) == ({}, {}, Counter())


def test_what_came_before_an_attempt_is_not_its_wait() -> None:
    table, tallies = watched()
    over = RUNNING.attempt_ended(Ending(outcome=Outcome.DISRUPTED, reason=AttemptReason.POD_DELETED, ended_at=NOW))
    free = over.released(Event.REQUEUED, reason=AttemptReason.POD_DELETED, message="", at=NOW)
    again = free.bound(binding(attempt=2, bound_at=NOW + 7_000), (), generation=1)
    waiting = job("u1", free)
    table.put(waiting)
    table.put(replace(waiting, status=again))
    (spread,) = tallies.bound.values()
    assert spread.total == 7.0


def test_groups_and_offers_that_are_gone_do_not_fill_the_memory() -> None:
    table, tallies = watched()
    over = OVER.attempts[-1]
    for number in range(KEPT + 100):
        for queue in (f"invented-{number}", "research"):
            waiting = job("u1", JobStatus(), queue=queue)
            ended = replace(OVER, attempts=(replace(over, offer=OfferKey("prov", f"o{number}")),))
            for status in (JobStatus(), BOUND, RUNNING, ended):
                table.put(replace(waiting, status=status))
            del table["u1"]
    assert len(tallies.bound) == len(tallies.running) == len(tallies.outcomes) == KEPT
    kept = tallies.running[Group("team-a", "research")]
    assert kept.cumulative[-1][1] == KEPT + 100
    assert f"invented-{KEPT + 99}" in {group.queue for group in tallies.bound}
    assert "invented-0" not in {group.queue for group in tallies.bound}
    assert tallies.groups == {}
