"""Many jobs, one at a time each: failures are tried again ever later, and one job's trouble is nobody else's."""

import asyncio
import logging
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from aiohttp import web

from jobs import CLUSTER, NOW, OFFER, binding, bound_status
from sampan.controller.reconcile.dependencies import BindResult
from sampan.controller.reconcile.reconciler import MEMBER_CALLS
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.model.lifecycle import Event, Outcome, Phase
from sampan.model.members.offer import OfferKey
from sampan.model.reason import Reason
from sampan.model.status.attempt import Ending
from sampan.model.status.generation import with_observed_generation
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason, MemberWord
from sampan.model.values.names import LABEL_JOB_UID
from unit.controller.fake_cluster import cluster
from unit.controller.fakes import H100_JOB, JOBS, REMOTE, FakeLink, until, world
from unit.kube.fake_api import replying


def finished_status() -> JobStatus:
    """The status of a job that succeeded and whose copy is gone."""
    done = bound_status(running=True).finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW)
    return replace(done, binding=None)


async def test_one_worker_at_a_time_works_on_a_job_and_the_others_go_on() -> None:
    async with world() as w:
        gate, inside = asyncio.Event(), asyncio.Event()

        async def slow(_: web.BaseRequest) -> web.StreamResponse:
            inside.set()
            await gate.wait()
            return await replying(500, "InternalError")(_)

        for uid in ("u1", "u2", "u3"):
            w.add(uid, spec=H100_JOB)
        w.hub.fault("PATCH", "/job-u1/", slow)
        w.reconciler.bind(w.assignment("u1"))
        await asyncio.wait_for(inside.wait(), 60)
        for _ in range(5):
            w.reconciler.enqueue("u1")
        for uid in ("u2", "u3"):
            w.reconciler.bind(w.assignment(uid))
        await until(lambda: len(w.member.of(REMOTE)) == 2)
        assert len(w.hub.calls("PATCH", "/job-u1/")) == 1, "its own writes never race"
        gate.set()
        await w.settle()
        assert not w.reconciler.is_binding_to(OFFER)


async def test_a_member_that_answers_no_call_holds_up_its_own_jobs_and_no_others() -> None:
    jobs, gate = [f"s{number}" for number in range(MEMBER_CALLS + 6)], asyncio.Event()
    async with world(reconcile_workers=4) as w, cluster() as slow, Client(slow.credentials, limits=Limits(timeout=180)) as client:

        async def late(request: web.BaseRequest) -> web.StreamResponse:
            await gate.wait()
            return slow._answer(request, await request.read())

        slow.fault("POST", "/jobs", late, times=len(jobs))
        w.members.others["slow"] = FakeLink(client)
        for uid in (*jobs, "u1"):
            w.add(uid, spec=H100_JOB)
        for uid in jobs:
            w.reconciler.bind(replace(w.assignment(uid), cluster_uid="slow"))
        await until(lambda: len(slow.calls("POST")) == MEMBER_CALLS)
        w.reconciler.bind(w.assignment("u1"))
        await until(lambda: len(w.member.of(REMOTE)) == 1)
        await until(lambda: all(w.status(uid)["phase"] == "Bound" for uid in jobs))
        assert len(slow.calls("POST")) == MEMBER_CALLS, "so many at once, and the others of this member in turn"
        w.change(jobs[-1], deletionTimestamp="2027-01-15T08:00:00Z")
        w.watch()
        await until(lambda: len(w.hub.of(JOBS)) == len(jobs))  # one that waits for its turn is let go of at once: nothing was sent
        gate.set()
        await w.settle()
        assert sorted(copy["metadata"]["labels"][LABEL_JOB_UID] for copy in slow.of(REMOTE)) == sorted(jobs[:-1])
        assert len(slow.calls("POST")) == len(jobs) - 1


async def test_whatever_wakes_the_reconciler_a_call_that_failed_is_made_again_ever_later(caplog: pytest.LogCaptureFixture) -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "ttlSecondsAfterFinished": 0}, status=finished_status())
        w.hub.fault("DELETE", "/job-u1", replying(500, "InternalError"), times=9)
        with caplog.at_level(logging.WARNING):
            for _ in range(700):
                w.reconciler.enqueue("u1")
                await w.settle()
                w.now += 500
        delays = [vars(record)["delay"] for record in caplog.records if record.message == "job.retry"]
        assert len(delays) == 9
        assert delays[0] <= 1
        assert delays[4] > 2 * delays[1]
        assert all(30 <= delay <= 60 for delay in delays[6:]), "no longer than a minute"
        assert 10 <= len(w.hub.calls("DELETE")) <= 14, "nor is one that was carried out, as long as its effect is not seen"
        assert w.reconciler.counters.errors == 9
        assert {vars(record)["job"] for record in caplog.records} == {"team-a/job-u1"}


