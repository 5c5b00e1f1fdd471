"""What becomes of a job beside objects that look like its copy: namesakes are not believed, and an older copy traps no attempt."""

from typing import Any

import msgspec
import pytest

from jobs import NOW, binding, blocked_copy, bound_status, copy, record
from sampan.controller.observation.attempt import AttemptState
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.model.lifecycle import Outcome
from unit.controller.fakes import H100_JOB, REMOTE, World, world
from unit.controller.reconcile.test_decide import TIMES, remote, seen

LATE = record(status=bound_status(binding(attempt=2, bound_at=NOW - 3_600_000)), spec={"startDeadlineSeconds": 10})
SOON = record(status=bound_status(binding(attempt=2, bound_at=NOW - 4_000)), spec={"startDeadlineSeconds": 10})


def namesake(w: World, **meta: Any) -> RemoteJob:
    """A Job like the copy on the member, newer and complete."""
    body = w.copy()
    body = {**body, "metadata": {**body["metadata"], "uid": "namesake", "resourceVersion": "999999", **meta}}
    return msgspec.convert({**body, "status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}, RemoteJob)


@pytest.mark.parametrize("gone", [False, True], ids=["while it is there", "once it went"])
async def test_a_namesake_in_another_namespace_of_the_member_ends_no_job(gone: bool) -> None:
    async with world(tombstone=0) as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.tell_copy(active=1, ready=1, startTime="2027-01-15T08:00:00Z")
        await w.pass_time(3_000)
        assert w.status()["phase"] == "Bound"
        other = namesake(w, namespace="other-jobs")
        w.link.copies.apply_job(other)
        if gone:
            w.link.copies.drop_job(other)
        for _ in range(6):
            w.reconciler.enqueue("u1")
            await w.settle()
            w.now += 1_000
        assert w.status()["phase"] == "Bound"
        assert len(w.member.of(REMOTE)) == 1, "its copy stays"


def test_what_has_the_label_of_the_bound_attempt_and_another_uid_is_no_result_and_is_removed() -> None:
    job = record(status=bound_status(binding(remote_uid="recorded"), running=True))
    action = decide(job, remote(copy(), seen(AttemptState.SUCCEEDED, succeeded=1)), TIMES)
    assert action == a.Remove("remote-1")


def test_an_older_copy_that_stays_is_told_of_and_waited_for_until_the_start_is_late() -> None:
    there = remote(blocked_copy("example.com/protect"))
    told = decide(SOON, there, TIMES)
    assert isinstance(told, a.Patch)
    assert told.status.remote is not None
    assert told.status.remote.reason == "RemovalBlocked"
    assert "example.com/protect" in told.status.remote.message
    assert told.status.binding is not None


def test_an_older_copy_that_goes_is_waited_for_no_longer_than_until_the_start_is_late() -> None:
    assert decide(SOON, remote(copy(deleting=True)), TIMES) == a.Wait(6_000)


@pytest.mark.parametrize("there", [blocked_copy("example.com/protect"), copy(deleting=True), copy()], ids=["held", "going", "there"])
def test_an_attempt_whose_place_an_older_copy_keeps_is_rejected_when_it_is_late(there: RemoteJob) -> None:
    action = decide(LATE, remote(there), TIMES)
    assert isinstance(action, a.Patch)
    newest = action.status.last_attempt
    assert newest is not None
    assert (newest.outcome, newest.reason) == (Outcome.REJECTED, "StartDeadlineExceeded")
    assert "startDeadlineSeconds (10 s)" in newest.message


def test_what_a_copy_from_the_future_does_is_not_run_a_second_time_elsewhere() -> None:
    assert decide(LATE, remote(copy(attempt=3), current=True), TIMES) == a.Wait(30_000)


async def test_a_job_whose_place_an_older_copy_keeps_goes_elsewhere() -> None:
    """Of the second attempt nothing was sent: it is free as soon as it is late, though the member does not let go of the first."""
    async with world() as w:
        w.add(spec={**H100_JOB, "startDeadlineSeconds": 60})
        await w.bind()
        await w.pass_time(1_000)
        first = w.copy()
        w.tell_copy(failed=1, conditions=[{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}])
        await w.pass_time(5_000)
        for _ in range(3):
            await w.pass_time(60_000)
        assert "binding" not in w.status()
        await keep(w, first)
        await w.bind()
        assert w.status()["binding"]["attempt"] == 2
        for _ in range(4):
            await w.pass_time(30_000)
        assert "binding" not in w.status()
        assert [each["outcome"] for each in w.status()["attempts"]][-1] == "Rejected"


async def keep(w: World, old: dict[str, Any]) -> None:
    """Let the first attempt's copy be there again, deleted and held: a late answer of the member."""
    held = {"deletionTimestamp": "2027-01-15T08:00:00Z", "finalizers": ["example.com/protect"]}
    w.member.put(REMOTE, {**old, "metadata": {**old["metadata"], **held}})
