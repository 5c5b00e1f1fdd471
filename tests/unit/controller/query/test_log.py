"""Output over real TLS: as text, as long as somebody reads, and never more at once than may be."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from sampan.controller.logs import pace
from sampan.controller.query import log
from unit.controller.logs.world import ENDED, RUNNING, WAITING, pod, stamped
from unit.controller.streams.hub import JOB, running
from unit.kube.fake_api import sending


async def test_output_is_text(tmp_path: Path) -> None:
    async with running(tmp_path, pod(0, ENDED)) as hub:
        hub.api.fail("GET", sending(stamped("one", "two")))
        async with hub.get("?tailLines=2") as answer:
            assert (answer.status, answer.content_type, answer.headers["X-Content-Type-Options"]) == (200, "text/plain", "nosniff")
            assert await answer.text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("?tail=2", 400, "unknown parameter tail"),
        ("?rank=7", 404, "rank 7 of attempt 1 on offer prov-a/lingang has no pod"),
        ("", 400, "has not started: ContainerCreating"),
    ],
)
async def test_what_goes_wrong_before_the_first_byte_is_a_status(tmp_path: Path, query: str, code: int, says: str) -> None:
    async with running(tmp_path, pod(0, WAITING)) as hub, hub.get(query) as answer:
        body = await answer.json()
        assert (answer.status, body["kind"], body["code"]) == (code, "Status", code)
        assert says in body["message"]


async def test_a_job_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.get(path=JOB.replace("job-u1", "other") + "log") as answer:
        assert answer.status == 404


async def test_what_breaks_it_off_is_the_last_line(tmp_path: Path) -> None:
    async with running(tmp_path, pod(0, ENDED)) as hub:
        hub.api.fail("GET", sending(stamped("one"), cut=True))
        async with hub.get() as answer:
            lines = (await answer.text()).splitlines()
    assert lines[0] == "one"
    assert lines[1].startswith("sampan: the log of rank 0 cannot be read; the member of offer prov-a/lingang: ")


async def test_whoever_follows_sees_each_line_when_it_comes_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MAX_STREAMS_OF_NAMESPACE", 1)
    monkeypatch.setattr(log, "LOOK_EVERY", 0.05)
    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(120):
        hub.api.fail("GET", sending(stamped("one"), hang=True), sending(stamped("two"), hang=True))
        async with hub.get("?follow=true") as answer:
            assert await answer.content.readline() == b"one\n"
            async with hub.get() as second:
                assert (second.status, (await second.json())["reason"]) == (429, "TooManyRequests")
        while True:  # the reader has gone; its stream is given up without a further byte of the member's
            async with hub.get("?follow=true") as again:
                if again.status == 200:
                    assert await again.content.readline() == b"two\n"
                    break


async def test_a_hundred_followers_of_one_job_are_served(tmp_path: Path) -> None:
    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(300):
        hub.api.fail("GET", *[sending(stamped("one"), hang=True) for _ in range(100)])

        async def first_line() -> bytes:
            async with hub.get("?follow=true") as answer:
                return await answer.content.readline()

        assert await asyncio.gather(*(first_line() for _ in range(100))) == [b"one\n"] * 100


async def test_a_reader_that_takes_nothing_makes_the_member_wait(tmp_path: Path) -> None:
    sent = 0

    async def endless(request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        nonlocal sent
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(stamped("x" * 1000) * 64)
            sent += 64 * 1000

    async with running(tmp_path, pod(0, RUNNING)) as hub, asyncio.timeout(300):
        hub.api.fail("GET", endless)
        async with hub.get("?follow=true") as answer:
            assert (await answer.content.readline())[:1] == b"x"
            last = -1
            while sent != last:  # until nobody takes any more
                last = sent
                await asyncio.sleep(3)
            assert sent < 64 * 1024 * 1024
