"""Streams over real TLS: from whoever asks, through the server, to a member that a test plays."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from sampan.controller.streams import api
from sampan.controller.streams.limits import OpenStreams
from unit.controller.logs.world import RUNNING, pod
from unit.controller.streams.hub import JOB, V4, V5, Hub, running
from unit.kube.fake_api import Handler, replying

EXEC = "exec?command=sh&command=-c&command=secret%20words&stdin=true&stdout=true&stderr=true"
PORT = "portforward?ports=8080"
DONE = b'\x03{"status":"Success"}'
Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


def member(talk: Talk, *, protocol: str = V5) -> Handler:
    """A member's API server that upgrades and talks."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=[protocol], compress=False)
        await socket.prepare(request)
        await talk(socket)
        return socket

    return handler


async def cat(socket: web.WebSocketResponse) -> None:
    """A command that prints what it is given, until its input ends."""
    async for got in socket:
        if got.data == b"\xff\x00":
            await socket.send_bytes(DONE)
            return
        await socket.send_bytes(b"\x01" + got.data[1:])


async def sleeping(_: web.WebSocketResponse) -> None:
    """A command that does nothing."""
    await asyncio.sleep(3600)


async def endless(socket: web.WebSocketResponse) -> None:
    """A command that prints without end."""
    while True:
        await socket.send_bytes(b"\x01" + b"y\n" * 16 * 1024)


async def rest(socket: "aiohttp.ClientWebSocketResponse[bool]") -> list[bytes]:
    """All that comes."""
    return [bytes(got.data) async for got in socket if got.type is WSMsgType.BINARY]


async def refused(hub: Hub, what: str, **more: Any) -> tuple[int, str]:
    """Code and message of a stream that is not opened."""
    async with hub.get(path=JOB + what, **more) as answer:
        body = await answer.json()
        assert (body["kind"], body["code"]) == ("Status", answer.status)
        return answer.status, body["message"]


UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
ASKING = {**UPGRADE, "Sec-WebSocket-Protocol": V5}


async def test_input_and_output_pass_as_they_are_and_who_was_there_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sampan.controller.streams")
    async with running(tmp_path, pod(0, RUNNING), pod(1, RUNNING)) as hub:
        hub.api.fail("GET", member(cat))
        async with hub.open(EXEC + "&rank=1") as socket:
            assert socket.protocol == V5
            for message in (b"\x00" + bytes(range(256)), b"\x00", b"\xff\x00"):
                await socket.send_bytes(message)
            assert await rest(socket) == [b"\x01" + bytes(range(256)), b"\x01", DONE]
            assert socket.close_code == 1000
        path = hub.api.requests[-1][1]
        ((who, kind, *where),) = hub.rights.asked
    assert (who.user, str(kind), where) == ("alice", "exec", ["team-a", "job-u1"])
    assert path.startswith("/api/v1/namespaces/sampan-jobs/pods/p1-1-0/exec?container=main&stdin=true&stdout=true&stderr=true&command=sh&")
    opened, ended = (vars(each) for each in caplog.records if each.msg in ("stream.opened", "stream.ended"))
    want = {"kind": "exec", "user": "alice", "namespace": "team-a", "job": "job-u1", "rank": 1, "offer": "prov-a/lingang", "command": "sh"}
    assert want.items() <= opened.items()
    assert (want | {"end": "MemberEnded", "sent": 260, "received": 258 + len(DONE)}).items() <= ended.items()
    assert "secret words" not in str([opened, ended])


