"""The server runs only where an address is set, not without its files, and it shows what its files say now."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import builders as b
from jobs import NOW
from sampan.controller.query import setup
from sampan.controller.query.own_certificate import RENEWED_AFTER
from sampan.controller.query.server import RunningServer
from sampan.controller.query.setup import query_server
from sampan.controller.runtime.settings import Settings
from sampan.kube.transport.client import Client
from unit.controller.fake_cluster import FakeCluster, cluster
from unit.controller.fakes import until
from unit.controller.query.test_registration import NAME, SERVICES, registered
from unit.controller.query.worlds import StillWorld
from unit.kube.certs import Pair, authority, issue
from unit.kube.fake_api import replying

WORLD = StillWorld(b.snapshot())


@asynccontextmanager
async def served(api: FakeCluster, folder: Path, **settings: Any) -> AsyncIterator[int | None]:
    """The server with its files in a folder."""
    clock = settings.pop("clock", lambda: NOW)
    async with Client(api.credentials) as client:
        made = Settings(query_tls=folder, **settings)
        async with query_server(made, WORLD, client, clock=clock) as port:
            yield port


def write(folder: Path, *, ca: str = "front-proxy-ca") -> Pair:
    """Write files as kubelet does, and give the server's certificate."""
    own = issue(authority(), name="sampan-query", hosts=["127.0.0.1"])
    for name, text in (("tls.crt", own.cert_pem), ("tls.key", own.key_pem), ("ca.crt", authority(ca).cert_pem)):
        (folder / name).write_text(text)
    return own


async def shown(port: int) -> str:
    """The certificate that the server shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        await writer.wait_closed()
    return ssl.DER_cert_to_PEM_cert(der)


async def test_without_an_address_nothing_is_served(tmp_path: Path) -> None:
    async with cluster() as api, served(api, tmp_path) as port:
        assert port is None


async def test_missing_files_are_an_error(tmp_path: Path) -> None:
    async with cluster() as api:
        with pytest.raises(OSError, match="No such file"):
            async with served(api, tmp_path, query_address="127.0.0.1:0"):
                pass


async def test_a_new_certificate_in_its_files_is_shown_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(setup, "LOOK_EVERY", 0.01)
    first = write(tmp_path)
    async with cluster() as api, served(api, tmp_path, query_address="127.0.0.1:0") as port:
        assert port
        assert await shown(port) == first.cert_pem
        (tmp_path / "tls.crt").write_text("half")
        await until(lambda: "query.certificate_failed" in caplog.messages)
        assert await shown(port) == first.cert_pem, "what cannot be read changes nothing"
        second = write(tmp_path, ca="another-front-proxy-ca")
        async with asyncio.timeout(60):
            while await shown(port) != second.cert_pem:  # noqa: ASYNC110  what is waited for knows no event
                await asyncio.sleep(0.01)
        assert api.seen == [], "the hub is told by whoever brings the certificate"


async def test_a_certificate_of_its_own_is_believed_by_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "LOOK_EVERY", 0.01)
    (tmp_path / "ca.crt").write_text(authority("front-proxy-ca").cert_pem)
    async with cluster() as api:
        registered(api)
        api.fault("GET", "/apiservices", replying(403, "Forbidden"))
        async with served(api, tmp_path, query_address="127.0.0.1:0", query_host="sampan-query.sampan-system.svc") as port:
            assert port
            await until(lambda: "caBundle" in api.get(SERVICES, NAME, "")["spec"])
            bundle = api.get(SERVICES, NAME, "")["spec"]["caBundle"]
            assert base64.b64decode(bundle).decode() == await shown(port)
            registered(api)
            await until(lambda: api.get(SERVICES, NAME, "")["spec"].get("caBundle") == bundle)


@pytest.mark.filterwarnings(  # asyncio drops a handshake that a closing server cuts; nothing else may go unclosed
    "ignore:Exception ignored in. <(function _(Selector|SSLProtocol)Transport|socket):pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("trouble", ["the hub does not answer", "the address is taken"])
async def test_a_renewal_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    monkeypatch.setattr(setup, "LOOK_EVERY", 0.01)
    (tmp_path / "ca.crt").write_text(authority("front-proxy-ca").cert_pem)
    now, listen, failed = NOW, RunningServer.listen, 0

    async def not_at_once(self: RunningServer, port: int, tls: ssl.SSLContext) -> None:
        nonlocal failed
        if now > NOW and trouble == "the address is taken" and failed < 2:
            failed += 1
            raise OSError("address already in use")
        await listen(self, port, tls)

    monkeypatch.setattr(RunningServer, "listen", not_at_once)
    async with cluster() as api:
        registered(api)
        served_there = served(api, tmp_path, query_address="127.0.0.1:0", query_host="sampan-query.x.svc", clock=lambda: now)
        async with served_there as port:
            assert port
            await until(lambda: "caBundle" in api.get(SERVICES, NAME, "")["spec"], 60)
            first = await shown(port)
            if trouble == "the hub does not answer":
                api.fault("GET", "/apiservices", replying(503, "ServiceUnavailable"), times=3)
            now += int(RENEWED_AFTER.total_seconds() * 1000)
            await until(lambda: base64.b64decode(api.get(SERVICES, NAME, "")["spec"]["caBundle"]).count(b"BEGIN") == 2, 60)
            async with asyncio.timeout(60):
                while await shown_or_nothing(port) in (first, ""):  # noqa: ASYNC110  what is waited for knows no event
                    await asyncio.sleep(0.01)
            assert await shown(port) in base64.b64decode(api.get(SERVICES, NAME, "")["spec"]["caBundle"]).decode()


async def shown_or_nothing(port: int) -> str:
    """The certificate that the server shows, an empty text while nobody listens."""
    try:
        return await shown(port)
    except OSError:
        return ""
