"""The operator's live state, as answers read it."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import jobs
from sampan.controller.query.world import LiveWorld
from sampan.controller.queue_book import QueueBook
from sampan.controller.state import State
from sampan.kube.workloads import Pod


class Links:
    """Two pods of one job on one member."""

    own_pods: Mapping[str, Mapping[str, Pod]] = {"u1": {"p1": Pod(), "p2": Pod()}}

    def link_of(self, cluster_uid: str) -> "Links | None":
        """Itself for the one member."""
        return self if cluster_uid == jobs.CLUSTER else None


def world(*records: Any) -> LiveWorld:
    """A world of these jobs."""
    state = SimpleNamespace(jobs={each.uid: each for each in records}, book=QueueBook(), snapshot=lambda now: now)
    return LiveWorld(cast("State", state), Links(), lambda: jobs.NOW)


def test_a_job_is_found_in_its_namespace_only() -> None:
    job = jobs.record("u1")
    assert world(job).find("team-a", "job-u1") is job
    assert world(job).find("team-b", "job-u1") is None


def test_of_two_of_one_name_the_newer_is_meant() -> None:
    old = jobs.record("u1", name="same", creationTimestamp="2026-01-01T00:00:00Z")
    new = jobs.record("u0", name="same", creationTimestamp="2026-01-02T00:00:00Z")
    assert world(old, new).find("team-a", "same") is new


def test_only_a_waiting_job_is_the_scheduler_s() -> None:
    waiting, bound = jobs.record("u2"), jobs.record("u1", status=jobs.bound_status())
    there = world(waiting, bound)
    job = there.waiting(waiting)
    assert job is not None
    assert (job.uid, job.queue) == ("u2", "default")
    assert there.waiting(bound) is None


def test_pods_are_those_of_the_open_attempt() -> None:
    there = world()
    assert len(there.pods(jobs.record("u1", status=jobs.bound_status()))) == 2
    assert there.pods(jobs.record("u1")) == ()


def test_the_moment_is_the_clock_s() -> None:
    assert cast("int", world().snapshot()) == jobs.NOW