@pytest.mark.parametrize(("code", "seconds"), [(500, 60), (429, 60), (401, 1)])
async def test_a_hub_that_fails_is_not_flooded_with_new_plans_for_the_same_job(code: int, seconds: int) -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.hub.fault("PATCH", "/status", replying(code, "X", Retry_After="60"), times=3)
        await w.bind()
        assert not w.state.snapshot(w.now).jobs, "the scheduler may not have it back before the delay is over"
        assert not list(w.state.allocations.in_flight(CLUSTER))
        assert not w.state.snapshot(w.now + (seconds - 1) * 1_000).jobs, "nor before the moment that the server named"
        assert len(w.state.snapshot(w.now + seconds * 1_000).jobs) == 1


async def test_a_stale_picture_is_not_planned_with_again_but_a_newer_one_is_at_once() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.change(spec={"priority": 1})
        await w.bind()
        assert not w.state.snapshot(w.now).jobs
        w.watch()
        assert [job.priority for job in w.state.snapshot(w.now).jobs] == [1]


async def test_a_poisoned_record_is_set_aside_and_the_others_go_on() -> None:
    async with world() as w:
        poison = bound_status(replace(binding(), alternative=5))  # there is none
        w.add("u1", status=poison)
        w.add("u2", spec=H100_JOB)
        w.reconciler.enqueue("u1")
        await w.bind("u2")
        assert w.reconciler.counters.quarantined >= 1
        assert w.status("u2")["phase"] == "Bound"
        assert [call for call in w.hub.seen if "job-u1" in call.path] == []
        w.reconciler.enqueue_member(CLUSTER)
        await w.settle()
        assert list(w.state.snapshot(w.now).jobs) == []


async def test_a_poisoned_assignment_is_given_back_and_not_planned_again_at_once() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.members.targets.clear()
        await w.bind()
        assert w.reconciler.counters.quarantined == 1
        assert not list(w.state.allocations.in_flight(CLUSTER))
        assert not w.state.snapshot(w.now).jobs
        assert len(w.state.snapshot(w.now + 61_000).jobs) == 1


async def test_jobs_that_are_bound_at_the_same_time_are_all_counted() -> None:
    async with world() as w:
        uids = [f"u{number}" for number in range(8)]
        for uid in uids:
            w.add(uid, spec=H100_JOB)
        await w.bind(*uids)
        done = w.reconciler.counters
        assert (done.binds, done.created, done.conflicts, done.errors) == ({BindResult.WRITTEN: 8}, 8, 0, 0)


async def test_an_offer_is_in_use_from_the_assignment_on() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.reconciler.bind(w.assignment())
        assert w.reconciler.is_binding_to(OFFER)
        assert not w.reconciler.is_binding_to(OfferKey("prov-a", "another"))
        await w.settle()
        assert not w.reconciler.is_binding_to(OFFER), "from here on its binding says so"


async def test_a_job_that_merely_waits_costs_nothing() -> None:
    async with world() as w:
        for number in range(20):
            w.add(f"w{number}", spec=H100_JOB)
        await w.settle()
        assert not w.hub.seen
        assert w.reconciler.queue._delayed == {}


async def test_a_job_that_the_hub_has_no_more_is_forgotten_with_its_assignment() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.reconciler.bind(w.assignment())
        w.hub.drop(JOBS, "job-u1")
        w.state.remove_job("u1")
        await w.settle()
        assert not w.reconciler.is_binding_to(OFFER)
        assert not w.hub.seen
        assert not list(w.state.allocations.in_flight(CLUSTER))


async def test_touching_a_cluster_touches_the_jobs_bound_there_and_no_others() -> None:
    async with world() as w:
        w.add("u1", spec=H100_JOB)
        w.add("u2", spec=H100_JOB)
        await w.bind("u1")
        w.tell_copy("u1", active=1)
        w.reconciler.enqueue_member("another")
        assert len(w.reconciler.queue) == 0
        w.reconciler.enqueue_member(CLUSTER)
        assert len(w.reconciler.queue) == 1


