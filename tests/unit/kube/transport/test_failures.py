"""Replies and transport errors become errors that say what to do, and never what we sent."""

import asyncio
import json
import ssl
from dataclasses import replace

import pytest

from sampan.kube import errors
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from sampan.kube.objects.meta import PartialObject
from sampan.kube.transport.client import Client
from sampan.kube.transport.failures import from_exception, from_reply, from_status
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from unit.kube.certs import authority, issue
from unit.kube.fake_api import LOOPBACK, credentials, serving, status_text


def reply(code: int, reason: str = "", message: str = "", *, wrote: bool = True, **extra: object) -> errors.KubeError:
    """The error of a Status."""
    return from_reply(code, {}, status_text(code, reason, message, **extra).encode(), wrote=wrote, withhold=False)


@pytest.mark.parametrize(
    ("code", "reason", "want"),
    [
        (400, "BadRequest", errors.Invalid),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (410, "Expired", errors.Gone),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.ServerError),
        (504, "Timeout", errors.ServerError),
        (302, "", errors.BadReply),
        (418, "", errors.KubeError),
    ],
)
def test_kinds(code: int, reason: str, want: type[errors.KubeError]) -> None:
    error = reply(code, reason)
    assert type(error) is want
    assert error.outcome_unknown == (code >= 500 or code == 302)
    assert not reply(code, reason, wrote=False).outcome_unknown


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 413, 422])
@pytest.mark.parametrize("body", [b"", b"<html>blocked</html>", b'{"type":"error","status":"403"}'])
def test_a_refusal_that_no_api_server_wrote_leaves_a_write_unknown(code: int, body: bytes) -> None:
    """A gateway that judges replies answers in the server's place, after the request went through."""
    assert from_reply(code, {}, body, wrote=True, withhold=False).outcome_unknown
    assert not from_reply(code, {}, body, wrote=False, withhold=False).outcome_unknown


def test_a_server_that_is_busy_says_so_without_a_status() -> None:
    """Before anything is done (apiserver: filters/maxinflight.go)."""
    assert not from_reply(429, {}, b"Too many requests, please try again later.", wrote=True, withhold=False).outcome_unknown


def test_an_invalid_object_is_not_echoed() -> None:
    causes = [{"field": "data[kubeconfig]", "reason": "FieldValueInvalid", "message": 'Invalid value: "canary"'}]
    error = reply(422, "Invalid", 'Secret "x" is invalid: data: Invalid value: "canary"', details={"causes": causes})
    assert str(error) == "Invalid: data[kubeconfig] (FieldValueInvalid)"
    assert "canary" not in str(reply(400, "BadRequest", "cannot unmarshal canary into Go value"))


def test_nothing_is_kept_of_a_reply_to_a_secret() -> None:
    body = status_text(403, "Forbidden", "denied by webhook: canary").encode()
    assert "canary" not in str(from_reply(403, {}, body, wrote=True, withhold=True))


@pytest.mark.parametrize("body", [b"", b"<html>canary</html>", b"[]", b'{"kind":"Pod","message":"canary"}', b"\xff" * 50])
def test_a_body_that_is_no_status_is_not_believed(body: bytes) -> None:
    error = from_reply(503, {}, body, wrote=False, withhold=False)
    assert (error.reason, error.message) == ("ServiceUnavailable", "")


@pytest.mark.parametrize(("header", "want"), [("7", 7.0), ("0", 1.0), ("99999", 300.0), ("-1", 1.0), ("soon", 1.0), ("٣", 1.0)])
def test_retry_after(header: str, want: float) -> None:
    error = from_reply(429, {"Retry-After": header}, b"", wrote=False, withhold=False)
    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after == want


def test_retry_after_in_the_status() -> None:
    error = reply(503, "ServiceUnavailable", details={"retryAfterSeconds": 4})
    assert isinstance(error, errors.ServerError)
    assert error.retry_after == 4


def test_errors_inside_watches() -> None:
    assert type(from_status(status_text(410, "Expired").encode())) is errors.Gone
    assert type(from_status(json.dumps({"kind": "Status", "code": 200}).encode())) is errors.ServerError
    assert type(from_status(b"null")) is errors.ServerError


@pytest.mark.parametrize("exc", [TimeoutError(), ConnectionResetError("peer 10.0.0.1"), OSError("x")])
def test_a_lost_reply_leaves_a_write_unknown(exc: OSError) -> None:
    assert from_exception(exc, wrote=True).outcome_unknown
    assert not from_exception(exc, wrote=False).outcome_unknown


async def failure(given: Credentials) -> str:
    """What a read with these credentials fails with."""
    async with Client(given, limits=Limits(timeout=30.0)) as client:
        with pytest.raises(errors.TLSFailure) as caught:
            await client.get(resource_path("v1", "configmaps", namespace="ns", name="x"), into=PartialObject)
    return str(caught.value)


async def test_tls_failures_say_the_way_out_and_it_works() -> None:
    expired = issue(authority(), hosts=("127.0.0.1",), days=-1)
    async with serving(hosts=("inner.example.com",)) as api:
        api.put("x")
        assert "127.0.0.1'; give tls-server-name, one of the names" in await failure(credentials(api))
        named = replace(credentials(api), server_name="inner.example.com")
        async with Client(named, limits=Limits(timeout=30.0)) as client:
            assert await client.get(resource_path("v1", "configmaps", namespace="ns", name="x"), into=PartialObject)
        assert "give tls-server-name" in await failure(replace(named, server_name="other.example.com"))
        assert "certificate-authority-data is not of the CA that signed" in await failure(credentials(api, ca=authority("stranger")))
    async with serving(pair=expired) as api:
        assert "certificate has expired; the server needs a new certificate" in await failure(credentials(api))
    async with serving(pair=issue(None, name="self", hosts=("127.0.0.1",))) as api:
        assert "certificate-authority-data is not of the CA that signed" in await failure(credentials(api))


async def test_a_port_without_tls_is_told() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        given = Credentials(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            ca_pem=authority().cert_pem,
            token=Secret("t"),
            policy=LOOPBACK,
        )
        assert "there is no TLS at that port" in await failure(given)


def test_tls_that_breaks_after_the_handshake_leaves_a_write_unknown() -> None:
    assert from_exception(ssl.SSLError(1, "bad record mac"), wrote=True).outcome_unknown
    assert not from_exception(ssl.SSLError(1, "bad record mac"), wrote=False).outcome_unknown
