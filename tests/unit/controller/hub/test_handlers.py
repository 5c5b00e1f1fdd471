"""Events are handed over as they are, to the core's loop; credentials are given as data."""

import asyncio
from dataclasses import fields
from typing import Any

import kopf
import pytest

from sampan.controller.hub.client import KINDS, KOPF_KINDS
from sampan.controller.hub.handlers import connection_of, registry_of
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret

TOKEN = Credentials(host="10.0.0.1", port=6443, ca_pem="CA", token=Secret("t0k3n"))
CERTIFICATE = Credentials(host="fd00::1", port=443, ca_pem="CA", client_certificate="CERT", client_key=Secret("KEY"))


@pytest.mark.parametrize(
    ("credentials", "want"),
    [
        (TOKEN, {"server": "https://10.0.0.1:6443", "ca_data": "CA", "token": "t0k3n"}),
        (CERTIFICATE, {"server": "https://[fd00::1]:443", "ca_data": "CA", "certificate_data": "CERT", "private_key_data": "KEY"}),
    ],
)
def test_credentials_are_data_and_never_a_path(credentials: Credentials, want: dict[str, str]) -> None:
    info = connection_of(credentials)
    given = {field.name: value for field in fields(info) if (value := getattr(info, field.name))}
    ours = {name: value for name, value in given.items() if name not in ("priority", "expiration")}
    assert ours == want
    assert not any("path" in name for name in ours)
    assert not info.insecure


async def test_each_kind_but_jobs_is_watched_with_one_handler_and_no_default_login() -> None:
    registry = registry_of(KOPF_KINDS, lambda *_: None, loop=asyncio.get_running_loop(), credentials=lambda: TOKEN)
    watching = [handler.id for handler in registry._watching.get_all_handlers()]
    assert watching == [f"on-{plural}" for plural in KINDS if plural != "computejobs"]
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()
    assert len(registry._activities.get_all_handlers()) == 1


async def test_an_event_reaches_the_loop_unchanged_and_later() -> None:
    heard: list[tuple[Any, ...]] = []
    registry = registry_of(KINDS, lambda *args: heard.append(args), loop=asyncio.get_running_loop(), credentials=lambda: TOKEN)
    (handler, *_) = registry._watching.get_all_handlers()
    resource = kopf.Resource(group="sampan.dev", version="v1alpha1", plural="computejobs")
    found = {"metadata": {"uid": "u1"}}
    call: Any = handler.fn
    await call(event={"type": None, "object": found}, resource=resource, body={}, logger=None)
    assert heard == [], "handed over, not called"
    await asyncio.sleep(0)
    assert heard == [("computejobs", None, found)]


async def test_each_login_reads_the_credentials_anew() -> None:
    given = [TOKEN, CERTIFICATE]
    registry = registry_of(KINDS, lambda *_: None, loop=asyncio.get_running_loop(), credentials=lambda: given.pop(0))
    (login,) = registry._activities.get_all_handlers()
    call: Any = login.fn
    first, second = await call(), await call()
    assert (first.token, second.token) == ("t0k3n", None)
