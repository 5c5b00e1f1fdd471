"""Replies and transport errors become errors that say what to do, and never what we sent."""

import json

import pytest

from sampan.kube import errors
from sampan.kube.failures import from_exception, from_reply, from_status

from .fake_api import status_text


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