async def test_an_unseen_change_is_noticed_by_the_second_net() -> None:
    """Nothing tells of the deletion, but five seconds after the delete the reconciler looks again by itself."""
    async with world(tombstone=0) as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.change(deletionTimestamp="2027-01-15T08:00:00Z")
        await w.pass_time(20_000)
        assert "u1" in w.reconciler.queue._delayed


async def test_conflicts_are_tried_again_ever_later() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.change(labels={"a": "b"})  # the watch is silent from here on
        w.tell_copy(succeeded=1, conditions=[{"type": "Complete", "status": "True"}])
        w.now += 20_000
        w.link.show(msgspec.convert(w.copy(), RemoteJob))
        moments = []
        for _ in range(120):
            before = w.reconciler.counters.conflicts
            w.reconciler.enqueue("u1")
            await w.settle()
            if w.reconciler.counters.conflicts > before:
                moments.append(w.now)
            w.now += 500
        pauses = [after - before for before, after in pairwise(moments)]
        assert 5 <= len(moments) <= 8
        assert pauses == sorted(pauses)


def _status(phase: str) -> JobStatus:
    """A job in this phase, as the operator wrote it for generation 1."""
    runs = bound_status(running=True)
    ended = runs.attempt_ended(Ending(outcome=Outcome.SUCCEEDED, reason=AttemptReason.COMPLETED, ended_at=NOW))
    status = {
        "Pending": JobStatus().refused(reason=MemberWord("Disrupted"), message="", at=NOW),
        "Bound": bound_status(),
        "Running": runs,
        "Suspended": JobStatus().suspended(at=NOW),
        "Succeeded": ended.finished(Event.SUCCEEDED, reason=AttemptReason.COMPLETED, message="", at=NOW),
        "Failed": ended.finished(Event.FAILED, reason=AttemptReason.ERROR, message="", at=NOW),
    }
    return with_observed_generation(status[phase], JobStatus(), 1)


@pytest.mark.parametrize("phase", list(map(str, Phase)))
async def test_an_edit_that_changes_nothing_else_costs_one_patch_in_every_phase(phase: str) -> None:
    async with world() as w:
        w.add(spec={"suspend": phase == "Suspended"}, status=_status(phase))
        for _ in range(3):
            await w.pass_time(60_000)
        before = len(w.hub.calls("PATCH"))
        w.change(spec={"ttlSecondsAfterFinished": 86_400})
        await w.pass_time(0)
        await w.pass_time(1_000)
        found = w.status()
        assert (found["phase"], found["observedGeneration"]) == (phase, 2)
        assert {condition["observedGeneration"] for condition in found["conditions"]} == {2}
        assert len(w.hub.calls("PATCH")) - before == 1
        await w.pass_time(60_000)
        assert len(w.hub.calls("PATCH")) - before == 1, "idle costs none"


async def test_a_spec_that_cannot_be_read_is_told_with_its_generation_and_again_after_each_edit() -> None:
    async with world() as w:
        w.add(spec={"suspend": True}, status=_status("Suspended"))
        for generation in (2, 3):
            w.change(spec={"priority": "high" if generation == 2 else "higher"})
            await w.pass_time(0)
            found = w.status()
            assert found["observedGeneration"] == generation
            (told,) = (c for c in found["conditions"] if c["type"] == "Scheduled")
            assert (told["reason"], told["observedGeneration"]) == ("InvalidSpec", generation)


async def test_a_deletion_is_a_generation_too_and_costs_no_write_of_status() -> None:
    async with world() as w:
        w.add(status=_status("Pending"), generation=2, deletionTimestamp="2027-01-15T08:00:00Z")
        w.reconciler.enqueue("u1")
        await w.settle()
        assert w.hub.calls("PATCH", "/status") == []


async def test_a_refusal_that_was_found_before_an_edit_is_not_said_of_the_new_spec() -> None:
    async with world() as w:
        told = JobStatus().refused(reason=Reason.TOO_LARGE, message="", at=NOW)
        w.add(status=with_observed_generation(told, JobStatus(), 1))
        w.change(spec={"priority": 1})
        await w.pass_time(0)
        assert w.hub.calls("PATCH") == [], "the refusals' writer says it once the scheduler has looked again"
