"""Turns, deadlines, safe repeats, measurement, rotation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from sampan.kube.errors import AddressRefused, ServerError, TLSFailure, TooManyRequests, Unauthorized, Unreachable
from sampan.kube.transport.exchange import Call, Exchange
from sampan.kube.transport.limits import MIB, Limits
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.session import Request, Streaming
from unit.kube.certs import authority
from unit.kube.fake_api import BASE, LOOPBACK, FakeApi, credentials, replying, sending

PATH = resource_path("v1", "configmaps", namespace="ns")
SAFE = frozenset({429, 503})


def call(method: str = "GET", *, timeout: float = 30.0, retry: frozenset[int] = frozenset()) -> Call:
    """A call."""
    return Call(verb=method.lower(), path=PATH, request=Request(method=method, path=BASE), timeout=timeout, retry=retry)


@asynccontextmanager
async def exchanging(api: FakeApi, limits: Limits | None = None) -> AsyncIterator[tuple[Exchange, list[tuple[str, str, str]]]]:
    """An open exchange and what it measured."""
    seen: list[tuple[str, str, str]] = []

    def observe(verb: str, resource: str, code: str, seconds: float) -> None:
        assert seconds >= 0
        seen.append((verb, resource, code))

    exchange = Exchange(credentials(api), limits or Limits(qps=1000), observe)
    exchange.open()
    try:
        yield exchange, seen
    finally:
        await exchange.close()


@pytest.mark.parametrize("code", [429, 503])
async def test_repeats_when_the_server_says_when(api: FakeApi, code: int) -> None:
    api.fail("GET", replying(code, "", Retry_After="1"))
    async with exchanging(api) as (exchange, seen):
        assert await exchange.send(call(retry=SAFE))
    assert seen == [("get", "configmaps", str(code)), ("get", "configmaps", "200")]


async def test_does_not_repeat_past_the_deadline(api: FakeApi) -> None:
    api.fail("GET", replying(429, "", Retry_After="60"))
    async with exchanging(api) as (exchange, _):
        async with asyncio.timeout(30):
            with pytest.raises(TooManyRequests) as caught:
                await exchange.send(call(retry=SAFE))
    assert caught.value.retry_after == 60
    assert api.count("GET") == 1


async def test_does_not_repeat_what_may_be_done(api: FakeApi) -> None:
    api.fail("POST", replying(503, "", Retry_After="0"), replying(500, ""))
    async with exchanging(api) as (exchange, _):
        for _ in range(2):
            with pytest.raises(ServerError) as caught:
                await exchange.send(call("POST"))
            assert caught.value.outcome_unknown
    assert api.count("POST") == 2


async def test_a_write_whose_reply_is_lost_is_unknown_and_sent_once(api: FakeApi) -> None:
    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    api.fail("POST", cut)
    async with exchanging(api) as (exchange, seen):
        with pytest.raises(Unreachable) as caught:
            await exchange.send(call("POST"))
    assert caught.value.outcome_unknown
    assert caught.value.__context__ is None  # no error brings request headers along
    assert api.count("POST") == 1
    assert seen == [("post", "configmaps", "ConnectionLost")]


async def test_a_hung_server_costs_one_timeout(api: FakeApi) -> None:
    api.fail("POST", sending(hang=True))
    async with exchanging(api) as (exchange, seen):
        with pytest.raises(Unreachable, match="Timeout") as caught:
            await exchange.send(call("POST", timeout=1.0))
    assert caught.value.outcome_unknown
    assert seen == [("post", "configmaps", "Timeout")]


async def test_refused_is_known_not_to_be_done(api: FakeApi) -> None:
    async with exchanging(api) as (exchange, _):
        free = replace(credentials(api), port=1)
        await exchange.replace_credentials(free)
        with pytest.raises(Unreachable, match="ConnectionRefused") as caught:
            await exchange.send(call("POST"))
    assert not caught.value.outcome_unknown


async def test_our_own_limits_never_make_a_write_unknown(api: FakeApi) -> None:
    async with exchanging(api, Limits(qps=0.01, burst=1)) as (exchange, _):
        await exchange.send(call())
        with pytest.raises(Unreachable, match="Throttled") as caught:
            await exchange.send(call("POST", timeout=0.1))
    assert not caught.value.outcome_unknown
    assert api.count("POST") == 0


async def test_no_more_in_flight_than_allowed(api: FakeApi) -> None:
    now, most = 0, 0

    async def counting(_: web.BaseRequest) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.Response(text="{}")

    api.fail("GET", *[counting] * 12)
    async with exchanging(api, Limits(max_in_flight=3)) as (exchange, _):
        await asyncio.gather(*(exchange.send(call()) for _ in range(12)))
    assert most == 3


async def test_rotation_is_used_at_once_and_wakes_who_waits(api: FakeApi) -> None:
    api.tokens = {"new"}
    async with exchanging(api) as (exchange, _):
        with pytest.raises(Unauthorized):
            await exchange.send(call())
        waiter = asyncio.create_task(exchange.pause(60))
        await asyncio.sleep(0)
        assert await exchange.replace_credentials(credentials(api, token="new"))
        assert await asyncio.wait_for(waiter, 60)
        assert await exchange.send(call())
        assert not await exchange.replace_credentials(credentials(api, token="new"))
        assert not await exchange.pause(0.01)


async def test_who_waits_is_woken_by_word_that_the_server_answers_again(api: FakeApi) -> None:
    async with exchanging(api) as (exchange, _):
        waiter = asyncio.create_task(exchange.pause(60))
        await asyncio.sleep(0)
        exchange.wake()
        assert await asyncio.wait_for(waiter, 60)
        assert not await exchange.pause(0.01)


async def test_credentials_that_cannot_be_used_leave_the_old_ones(api: FakeApi) -> None:
    async with exchanging(api) as (exchange, _):
        broken = replace(credentials(api), ca_pem="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        with pytest.raises(TLSFailure):
            await exchange.replace_credentials(broken)
        with pytest.raises(AddressRefused):
            await exchange.replace_credentials(replace(credentials(api), host="169.254.169.254", policy=LOOPBACK))
        assert await exchange.send(call())


async def test_another_ca_is_a_tls_failure(api: FakeApi) -> None:
    async with exchanging(api) as (exchange, _):
        await exchange.replace_credentials(credentials(api, ca=authority("stranger")))
        with pytest.raises(TLSFailure, match="TLSError") as caught:
            await exchange.send(call("POST"))
    assert not caught.value.outcome_unknown


async def test_streams_report_refusals(api: FakeApi) -> None:
    api.fail("GET", replying(403, "Forbidden", "no"))
    async with exchanging(api) as (exchange, seen):
        with pytest.raises(Exception, match="Forbidden: no"):
            async with exchange.stream(call(), Streaming(open_timeout=60, read_timeout=60, buffer=MIB)):
                pytest.fail("not reached")
    assert seen == [("get", "configmaps", "403")]
