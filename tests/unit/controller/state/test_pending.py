"""Who may be placed when: backoff, cool-downs, plans under way and jobs held back; each ends by itself at its moment."""

from typing import Any

import pytest

from jobs import NOW, OFFER, bound_status, record
from sampan.controller.state.entry import JobEntry
from sampan.controller.state.pending import QUARANTINE, PendingJobs
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.record import JobRecord
from sampan.controller.state.table import JobTable
from sampan.model.job import Job
from sampan.model.lifecycle import Outcome
from sampan.model.status.attempt import Attempt
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import stated_reason

from .test_queues import queue

CELL = (OFFER, "h100-x8")
COOLDOWN = 300_000


class Room(PendingJobs):
    """A room with cool-downs of five minutes, and the table that `State` keeps in step with it."""

    def __init__(self, queues: QueueRegistry | None = None) -> None:
        self.table = JobTable()
        super().__init__(self.table, queues or QueueRegistry(), cooldown=COOLDOWN)

    def take(self, job: JobRecord) -> JobEntry:
        """A job comes, or is another than before."""
        entry = self.table.put(job)
        self.add(entry) if job.waits else self.changed(entry)
        return entry

    def assume(self, uid: str, assumed: bool) -> None:
        """A plan for it is being bound, or is no longer."""
        self.table[uid].assumed = assumed
        self.table.changed(self.table[uid])
        self.changed(self.table[uid])

    def delete(self, uid: str) -> None:
        """It is gone."""
        self.changed(self.table[uid])
        del self.table[uid]


def seen(of: PendingJobs, now: int = NOW) -> list[str]:
    """Who may be placed."""
    return [job.uid for job in of.backlog(now).jobs]


def ended(outcome: Outcome, reason: str, at: int = NOW) -> JobStatus:
    """The status of a job whose first attempt ended."""
    return JobStatus(
        attempts=(Attempt(number=1, offer=OFFER, pool="h100-x8", ended_at=at, outcome=outcome, reason=stated_reason(reason)),), restarts=1
    )


def test_a_job_is_seen_from_when_it_comes_until_it_goes() -> None:
    of = Room()
    of.take(record("u1"))
    of.take(record("u2"))
    assert seen(of) == ["u1", "u2"]
    of.take(record("u1", status=bound_status()))
    assert seen(of) == ["u2"]
    of.assume("u2", True)
    assert seen(of) == []
    of.assume("u2", False)
    assert seen(of) == ["u2"]
    of.delete("u2")
    assert seen(of) == []


def test_backoff_ends_by_itself() -> None:
    of = Room()
    of.take(record("u1", status=ended(Outcome.APP_FAILED, "Error")))
    assert seen(of) == []
    assert seen(of, NOW + 9_999) == []
    assert seen(of, NOW + 10_000) == ["u1"]


def test_a_job_out_of_sight_is_seen_as_it_will_be_once_it_is_not() -> None:
    of, paused = Room(), record("u1", status=ended(Outcome.REJECTED, "ImagePullBackOff"))
    entry = of.take(paused)
    assert seen(of) == []
    assert of.scheduler_view(paused, NOW).excluded == {CELL}
    until = of.not_before(entry, NOW)
    assert until > NOW
    assert seen(of, until) == ["u1"]


def test_a_hold_is_for_its_time_and_its_version() -> None:
    of = Room()
    of.take(record("u1"))
    of.back_off(of.table["u1"], until=NOW + 500, version="10")
    assert seen(of) == []
    assert seen(of, NOW + 500) == ["u1"]
    of.back_off(of.table["u1"], until=NOW + 5_000, version="10")
    assert seen(of, NOW + 600) == []
    of.take(record("u1", resourceVersion="11"))
    assert seen(of, NOW + 600) == ["u1"], "a newer picture is good at once"


