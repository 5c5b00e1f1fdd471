"""How what ends a link is shown: a reason the schema takes, no address, no secret."""

import re

import pytest

from sampan.controller.members.terms import WrongClusterError, describe, first_error, is_silence
from sampan.kube.errors import (
    AddressRefused,
    BadReply,
    Forbidden,
    KubeError,
    ServerError,
    TLSFailure,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from sampan.model.members.offer_reasons import OfferReason

REASON = re.compile("[A-Za-z]([A-Za-z0-9_,:/]*[A-Za-z0-9_])?")


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (WrongClusterError(OfferReason.IDENTITY_CHANGED, "m"), "IdentityChanged"),
        (Unauthorized(401, "Unauthorized", ""), "Unauthorized"),
        (Forbidden(403, "Forbidden", ""), "Forbidden"),
        (TLSFailure("self-signed certificate"), "TLSError"),
        (AddressRefused("not allowed"), "InvalidKubeconfig/AddressNotAllowed"),
        (Unreachable("Timeout", "no answer"), "Unreachable"),
        (ServerError(500, "InternalError", ""), "Unreachable"),
        (KeyError("secret text"), "Unreachable"),
    ],
)
def test_each_error_has_a_reason_and_a_message(error: BaseException, want: str) -> None:
    reason, message = describe(error)
    assert str(reason) == want
    assert REASON.fullmatch(reason)
    assert message
    assert "secret text" not in message


@pytest.mark.parametrize(
    ("error", "silence"),
    [
        (Unreachable("Timeout", ""), True),
        (Unreachable("Throttled", ""), True),
        (TooManyRequests(429, "TooManyRequests", "", retry_after=1), True),
        (Unreachable("ConnectionRefused", ""), False),
        (Unreachable("ConnectionLost", ""), False),
        (Unreachable("NameNotResolved", ""), False),
        (TLSFailure("certificate has expired"), False),
        (ServerError(503, "ServiceUnavailable", ""), False),
        (BadReply(200, "NotJSON", ""), False),
    ],
)
def test_a_member_that_is_slow_is_told_from_one_that_is_not_there(error: KubeError, silence: bool) -> None:
    assert is_silence(error) is silence


def test_the_first_error_of_nested_groups_counts() -> None:
    inner = KubeError(0, "Deep", "")
    assert first_error(ExceptionGroup("a", [ExceptionGroup("b", [inner]), ValueError()])) is inner
