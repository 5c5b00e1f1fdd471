"""Members and nodes that are away, through the reconciler: told in one write each, taken back in one, and nothing is doubled."""

from typing import Any

import pytest

from jobs import NOW, OFFER, binding, bound_status, copy, record, shown
from member_objects import as_node, node_body
from sampan.controller.members.outage import Outage
from sampan.controller.observation.attempt import AttemptState, Observation
from sampan.controller.reconcile import actions as a
from sampan.controller.reconcile.decide import decide
from sampan.controller.reconcile.view.remote_state import RemoteState
from sampan.controller.state.record import JobRecord
from sampan.inventory.member import to_node
from sampan.model.members.offer_reasons import OfferReason
from sampan.model.status.attempt import closed
from sampan.model.values.timestamp import to_rfc3339
from unit.controller.fakes import H100_JOB, JOBS, REMOTE, World, running, world
from unit.kube.fake_api import replying

UNREACHABLE = OfferReason.UNREACHABLE


def condition(w: World, kind: str) -> dict[str, Any]:
    """A condition of the job on the hub; empty where it was never told."""
    return next((c for c in w.status().get("conditions", ()) if c["type"] == kind), {})


def writes(w: World) -> int:
    """Status writes so far."""
    return len(w.hub.calls("PATCH", "/job-u1/status"))


async def away(w: World, *, since: int = NOW - 60_000) -> None:
    """The link says that its member does not answer."""
    w.link.connected, w.members.lost = False, Outage(since=since, reason=UNREACHABLE)
    w.reconciler.enqueue("u1")
    await w.settle()


async def back(w: World) -> None:
    """The member answers again."""
    w.link.connected, w.members.lost = True, None
    await w.pass_time(1_000)


async def running_job(w: World) -> None:
    """A job that runs."""
    w.add(spec=H100_JOB)
    await w.bind()
    w.member.put("v1/pods", pod(w))
    w.tell_copy(active=1, ready=1, startTime="2027-01-15T08:00:00Z")
    await w.pass_time(20_000)
    assert w.status()["phase"] == "Running"


def pod(w: World, **meta: Any) -> dict[str, Any]:
    """The job's pod on node n1, ready."""
    labels = w.copy()["metadata"]["labels"]
    conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
    return {
        "metadata": {"name": "p", "namespace": "sampan-jobs", "uid": "p", "labels": labels, **meta},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "conditions": conditions},
    }


LATE = record(status=bound_status(binding(bound_at=NOW - 20_000)), spec={"startDeadlineSeconds": 10})
FRESH = record(status=bound_status())
DECISIONS = (
    ("what was never sent waits for its member until it is late", FRESH, RemoteState(unsent=True), None),
    ("what was never sent goes elsewhere once it is late", LATE, RemoteState(unsent=True), "MemberUnreachable"),
    ("what may have been sent stays, however late", LATE, RemoteState(), None),
    ("what was never sent to an offer that is gone goes at once", FRESH, RemoteState(unsent=True, offer_exists=False), "OfferGone"),
    ("what may have been sent to an offer that is gone stays", FRESH, RemoteState(offer_exists=False), None),
)


@pytest.mark.parametrize(("job", "remote", "reason"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS])
def test_what_is_done_while_the_member_is_away(job: JobRecord, remote: RemoteState, reason: str | None) -> None:
    times = a.Times(now=NOW, tombstone=30_000, counters=15_000)
    action = decide(job, remote, times)
    if reason is None:
        assert isinstance(action, a.Wait)
        return
    assert isinstance(action, a.Patch)
    assert (shown(action.status)["attempts"][0]["outcome"], shown(action.status)["attempts"][0]["reason"]) == ("Rejected", reason)
    freed = decide(record(status=action.status), remote, times)
    assert isinstance(freed, a.Patch)
    assert freed.status.phase == "Pending", "an end of what was never sent needs no proof"
    assert not closed(freed.status.rejections, 1), "and is not the job's fault"


async def test_a_silent_member_costs_one_write_and_its_return_another() -> None:
    async with world() as w:
        await running_job(w)
        before = writes(w)
        await away(w)
        assert condition(w, "Degraded")["reason"] == "MemberUnreachable"
        assert f"{OFFER} does not answer since 2027-01-15T07:59:00Z (Unreachable)" in condition(w, "Degraded")["message"]
        for _ in range(5):
            w.now += 60_000
            w.reconciler.enqueue("u1")
            await w.settle()
        assert writes(w) == before + 1, "and none while it lasts"
        assert w.status()["phase"] == "Running"
        await back(w)
        assert (condition(w, "Degraded")["status"], w.status()["reason"]) == ("False", "PodsRunning")
        assert writes(w) == before + 2
        assert len(w.member.calls("POST", "/jobs")) == 1
        assert not w.member.calls("DELETE", "/jobs")


async def test_a_restart_while_the_member_is_away_writes_nothing() -> None:
    async with world() as w:
        await running_job(w)
        await away(w)
        before = writes(w)
        w.restart()
        w.members.lost = None  # the new process knows nothing of it yet
        async with running(w):
            w.watch()
            await w.settle()
            assert writes(w) == before
            await away(w, since=w.now)
            assert writes(w) == before, "what was told is older than what the new process saw"


async def test_a_deletion_waits_for_a_silent_member_and_says_so() -> None:
    async with world() as w:
        await running_job(w)
        await away(w)
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(1_000)
        assert (condition(w, "Deleting")["reason"], condition(w, "Degraded")["status"]) == ("WaitingForMember", "False")
        await back(w)
        assert w.member.calls("DELETE", "/jobs"), "it goes on"


