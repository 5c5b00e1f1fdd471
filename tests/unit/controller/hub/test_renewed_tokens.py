"""The operator's own Secret of renewed tokens: what it gives back, what it forgets, and where it keeps nothing."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sampan.api.convert.offers import SecretRef
from sampan.controller.hub.renewed_tokens import MOST_BYTES, NAME, TokenSecret
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import TooLarge
from sampan.kube.transport.client import Client
from unit.kube.credentials.test_expiry import jwt
from unit.kube.raw_server import RawServer, raw_server, writing

KEY = SecretRef("prov-a", "kc", "kubeconfig")
OTHER = SecretRef("prov-a", "kc", "kubeconfig", "second")
NOW = 1_800_000_000
GOOD, ENDED = jwt({"exp": NOW + 60}), jwt({"exp": NOW})


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with raw_server() as server:
        yield server


def reply(body: Any, code: int = 200) -> bytes:
    data = json.dumps(body)
    return f"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n{data}".encode()


def stored(raw: RawServer) -> dict[str, Any]:
    """The data of the last patch."""
    assert raw.requests[-1].startswith(f"PATCH /api/v1/namespaces/sampan-system/secrets/{NAME} ".encode())
    return dict(json.loads(raw.requests[-1].partition(b"\r\n\r\n")[2])["data"])


async def loaded(client: Client) -> TokenSecret:
    tokens = TokenSecret(client, "sampan-system", clock=lambda: NOW * 1000)
    await tokens.load()
    return tokens


async def test_a_token_is_found_again_after_a_restart_and_for_its_kubeconfig_alone(raw: RawServer) -> None:
    raw.answers = [writing(reply({"metadata": {"name": NAME}})), writing(reply({"metadata": {}}))]
    async with Client(raw.credentials()) as client:
        tokens = await loaded(client)
        assert tokens.kept
        assert tokens.find(KEY, "print") is None
        await tokens.keep(KEY, "print", Secret(GOOD))
        data = stored(raw)
        raw.answers = [writing(reply({"metadata": {"name": NAME}, "data": data}))]
        again = await loaded(client)
    for each in (tokens, again):
        assert each.find(KEY, "print") == Secret(GOOD)
        assert each.find(KEY, "another kubeconfig") is None
        assert each.find(OTHER, "print") is None


async def test_what_has_ended_is_not_used_and_goes_with_the_next(raw: RawServer) -> None:
    raw.answers = [writing(reply({"metadata": {}}))] * 3
    async with Client(raw.credentials()) as client:
        tokens = await loaded(client)
        await tokens.keep(KEY, "print", Secret(ENDED))
        assert tokens.find(KEY, "print") is None
        (name,) = stored(raw)
        await tokens.keep(OTHER, "print", Secret(GOOD))
        assert stored(raw)[name] is None


@pytest.mark.parametrize(("code", "reason"), [(404, "NotFound"), (403, "Forbidden")])
async def test_without_the_secret_nothing_is_kept(raw: RawServer, code: int, reason: str) -> None:
    raw.answers = [writing(reply({"kind": "Status", "code": code, "reason": reason}, code))]
    async with Client(raw.credentials()) as client:
        tokens = await loaded(client)
    assert not tokens.kept
    assert tokens.find(KEY, "print") is None


async def test_broken_entries_are_nobodys(raw: RawServer) -> None:
    broken = {"a": "***", "b": base64.b64encode(b"[1]").decode(), "c": base64.b64encode(b"{}").decode()}
    raw.answers = [writing(reply({"metadata": {}, "data": broken}))]
    async with Client(raw.credentials()) as client:
        assert (await loaded(client)).find(KEY, "") is None


async def test_there_is_no_more_room_than_a_secret_has(raw: RawServer) -> None:
    full = base64.b64encode(json.dumps({"of": "x", "token": "x" * (MOST_BYTES * 3 // 4)}).encode()).decode()
    raw.answers = [writing(reply({"metadata": {}, "data": {"x": full}}))]
    async with Client(raw.credentials()) as client:
        tokens = await loaded(client)
        with pytest.raises(TooLarge):
            await tokens.keep(KEY, "print", Secret(GOOD))
        assert tokens.find(KEY, "print") is None