def test_a_cell_cools_down_for_the_like_of_the_namespace_and_no_other() -> None:
    of = Room()
    of.take(record("like"))
    of.take(record("other", spec={"policy": "cost"}))
    of.take(record("neighbour", namespace="team-b"))
    assert len(seen(of)) == 3
    of.take(record("failed", status=ended(Outcome.REJECTED, "StartDeadlineExceeded")))

    def closed(now: int) -> dict[str, Any]:
        return {job.uid: job.excluded for job in of.backlog(now).jobs if job.excluded}

    assert closed(NOW) == {"like": {CELL}}, "the one that failed pauses"
    shape = record("new").shape
    assert shape is not None
    assert [set(of.cooling_cells(namespace, shape, NOW)) for namespace in ("team-a", "team-b")] == [{CELL}, set()]
    assert not of.cooling_cells("team-a", shape, NOW + COOLDOWN)
    of.take(record("late"))
    assert closed(NOW + 2_000) == {"like": {CELL}, "failed": {CELL}, "late": {CELL}}
    assert closed(NOW + COOLDOWN) == {}


def test_what_holds_up_the_containers_of_one_job_closes_no_cell_to_the_like() -> None:
    of = Room()
    of.take(record("like"))
    of.take(record("failed", status=ended(Outcome.REJECTED, "ImagePullBackOff")))
    assert {job.uid: job.excluded for job in of.backlog(NOW + 2_000).jobs} == {"like": frozenset(), "failed": {CELL}}


def test_queues_and_labels_reach_the_jobs() -> None:
    queues = QueueRegistry()
    of = Room(queues)
    of.take(record("u1"))
    assert of.backlog(NOW).jobs[0].queue == "default"
    queues.apply(queue("research", "team-a"))
    of.queues_changed()
    assert of.backlog(NOW).jobs[0].queue == "research"
    queues.set_label_keys(("tier",))
    queues.apply_namespace("team-a", {"tier": "gold"})
    of.namespace_changed("team-a")
    assert of.backlog(NOW).jobs[0].shape.tenant == (("tier", "gold"),)


def test_cool_downs_of_shapes_that_never_come_again_do_not_pile_up() -> None:
    of = Room()
    for number in range(1, 500):
        now = NOW + number * COOLDOWN
        like = record(f"u{number}", spec={"replicas": number}, status=ended(Outcome.REJECTED, "StartDeadlineExceeded", at=now))
        of.take(like)
        of.delete(like.uid)
        of.backlog(now)
    assert len(of._cooling) <= 65


def test_a_clock_that_is_set_back_hides_a_job_for_no_longer_than_a_pause_can_be() -> None:
    of, hour = Room(), 3_600_000
    of.take(record("u1"))
    of.back_off(of.table["u1"], until=NOW + 10_000)
    assert seen(of) == []
    assert seen(of, NOW - hour) == ["u1"]


def test_a_clock_that_is_set_back_does_not_lengthen_a_cool_down() -> None:
    of, day = Room(), 24 * 3_600_000
    job = record("u1", status=ended(Outcome.REJECTED, "StartDeadlineExceeded"))
    entry = of.take(job)
    assert job.shape is not None
    assert seen(of) == []
    assert of.cooling_cells(job.namespace, job.shape, NOW)
    assert of.not_before(entry, NOW - day) <= NOW - day
    assert not of.cooling_cells(job.namespace, job.shape, NOW - day)
    (shown,) = of.backlog(NOW - day).jobs
    assert shown.excluded == frozenset()


def test_a_job_that_cannot_be_shown_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    of = Room()
    plain, broken = of.scheduler_view, True

    def fragile(job: JobRecord, now: int) -> Job:
        if job.uid == "u1" and broken:
            raise ValueError("poison")
        return plain(job, now)

    monkeypatch.setattr(of, "scheduler_view", fragile)
    told: list[tuple[str, str]] = []
    of.on_fault.append(lambda uid, error: told.append((uid, str(error))))
    of.take(record("u1"))
    of.take(record("u2"))
    assert seen(of) == ["u2"]
    assert told == [("u1", "poison")]
    broken = False
    assert seen(of, NOW + QUARANTINE - 1) == ["u2"]
    assert seen(of, NOW + QUARANTINE) == ["u1", "u2"]