async def test_a_port_s_bytes_pass(tmp_path: Path) -> None:
    async def echo_once(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x00\x90\x1f")
        await socket.send_bytes(b"\x01\x90\x1f")
        await socket.send_bytes(await socket.receive_bytes())

    async with running(tmp_path, pod(0, RUNNING)) as hub:
        hub.api.fail("GET", member(echo_once, protocol=V4))
        async with hub.open(PORT, protocol=V4) as socket:
            await socket.send_bytes(b"\x00GET /")
            assert await rest(socket) == [b"\x00\x90\x1f", b"\x01\x90\x1f", b"\x00GET /"]
        assert hub.api.requests[-1][1] == "/api/v1/namespaces/sampan-jobs/pods/p1-0-0/portforward?ports=8080"


@pytest.mark.parametrize(
    ("what", "headers", "code", "says"),
    [
        (EXEC, {}, 400, "upgrade to that"),
        (EXEC, UPGRADE, 400, "subprotocol v5.channel.k8s.io"),
        (EXEC, {**UPGRADE, "Sec-WebSocket-Protocol": "v4.channel.k8s.io"}, 400, "subprotocol v5.channel.k8s.io"),
        ("exec?stdout=true", ASKING, 400, "command: give one"),
        (EXEC + "&rank=7", ASKING, 404, "rank 7 of attempt 1 on offer prov-a/lingang has no pod"),
        (EXEC, {**ASKING, "X-Remote-User": "viewer"}, 403, "get alone lets nobody in"),
    ],
)
async def test_what_opens_no_stream_is_a_status(tmp_path: Path, what: str, headers: dict[str, str], code: int, says: str) -> None:
    async with running(tmp_path, pod(0, RUNNING)) as hub:
        hub.rights.refused = ["viewer"]
        got, message = await refused(hub, what, headers=headers)
        assert (got, not hub.api.requests) == (code, True)
        assert says in message


@pytest.mark.parametrize(
    ("what", "answer", "code", "says"),
    [
        (
            EXEC,
            replying(403, "Forbidden"),
            502,
            "does not let the hub use pods/exec: its provider sets pods.exec=true of the chart sampan-member",
        ),
        (PORT, replying(403, "Forbidden"), 502, "its provider sets pods.portForward=true of the chart sampan-member"),
        ("attach?stdout=true", replying(403, "Forbidden"), 502, "its provider sets pods.attach=true of the chart sampan-member"),
        (EXEC, replying(404, "NotFound"), 404, "the pod of rank 0 has gone from the member of offer prov-a/lingang"),
        (EXEC, replying(500, "InternalError", "no kubelet"), 502, "prov-a/lingang opens no exec: InternalError: no kubelet"),
        (EXEC, member(sleeping, protocol=V4), 501, "older than Kubernetes 1.30 and learns of no end of input"),
    ],
)
async def test_what_a_member_refuses_is_told_with_the_way_out(tmp_path: Path, what: str, answer: Handler, code: int, says: str) -> None:
    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(120):
        hub.api.fail("GET", answer)
        got, message = await refused(hub, what, headers={**UPGRADE, "Sec-WebSocket-Protocol": V4 if what is PORT else V5})
        assert got == code
        assert says in message


async def test_an_old_member_serves_a_command_without_input(tmp_path: Path) -> None:
    async def prints(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x01hello")
        await socket.send_bytes(DONE)

    async with running(tmp_path, pod(0, RUNNING)) as hub:
        hub.api.fail("GET", member(prints, protocol=V4))
        async with hub.open("exec?command=date&stdout=true") as socket:
            assert await rest(socket) == [b"\x01hello", DONE]


async def test_a_member_that_vanishes_is_told_in_the_last_message(tmp_path: Path) -> None:
    async def vanish(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\x01half")
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(120):
        hub.api.fail("GET", member(vanish), member(vanish, protocol=V4))
        async with hub.open(EXEC) as socket:
            *_, last = await rest(socket)
        status = json.loads(last[1:])
        assert (last[0], status["status"]) == (3, "Failure")
        assert status["message"] == "the member of offer prov-a/lingang ended the stream before the command did"


async def test_whoever_forges_output_is_told_that_it_may_not(tmp_path: Path) -> None:
    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(120):
        hub.api.fail("GET", member(sleeping))
        async with hub.open(EXEC) as socket:
            await socket.send_str("text")
            (last,) = await rest(socket)
        assert "a message was on a channel" in json.loads(last[1:])["message"]


async def test_the_operator_s_end_ends_streams_with_a_word(tmp_path: Path) -> None:
    async with asyncio.timeout(120):
        async with running(tmp_path, pod(0, RUNNING)) as hub:
            hub.api.fail("GET", member(sleeping), member(sleeping, protocol=V4))
            shell, port = await hub.open(EXEC), await hub.open(PORT, protocol=V4)
            reading = asyncio.gather(rest(shell), rest(port))
            await hub.stop()
            (told,), (said,) = await reading
        assert json.loads(told[1:])["message"] == "the hub's operator restarts: open the stream again"
        assert said == b"\x01the hub's operator restarts: open the stream again"


async def test_streams_are_counted_and_one_whose_client_vanished_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "FAREWELL", 0.1)
    async with running(tmp_path, pod(0, RUNNING), limits=OpenStreams(of_user=1)) as hub, asyncio.timeout(120):
        hub.api.fail("GET", member(sleeping), replying(500, "InternalError"), member(cat))
        async with hub.open(EXEC) as socket:
            code, message = await refused(hub, EXEC, headers=ASKING)
            assert (code, message) == (429, "user alice: at most 1 streams are open at once; close one first")
            assert socket._conn is not None
            assert socket._conn.transport is not None
            socket._conn.transport.abort()
        while (await refused(hub, EXEC, headers=ASKING))[0] == 429:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        async with hub.open(EXEC) as again:
            await again.send_bytes(b"\xff\x00")
            assert await rest(again) == [DONE]


async def test_a_reader_that_takes_nothing_makes_the_member_wait_and_harms_no_other(tmp_path: Path) -> None:
    sent = 0

    async def counting(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        while True:
            await socket.send_bytes(b"\x01" + b"x" * 32768)
            sent += 32768

    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(300):
        hub.api.fail("GET", member(counting))
        async with hub.open(EXEC) as slow:
            last = -1
            while sent != last:  # until nobody takes any more
                last = sent
                await asyncio.sleep(3)
            assert sent < 64 * 1024 * 1024
            hub.api.fail("GET", member(cat))
            async with hub.open(EXEC) as other:
                await other.send_bytes(b"\x00hello")
                assert await other.receive_bytes() == b"\x01hello"
            assert await slow.receive_bytes() == b"\x01" + b"x" * 32768


async def test_a_slow_reader_has_the_last_message_too(tmp_path: Path) -> None:
    async def much(socket: web.WebSocketResponse) -> None:
        for _ in range(512):
            await socket.send_bytes(b"\x01" + b"x" * 32768)
        await socket.send_bytes(DONE)

    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(300):
        hub.api.fail("GET", member(much))
        async with hub.open(EXEC) as socket:
            await asyncio.sleep(3)  # longer than anybody is waited for at the operator's end
            got = await rest(socket)
        assert (len(got), got[-1]) == (513, DONE)


async def test_what_was_sent_before_the_client_left_reaches_the_member(tmp_path: Path) -> None:
    got: list[int] = []
    ended = asyncio.Event()

    async def slow(socket: web.WebSocketResponse) -> None:
        await asyncio.sleep(2)
        async for message in socket:
            got.append(len(message.data))
        ended.set()

    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(300):
        hub.api.fail("GET", member(slow, protocol=V4))
        async with hub.open(PORT, protocol=V4) as socket:
            for _ in range(64):
                await socket.send_bytes(b"\x00" + b"x" * 32767)
        await ended.wait()
        assert got == [32768] * 64
