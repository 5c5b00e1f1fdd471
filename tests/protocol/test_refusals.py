"""A member that refuses, undoes or fails whatever is asked of it: few calls, its own words, another pool, and an end."""

from typing import Any

import pytest
from aiohttp import web

from jobs import HUB
from sampan.model.values.names import remote_name
from unit.controller.fakes import H100_JOB, REMOTE, World, running, world
from unit.kube.fake_api import replying

NAME = remote_name(HUB, "u1")
WEBHOOK = 'Internal error occurred: failed calling webhook "validate.kyverno.svc": dial tcp 127.0.0.1:{port}: connect: connection refused'
GONE = 'jobs.batch "sj-x" is forbidden: unable to create new content in namespace sampan-jobs because it is being terminated'
RBAC = 'jobs.batch is forbidden: User "system:serviceaccount:x:y" cannot create resource "jobs" in API group "batch"'


async def a_minute(w: World, *, seconds: int = 60) -> None:
    """Let time pass in half seconds, with both watches talking all the time."""
    for _ in range(2 * seconds):
        await w.pass_time(500)


def keeping(w: World, **fields: Any) -> None:
    """Have the member's admission set these fields of every Job's spec."""
    store = w.member._store

    def keep(key: tuple[str, str, str], body: dict[str, Any], event: str) -> dict[str, Any]:
        if key[0] == REMOTE:
            body["spec"] |= fields
        return store(key, body, event)

    w.member._store = keep  # type: ignore[method-assign]


def last(w: World) -> dict[str, Any]:
    """The newest attempt that ended."""
    found: dict[str, Any] = w.status()["attempts"][-1]
    return found


async def test_a_member_that_suspends_what_is_started_is_asked_a_few_times_and_left() -> None:
    async with world() as w:
        keeping(w, suspend=True)
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w, seconds=5)
        told = next(c for c in w.status()["conditions"] if c["type"] == "Running")
        assert (told["status"], told["reason"]) == ("False", "SuspendedByMember")
        assert "spec.suspend" in told["message"]
        await a_minute(w, seconds=30)
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "SuspendedByMember")
        assert len(w.member.calls("PATCH")) == 4
        assert len(w.member.calls("POST")) == 1
        assert len(w.hub.calls("PATCH")) <= 5


async def test_a_webhook_that_is_down_is_told_and_the_job_goes_elsewhere() -> None:
    async with world() as w:
        for port in range(34_000, 34_009):
            w.member.fault("POST", "/jobs", replying(500, "InternalError", WEBHOOK.format(port=port)))
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w, seconds=3)
        assert w.status()["reason"] == "WebhookFailed"
        assert "connection refused" in w.status()["message"]
        writes = len(w.hub.calls("PATCH"))
        await a_minute(w, seconds=6)
        assert len(w.member.calls("POST")) == 4
        assert len(w.hub.calls("PATCH")) == writes + 1, "another port is no news; the end of the attempt is"
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "WebhookFailed")
        assert "rejections" not in w.status(), "a server that is ill says nothing about the job"
        await a_minute(w, seconds=30)
        assert w.status()["phase"] == "Pending"
        scheduled = next(c for c in w.status()["conditions"] if c["type"] == "Scheduled")
        assert (scheduled["status"], scheduled["reason"]) == ("False", "WebhookFailed")
        assert "connection refused" in scheduled["message"]
        assert len(w.member.calls("POST")) == 4


@pytest.mark.parametrize("message", [GONE, RBAC])
async def test_a_create_that_was_refused_frees_the_job_at_once(message: str) -> None:
    async with world() as w:
        w.member.fault("POST", "/jobs", replying(403, "Forbidden", message))
        w.member.fault("GET", "", replying(403, "Forbidden", message), times=99)
        w.add(spec=H100_JOB)
        await w.bind()
        assert (w.status()["phase"], last(w)["outcome"]) == ("Pending", "Rejected")
        assert "binding" not in w.status()
        assert [call.method for call in w.member.seen] == ["POST"]


async def test_a_refusal_after_a_create_of_unknown_outcome_proves_nothing() -> None:
    async with world() as w:
        w.member.fault("POST", "/jobs", replying(504, "Timeout"))
        w.member.fault("POST", "/jobs", replying(403, "Forbidden", RBAC))
        w.add(spec=H100_JOB)
        await w.bind()
        await w.pass_time(1_000)
        assert last(w)["outcome"] == "Rejected"
        assert "binding" in w.status(), "the first one may still be carried out"
        await w.pass_time(20_000)
        assert w.member.calls("GET", NAME)
        assert "binding" not in w.status()


@pytest.mark.parametrize("code", [403, 404, 413])
async def test_a_gateways_refusal_of_what_was_carried_out_all_the_same_makes_no_second_copy(code: int) -> None:
    async with world() as w:

        async def carry_out(request: web.BaseRequest) -> web.StreamResponse:
            w.member._answer(request, await request.read())
            return web.Response(status=code, text="<html>blocked</html>", content_type="text/html")

        w.member.fault("POST", "/jobs", carry_out)
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w, seconds=5)
        assert len(w.member.of(REMOTE)) == 1
        assert "binding" in w.status()
        assert not w.status().get("attempts"), "what is there is taken as the copy"
        assert len(w.member.calls("POST")) == 1


