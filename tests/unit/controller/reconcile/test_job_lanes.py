"""What is done in which lane: a call that takes long delays neither the hub's writes nor the end of those that wait for their turn."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from sampan.controller.reconcile.reconciler import MEMBER_CALLS, Step
from sampan.controller.state.entry import JobEntry
from unit.controller.fake_cluster import FakeCluster
from unit.controller.fakes import H100_JOB, REMOTE, World, until, world
from unit.kube.fake_api import status

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def late(server: FakeCluster, gate: asyncio.Event, code: int = 0) -> Handler:
    """Answer only once the gate is open; with a code, by a refusal."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        text = await request.read()
        await gate.wait()
        return status(code, "Forbidden", "admission webhook denied the request") if code else server._answer(request, text)

    return answer


def bind(w: World, jobs: list[str], seconds: int = 600) -> None:
    for uid in jobs:
        w.add(uid, spec={**H100_JOB, "startDeadlineSeconds": seconds})
        w.reconciler.bind(w.assignment(uid))


async def test_a_job_that_waits_for_its_turn_on_a_stuck_member_ends_when_it_is_late() -> None:
    jobs, gate = [f"u{number}" for number in range(MEMBER_CALLS + 5)], asyncio.Event()
    async with world() as w:
        w.member.fault("POST", "/jobs", late(w.member, gate), times=len(jobs))
        bind(w, jobs, seconds=30)
        await until(lambda: len(w.member.calls("POST")) == MEMBER_CALLS and all(w.status(uid)["phase"] == "Bound" for uid in jobs))
        waiting = [uid for uid in jobs if uid in w.reconciler.queue._delayed]
        assert len(waiting) == len(jobs) - MEMBER_CALLS, "those without a slot, and no others, are looked at again by the clock"
        w.now += 31_000
        for uid in waiting:
            w.reconciler.enqueue(uid)  # as the timer does at that moment
        await until(lambda: all("binding" not in w.status(uid) for uid in waiting))
        ends = [w.status(uid)["attempts"][-1] for uid in waiting]
        assert {(each["outcome"], each["reason"]) for each in ends} == {("Rejected", "StartDeadlineExceeded")}
        assert len(w.member.calls("POST")) == MEMBER_CALLS, "nothing was sent for them"
        gate.set()
        await until(lambda: len(w.member.calls("POST")) == MEMBER_CALLS and not w.reconciler.queue._lanes.waiting)


async def test_the_clock_itself_ends_a_job_that_waits_for_its_turn() -> None:
    jobs, gate = [f"u{number}" for number in range(MEMBER_CALLS + 1)], asyncio.Event()
    async with world() as w:
        w.member.fault("POST", "/jobs", late(w.member, gate), times=len(jobs))
        bind(w, jobs[:-1])
        await until(lambda: len(w.member.calls("POST")) == MEMBER_CALLS)
        bind(w, jobs[-1:], seconds=1)
        last = jobs[-1]
        await until(lambda: last in w.reconciler.queue._delayed)
        w.now += 2_000
        await until(lambda: "binding" not in w.status(last))
        assert w.status(last)["attempts"][-1]["reason"] == "StartDeadlineExceeded"
        gate.set()
        await until(lambda: len(w.member.of("batch/v1/jobs")) == MEMBER_CALLS)


async def test_a_rejection_is_written_in_the_hubs_lane_so_that_a_slow_hub_holds_no_slot_of_the_member() -> None:
    jobs, refused, written = [f"u{number}" for number in range(MEMBER_CALLS + 5)], asyncio.Event(), asyncio.Event()
    async with world(reconcile_workers=4) as w:
        w.member.fault("POST", "/jobs", late(w.member, refused, code=403), times=len(jobs))
        bind(w, jobs)
        await until(lambda: all(w.status(uid).get("phase") == "Bound" for uid in jobs) and len(w.member.calls("POST")) == MEMBER_CALLS)
        w.hub.fault("PATCH", "/status", late(w.hub, written), times=len(jobs))
        before = len(w.hub.calls("PATCH"))
        refused.set()
        await until(lambda: len(w.member.calls("POST")) == len(jobs))
        await until(lambda: len(w.hub.calls("PATCH")) == before + 4)
        written.set()
        await until(lambda: all("binding" not in w.status(uid) for uid in jobs))
        assert {w.status(uid)["attempts"][-1]["reason"] for uid in jobs} == {"AdmissionDenied"}
        assert len(w.member.calls("POST")) == len(jobs), "none is tried twice"


async def test_a_rejection_that_the_hub_does_not_take_is_written_again_and_the_member_is_asked_no_more() -> None:
    async with world() as w:
        bind(w, ["u1"])
        w.member.fault("POST", "/jobs", late(w.member, _open(), code=403))
        await until(lambda: w.status("u1").get("phase") == "Bound")
        w.hub.fault("PATCH", "/status", late(w.hub, _open(), code=500))
        await until(lambda: w.reconciler.counters.errors == 1)
        w.now += 2_000
        await w.settle()
        w.reconciler.enqueue("u1")
        await until(lambda: "binding" not in w.status("u1"))
        (end,) = w.status("u1")["attempts"]
        assert (end["outcome"], end["reason"]) == ("Rejected", "AdmissionDenied"), "the member's words, not the hub's"
        assert len(w.member.calls("POST")) == 1


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


async def test_a_job_that_waited_for_its_turn_is_not_decided_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, decided = [f"s{number}" for number in range(12)], list[str]()
    async with world(reconcile_workers=1) as w:
        usual = w.reconciler.steps.next

        def next_step(entry: JobEntry) -> Step | None:
            decided.append(entry.uid)
            return usual(entry)

        monkeypatch.setattr(w.reconciler.steps, "next", next_step)
        bind(w, jobs)
        await until(lambda: len(w.member.of(REMOTE)) == len(jobs))
        await w.settle()
        assert all(w.status(uid)["phase"] == "Bound" for uid in jobs)
        # what to bind, what to create once that is written, and whether anything is left to do
        assert 3 * len(jobs) <= len(decided) <= 3.5 * len(jobs)


async def test_what_waits_for_its_turn_is_not_sent_to_a_member_that_fell_into_doubt_meanwhile() -> None:
    uids, gate = [f"u{number}" for number in range(MEMBER_CALLS + 5)], asyncio.Event()
    async with world() as w:
        w.member.fault("POST", "/jobs", late(w.member, gate), times=len(uids))
        bind(w, uids)
        await until(lambda: len(w.member.calls("POST")) == MEMBER_CALLS and all(w.status(uid).get("phase") == "Bound" for uid in uids))
        w.link.connected = False  # of which nobody tells: its watches begin anew
        gate.set()
        await until(lambda: not w.reconciler._waiting)
        await w.settle()
        assert len(w.member.calls("POST")) == MEMBER_CALLS