async def test_what_was_never_sent_goes_elsewhere_after_its_start_deadline() -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "startDeadlineSeconds": 30})
        w.link.connected, w.members.lost = False, Outage(since=NOW - 1_000, reason=UNREACHABLE)
        await w.bind()
        assert condition(w, "Degraded")["reason"] == "WaitingForMember"
        assert "nothing was sent" in condition(w, "Degraded")["message"]
        await w.pass_time(31_000)
        assert (w.status()["phase"], w.status()["attempts"][0]["reason"]) == ("Pending", "MemberUnreachable")
        assert "binding" not in w.status()
        assert condition(w, "Degraded")["status"] == "False"
        assert not w.member.seen


async def test_a_create_that_reached_nobody_is_as_good_as_none_and_one_of_unknown_outcome_is_not() -> None:
    for code, phase in ((400, "Pending"), (500, "Bound")):
        async with world() as w:
            w.add(spec={**H100_JOB, "startDeadlineSeconds": 30})
            w.member.fault("POST", "/jobs", replying(code, "No"), times=1)
            await w.bind()
            await away(w)
            await w.pass_time(31_000)
            assert w.status()["phase"] == phase, code


async def test_after_a_restart_nobody_knows_what_was_sent() -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "startDeadlineSeconds": 30})
        w.link.connected, w.members.lost = False, Outage(since=NOW - 1_000, reason=UNREACHABLE)
        await w.bind()
        w.restart()
        async with running(w):
            await w.pass_time(31_000)
            assert w.status()["phase"] == "Bound"
            assert "may run" in condition(w, "Degraded")["message"]


async def test_an_offer_that_vanished_before_anything_was_sent_lets_the_job_go() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.link.connected = False
        await w.bind()
        w.members.exists, w.members.link = False, None
        await w.pass_time(1_000)
        assert (w.status()["phase"], w.status()["attempts"][0]["reason"]) == ("Pending", "OfferGone")


async def test_an_offer_that_vanished_under_a_running_job_is_told_and_a_deletion_is_the_way_out() -> None:
    async with world() as w:
        await running_job(w)
        w.members.exists, w.members.link = False, None
        await w.pass_time(1_000)
        await w.pass_time(11_000)
        assert condition(w, "Degraded")["reason"] == "OfferGone"
        assert w.status()["phase"] == "Running"
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(1_000)
        assert not w.hub.of(JOBS), "the finalizer left"


async def test_a_lost_node_is_told_once_it_lasts_and_a_deletion_waits_for_it() -> None:
    async with world() as w:
        await running_job(w)
        before = writes(w)
        w.link.nodes = {"n1": to_node_of(ready=False)}
        await w.pass_time(1_000)
        assert writes(w) == before
        await w.pass_time(11_000)
        assert condition(w, "Degraded")["reason"] == "NodeNotReady"
        assert writes(w) == before + 1
        w.link.nodes = {"n1": to_node_of(ready=True)}
        await w.pass_time(60_000)
        assert condition(w, "Degraded")["status"] == "False"
        w.link.nodes = {"n1": to_node_of(ready=False)}
        w.member.keep_deleted = True
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(1_000)
        await w.pass_time(1_000)
        await w.pass_time(11_000)
        assert condition(w, "Deleting")["reason"] == "WaitingForPods"
        assert "Node n1" in w.status()["message"]
        assert not w.member.calls("DELETE", "/pods"), "nothing is forced"
        w.member.drop("v1/pods", "p", "sampan-jobs")
        w.member.drop(REMOTE, w.copy()["metadata"]["name"], "sampan-jobs")
        await w.pass_time(20_000)
        await w.pass_time(20_000)
        assert not w.hub.of(JOBS), "the finalizer left"


async def test_a_ghost_of_a_copy_does_not_keep_a_job() -> None:
    """An answer of the API server may come after the watch told that the copy is gone: no event takes it away."""
    async with world() as w:
        await running_job(w)
        ghost = dict(w.link.copies.jobs)
        w.member.drop("v1/pods", "p", "sampan-jobs")
        w.member.drop(REMOTE, w.copy()["metadata"]["name"], "sampan-jobs")
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        w.now += 20_000
        w.watch()
        w.link.copies.jobs = ghost
        w.reconciler.enqueue("u1")
        await w.settle()
        assert len(w.member.calls("DELETE", "/jobs")) <= 1
        w.now += 20_000
        w.reconciler.enqueue("u1")
        await w.settle()
        assert not w.hub.of(JOBS), "the finalizer left"
        assert len(w.member.calls("DELETE", "/jobs")) == 1


@pytest.mark.parametrize(("ended", "want"), [(NOW - 7_200_000, NOW), (NOW - 1_000, NOW - 1_000), (NOW + 7_200_000, NOW), (None, NOW)])
def test_a_members_clock_is_believed_only_within_the_attempt(ended: int | None, want: int) -> None:
    state = AttemptState.SUCCEEDED
    seen = Observation(state=state, whole=True, active=0, ready=0, succeeded=1, failed=0, pending=0, ended_at=ended)
    action = decide(FRESH, RemoteState(reachable=True, job=copy(), observation=seen), a.Times(now=NOW, tombstone=30_000, counters=15_000))
    assert isinstance(action, a.Patch)
    assert shown(action.status)["finishedAt"] == to_rfc3339(want)


def to_node_of(*, ready: bool) -> Any:
    """Node n1."""
    return to_node(as_node(node_body(ready=ready)))