async def test_a_gateway_that_refuses_everything_is_left_after_a_few_tries_and_looked_behind() -> None:
    async with world() as w:

        async def block(_: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=403, text="<html>blocked</html>", content_type="text/html")

        w.member.fault("POST", "/jobs", block, times=99)
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w)
        assert last(w)["outcome"] == "Rejected"
        assert len(w.member.calls("POST")) == 4
        assert w.member.calls("GET", NAME), "absence is proved"
        assert "binding" not in w.status()


async def test_a_refusal_met_after_a_restart_proves_nothing() -> None:
    """The operator before us may have sent a create."""
    async with world() as w:
        w.member.fault("POST", "/jobs", replying(503, "ServiceUnavailable"))
        w.add(spec=H100_JOB)
        await w.bind()
        body = w.job()
        w.restart()
        w.state.apply_job(body)
        w.member.fault("POST", "/jobs", replying(403, "Forbidden", RBAC))
        async with running(w):
            w.reconciler.enqueue("u1")
            await w.settle()
            assert last(w)["outcome"] == "Rejected"
            assert "binding" in w.status()


async def test_a_server_that_names_a_moment_is_left_alone_until_then() -> None:
    async with world() as w:
        w.member.fault("POST", "/jobs", replying(429, "TooManyRequests", Retry_After="30"))
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w, seconds=29)
        assert len(w.member.calls("POST")) == 1
        assert w.status()["reason"] == "TooManyRequests"
        await a_minute(w, seconds=2)
        assert len(w.member.calls("POST")) == 2
        assert len(w.member.of(REMOTE)) == 1


async def test_a_deadline_that_the_member_sets_back_is_not_fought_over() -> None:
    async with world() as w:
        w.add(spec={**H100_JOB, "activeDeadlineSeconds": 60})
        await w.bind()
        w.tell_copy(active=1, startTime="2027-01-15T08:00:00Z")
        keeping(w, activeDeadlineSeconds=60)
        w.change(spec={"activeDeadlineSeconds": 600})
        await a_minute(w)
        assert 3 <= len(w.member.calls("PATCH")) <= 7


async def test_labels_that_the_member_takes_off_end_the_attempt_and_leave_nothing() -> None:
    async with world() as w:
        create = w.member._create

        def strip(where: Any, body: dict[str, Any]) -> web.Response:
            body["metadata"]["labels"] = {}
            return create(where, body)

        w.member._create = strip  # type: ignore[method-assign]
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w, seconds=20)
        assert (last(w)["outcome"], last(w)["reason"]) == ("Rejected", "LabelsRemoved")
        assert len(w.member.calls("POST")) == 1
        assert w.member.of(REMOTE) == []
        assert w.status()["phase"] == "Pending"


def say(w: World, reason: str, message: str) -> None:
    """Have the member's Job controller say something of the copy."""
    meta = {"name": f"e-{reason}", "namespace": "sampan-jobs"}
    about = {"involvedObject": {"uid": w.copy()["metadata"]["uid"]}}
    w.member.put("v1/events", {"metadata": meta, **about, "type": "Warning", "reason": reason, "message": message})


async def test_a_job_controller_that_may_make_no_pods_is_heard_within_ten_seconds() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        w.tell_copy(startTime="2027-01-15T08:00:00Z")
        say(w, "FailedCreate", "Error creating: pods is forbidden: exceeded quota: gpus")
        await a_minute(w, seconds=10)
        told = next(c for c in w.status()["conditions"] if c["type"] == "Running")
        assert (told["status"], told["reason"]) == ("False", "FailedCreate")
        assert "exceeded quota: gpus" in told["message"]
        writes = len(w.hub.calls("PATCH"))
        await a_minute(w)
        assert len(w.member.calls("GET", "/events")) <= 8
        assert len(w.hub.calls("PATCH")) == writes


async def test_without_the_right_to_events_a_job_that_does_not_start_still_says_why() -> None:
    async with world() as w:
        w.member.fault("GET", "/events", replying(403, "Forbidden", RBAC), times=9)
        w.add(spec=H100_JOB)
        await w.bind()
        w.tell_copy(startTime="2027-01-15T08:00:00Z", active=1)
        await a_minute(w, seconds=10)
        assert w.status()["reason"] in ("NoPods", "PodsNotReady", "ContainersNotStarted")
        assert len(w.member.calls("GET", "/events")) == 1
        assert w.link.doubts == 0, "a right that is only for words says nothing about the link"


async def test_a_job_that_starts_in_time_asks_for_no_events() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        await w.bind()
        await a_minute(w, seconds=5)
        assert w.member.calls("GET") == []
