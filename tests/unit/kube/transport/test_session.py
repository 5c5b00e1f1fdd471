"""The transport: TLS, caps, no redirects, no environment, retirement."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from sampan.kube.credentials.addresses import AddressNotAllowed, AddressPolicy
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.kubeconfig import parse
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import TooLarge
from sampan.kube.transport.limits import MIB, Limits
from sampan.kube.transport.pool import NotConnected
from sampan.kube.transport.session import Request, Session, Streaming
from unit.kube.certs import authority, b64, issue, kubeconfig
from unit.kube.fake_api import BASE, FakeApi, credentials, opened, sending, serving

GET = Request(method="GET", path=BASE)
SMALL = Limits(max_body=100_000, connect_timeout=30)


@asynccontextmanager
async def session(given: Credentials, limits: Limits = SMALL) -> AsyncIterator[Session]:
    """A session that is closed."""
    one = Session(given, limits)
    try:
        yield one
    finally:
        await one.close()


async def test_sends_the_token_and_nothing_of_the_environment(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with session(credentials(api)) as one:
        reply = await one.send(GET)
    assert reply.code == 200
    headers = api.requests[0][2]
    assert headers["Authorization"] == "Bearer good"
    assert headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in headers


async def test_reaches_a_name_under_its_own_certificate(api: FakeApi) -> None:
    async with session(credentials(api, host="localhost")) as one:
        assert (await one.send(GET)).code == 200


async def test_another_ca_or_name_is_a_tls_error_and_no_request() -> None:
    async with serving(hosts=("other.example.com",)) as api:
        for given in (credentials(api), credentials(api, ca=authority("stranger"))):
            async with session(given) as one:
                with pytest.raises(NotConnected, match="SSLCertVerificationError"):
                    await one.send(GET)
        assert api.requests == []


async def test_a_gateways_path_comes_before_each_request(api: FakeApi) -> None:
    api.prefix = "/k8s/clusters/c-m-1"
    async with session(credentials(api)) as one:
        assert (await one.send(GET)).code == 200
        assert (await one.send(replace(GET, params={"limit": "1"}))).code == 200
        async with one.stream(
            replace(GET, params={"watch": "true", "resourceVersion": "1"}), Streaming(open_timeout=60, read_timeout=5, buffer=MIB)
        ) as stream:
            assert stream.code == 200
    assert [path for _, path, *_ in api.requests] == [
        f"/k8s/clusters/c-m-1{BASE}",
        f"/k8s/clusters/c-m-1{BASE}?limit=1",
        f"/k8s/clusters/c-m-1{BASE}?watch=true&resourceVersion=1",
    ]


async def test_a_certificate_for_the_name_that_was_given() -> None:
    for name in ("inner.example.com", "10.96.0.1"):
        async with serving(hosts=(name,)) as api:
            async with session(replace(credentials(api), server_name=name)) as one:
                assert (await one.send(GET)).code == 200
            async with session(replace(credentials(api), server_name="other.example.com")) as one:
                with pytest.raises(NotConnected, match="SSLCertVerificationError"):
                    await one.send(GET)


async def test_any_certificate_that_was_given_is_believed() -> None:
    root = authority("root")
    middle = issue(root, name="middle", ca=True)
    own = issue(None, name="self-signed", hosts=("127.0.0.1",))
    for server, believed in ((issue(middle, hosts=("127.0.0.1",)), middle), (own, own)):
        async with serving(pair=server) as api, session(credentials(api, ca=believed)) as one:
            assert (await one.send(GET)).code == 200
    async with serving(pair=issue(middle, hosts=("127.0.0.1",))) as api, session(credentials(api, ca=own)) as one:
        with pytest.raises(NotConnected, match="SSLCertVerificationError"):
            await one.send(GET)


async def test_what_openssl_prints_of_a_server_is_enough_as_its_ca() -> None:
    middle = issue(authority("public root"), name="public CA", ca=True)
    own = issue(middle, name="rancher.example.com", hosts=("127.0.0.1",))
    shown = f"{own.cert_pem} 1 s:CN = c\n{middle.cert_pem}"
    printed = f"CONNECTED(00000003)\n---\nCertificate chain\n 0 s:CN = r\n   i:CN = c\n{shown}---\nServer certificate\n"
    async with serving(pair=own) as api:
        raw = kubeconfig(server=f"https://127.0.0.1:{api.port}", user="    token: good").replace(b64(authority().cert_pem), b64(printed))
        async with session(parse(raw.encode(), policy=AddressPolicy(allow_loopback=True))) as one:
            assert (await one.send(GET)).code == 200


async def test_a_token_and_a_certificate_are_both_shown() -> None:
    client = issue(authority("clients"), name="hub")
    async with serving(client_ca=authority("clients")) as api:
        given = replace(credentials(api), client_certificate=client.cert_pem, client_key=Secret(client.key_pem))
        async with session(replace(given, token=None)) as one:
            assert (await one.send(GET)).code == 401
        async with session(given) as one:
            assert (await one.send(GET)).code == 200


async def test_client_certificates() -> None:
    client = issue(authority("clients"), name="hub")
    async with serving(client_ca=authority("clients")) as api:
        given = replace(credentials(api), client_certificate=client.cert_pem, client_key=Secret(client.key_pem))
        async with session(given) as one:
            assert (await one.send(GET)).code == 200


async def test_a_forbidden_address_is_never_connected_to(api: FakeApi) -> None:
    with pytest.raises(AddressNotAllowed):
        Session(replace(credentials(api), policy=AddressPolicy()), SMALL)
    named = replace(credentials(api, host="localhost"), policy=AddressPolicy())
    with pytest.raises(AddressNotAllowed):
        Session(named, SMALL)
    assert api.requests == []


async def test_redirects_are_not_followed(api: FakeApi) -> None:
    async with serving() as other:

        async def away(_: web.BaseRequest) -> web.Response:
            return web.Response(status=307, headers={"Location": f"https://127.0.0.1:{other.port}{BASE}"})

        api.fail("GET", away)
        async with session(credentials(api)) as one:
            assert (await one.send(GET)).code == 307
        assert other.requests == []


async def test_an_endless_body_stops_at_the_cap(api: FakeApi) -> None:
    written = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal written
        response = await opened(request)
        while True:
            await response.write(b"x" * 10_000)
            written += 10_000

    api.fail("GET", endless)
    async with session(credentials(api)) as one:
        with pytest.raises(TooLarge):
            await asyncio.wait_for(one.send(GET), 5)
    assert written < 10_000_000


async def test_a_gzip_bomb_stops_at_the_cap(api: FakeApi) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)

    async def boom(_: web.BaseRequest) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    api.fail("GET", boom)
    async with session(credentials(api), Limits(max_body=1_000_000)) as one:
        tracemalloc.start()
        with pytest.raises(TooLarge):
            await one.send(GET)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20_000_000


async def test_retiring_lets_calls_finish_and_ends_streams(api: FakeApi) -> None:
    go = asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.Response:
        await go.wait()
        return web.Response(text="late")

    api.fail("GET", slow, sending(b"first", hang=True))
    one = Session(credentials(api), SMALL)
    call = asyncio.create_task(one.send(GET))
    await api.until(lambda: api.count("GET") == 1)
    async with one.stream(GET, Streaming(open_timeout=60, read_timeout=60, buffer=MIB)) as stream:
        chunks = stream.chunks()
        assert await anext(chunks) == b"first"
        await one.retire()
        assert [chunk async for chunk in chunks] == []
        assert stream.aborted
    go.set()
    assert (await asyncio.wait_for(call, 60)).body == b"late"
    with pytest.raises(RuntimeError):
        await one.send(GET)


async def test_a_stream_that_opens_while_retiring_ends_at_once(api: FakeApi) -> None:
    go = asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        await go.wait()
        return await sending(b"x", hang=True)(request)

    api.fail("GET", slow)
    one = Session(credentials(api), SMALL)

    async def read() -> list[bytes]:
        async with one.stream(GET, Streaming(open_timeout=60, read_timeout=60, buffer=MIB)) as stream:
            return [chunk async for chunk in stream.chunks()]

    task = asyncio.create_task(read())
    await api.until(lambda: api.count("GET") == 1)
    await one.retire()
    go.set()
    assert await asyncio.wait_for(task, 60) == []


async def test_a_silent_stream_is_noticed(api: FakeApi) -> None:
    api.fail("GET", sending(b"x", hang=True))
    async with session(credentials(api)) as one, one.stream(GET, Streaming(open_timeout=60, read_timeout=0.2, buffer=MIB)) as stream:
        chunks = stream.chunks()
        assert await anext(chunks) == b"x"
        with pytest.raises(TimeoutError):
            await anext(chunks)
