"""The operator's live state, as answers read it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

import jobs
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.query.backend import LiveBackend
from sampan.controller.state.pending import PendingJobs
from sampan.controller.state.queues import QueueRegistry
from sampan.controller.state.store import State
from sampan.kube.objects.meta import ObjectMeta
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client
from sampan.model.plan import Assignment
from sampan.model.values.names import remote_labels


class Links:
    """Two pods of one job on one member, which answers where a client is given."""

    def __init__(self, client: Client | None = None) -> None:
        self._client = client
        self.copies = JobCopies("hub", lambda uid: None)
        labels = remote_labels(hub_id="hub", job_uid="u1", attempt=1)
        for uid, namespace in (("p1", "sampan-jobs"), ("p2", "sampan-jobs"), ("p3", "elsewhere")):
            self.copies.pods.apply(Pod(metadata=ObjectMeta(uid=uid, namespace=namespace, labels=labels)))

    @property
    def connected(self) -> bool:
        """Whether there is a client."""
        return self._client is not None

    @property
    def client(self) -> Client:
        """The client."""
        assert self._client is not None
        return self._client

    def link_of(self, cluster_uid: str) -> "Links | None":
        """Itself for the one member."""
        return self if cluster_uid == jobs.CLUSTER else None


class Kept:
    """Of the first attempt of u1, one rank."""

    async def get(self, job_uid: str, attempt: int, rank: int) -> bytes | None:
        """A text."""
        return b"text" if (job_uid, attempt, rank) == ("u1", 1, 0) else None

    async def ranks(self, job_uid: str, attempt: int) -> list[int]:
        """Rank 0."""
        return [0] if (job_uid, attempt) == ("u1", 1) else []


def world(*records: Any, room: int = 3, **parts: Any) -> LiveBackend:
    """A world of these jobs."""
    there = jobs.table(*records)
    waiting = PendingJobs(there, QueueRegistry(), cooldown=300_000)
    for entry in there.waiting.values():
        waiting.add(entry)
    state = SimpleNamespace(
        **{
            "jobs": there.records,
            "table": there,
            "queues": QueueRegistry(),
            "snapshot": lambda now, limit: (now, limit),
            "pending": waiting,
            **parts,
        }
    )
    return LiveBackend(cast("State", state), Links(), Kept(), clock=lambda: jobs.NOW, bind_allowance=lambda: room)


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
    found = there.pending(waiting)
    assert found is not None
    assert (found.job.uid, found.job.queue, found.not_before, found.planned) == ("u2", "default", 0, None)
    assert there.pending(bound) is None


def test_what_keeps_a_job_out_of_sight_is_told_with_it() -> None:
    waiting = jobs.record("u2")
    there = world(waiting)
    entry = there.state.table["u2"]
    entry.assignment = cast("Assignment", "a plan")
    there.state.pending.back_off(entry, until=jobs.NOW + 5000)
    found = there.pending(waiting)
    assert found is not None
    assert (found.not_before, str(found.planned)) == (jobs.NOW + 5000, "a plan")


def test_pods_are_those_of_the_open_attempt() -> None:
    there = world()
    shown = there.pods(jobs.record("u1", status=jobs.bound_status()))
    assert [pod.metadata.uid for pod in shown] == ["p1", "p2"], "and of the namespace that it is bound to"
    assert there.pods(jobs.record("u1")) == ()


@pytest.mark.parametrize(("room", "limit"), [(3, 3), (0, 1)], ids=["room", "none until a bind is through"])
def test_the_picture_is_that_of_the_next_cycle(room: int, limit: int) -> None:
    assert cast("object", world(room=room).snapshot()) == (jobs.NOW, limit)


def test_logs_are_read_of_the_bound_attempt_whether_it_has_ended_or_not() -> None:
    waiting, bound, later = jobs.record("u2"), jobs.record("u1", status=jobs.bound_status()), jobs.bound_status(jobs.binding(attempt=2))
    there = world(waiting, bound)
    assert there.attempt_pods(waiting) is None
    shown = there.attempt_pods(bound)
    assert shown is not None
    assert (shown.attempt, shown.offer, shown.client, {pod.metadata.uid for pod in shown.pods}) == (1, "prov-a/lingang", None, {"p1", "p2"})
    other = there.attempt_pods(jobs.record("u1", status=later))
    assert other is not None
    assert (other.attempt, other.pods) == (2, ())
    assert (there.job("u1"), there.job("u9")) == (bound, None)
